"""A chat network on paper: rooms in memory, and every fault that a real one may have, switched on by name."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from automation_bots.chat.client import Attached, Away, Busy, IncomingMessage, PlainClient, Rejected, Revoked, only
from automation_bots.chat.client import Click as Choice
from automation_bots.surface import Capabilities


class Network:
    """Its people by id, its rooms with who may write there, what was said."""

    def __init__(self, *faults):
        self.people = {"U1": "bot", "U2": "ana", "U3": "gone"}
        self.rooms = {"C1": {"U1", "U2"}, "C2": {"U2"}}
        self.faults, self.calls = set(faults), []
        self.messages, self.clients, self.ids = {}, [], count(1)

    def tell(self, heard):
        kept = replace(heard, edited=False)
        self.messages[heard.id] = kept
        for client in self.clients:
            if client.me != heard.sender:
                client.sink.heard(heard)


class PaperClient(PlainClient):
    """One account there."""

    def __init__(self, network, me="U1", capabilities=None):
        self.network, self.me, self.my_name = network, me, network.people.get(me, "")
        everything = Capabilities(edits=True, reactions=True, threads=True, files=True, message_size=4000)
        self.capabilities = capabilities or everything

    def connect(self, sink):
        self._check()
        self.sink = sink
        self.network.clients.append(self)

    def close(self):
        self.network.clients = [client for client in self.network.clients if client is not self]

    def _check(self, room=None):
        faults = self.network.faults
        if "revoked" in faults:
            raise Revoked("invalid_auth")
        if "away" in faults:
            raise Away("no answer")
        if "busy" in faults and len(self.network.calls) % 3 == 2:
            self.network.calls.append("busy")
            raise Busy(0.001)
        if room and self.me not in self.network.rooms.get(room, ()):
            raise Rejected(f"not in {room}")

    def room_ids(self, names):
        return only((("ops", "C1"), ("dev", "C2")), names)

    def _said(self, room, text, thread="", files=()):
        self._check(room)
        network = self.network
        network.calls.append("post")
        if "cuts" in network.faults:
            text = text[:1000]
        if "flat" in network.faults:
            thread = ""
        late = "names later" in network.faults and not text.endswith(": say")
        sender = "someone" if late or "names" in network.faults else self.me
        heard = IncomingMessage(
            f"m{next(network.ids)}", sender, room, text, datetime.now(UTC), thread=thread, files=files
        )
        heard = replace(heard, direct=room.startswith("D") and "open" not in network.faults)
        heard = replace(heard, mentioned="calls" in network.faults)
        network.tell(heard)
        return "other" if "ids" in network.faults else heard.id

    def escape(self, text):
        return text.replace("*", "") if "eats" in self.network.faults else text

    def fence(self, text):
        return f"```\n{text}\n```"

    def post(self, room, text, thread="", choices=()):
        return self._said(room, text, thread)

    def edit(self, room, message, text, choices=()):
        self._check(room)
        if message not in self.network.messages:
            raise Rejected("no such message")
        edited = replace(self.network.messages[message], text=text, edited=True)
        if "edits are new" in self.network.faults:
            edited = replace(edited, id=f"m{next(self.network.ids)}", edited=False)
        self.network.tell(edited)

    def react(self, room, message, name):
        self._check(room)
        sender = "U3" if "names later" in self.network.faults else self.me
        for client in self.network.clients:
            client.sink.chosen(Choice("r1", sender, room, message, name, datetime.now(UTC)))

    def upload(self, room, file, thread=""):
        content = b"?" if "spoils" in self.network.faults else file.content
        return self._said(room, "", thread, (Attached(file.name, len(content), lambda: content),))

    def delete(self, room, message):
        self._check()
        if "keeps" in self.network.faults:
            raise Rejected("may not delete")
        if not self.network.messages.pop(message, None):
            raise Rejected("no such message")

    def direct_room(self, person):
        room = f"D{person}"
        self.network.rooms[room] = {self.me, person}
        return room

    def missed(self, since):
        if "forgets" in self.network.faults:
            return []
        return [heard for heard in self.network.messages.values() if heard.at >= since]

    # -- what doctor asks

    def examine(self):
        self._check()
        yield "ok", "logged in as bot"
        if "scope" in self.network.faults:
            yield "WRONG", "the scope chat:write is missing; add it to the app and install it again"

    def examine_room(self, room):
        if room not in self.network.rooms:
            return "there is no such room, or the bot is not in it; invite the bot"
        self._check(room)
        return ""

    def examine_person(self, person):
        return "" if person in self.network.people else "nobody has this id"

    def network_time(self):
        return datetime.now(UTC) + timedelta(seconds=90 if "clock" in self.network.faults else 0)
