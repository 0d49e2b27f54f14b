"""Networks without a client of ours: Errbot's Test backend through the plain surface, and the terminal."""

import re
import threading
from itertools import count

from errbot.backends import text as errbot_text
from errbot.backends.base import Message
from errbot.backends.test import TestOccupant, TestPerson, TestRoom

from tests.chat.harness import Human, Seen, running
from tests.support.chatbot import wait


def undone(text):
    """What a person reads, with the escapes and fences of the plain surface undone."""
    text = re.sub(r"\\([\\`*_{}\[\]#.+-])", r"\1", text.replace("```\n", "").replace("\n```", ""))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("@\u200b", "@").replace("`\u200b``", "```")


class Plain:
    """Errbot's Test backend: no edits, no buttons, no files, no threads."""

    backend = "Test"
    needs_invite = False

    def __init__(self):
        self.names, self.posts, self.bot = count(1), [], None
        self.lock = threading.Lock()

    def running(self, net, folder, drivers):
        return PlainBot(net, folder, drivers)

    def settings(self):
        return {}

    def environment(self):
        return {}

    def human(self, name, *, robot=False):
        return Human(f"{name}{next(self.names)}", name)

    def room(self, *people):
        return f"room{next(self.names)}"

    def posted(self, room, author, text):
        with self.lock:
            self.posts.append(Seen(str(len(self.posts)), author, undone(text), raw=text))
            self.posts[-1].__dict__["room"] = room

    def say(self, who, room, text, *, thread="", mention=False):
        text = f"@netbot {text}" if mention else text
        self.posted(room or self.direct(who), who.id, text)
        self.bot.callback_message(self.message(who, room, text))
        return str(len(self.posts) - 1)

    def direct(self, who):
        return who.id

    def message(self, who, room, text):
        message = Message(text)
        if room:
            message.to = TestRoom(room, bot=self.bot)
            message.frm = TestOccupant(who.id, room)
        else:
            message.to, message.frm = self.bot.bot_identifier, TestPerson(who.id)
        return message

    def seen(self, who, room):
        where = room or self.direct(who)
        with self.lock:
            return [post for post in self.posts if post.room == where]

    def listen(self, bot):
        """Take what the bot says, where it says it."""
        self.bot = bot
        bot.send_message = lambda msg: self.posted(str(msg.to), "bot", msg.body)

    def close(self):
        self.bot = None


class PlainBot(running):
    """A bot that is not served by a link: it begins at once."""

    me, threads = "bot", False

    def start(self):
        self.net.listen(self.errbot)
        self.errbot.connect_callback()
        wait(lambda: self.automation.started, 20)

    def stop(self):
        self.automation.stop(grace_seconds=0.5)
        self.errbot.disconnect_callback()
        self.errbot.shutdown()
        self.errbot.thread_pool.terminate()


class Terminal(Plain):
    """The Text backend, with several people in one terminal."""

    backend, plug = "Text", "AutomationText"
    errbot = {"BOT_ADMINS": ("@admin",), "TEXT_DEMO_MODE": True, "TEXT_COLOR_THEME": "nocolor"}  # noqa: RUF012

    def human(self, name, *, robot=False):
        return Human(f"@{name}{next(self.names)}", name)

    def room(self, *people):
        return f"#room{next(self.names)}"

    def message(self, who, room, text):
        message, person = Message(text), errbot_text.TextPerson(who.id.removeprefix("@"))
        message.frm, message.to = person, self.bot.bot_identifier
        if room:
            message.to = errbot_text.TextRoom(room.removeprefix("#"), self.bot)
            message.frm = errbot_text.TextOccupant(person, message.to)
        return message

    def listen(self, bot):
        self.bot = bot
        terminal = type(bot.automation_surface)

        class Heard(terminal):
            """The surface of the terminal, which does not print."""

            def say(surface, place, answer):  # noqa: N805 - beside the network's self
                surface.place = place
                return super().say(place, answer)

            def show(surface, words):  # noqa: N805
                self.posted(surface.place.room, "bot", words)

        bot.automation_surface = Heard(bot)
