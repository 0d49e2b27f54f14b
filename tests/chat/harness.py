"""What a chat network must let tests do: people who type, click and look, cuts, refusals, repeated deliveries."""

import logging
import re
import threading
import time
from dataclasses import dataclass, field
from typing import Protocol

from errbot.bootstrap import setup_bot

from automation_bots.app.bot import Bot
from backends.adapter import guard
from tests.support.chatbot import ROOT, wait, write_folder


@dataclass(frozen=True)
class Human:
    """Somebody on the network; `id` is the immutable one."""

    id: str
    name: str


@dataclass(frozen=True)
class Seen:
    """A message as a person sees it: `text` with all escapes and fences undone, as the screen shows it."""

    id: str
    author: str  # id
    text: str
    thread: str = ""  # id of the thread's first message, empty for the room itself
    edited: bool = False
    choices: tuple[str, ...] = ()  # buttons that can be clicked, or choices whose sign the bot has put as a reaction
    reactions: tuple[str, ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()  # (name, content), downloaded as this person
    pings: tuple[str, ...] = ()  # who is called by it: ids, "here", "channel" …
    raw: str = field(default="", compare=False)


class Net(Protocol):
    """A network with one bot account, ready for the bot to connect. One object serves all tests of a module."""

    backend: str  # the word in bot.toml
    needs_invite: bool  # whether `room` must be joined by the bot by itself first

    def settings(self) -> dict[str, object]:
        """What stands in [chat] of bot.toml: texts, numbers and booleans; secrets as "env:NAME"."""

    def environment(self) -> dict[str, str]:
        """The secrets of those references."""

    def human(self, name: str, *, robot: bool = False) -> Human:
        """Make somebody new; a robot is a bot account or an integration."""

    def rename(self, who: Human, name: str) -> None:
        """Give somebody another user name and display name."""

    def room(self, *people: Human) -> str:
        """Make a new room with the bot and these people in it; return its id."""

    def say(self, who: Human, room: str, text: str, *, thread: str = "", mention: bool = False) -> str:
        """Type; `room` "" is the direct conversation with the bot; return the message's id."""

    def edit(self, who: Human, room: str, message: str, text: str) -> None:
        """Edit an own message."""

    def send(self, who: Human, room: str, text: str, name: str, content: bytes) -> str:
        """Send a file with words; return the message's id."""

    def choose(self, who: Human, room: str, message: str, choice: str) -> None:
        """Click on a button of a message, or react with a choice's sign."""

    def react(self, who: Human, room: str, message: str, choice: str) -> None:
        """React with a choice's sign, also where there are buttons."""

    def seen(self, who: Human, room: str) -> list[Seen]:
        """Everything that this person sees in a room ("": the direct conversation), oldest first, with its threads."""

    def cut(self) -> None:
        """Cut every connection of the bot at once, without a farewell; it may come back."""

    def down(self, *, is_down: bool) -> None:
        """Let the network be away (5xx or no answer), or back. People can go on typing meanwhile."""

    def limit(self, times: int, seconds: float) -> None:
        """Refuse the bot's next `times` posts with 429 and that Retry-After."""

    def late(self, seconds: float) -> None:
        """Carry the bot's next post out, and answer it so much later."""

    def deliver_again(self, room: str, message: str) -> None:
        """Deliver a message to the bot once more, as networks do."""

    def revoke(self) -> None:
        """Make the bot's credentials invalid, and cut the link. The last thing that a test does with this network."""

    def calls(self) -> int:
        """How many API calls the bot has made so far, without those that keep the link up."""

    def close(self) -> None:
        """End the server and all that belongs to it."""


HUGE = "\n".join(f"interface Ethernet1/{number} is up" for number in range(600))  # a screen is less
TOML = 'name = "netbot"\nbackend = "{backend}"\n{top}[inventory]\nresolve = false\n[chat]\n{chat}\n'
POLICY = """
people:
  ana: {{{network}: "{ana}", groups: [admins]}}
  joe: {{{network}: "{joe}", groups: [support]}}
  kim: {{{network}: "{kim}", groups: [support, leads]}}
  {robot}
rules:
  - {{name: admins, who: admins, may: [everything]}}
  - {{name: look, who: everyone, may: [reads], on: "all:!vault"}}
  - {{name: services, who: support, may: ["service restart *"], on: web}}
  - {{name: db, who: support, may: ["service restart *"], on: db, needs: approval by leads}}
  {rules}
"""
HOSTS = """
all:
  vars: {driver: fake}
  children:
    web: {hosts: {web1: {}, web2: {}, web3: {}}}
    db: {hosts: {db1: {}}}
    vault: {hosts: {vault1: {}}}
"""


class Talk:
    """A bot on a network, and people who talk to it: the words of the contract suite and of the transcripts."""

    def __init__(self, net, folder, drivers=(), *, chat=None, top="", robot=None, rules="", files=None):
        self.net, self.folder, self.drivers = net, folder, drivers
        self.ana, self.joe, self.kim = (net.human(name) for name in ("ana", "joe", "kim"))
        network = net.backend.lower()
        self.bot, self.bot_id, self.threads = None, "", False
        self.room = net.room(self.ana, self.joe, self.kim, *([robot] if robot else []))
        top += getattr(net, "top", "")
        line = f'robo: {{{network}: "{robot.id}", robot: true}}' if robot else ""
        write_folder(
            folder,
            toml=toml_of(net, top, chat),
            policy=POLICY.format(
                network=network, ana=self.ana.id, joe=self.joe.id, kim=self.kim.id, robot=line, rules=rules
            ),
            hosts=HOSTS,
            files=files,
        )

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Start the bot, and wait until it hears."""
        self.bot = getattr(self.net, "running", running)(self.net, self.folder, self.drivers)
        self.bot.start()
        self.bot_id, self.threads = self.bot.me, self.bot.threads

    def stop(self):
        """End the bot in peace."""
        if self.bot is not None:
            self.bot.stop()
            self.bot = None

    def say(self, text, who=None, room=None, **how):
        """Type; return the message's id."""
        return self.net.say(who or self.ana, self.room if room is None else room, text, **how)

    def say_all(self, said):
        """Type all of it, at once where the network's harness can."""
        if hasattr(self.net, "say_all"):
            self.net.say_all(self.room, said)
            return
        for who, text in said:
            self.say(text, who)

    def answers(self, room=None, who=None, *, thread=None):
        """What the bot has said, as `who` sees it; in one thread only when it is given."""
        seen = self.net.seen(who or self.ana, self.room if room is None else room)
        mine = [post for post in seen if post.author == self.bot_id]
        return [post for post in mine if thread is None or post.thread == thread]

    def hears(self, pattern, room=None, who=None, *, thread=None, seconds=15):
        """Wait until something that the bot said matches; return that message."""
        found = []

        def heard():
            found[:] = [
                post
                for post in self.answers(room, who, thread=thread)
                if re.search(pattern, post.text) or any(re.search(pattern, name) for name, _ in post.files)
            ]
            return bool(found)

        wait(heard, seconds, lambda: f"nobody said {pattern!r}; said: {[p.text for p in self.answers(room, who)]}")
        return found[0]

    def asks(self, text, pattern=".", who=None, room=None, **how):
        """Type, and return the first answer in its thread, or in the room where the network has no threads."""
        before = {post.id for post in self.answers(room, who)}
        message = self.say(text, who, room, **how)
        found = []

        def answered():
            found[:] = [p for p in self.answers(room, who) if p.id not in before and re.search(pattern, p.text)]
            return bool(found)

        wait(answered, 40, lambda: f"no {pattern!r}; said: {[p.text for p in self.answers(room, who)][-5:]}")
        return message, found[0]

    def settled(self, seconds=0.5):
        """Wait until a command typed now has been answered: all that came before it has had its turn."""
        self.asks("!whoami", "ana", room="")
        time.sleep(seconds)

    @property
    def surface(self):
        return self.bot.errbot.automation_surface

    @property
    def network(self):
        return self.net.backend.lower()

    @property
    def jobs(self):
        return self.bot.automation.store.jobs(limit=1000)


def toml_of(net, top="", chat=None):
    """The bot.toml of a bot on this network."""
    lines = {**net.settings(), **(chat or {})}
    written = "\n".join(f"{key} = {_toml(value)}" for key, value in lines.items())
    return TOML.format(backend=net.backend, top=top, chat=written)


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else '"{}"'.format(str(value).replace("\\", "\\\\"))


class running:  # noqa: N801 - reads as a word
    """One running bot on a network."""

    def __init__(self, net, folder, drivers):
        guard.install()
        environment = {"AUTOMATION_BOTS_DATA": str(folder / "data"), **net.environment()}
        self.automation = Bot(folder, environment, drivers=drivers)
        self.net = net
        self.errbot = setup_bot(getattr(net, "plug", net.backend), logging.getLogger("test"), self._config(net))
        self.exit_code = None
        self.thread = threading.Thread(target=self._serve, name="bot", daemon=True)

    def _config(self, net):
        class Config:
            pass

        config, data = Config(), self.automation.data / "errbot"
        data.mkdir(exist_ok=True)
        for name, value in {
            "AUTOMATION": self.automation,
            "BACKEND": getattr(net, "plug", net.backend),
            "BOT_DATA_DIR": str(data),
            "BOT_EXTRA_PLUGIN_DIR": [str(ROOT / "errbot-plugins"), *getattr(net, "plugins", [])],
            "BOT_EXTRA_BACKEND_DIR": getattr(net, "backend_folder", str(ROOT / "backends")),
            "BOT_PLUGIN_INDEXES": (),
            "BOT_ADMINS": ("nobody",),
            "BOT_ADMINS_NOTIFICATIONS": (),
            "BOT_IDENTITY": net.settings(),
            "BOT_LOG_FILE": None,
            "BOT_LOG_LEVEL": logging.INFO,
            "AUTOINSTALL_DEPS": False,
            "CORE_PLUGINS": ("Plugins", "Health"),
            "STORAGE": "Memory",
            "BOT_ASYNC_POOLSIZE": 20,
            **getattr(net, "errbot", {}),
        }.items():
            setattr(config, name, value)
        return config

    @property
    def me(self):
        return self.errbot.client.me

    @property
    def threads(self):
        return self.errbot.client.capabilities.threads

    def _serve(self):
        try:
            self.errbot.serve_forever()
        except SystemExit as end:
            self.exit_code = end.code

    def start(self):
        self.thread.start()
        wait(lambda: self.automation.started or not self.thread.is_alive(), 60, lambda: self.errbot.link.trouble)

    def stop(self):
        self.automation.dispatcher.hurry()
        self.errbot.leave()
        self.thread.join(30)
        assert not self.thread.is_alive(), "the bot did not end"
        self.errbot.thread_pool.terminate()
