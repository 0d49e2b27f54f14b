"""Matrix for the contract suite: a real Synapse, people with clients of their own, rooms in clear or encrypted."""

from __future__ import annotations

import asyncio
import time
from urllib.parse import quote

from automation_bots.chat.client import SIGNS
from automation_bots.chat.matrix.loop import Loop
from tests.chat.harness import Human, Seen
from tests.fakes.matrix_gate import Gate
from tests.fakes.matrix_person import Person, new_name, on_screen, pinged, replaced, typed
from tests.fakes.synapse import NAME, Synapse

_PASSWORD = "a-long-password"
_SECONDS = 30
_CHOICES = {sign: choice for choice, (sign, _) in SIGNS.items()}


class Matrix:
    """One bot account on the session's homeserver."""

    backend = "Matrix"
    needs_invite = False

    def __init__(self, synapse: Synapse, *, encrypted: bool) -> None:
        self._synapse, self._encrypted = synapse, encrypted
        self.bot = synapse.person(new_name("netbot"), _PASSWORD)
        self.gate = Gate(synapse.url)
        self.password, self._loop = _PASSWORD, Loop("people")
        self._people: dict[str, Person] = {}
        self._robots: set[str] = set()
        self._since: dict[str, str] = {}

    def settings(self):
        """What stands in [chat]."""
        return {
            "server": self.gate.url,
            "user": self.bot,
            "password": "env:MATRIX_PASSWORD",
            "invites": NAME,
            "edit_seconds": 0.2,
        }

    def environment(self):
        """The bot's secret."""
        return {"MATRIX_PASSWORD": _PASSWORD}

    def human(self, name, *, robot=False):
        """Make somebody; robots speak in notices, as the protocol asks them to."""
        id_ = self._synapse.person(new_name(name), _PASSWORD)
        person = self._people[id_] = Person(self._synapse.url, id_, _PASSWORD)
        self._do(person.enter())
        if robot:
            self._robots.add(id_)
        return Human(id_, name)

    def rename(self, who, name):
        """Take another display name."""
        self._do(self._people[who.id].rename(name))

    def room(self, *people):
        """Make a room, and wait until everybody is in it; the bot comes when it runs."""
        first, *others = (self._people[who.id] for who in people)
        wanted = [self.bot, *(person.id for person in others)]
        room = self._do(first.make_room(wanted, encrypted=self._encrypted))
        for person in others:
            self._do(person.refresh(force=True))
            self._do(person.refresh(force=True))
        self._joined(first, room)
        return room

    def say(self, who, room, text, *, thread="", mention=False):
        """Type."""
        person = self._people[who.id]
        words = typed(text, thread=thread, mention=self.bot if mention else "", robot=who.id in self._robots)
        since = self.gate.since
        id_ = self._do(person.say(self._there(person, room), words))
        self._since[id_] = since
        return id_

    def say_all(self, room, said):
        """Type all of it, as fast as the homeserver takes it."""
        self._do(together([self._people[who.id].say(room, typed(text)) for who, text in said]), 120)

    def edit(self, who, room, message, text):
        """Edit an own message."""
        person = self._people[who.id]
        self._do(person.say(self._there(person, room), replaced(text, message)))

    def send(self, who, room, text, name, content):
        """Send a file with words."""
        person = self._people[who.id]
        return self._do(person.attach(self._there(person, room), text, name, content))

    def choose(self, who, room, message, choice):
        """React with a choice's sign."""
        person = self._people[who.id]
        relation = {"rel_type": "m.annotation", "event_id": message, "key": SIGNS[choice][0]}
        self._do(person.say(self._there(person, room), {"m.relates_to": relation}, "m.reaction"))

    react = choose

    def seen(self, who, room):
        """All that stands there."""
        person = self._people[who.id]
        if not room:
            self._do(person.refresh())
        where = room or person.direct.get(self.bot, "")
        return [self._shown(person, one) for one in self._do(person.seen(where))] if where else []

    def _shown(self, person, one):
        signs = [sign for who, sign in one.reactions if who == self.bot]
        is_file = one.content["msgtype"] not in {"m.text", "m.notice"}
        files = ((one.content["filename"], self._do(person.file(one.content))),) if is_file else ()
        return Seen(
            id=one.id,
            author=one.author,
            text=on_screen(one.content),
            thread=one.thread,
            edited=one.edited,
            choices=tuple(_CHOICES[sign] for sign in signs if sign in _CHOICES),
            reactions=tuple(sign for _, sign in one.reactions),
            files=files,
            pings=pinged(one.content),
            raw=str(one.content),
        )

    def cut(self):
        """Cut the bot's connections."""
        self.gate.cut()

    def down(self, *, is_down):
        """Let the homeserver be away for the bot."""
        self.gate.down = is_down
        if is_down:
            self.gate.cut()

    def limit(self, times, seconds):
        """Refuse the bot's next posts."""
        self.gate.limit(times, seconds)

    def late(self, seconds):
        """Answer the bot's next post late."""
        self.gate.late("/send/", seconds)

    def deliver_again(self, room, message):
        """Let the homeserver send again what came since that message."""
        self.gate.rewind(self._since[message])

    def revoke(self):
        """Take the bot's devices away, as an administrator does."""
        user = f"/_synapse/admin/v2/users/{quote(self.bot)}"
        devices = [device["device_id"] for device in self._synapse.as_admin("GET", f"{user}/devices")["devices"]]
        self._synapse.as_admin("POST", f"{user}/delete_devices", {"devices": devices})
        self.gate.cut()

    def sessions(self, who):
        """The names of the devices that somebody is logged in on."""
        devices = self._synapse.as_admin("GET", f"/_synapse/admin/v2/users/{quote(who.id)}/devices")["devices"]
        return [device["display_name"] for device in devices]

    def calls(self):
        """Calls of the bot, without sync and keys."""
        return self.gate.calls

    def close(self):
        """End people and door; the homeserver is the session's."""
        for person in self._people.values():
            self._do(person.leave())
        self._loop.close()
        self.gate.close()

    def _there(self, person, room):
        if room:
            return room
        if self.bot not in person.direct:
            made = self._do(person.make_room([self.bot], direct=True, encrypted=self._encrypted))
            self._joined(person, made)
        return person.direct[self.bot]

    def _joined(self, person, room):
        end = time.monotonic() + _SECONDS
        while self.gate.listening and self.bot not in self._do(person.members(room)):
            assert time.monotonic() < end, "the bot did not come"
            time.sleep(0.02)
        self._do(person.refresh(force=True))

    def _do(self, work, seconds=_SECONDS):
        return self._loop.run(work, seconds)


async def together(work, at_once=12):
    """Do all of it, some at a time."""
    turns = asyncio.Semaphore(at_once)

    async def in_turn(one):
        async with turns:
            await one

    await asyncio.gather(*(in_turn(one) for one in work))
