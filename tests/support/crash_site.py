"""A bot that is killed again and again: a process of its own that can die at a named step, and what must be true then.

What happened is told by witnesses that outlive the bot: each device writes down what was done to it, and each room what
was said in it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from automation_bots.model import FINAL, GOOD, Outcome, Risk, State, Status
from automation_bots.processes import own
from automation_bots.store import AuditKind
from tests.support.chatbot import ROOT, ChatBot, Surface, text_of, wait, write_folder

DEVICES = tuple(f"{row}{number}" for row in "ab" for number in (1, 2, 3))
PATTERNS = (*DEVICES, "a", "b", "all", "a1,b2")
PEOPLE, ROOMS = ("ana", "joe", "kim", "lee"), ("ops", "lobby", "")
TOML = 'backend = "Test"\n[limits]\njobs = 6\nperson = 4\nqueued = 500\n'
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
  kim: {test: kim, groups: [support]}
  lee: {test: lee, groups: [guests]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
  - {name: write, who: support, may: [write], on: a}
"""
HOSTS = f"""
all:
  vars: {{driver: witness}}
  children:
    a: {{hosts: {{{", ".join(f"{name}: {{}}" for name in DEVICES[:3])}}}}}
    b: {{hosts: {{{", ".join(f"{name}: {{}}" for name in DEVICES[3:])}}}}}
"""
VERB = "help: Leave a trace\nrisk: {risk}\nparameters: {{token: {{}}}}\nlinux: [trace, '{{token}}']\n"
STEPS = {  # where in the way of a command (DESIGN.md §2) the bot can be made to die
    "resolve": lambda chat: (chat.automation.pipeline._resolver, "devices"),
    "decide": lambda chat: (chat.automation.pipeline._acceptance, "accept"),
    "refuse": lambda chat: (chat.automation.pipeline._acceptance, "refuse"),
    "add": lambda chat: (chat.automation.store, "add_job"),
    "say": lambda chat: (chat.surface, "say"),
    "admit": lambda chat: (chat.automation.dispatcher, "_decide"),
    "start": lambda chat: (chat.automation.store, "start"),
    "run": lambda chat: (chat.witness, "run"),
    "touch": lambda chat: (chat.witness, "touch"),
    "outcome": lambda chat: (chat.automation.store, "add_outcomes"),
    "finish": lambda chat: (chat.automation.store, "finish"),
    "edit": lambda chat: (chat.surface, "edit"),
    "told": lambda chat: (chat.automation.store, "mark_told"),
    "cancel": lambda chat: (chat.automation.store, "cancel_queued"),
    "recover": lambda chat: (chat.automation.store, "recover"),
}


def note(path: Path, *words: object) -> None:
    """Append a line in one go, so that a kill leaves all of it or nothing."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(words) + "\n").encode())
    os.close(descriptor)


def noted(path: Path) -> list[list[str]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


class Witness:
    """A driver whose devices write down what is done to them."""

    name = "witness"

    def __init__(self, folder):
        self.path = folder / "devices.log"

    def run(self, task, report):
        chance = random.Random(str(task.parameters["token"]))
        for device in task.devices:
            if task.cancel.is_set():
                return
            report.outcome(self.touch(task, device.name, chance.choice([0, 0.02, 0.1, 0.4])))

    def touch(self, task, device, seconds):
        note(self.path, "begin", task.parameters["token"], device)
        if task.cancel.wait(seconds):
            return Outcome(device, Status.UNKNOWN if task.job.risk is Risk.CHANGE else Status.CANCELLED, "stopped")
        note(self.path, "end", task.parameters["token"], device)
        return Outcome(device, Status.CHANGED if task.job.risk is Risk.CHANGE else Status.OK, "traced")


class Rooms(Surface):
    """A chat network that keeps what was said whatever becomes of the bot."""

    def __init__(self, folder):
        super().__init__()
        self.path = folder / "rooms.log"

    def say(self, place, answer):
        note(self.path, place.room, text_of(answer))
        return super().say(place, answer)

    def edit(self, message, answer, choices=()):
        note(self.path, message.place.room, text_of(answer))
        super().edit(message, answer)


def bot_of(folder: Path) -> ChatBot:
    witness = Witness(folder)
    chat = ChatBot(folder, drivers=(witness,), surface=Rooms(folder))
    chat.witness = witness
    return chat


# -- in the process that dies


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def arm(chat: ChatBot, step: str, number: int, when: str) -> None:
    """Make the bot die before or after the n-th time that a step is made; `write` is any write into the record."""
    left, lock = [number], threading.Lock()

    def is_due():
        with lock:
            left[0] -= 1
            return left[0] == 0

    if step == "write":
        database = chat.automation.store._database
        database.write = _dying_write(database.write, is_due, when)
        return
    owner, name = STEPS[step](chat)
    original = getattr(owner, name)

    def dying(*args, **kwargs):
        due = is_due()
        if due and when == "before":
            die()
        found = original(*args, **kwargs)
        if due:
            die()
        return found

    setattr(owner, name, dying)


def _dying_write(original, is_due, when):
    @contextmanager
    def write():
        due = is_due()
        with original() as connection:
            yield connection
            if due and when == "before":  # all is written, nothing is committed
                die()
        if due:
            die()

    return write


def main(folder: str, step: str = "", number: str = "0", when: str = "") -> None:
    """Run until the input ends or SIGTERM; each line is a message as JSON."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chat = bot_of(Path(folder))
    if step:
        arm(chat, step, int(number), when)
    try:
        with chat:
            print("ready", flush=True)  # noqa: T201 - the sign that the test waits for
            for line in sys.stdin:
                chat.say(**json.loads(line))
    except KeyboardInterrupt:
        pass


