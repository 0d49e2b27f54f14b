"""Slack for the contract suite: the strict server, and people in its workspace."""

from __future__ import annotations

from automation_bots.chat.client import SIGNS
from tests.chat.harness import Human, Seen
from tests.fakes.slack import SlackLab
from tests.fakes.slack import people as screen

UP = frozenset({"apps.connections.open", "auth.test"})  # calls that keep the link up


class SlackNet:
    """One workspace; the app is installed."""

    backend = "Slack"
    needs_invite = False

    def __init__(self) -> None:
        self.lab = SlackLab().__enter__()
        self.lab.links.ack_seconds = 2.0

    def settings(self):
        return {"bot_token": "env:SLACK_BOT", "app_token": "env:SLACK_APP", "url": self.lab.url}

    def environment(self):
        return {"SLACK_BOT": self.lab.space.bot_token, "SLACK_APP": self.lab.space.app_token}

    def human(self, name, *, robot=False):
        return Human(self.lab.person(name, is_bot=robot), name)

    def rename(self, who, name):
        self.lab.rename(who.id, name)

    def room(self, *people):
        return self.lab.room(f"room-{len(self.lab.space.channels)}", *(who.id for who in people))

    def _there(self, who, room):
        return room or self.lab.direct(who.id)

    def say(self, who, room, text, *, thread="", mention=False):
        words = f"<@{self.lab.space.me}> {text}" if mention else text
        return self.lab.say(who.id, self._there(who, room), words, thread)

    def edit(self, who, room, message, text):
        self.lab.edit(self._there(who, room), message, text)

    def send(self, who, room, text, name, content):
        return self.lab.send_file(who.id, self._there(who, room), name, content, text)

    def choose(self, who, room, message, choice):
        self.lab.click(who.id, self._there(who, room), message, choice)

    def react(self, who, room, message, choice):
        self.lab.react(who.id, self._there(who, room), message, SIGNS[choice][1])

    @property
    def forms(self):
        """The forms that were opened, oldest first."""
        return [self.lab.space.views[view] for view in list(self.lab.space.views)]

    def fill(self, who, room, form, **values):
        """Fill in a form and send it."""
        wanted = {block["block_id"] for block in form["blocks"]}
        self.lab.fill_in(who.id, form["id"], {name: value for name, value in values.items() if name in wanted})

    def slash(self, who, room, text):
        """Type a slash command."""
        self.lab.slash(who.id, self._there(who, room), text)

    def seen(self, who, room):
        there = self._there(who, room)
        return [self._shown(there, message) for message in self.lab.do(lambda: self.lab.messages(there))]

    def _shown(self, room, message):
        thread = message.get("thread_ts", "")
        files = tuple((file["name"], self.lab.space.files[file["id"]].content) for file in message.get("files", ()))
        return Seen(
            id=message["ts"],
            author=message.get("user", message.get("bot_id", "")),
            text=screen.shown(message),
            thread=thread if thread != message["ts"] else "",
            edited="edited" in message,
            choices=tuple(screen.buttons(message)),
            reactions=tuple(entry["name"] for entry in message.get("reactions", ())),
            files=files,
            pings=tuple(screen.calls(message)) if message.get("bot_id") else (),
            raw=str(message),
        )

    def set_clock(self, ahead_seconds):
        """Set the network's clock wrong."""
        self.lab.space.ahead_seconds = ahead_seconds

    def cut(self):
        self.lab.cut()

    def down(self, *, is_down):
        (self.lab.down if is_down else self.lab.up)()

    def limit(self, times, seconds):
        self.lab.busy("chat.postMessage", seconds, times)

    def late(self, seconds):
        self.lab.front.late["chat.postMessage"] = seconds

    def deliver_again(self, room, message):
        found = [
            number
            for number, delivery in enumerate(self.lab.links.delivered)
            if delivery.payload.get("event", {}).get("ts") == message
        ]
        self.lab.replay(found[-1])

    def revoke(self):
        self.lab.revoke()

    def calls(self):
        return sum(1 for name, _ in self.lab.calls if name not in UP)

    def close(self):
        self.lab.__exit__()
