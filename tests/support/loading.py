"""Two hundred people on one bot through Errbot's own dispatcher, while one more floods it and 50 jobs run."""

from __future__ import annotations

import gc
import json
import random
import threading
import time
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

from automation_bots.drivers.fake import Fake
from automation_bots.model import FINAL, Job, Risk
from automation_bots.store import jobs
from tests.support import big
from tests.support.chatbot import ChatBot, Surface, wait, write_folder

PEOPLE, BUSY, HOSTS = 200, 50, 100
TOML = 'backend = "Test"\n[limits]\njobs = {jobs}\nseconds = 7200\n'
VERB = "help: Work\nrisk: {risk}\nlinux: [work]\n"
LINES = ("!look on d{0}", "!look on d{0},d{1}", "!write on d{0}", "!look on all", "!jobs", "!queue", "!whoami",
         "!help", "!nothing like this", "!status")  # fmt: skip


class Heard(list):
    """Takes what is said and keeps only when each room heard its first words, however long it goes on."""

    def __init__(self):
        super().__init__()
        self.first = {}

    def append(self, item):
        self.first.setdefault(item[0], time.perf_counter())


class Listener(Surface):
    def __init__(self):
        super().__init__()
        self.said, self.edited = Heard(), deque(maxlen=0)


def load_bot(folder: Path, jobs: int = 70, surface: Surface | None = None) -> ChatBot:
    """A bot on which `work` takes hours, and everything else a moment."""
    people = {f"p{number}": {"test": f"p{number}", "groups": ["ops"]} for number in range(PEOPLE)}
    people |= {f"w{number}": {"test": f"w{number}", "groups": ["ops"]} for number in range(6)}
    rules = [{"name": "all", "who": "ops", "may": ["reads", "write", "audit"]}]
    hosts = {f"d{number}": {} for number in range(HOSTS)}
    verbs = {name: VERB.format(risk=risk) for name, risk in (("look", "read"), ("work", "read"), ("write", "change"))}
    files = {f"playbooks/verbs/{name}.yml": text for name, text in verbs.items()}
    policy = json.dumps({"people": people, "rules": rules})
    write_folder(folder, toml=TOML.format(jobs=jobs), policy=policy, files=files,
                 hosts=json.dumps({"all": {"vars": {"driver": "fake"}, "hosts": hosts}}))  # fmt: skip
    fake = Fake(seconds={"work": 7200.0, "look": 0.02, "write": 0.05})
    fake.tasks = fake.ran = deque(maxlen=1)  # keeps next to nothing either
    return ChatBot(folder, drivers=(fake,), surface=surface or Listener())


def make_busy(chat: ChatBot) -> None:
    """Let 50 jobs run, and stay running."""
    for number in range(BUSY):
        chat.say(f"!work on d{number}", who=f"w{number % 5}", room=f"work{number % 5}")
    wait(lambda: chat.automation.dispatcher.active == (BUSY, 0), 60, lambda: str(chat.automation.dispatcher.active))


def fill_queue(chat: ChatBot, count: int) -> None:
    """Let so many jobs wait, put in by the shortest way."""
    bot = chat.automation
    with bot.store._database.write() as connection:
        waiting = [jobs.add(connection, _job(number), bot.store._clock()) for number in range(count)]
    for job in waiting:
        bot.dispatcher._enqueue(job, {})


def _job(number: int) -> Job:
    risk = Risk.READ if number % 3 else Risk.CHANGE
    return replace(big.JOB, person=f"p{number % PEOPLE}", operation="look", devices=(f"d{number % HOSTS}",), risk=risk)


@dataclass
class Crowd:
    """People who type at random moments; each command in a room of its own, so that its first answer is known."""

    chat: ChatBot
    seed: int = 1
    asked: dict[str, float] = field(default_factory=dict)
    flooded: int = 0

    def type(self, commands: int, seconds: float, flood_per_second: float = 0.0) -> list[float]:
        """All that is typed within these seconds; returns milliseconds until each of the others had an answer."""
        chance, flooding = random.Random(self.seed), threading.Event()
        flood = threading.Thread(target=self._flood, args=(flooding, flood_per_second))
        flood.start()
        begun = time.monotonic()
        for number, at in enumerate(sorted(chance.uniform(0, seconds) for _ in range(commands))):
            time.sleep(max(0.0, begun + at - time.monotonic()))
            room = f"room{self.seed}.{number}"
            line = chance.choice(LINES).format(chance.randrange(HOSTS), chance.randrange(HOSTS))
            self.asked[room] = time.perf_counter()
            self.chat.say(line, who=f"p{number % PEOPLE}", room=room)
        flooding.set()
        flood.join()
        return self._answers()

    def _flood(self, over: threading.Event, per_second: float) -> None:
        while per_second and not over.wait(1 / per_second):
            self.flooded += 1
            self.chat.say(f"!look on d{self.flooded % HOSTS}", who="w5", room="flood")

    def _answers(self) -> list[float]:
        first, asked = self.chat.surface.said.first, self.asked
        wait(lambda: asked.keys() <= first.keys(), 60, lambda: f"without an answer: {asked.keys() - first.keys()}")
        spent = [(first[room] - at) * 1000 for room, at in asked.items()]
        first.clear()
        asked.clear()
        self.seed += 1
        return spent

    def settle(self) -> None:
        """Wait until only what works for hours is left, and all is told."""
        bot = self.chat.automation
        wait(lambda: bot.dispatcher.active == (BUSY, 0) and bot.announcer.pending == BUSY, 600,
             lambda: f"{bot.dispatcher.active} {bot.announcer.pending}")  # fmt: skip
        assert not bot.store.untold()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def megabytes() -> float:
    """The memory that this process holds, garbage collected."""
    gc.collect()
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def all_ended(chat: ChatBot) -> bool:
    return all(job.state in FINAL for job in chat.automation.store.jobs(limit=1_000_000))
