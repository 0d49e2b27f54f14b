"""One homeserver, people on it, and the bot's client alone: what the tests of the client need."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime

from automation_bots.chat.matrix.loop import Loop
from automation_bots.chat.registry import NETWORKS
from tests.fakes.matrix_gate import Gate
from tests.fakes.matrix_person import Person, new_name, typed
from tests.fakes.synapse import NAME
from tests.support.chatbot import wait

PASSWORD = "a-long-password"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Ear:
    """What the client hands over."""

    messages: list = field(default_factory=list)
    choices: list = field(default_factory=list)

    def heard(self, message):
        """Take a message."""
        self.messages.append(message)

    def chosen(self, choice):
        """Take a choice."""
        self.choices.append(choice)

    def hears(self, pattern, seconds=15):
        """Wait for a message; return it."""
        found = []

        def there():
            found[:] = [one for one in self.messages if re.search(pattern, one.text)]
            return bool(found)

        wait(there, seconds, lambda: f"no {pattern!r} in {[one.text for one in self.messages][-10:]}")
        return found[0]

    @property
    def texts(self):
        """The words alone."""
        return [one.text for one in self.messages]


class Scene:
    """People whose clients live on one loop."""

    def __init__(self, synapse):
        self.synapse, self.loop, self._left = synapse, Loop("people"), []
        self.gate = Gate(synapse.url)
        self.ana, self.eve = self.person("ana"), self.person("eve")

    def person(self, name):
        """Make somebody with a client."""
        id_ = self.synapse.person(new_name(name), PASSWORD)
        return self.enter(id_)

    def enter(self, id_, device=""):
        """Log somebody in on one more device, or with new keys on one that is there."""
        person = Person(self.synapse.url, id_, PASSWORD, device)
        self._left.append(person)
        self.do(person.enter())
        return person

    def do(self, work, seconds=60):
        """Run what a person does."""
        return self.loop.run(work, seconds)

    def say(self, person, room, text, **how):
        """Type."""
        return self.do(person.say(room, typed(text, **how)))

    def sees(self, person, room, pattern):
        """Wait until a person sees it; return it as it is shown."""
        found = []

        def there():
            found[:] = [one for one in self.do(person.seen(room)) if re.search(pattern, str(one.content["body"]))]
            return bool(found)

        wait(there, 30, lambda: f"nobody said {pattern!r}")
        return found[0]

    def close(self):
        """End them all."""
        for person in self._left:
            self.do(person.leave())
        self.loop.close()
        self.gate.close()


class Bot:
    """The client of a new account; `start` and `stop` as often as wanted, on the same data."""

    def __init__(self, scene, folder):
        self.scene, self.folder = scene, folder
        self.id = scene.synapse.person(new_name("bot"), PASSWORD)
        self.chat = {"server": scene.gate.url, "user": self.id, "password": PASSWORD, "invites": [scene.ana.id]}
        self.client = self.ear = None

    def start(self, **chat):
        """Connect; return what is said to it from now on."""
        self.client, self.ear = NETWORKS["Matrix"]({**self.chat, **chat}, self.folder), Ear()
        self.client.connect(self.ear)
        return self.ear

    def stop(self):
        """End the client."""
        if self.client is not None:
            self.client.close()
        self.client = None

    def token(self):
        """A token of one more session."""
        return self.scene.synapse.login(self.id, PASSWORD)["access_token"]

    def crash(self):
        """End as a power cut does: what stands on disk at this moment is all that is left."""
        kept = self.folder / "kept"
        shutil.copytree(self.folder / "matrix", kept)
        self.stop()
        shutil.rmtree(self.folder / "matrix")
        kept.rename(self.folder / "matrix")

    def missed(self):
        """What was said while it was away."""
        return list(self.client.missed(LONG_AGO))

    def room(self, *, encrypted=False, direct=False):
        """A room of ana's with the bot in it."""
        made = self.scene.do(self.scene.ana.make_room([self.id], encrypted=encrypted, direct=direct))
        self.wait_in(made)
        return made

    def wait_in(self, room):
        """Wait until it is a member."""
        ana = self.scene.ana
        wait(lambda: self.id in self.scene.do(ana.members(room)), 15, lambda: "it did not come")
        self.scene.do(ana.refresh(force=True))
        wait(lambda: room in self.client._link.client.rooms, 15)


__all__ = ["LONG_AGO", "NAME", "PASSWORD", "Bot", "Ear", "Scene"]
