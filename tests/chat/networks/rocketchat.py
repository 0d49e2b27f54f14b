"""The Rocket.Chat test server as the contract wants a network: people who type, click and look."""

import itertools
from pathlib import Path

from automation_bots.chat.client import SIGNS, choice_of
from automation_bots.chat.registry import NETWORKS
from automation_bots.chat.rocketchat.text import shown
from tests.chat.harness import Human, Seen
from tests.fakes.rocketchat import RocketChatServer
from tests.fakes.rocketchat.workspace import CLOCK

_KEEPS_THE_LINK = {"get me", "get settings.public", "get rooms.get", "get users.listByStatus", "get chat.syncMessages"}


def made(chat):
    return NETWORKS["RocketChat"](chat, Path())  # it keeps nothing


class RocketChat:
    """One server with one bot account."""

    backend = "RocketChat"
    needs_invite = False

    def __init__(self, **server):
        self.server = RocketChatServer(**server).__enter__()
        self.world, self._count = self.server.world, itertools.count(1)
        self.bot = self._do(self.world.person, "netbot", password="secret", roles=("user", "bot"))["_id"]
        self.token = self._do(self.world.token, self.bot)
        self._down = False

    def _do(self, action, *args, **more):
        return self.server.run(action, *args, **more)

    def settings(self):
        return {"url": self.server.url, "token": "env:ROCKETCHAT_TOKEN"}

    def environment(self):
        return {"ROCKETCHAT_TOKEN": self.token}

    def human(self, name, *, robot=False):
        """Names are taken once; a later ana is ana.7."""
        taken = self.world.named(name)
        user = self._do(self.world.person, f"{name}.{next(self._count)}" if taken else name)
        if robot:
            self.server.give_role(user["_id"], "bot")
        return Human(user["_id"], user["username"])

    def rename(self, who, name):
        self._do(self.world.rename, who.id, f"{name}.{next(self._count)}" if self.world.named(name) else name)

    def room(self, *people):
        name = f"room-{next(self._count)}"
        return self._do(self.world.room, "p", name, self.bot, *(person.id for person in people))["_id"]

    def direct(self, who):
        rid = "".join(sorted((who.id, self.bot)))
        if rid not in self.world.rooms:
            self._do(self.world.room, "d", "", *sorted((who.id, self.bot)))
        return rid

    def _rid(self, who, room):
        return room or self.direct(who)

    def say(self, who, room, text, *, thread="", mention=False):
        name = self.world.users[self.bot]["username"]
        message = {"rid": self._rid(who, room), "msg": f"@{name} {text}" if mention else text}
        return self._do(self.world.send, who.id, message | ({"tmid": thread} if thread else {}))["_id"]

    def edit(self, who, room, message, text):
        self._do(self.world.update, who.id, message, text)

    def send(self, who, room, text, name, content):
        return self._do(self.world.share, who.id, self._rid(who, room), name, "text/plain", content, text)["_id"]

    def choose(self, who, room, message, choice):
        self._do(self.world.react, who.id, message, SIGNS[choice][1], True)

    react = choose

    def seen(self, who, room):
        rid = self._rid(who, room)
        return [self._seen(message) for message in reversed(self._do(self.world.history, rid)) if not message.get("t")]

    def _seen(self, message):
        uploads, bot = self.world.uploads, self.world.users[self.bot]["username"]
        reactions = message.get("reactions", {})
        return Seen(
            id=message["_id"],
            author=message["u"]["_id"],
            text=shown(message["msg"]),
            thread=message.get("tmid", ""),
            edited="editedAt" in message,
            choices=tuple(choice_of(key) for key, given in reactions.items() if bot in given["usernames"]),
            reactions=tuple(reactions),
            files=tuple((file["name"], uploads[file["_id"]]["content"]) for file in message.get("files", [])),
            pings=tuple(uid for mid, uid in self.world.pinged if mid == message["_id"]),
            raw=message["msg"],
        )

    def set_clock(self, ahead_seconds):
        """Set the server's clock wrong."""
        CLOCK.ahead_seconds = ahead_seconds

    def cut(self):
        self.server.cut()

    def down(self, *, is_down):
        self.server.open, self.server.rest.down = not is_down, 10**9 if is_down else 0
        if is_down:
            self.server.cut()

    def limit(self, times, seconds):
        self.server.limit(seconds, times)

    def late(self, seconds):
        self.server.rest.late["chat.sendMessage"] = seconds

    def deliver_again(self, room, message):
        self.server.replay(message)

    def revoke(self):
        self.server.revoke(self.token)

    def calls(self):
        return sum(call not in _KEEPS_THE_LINK for call in self.server.rest.called)

    def close(self):
        CLOCK.ahead_seconds = 0.0
        self.server.__exit__()


class Ears:
    """Keeps what a client hands in."""

    def __init__(self):
        self.messages, self.choices = [], []

    def heard(self, message):
        self.messages.append(message)

    def chosen(self, choice):
        self.choices.append(choice)

    def said(self):
        return [message.text for message in self.messages]
