"""Mattermost for the contract: our strict server, and people who use it by REST as their programs do."""

import html
import re
import socket

import requests

from automation_bots.chat.client import SIGNS
from tests.chat.harness import Human, Seen
from tests.fakes.mattermost import shapes
from tests.fakes.mattermost.server import Server

_PASSWORD = "Pa55word!lab"
_FENCE = re.compile(r"^(`{3,})[^\n]*\n(.*?)\n\1[ \t]*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"(?<!\\)`([^`\n]+)`")
_LINK = re.compile(r"(?<!\\)\[([^\]\\]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(?<![\\\w])(\*\*|\*|~~|_)(?=\S)([^\n]*?[^\s\\])\1(?!\w)")
_HEADING = re.compile(r"^(#{1,6} |> ?|[-+*] )", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`*{}\[\]()#$+\-.!_>~|])")  # what the web client takes as escapes, and nothing else


class Mattermost:
    """A server with a team, an admin and the bot's account; see `tests.chat.harness.Net`."""

    backend, needs_invite = "Mattermost", False

    def __init__(self, *, tls=None, buttons=True):
        self.server = Server(tls).__enter__()
        self.url, self.ca, self._tokens = f"{self.server.url}/api/v4", self.server.ca_file, {}
        self.callback = f"http://127.0.0.1:{_free_port()}/click" if buttons else ""
        self.admin = self._person("admin")
        self.team = self.post(self.admin, "/teams", {"name": "lab", "display_name": "Lab"})["id"]
        self.bot = self._robot("netbot")
        self._names = {}
        self.server.api.limiter.only = {self.bot.id}

    def settings(self):
        found = {"url": self.server.url, "token": "env:MATTERMOST_TOKEN", "probe_seconds": 0.5, "timeout_seconds": 5}
        if self.callback:
            found["callback"] = self.callback
        return {**found, "ca": self.ca} if self.ca else found

    def environment(self):
        return {"MATTERMOST_TOKEN": self._tokens[self.bot.id]}

    # -- people

    def human(self, name, *, robot=False):
        count = self._names[name] = self._names.get(name, 0) + 1
        return (self._robot if robot else self._person)(name if count == 1 else f"{name}.{count}")

    def _person(self, name):
        body = {"username": name, "email": f"{name}@lab.test", "password": _PASSWORD}
        made = requests.post(f"{self.url}/users", json=body, verify=self.ca or None, timeout=10).json()
        login = {"login_id": name, "password": _PASSWORD}
        answer = requests.post(f"{self.url}/users/login", json=login, verify=self.ca or None, timeout=10)
        self._tokens[made["id"]] = answer.headers["Token"]
        return self._joined(Human(made["id"], name))

    def _robot(self, name):
        made = self.post(self.admin, "/bots", {"username": name, "display_name": name})
        token = self.post(self.admin, f"/users/{made['user_id']}/tokens", {"description": "x"})
        self._tokens[made["user_id"]] = token["token"]
        return self._joined(Human(made["user_id"], name))

    def _joined(self, who):
        if hasattr(self, "team"):
            self.post(self.admin, f"/teams/{self.team}/members", {"team_id": self.team, "user_id": who.id})
        return who

    def rename(self, who, name):
        self._call("PUT", self.admin, f"/users/{who.id}/patch", json={"username": name, "nickname": name})

    def room(self, *people):
        number = len(self.server.api.world.channels)
        body = {"team_id": self.team, "name": f"room{number}", "display_name": f"Room {number}", "type": "P"}
        made = self.post(self.admin, "/channels", body)["id"]
        for who in (self.bot, *people):
            self.post(self.admin, f"/channels/{made}/members", {"user_id": who.id})
        return made

    # -- what they do

    def say(self, who, room, text, *, thread="", mention=False):
        message = f"@{self.bot.name} {text}" if mention else text
        body = {"channel_id": room or self.direct(who), "message": message, "root_id": thread}
        return self.post(who, "/posts", body)["id"]

    def edit(self, who, room, message, text):
        self._call("PUT", who, f"/posts/{message}/patch", json={"message": text})

    def send(self, who, room, text, name, content):
        room = room or self.direct(who)
        sent = self._call("POST", who, "/files", data={"channel_id": room}, files={"files": (name, content)})
        body = {"channel_id": room, "message": text, "file_ids": [sent["file_infos"][0]["id"]]}
        return self.post(who, "/posts", body)["id"]

    def choose(self, who, room, message, choice):
        for action in _actions(self._call("GET", who, f"/posts/{message}")):
            if action["name"] == choice:
                self.post(who, f"/posts/{message}/actions/{action['id']}", {})
                return
        self.react(who, room, message, choice)

    def react(self, who, room, message, choice):
        self.post(who, "/reactions", {"user_id": who.id, "post_id": message, "emoji_name": SIGNS[choice][1]})

    def seen(self, who, room):
        return self.server.do(self._seen, who, room or self.server.do(self._direct_of, who))

    def _seen(self, who, room):
        """Inside the server's thread: what its API gives this person."""
        api = self.server.api
        assert who.id in api.world.members(room), f"{who.name} is not in {room}"
        posts = [p for p in api.posts.posts.values() if p["channel_id"] == room and not p["delete_at"]]
        return [self._as_seen(who, api.posts.seen(post)) for post in posts if not post["type"].startswith("system_")]

    def _as_seen(self, who, post):
        posts, reactions = self.server.api.posts, post["metadata"].get("reactions", ())
        bots = [choice for choice, (_, name) in SIGNS.items() if any(
            one["emoji_name"] == name and one["user_id"] == self.bot.id for one in reactions)]  # fmt: skip
        return Seen(
            id=post["id"],
            author=post["user_id"],
            text=shown(post["message"]),
            thread=post["root_id"],
            edited=post["edit_at"] > 0,
            choices=tuple(action["name"] for action in _actions(post)) or tuple(bots),
            reactions=tuple(one["emoji_name"] for one in reactions),
            files=tuple((posts.file(who.id, id_)[0]["name"], posts.file(who.id, id_)[1])
                        for id_ in post.get("file_ids", ())),
            pings=tuple(person for person, id_ in posts.notified if id_ == post["id"]),
            raw=post["message"],
        )  # fmt: skip

    # -- what happens to the network

    def set_clock(self, ahead_seconds):
        """Set the server's clock wrong."""
        shapes.CLOCK.ahead_seconds = ahead_seconds

    def cut(self):
        self.server.cut()

    def down(self, *, is_down):
        self.server.api.limiter.away_for = {self.bot.id} if is_down else set()
        self.server.cut()

    def limit(self, times, seconds):
        limiter = self.server.api.limiter
        limiter.busy_seconds, limiter.busy_calls = seconds, times

    def late(self, seconds):
        self.server.api.limiter.late["POST /api/v4/posts"] = seconds

    def deliver_again(self, room, message):
        api = self.server.api
        post = api.posts.posts[message]
        self.server.do(lambda: api.world.publish("posted", api.posts.posted(post), channel=post["channel_id"]))

    def revoke(self):
        for token in self._call("GET", self.admin, f"/users/{self.bot.id}/tokens"):
            self.post(self.admin, "/users/tokens/revoke", {"token_id": token["id"]})
        self.server.cut()

    def calls(self):
        return sum(name == self.bot.name and not (method == "GET" and path.startswith("/api/v4/users/me"))
                   for name, method, path in list(self.server.api.calls))  # fmt: skip

    def close(self):
        self.set_clock(0)
        self.server.__exit__()

    # -- REST

    def direct(self, who):
        return self.post(who, "/channels/direct", [who.id, self.bot.id])["id"]

    def _direct_of(self, who):
        return self.server.api.world.direct(who.id, [who.id, self.bot.id])["id"]

    def post(self, who, path, body):
        return self._call("POST", who, path, json=body)

    def _call(self, method, who, path, **what):
        headers = {"Authorization": f"Bearer {self._tokens[who.id]}"}
        answer = requests.request(method, self.url + path, headers=headers, verify=self.ca or None, timeout=10, **what)
        assert answer.ok, (method, path, answer.text)
        return answer.json()


def shown(text):
    """A text as the web client shows it: markup obeyed, so that what a bot did not escape is missing here."""
    parts, at = [], 0
    for block in _FENCE.finditer(text):
        parts += [_prose(text[at : block.start()]), block[2]]
        at = block.end()
    return "".join([*parts, _prose(text[at:])]).replace("\u00a0", " ")


def _prose(text):
    for pattern, kept in ((_HEADING, ""), (_LINK, r"\1"), (_CODE, r"\1"), (_EMPHASIS, r"\2")):
        text = pattern.sub(kept, text)
    return _ESCAPED.sub(r"\1", html.unescape(text))


def _actions(post):
    return [action for one in post["props"].get("attachments", ()) for action in one.get("actions", ())]


def _free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
