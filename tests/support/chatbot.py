"""A real bot on Errbot's own Test backend, with people who type; answers are collected where they were said."""

import logging
import re
import threading
import time
from pathlib import Path

from errbot.backends.base import Message
from errbot.backends.test import QUIT_MESSAGE, TestOccupant, TestPerson, TestRoom
from errbot.bootstrap import setup_bot

from automation_bots.app.bot import Bot
from automation_bots.surface import Capabilities, MessageRef, PlainWays
from backends.adapter import guard

ROOT = Path(__file__).resolve().parents[2]

BOT_TOML = 'name = "netbot"\nbackend = "Test"\n'
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
  kim: {test: kim, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - {name: services, who: support, may: ["service restart *"], on: web}
"""
HOSTS = """
all:
  vars: {driver: fake}
  children:
    web: {hosts: {web1: {}, web2: {}, web3: {}}}
    db: {hosts: {db1: {}}}
    vault: {hosts: {vault1: {}}}
"""


class Surface(PlainWays):
    """Collects what is said, as (room, text); edits replace."""

    def __init__(self, *, edits=True):
        self.capabilities = Capabilities(edits=edits, edit_seconds=0.2)
        self.said = []
        self.edited = []
        self.lock = threading.Lock()

    def say(self, place, answer):
        with self.lock:
            self.said.append((place.room, text_of(answer)))
            return MessageRef(place, str(len(self.said) - 1))

    def ask(self, place, question, choices):
        return self.say(place, question)

    def edit(self, message, answer, choices=()):
        with self.lock:
            self.edited.append((message.place.room, text_of(answer)))
            self.said.append((message.place.room, text_of(answer)))


def text_of(answer):
    return "\n".join(part for part in (str(answer), *(file.text or file.name for file in answer.files)) if part)


def write_folder(folder, *, toml=BOT_TOML, policy=POLICY, hosts=HOSTS, files=None):
    contents = {"bot.toml": toml, "policy.yml": policy, "inventory/hosts.yml": hosts, **(files or {})}
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


class ChatBot:
    """Use as a context manager; `say` types, `hears` waits for an answer."""

    def __init__(self, folder, drivers=(), surface=None, plugins=None, errbot=None):
        self.folder, self.surface = folder, surface
        guard.install()
        self.automation = Bot(folder, {"AUTOMATION_BOTS_DATA": str(folder / "data")}, drivers=drivers)
        self.bot = setup_bot("Test", logging.getLogger("test"), self._config(plugins, errbot or {}))
        self.bot.automation_surface = self.surface = surface or Surface()
        self.bot.send_message = lambda msg: self.surface.said.append((str(msg.to), msg.body))
        self.seen = 0
        self.thread = threading.Thread(target=self.bot.serve_forever, daemon=True)

    def _config(self, plugins, errbot):
        class Config:
            pass

        config = Config()
        data = self.automation.data / "errbot"
        data.mkdir(exist_ok=True)
        settings = {
            "AUTOMATION": self.automation,
            "BACKEND": "Test",
            "BOT_DATA_DIR": str(data),
            "BOT_EXTRA_PLUGIN_DIR": plugins or str(ROOT / "errbot-plugins"),
            "BOT_EXTRA_BACKEND_DIR": [],
            "BOT_PLUGIN_INDEXES": (),
            "BOT_ADMINS": ("ana",),
            "BOT_ADMINS_NOTIFICATIONS": (),
            "BOT_IDENTITY": {"username": "err"},
            "BOT_LOG_FILE": None,
            "BOT_LOG_LEVEL": logging.WARNING,
            "AUTOINSTALL_DEPS": False,
            "CORE_PLUGINS": ("Plugins", "Health"),
            "STORAGE": "Memory",
            "BOT_ASYNC_POOLSIZE": 20,
            **errbot,
        }
        for name, value in settings.items():
            setattr(config, name, value)
        return config

    def __enter__(self):
        self.thread.start()
        wait(lambda: self.automation._started, 20)
        return self

    def __exit__(self, *_):
        self.automation.stop(grace_seconds=0.5)
        self.bot.push_message(QUIT_MESSAGE)
        self.thread.join(10)
        self.bot.thread_pool.terminate()
        self.bot.flow_executor._pool.terminate()  # Errbot itself leaves it to the end of its process

    def say(self, text, who="ana", room="", message_id="", thread=""):
        message = Message(text, extras={"message_id": message_id, "thread": thread})
        if room:
            message.to = TestRoom(room, bot=self.bot)
            message.frm = TestOccupant(who, room)
        else:
            message.to, message.frm = self.bot.bot_identifier, TestPerson(who)
        self.bot.callback_message(message)

    def hears(self, pattern, seconds=10):
        """Wait for an answer that matches, among those that were not heard yet."""
        found = []

        def heard():
            for number in range(self.seen, len(self.surface.said)):
                if re.search(pattern, self.surface.said[number][1]):
                    self.seen = number + 1
                    found.append(self.surface.said[number][1])
                    return True
            return False

        wait(heard, seconds, lambda: f"nobody said {pattern!r}; said since: {self.surface.said[self.seen :]}")
        return found[0]

    def asks(self, text, pattern=".", who="ana", room="", seconds=10):
        """Type, and wait for what is said next (and matches)."""
        self.seen = len(self.surface.said)
        self.say(text, who, room)
        return self.hears(pattern, seconds)

    @property
    def jobs(self):
        return self.automation.store.jobs(limit=1000)


def wait(condition, seconds, why=lambda: "it did not happen"):
    """Look again and again; a look that costs much is followed by a long rest, so that what is waited for gets on."""
    deadline = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        if condition():
            return
        ended = time.monotonic()
        if ended > deadline:
            raise AssertionError(why())
        time.sleep(min(max(0.01, 3 * (ended - begun)), 0.1))
