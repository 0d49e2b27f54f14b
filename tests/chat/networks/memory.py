"""A chat network in this process, as strict as real ones: ids, threads, edits, buttons, 429, cuts, revoked tokens."""

import re
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count

from automation_bots.chat import calls
from automation_bots.chat.client import (
    SIGNS,
    Attached,
    Away,
    Busy,
    Click,
    IncomingMessage,
    PlainClient,
    Rejected,
    Revoked,
    label_of,
)
from automation_bots.surface import Capabilities
from tests.chat.harness import Human, Seen
from tests.support.chatbot import ROOT

BOT = "B0"
_SPECIAL = re.compile(r"[\\&<>*_`~]")
_PING = re.compile(r"<@(\w+)>|(?<!\w)@(here|all|channel)\b")


@dataclass
class Post:
    id: str
    room: str
    author: str
    text: str
    at: datetime
    thread: str = ""
    edited: bool = False
    choices: tuple = ()
    reactions: list = field(default_factory=list)
    files: tuple = ()


class Server:
    """Rooms and people; every live link has a sink."""

    def __init__(self):
        self.lock = threading.RLock()
        self.posts, self.people, self.links = [], {BOT: ("netbot", True)}, []
        self.members = {}
        self.triggers, self.forms = [], []
        self.ids = count(1)
        self.calls, self.limited, self.is_down, self.revoked = 0, [], False, False
        self.said = {}  # by the key of what was said
        self.unreadable = 0  # so many looks into the history fail
        self.slow = []  # seconds before the next questions are answered, though they stand there at once

    def new(self, room, author, text, **more):
        with self.lock:
            post = Post(f"m{next(self.ids)}", room, author, text, datetime.now(UTC), **more)
            self.posts.append(post)
        return post

    def find(self, room, id_):
        with self.lock:
            return next((post for post in self.posts if (post.room, post.id) == (room, id_)), None)

    def tell(self, deliver):
        for link in list(self.links):
            deliver(link.sink)

    def heard(self, post, **more):
        name, robot = self.people[post.author]
        mention = f"<@{BOT}>"
        files = tuple(Attached(name, len(content), lambda c=content: self.fetched(c)) for name, content in post.files)
        return IncomingMessage(
            id=post.id, sender=post.author, room=post.room, text=post.text.replace(mention, "").strip(), at=post.at,
            sender_name=name, thread=post.thread, direct=post.room.startswith("D"), mentioned=mention in post.text,
            robot=robot, files=files, **more,
        )  # fmt: skip

    def reacted(self, post, who, choice, **more):
        stands = f"{post.id}:{who}:{choice}"
        at = more.pop("at", None) or datetime.now(UTC)
        id_ = stands if more else f"{stands}:{next(self.ids)}"
        return Click(id_, who, post.room, post.id, choice, at, self.people[who][0], post.thread,
                      post.room.startswith("D"), self.people[who][1], stands=stands, **more)  # fmt: skip

    def fetched(self, content):
        self.call()
        return content

    def call(self, *, post=False):
        with self.lock:
            self.calls += 1
            if self.revoked:
                raise Revoked("this token is not valid any more")
            if self.is_down:
                raise Away("503")
            if post and self.limited:
                raise Busy(self.limited.pop())


class MemoryClient(PlainClient):
    """The client."""

    def __init__(self, server, *, forms=False, **can):
        usual = {"edits": True, "edit_seconds": 0.2, "reactions": True, "buttons": True, "threads": True,
                 "files": True, "picture_seconds": 60, "message_size": 2_000, "forms": forms}  # fmt: skip
        self.capabilities = Capabilities(**{**usual, **can})
        self.server, self.me, self.my_name = server, "", ""
        self.sink, self.ended, self.why = None, threading.Event(), None

    def connect(self, sink):
        if self.server.revoked:
            raise Revoked("this token is not valid")
        if self.server.is_down:
            raise Away("connection refused")
        self.sink, self.me, self.my_name = sink, BOT, self.server.people[BOT][0]
        self.ended.clear()
        self.why = None
        self.server.links.append(self)

    def wait(self):
        self.ended.wait()
        if self.why is not None:
            raise self.why

    def drop(self, why=None):
        if self in self.server.links:
            self.server.links.remove(self)
        self.why = why
        self.ended.set()

    def close(self):
        self.drop()

    def missed(self, since):
        self.server.call()
        if self.server.unreadable:
            self.server.unreadable -= 1
            raise Away("503")
        with self.server.lock:
            posts = [post for post in self.server.posts if post.at >= since]
        return [self.server.heard(post) for post in posts]

    def standing(self, room, message, since):
        self.server.call()
        post = self.server.find(room, message)
        given = [(who, name) for who, name in post.reactions if who != BOT and name in SIGNS]
        return [self.server.reacted(post, who, name, at=since, is_read=True) for who, name in given]

    def escape(self, text):
        return _SPECIAL.sub(lambda found: "\\" + found.group(), text).replace("@", "@\u200b")

    def fence(self, text):
        return "```\n" + text.replace("```", "`\u200b``").replace("@", "@\u200b").replace("<", "\u2039lt") + "\n```"

    def post(self, room, text, thread="", choices=(), once=None):
        self.server.call(post=True)
        if once is not None and once.key in self.server.said:
            return self.server.said[once.key]
        self.checked(room, text)
        text = calls.written(text, lambda one: f"<@{one.account}>" if one.account in self.server.people else one.name)
        if thread and (first := self.server.find(room, thread)) is not None and first.thread:
            raise Rejected("a thread begins with a message of the room")
        post = self.server.new(room, BOT, text, thread=thread, choices=choices)
        if once is not None:
            self.server.said[once.key] = post.id
        if choices and self.server.slow:
            time.sleep(self.server.slow.pop())
        return post.id

    def checked(self, room, text):
        if room not in self.server.members:
            raise Rejected("no such room")
        if not text or len(text) > self.capabilities.message_size:
            raise Rejected(f"a message has 1 to {self.capabilities.message_size} characters, not {len(text)}")

    def edit(self, room, message, text, choices=()):
        self.server.call(post=True)
        self.checked(room, text)
        post = self.server.find(room, message)
        if post is None or post.author != BOT:
            raise Rejected("no such message of yours")
        post.text, post.choices, post.edited = text, choices, True

    def react(self, room, message, name):
        self.server.call()
        self.server.find(room, message).reactions.append((BOT, name))

    def upload(self, room, file, thread="", once=None):
        self.server.call(post=True)
        if once is not None and once.key in self.server.said:
            return self.server.said[once.key]
        post = self.server.new(room, BOT, "", thread=thread, files=((file.name, file.content),))
        if once is not None:
            self.server.said[once.key] = post.id
        return post.id

    def delete(self, room, message):
        self.server.call()
        self.server.posts.remove(self.server.find(room, message))

    def direct_room(self, person):
        return f"D{person}"

    def form(self, trigger, form):
        if trigger not in self.server.triggers:
            raise Rejected("expired_trigger_id")
        self.server.triggers.remove(trigger)
        self.server.forms.append(form)

    def examine(self):
        yield "ok", "the network in memory"