# -- in the process that looks on


def idle() -> None:
    """Nothing happens beside."""


@dataclass
class Site:
    """One bot's folder over many lives."""

    folder: Path
    seed: int
    url: str = ""  # of the record; empty: a file in the folder
    typed: dict[str, dict[str, str]] = field(default_factory=dict)  # by message id
    lives: int = 0
    reached: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        verbs = {name: VERB.format(risk=risk) for name, risk in (("write", "change"), ("look", "read"))}
        files = {f"playbooks/verbs/{name}.yml": text for name, text in verbs.items()}
        toml = f'{TOML}[store]\nurl = "{self.url}"\n'
        write_folder(self.folder, toml=toml, policy=POLICY, hosts=HOSTS, files=files)

    def live(
        self, seconds: float, *arming: str, by: signal.Signals = signal.SIGKILL, meanwhile: Callable[[], None] = idle
    ) -> None:
        """One life: people type until the bot dies of its step, or is ended when the time is over."""
        self.lives += 1
        command = [sys.executable, "-m", "tests.support.crash_site", self.folder, *arming]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        bot = subprocess.Popen(command, text=True, cwd=ROOT, env={**os.environ, **own.python_path()}, **pipes)
        try:
            if bot.stdout.readline():
                other = threading.Thread(target=meanwhile)
                other.start()
                self._type(bot, time.monotonic() + seconds)
                other.join()
            self.reached[arming[0] if arming else by.name] += bot.poll() == -signal.SIGKILL or not arming
            bot.send_signal(by)
            bot.wait(60)
        finally:
            bot.kill()
            bot.wait(10)
            bot.stdout.close()
            with suppress(BrokenPipeError):
                bot.stdin.close()

    def _type(self, bot: subprocess.Popen, until: float) -> None:
        again = self.chance.sample(
            sorted(self.typed), min(3, len(self.typed))
        )  # as networks deliver what was not taken
        messages = [self.typed[message_id] for message_id in again]
        number = 0
        while time.monotonic() < until and bot.poll() is None:
            number += 1
            message = messages.pop() if messages else self._message(number)
            try:
                bot.stdin.write(json.dumps(message) + "\n")
                bot.stdin.flush()
            except BrokenPipeError:
                return
            time.sleep(self.chance.expovariate(12))

    def _message(self, number: int) -> dict[str, str]:
        chance, token = self.chance, f"t{self.lives}.{number}"
        verb = chance.choice(["write", "write", "write", "look", "look", "cancel", "queue"])
        jobs = max(1, len(self.typed) // 2)
        text = {"cancel": f"!cancel {chance.randint(max(1, jobs - 20), jobs)}", "queue": "!queue"}.get(
            verb, f"!{verb} {token} on {chance.choice(PATTERNS)}"
        )
        who, room = chance.choice(PEOPLE), chance.choice(ROOMS)
        self.typed[token] = {"text": text, "who": who, "room": room, "message_id": token}
        return self.typed[token]

    def settle(self) -> None:
        """The last life: look at what is held, acknowledge it, use every device, and check that all is true."""
        with bot_of(self.folder) as chat:
            store = chat.automation.store
            _check_holds(chat)
            _acknowledge(chat)
            for message in list(self.typed.values())[-30:]:
                chat.say(**message)  # delivered once more
            for device in DEVICES:
                chat.say(f"!write last.{device} on {device}")
            wait(lambda: {f"last.{name}" for name in DEVICES} <= set(map(_token, store.jobs(limit=100))), 60)
            _acknowledge(chat)
            assert {(f"last.{name}", name) for name in DEVICES} <= self.done("end").keys(), "a device cannot be used"
            self.check(store)

    def done(self, word: str) -> Counter[tuple[str, str]]:
        """How often each device says that it began or ended, by token and device."""
        return Counter((token, device) for what, token, device in noted(self.folder / "devices.log") if what == word)

    def check(self, store) -> None:
        jobs = store.jobs(limit=1_000_000)
        began, ended = self.done("begin"), self.done("end")
        assert not {pair: count for pair, count in began.items() if count > 1}, "something ran twice"
        assert {token for token, _ in began} <= set(map(_token, jobs)), "something ran that no job tells of"
        assert max(Counter(map(_token, jobs)).values()) == 1, "a message became two jobs"
        for job in jobs:
            for outcome in store.outcomes(job.number):
                _check_outcome(job, outcome, (_token(job), outcome.device), began, ended)
        self._check_told(jobs)
        _check_record(store, jobs)

    def _check_told(self, jobs) -> None:
        said = noted(self.folder / "rooms.log")
        for job in jobs:
            room = job.place.room
            words = {State.FAILED: ("failed", "done")}.get(job.state, (job.state.value,))
            heard = [text for where, text in said if where == room and text.startswith(f"#{job.number} ")]
            assert any(word in text for text in heard for word in words), (job, heard)
            assert self.typed.get(_token(job), {"room": room, "who": room})["room"] in {room, ""}, "another room"

    def report(self) -> str:
        """What happened, in a line."""
        died = ", ".join(f"{name} {count}" for name, count in self.reached.items() if count)
        with_job = {token for token, _ in self.done("begin")}
        asked = [token for token, message in self.typed.items() if message["text"].startswith(("!write", "!look"))]
        return (
            f"seed {self.seed}: {self.lives} lives, {len(asked)} commands, {len(with_job)} reached devices"
            f" ({sum(self.done('begin').values())} times); died at: {died}"
        )


def _token(job) -> str:
    return str(job.parameters.get("token"))


def _check_outcome(job, outcome, pair, began, ended) -> None:
    seen = (job.number, job.state.value, outcome.device, outcome.status.value, began[pair], ended[pair])
    if outcome.status in GOOD:
        assert (began[pair], ended[pair]) == (1, 1), seen
    elif ended[pair] or (began[pair] and job.risk is Risk.CHANGE):
        assert outcome.status is Status.UNKNOWN, seen
    if job.state is State.DONE:
        assert outcome.status in GOOD, seen


def _check_record(store, jobs) -> None:
    kinds: dict[int, Counter[str]] = {job.number: Counter() for job in jobs}
    for row in store.audit_rows(limit=10_000_000):
        if row.job is not None:
            kinds[row.job][row.kind] += 1
    for job in jobs:
        rows = kinds[job.number]
        # Of a job that ran, a word to cancel it stands beside its end.
        ends = (AuditKind.ENDED, AuditKind.INTERRUPTED) if job.started else (AuditKind.CANCELLED,)
        once = (rows[AuditKind.ACCEPTED], sum(rows[kind] for kind in ends), rows[AuditKind.TOLD])
        assert once == (1, 1, 1), (job.number, job.state, job.started, rows)
        assert rows[AuditKind.STARTED] == (job.started is not None), (job.number, job.state, job.started, rows)
    assert store.verify_audit()


def _check_holds(chat: ChatBot) -> None:
    """Every hold has a job that was interrupted, and whoever looks at the device sees it."""
    for device, number in chat.automation.store.holds().items():
        assert chat.automation.store.job(number).state is State.INTERRUPTED
        assert f"held by #{number}" in " ".join(chat.asks(f"!device {device}", f"^{device}\n").split())


def _acknowledge(chat: ChatBot) -> None:
    store = chat.automation.store

    def settled() -> bool:
        for number in set(store.holds().values()):
            store.acknowledge(number, "ana")
            chat.automation.dispatcher.released()
        return all(job.state in FINAL and job.told for job in store.jobs(limit=1_000_000))

    wait(settled, 180, lambda: str([(j.number, j.state, j.told) for j in store.jobs(limit=1_000_000) if not j.told]))


if __name__ == "__main__":
    main(*sys.argv[1:])
