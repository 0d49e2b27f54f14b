"""What the tests of Mattermost's client share."""

import threading

from automation_bots.chat.mattermost.settings import MattermostSettings


class Ear:
    """Keeps what a client hears."""

    def __init__(self):
        self.messages, self.choices, self._new = [], [], threading.Condition()
        self.is_stopping = False

    def heard(self, message):
        with self._new:
            self.messages.append(message)
            self._new.notify_all()
        return True

    def chosen(self, choice):
        with self._new:
            if not self.is_stopping:
                self.choices.append(choice)
            self._new.notify_all()
        return not self.is_stopping

    def until(self, condition, seconds=10):
        with self._new:
            assert self._new.wait_for(condition, seconds), (self.messages[-3:], self.choices[-3:])

    def message(self, id_):
        self.until(lambda: any(one.id == id_ for one in self.messages))
        return next(one for one in self.messages if one.id == id_)


def settings(net, **more):
    given = {**net.settings(), "token": net.environment()["MATTERMOST_TOKEN"], **more}
    return MattermostSettings.model_validate(given)