class Memory:
    """The harness."""

    backend = "Memory"
    needs_invite = False
    backend_folder = str(ROOT / "tests/chat/networks/memory_backend")
    server: Server

    def __init__(self, **can):
        Memory.server, Memory.can = Server(), can
        self.names = count(1)

    def settings(self):
        return {"token": "env:MEMORY_TOKEN"}

    def environment(self):
        return {"MEMORY_TOKEN": "let-me-in"}

    def human(self, name, *, robot=False):
        id_ = f"U{next(self.names)}"
        self.server.people[id_] = (name, robot)
        self.server.members[f"D{id_}"] = {id_, BOT}
        return Human(id_, name)

    def rename(self, who, name):
        self.server.people[who.id] = (name, self.server.people[who.id][1])

    def room(self, *people):
        id_ = f"R{next(self.names)}"
        self.server.members[id_] = {BOT, *(who.id for who in people)}
        return id_

    def say(self, who, room, text, *, thread="", mention=False, files=()):
        post = self.server.new(
            room or f"D{who.id}", who.id, f"<@{BOT}> {text}" if mention else text, thread=thread, files=files
        )
        self.deliver(post)
        return post.id

    def deliver(self, post, **more):
        self.server.tell(lambda sink: sink.heard(self.server.heard(post, **more)))

    def edit(self, who, room, message, text):
        post = self.server.find(room or f"D{who.id}", message)
        post.text, post.edited = text, True
        self.deliver(post, edited=True)

    def send(self, who, room, text, name, content):
        return self.say(who, room, text, files=((name, content),))

    def choose(self, who, room, message, choice):
        post = self.server.find(room or f"D{who.id}", message)
        offered = {label_of(one): one for one in self._choices(post)}
        id_, chosen, direct = f"c{next(self.names)}", str(offered[choice]), post.room.startswith("D")
        event = Click(id_, who.id, post.room, post.id, chosen, datetime.now(UTC), who.name, post.thread, direct,
                      trigger=f"t{post.id}")  # fmt: skip
        self.server.triggers.append(event.trigger)
        self.server.tell(lambda sink: sink.chosen(event))

    @property
    def forms(self):
        """The forms that were opened, oldest first."""
        return list(self.server.forms)

    def react(self, who, room, message, choice):
        post = self.server.find(room or f"D{who.id}", message)
        post.reactions.append((who.id, choice))
        self.server.tell(lambda sink: sink.chosen(self.server.reacted(post, who.id, choice)))

    def fill(self, who, room, form, **values):
        """Fill in and send a form that was opened."""
        event = Click(
            f"f{next(self.names)}", who.id, room, form.key, "form", datetime.now(UTC), who.name, values=values
        )
        self.server.tell(lambda sink: sink.chosen(event))

    def _choices(self, post):
        signs = {SIGNS[choice][0]: choice for choice in SIGNS} | {choice: choice for choice in SIGNS}
        return post.choices or tuple(signs[name] for who, name in post.reactions if who == BOT and name in signs)

    def seen(self, who, room):
        with self.server.lock:
            posts = [replace(post) for post in self.server.posts if post.room == (room or f"D{who.id}")]
        return [self._shown(post) for post in posts]

    def _shown(self, post):
        text = re.sub(r"\\(.)", r"\1", post.text.replace("```\n", "").replace("\n```", ""))
        text = text.replace("@\u200b", "@").replace("`\u200b``", "```").replace("\u2039lt", "<")
        bare = post.text.replace("\\<", "")
        pings = tuple(found[1] or found[2] for found in _PING.finditer(bare))
        return Seen(post.id, post.author, text, post.thread, post.edited, tuple(map(label_of, self._choices(post))),
                    tuple(name for _, name in post.reactions), post.files, pings, post.text)  # fmt: skip

    def cut(self):
        for link in list(self.server.links):
            link.drop(Away("connection reset"))

    def down(self, *, is_down):
        self.server.is_down = is_down
        if is_down:
            self.cut()

    def limit(self, times, seconds):
        self.server.limited = [seconds] * times

    def deliver_again(self, room, message):
        self.deliver(self.server.find(room, message))

    def revoke(self):
        self.server.revoked = True
        for link in list(self.server.links):
            link.drop(Revoked("this token was taken back"))

    def calls(self):
        return self.server.calls

    def close(self):
        self.cut()
        time.sleep(0)
