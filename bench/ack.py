"""From a command entering Errbot to the job's first words, at rest and while 50 jobs run: Python, Ansible, SSH.

Nothing is said before it is on the disk, so `floor` stands beside it: two commits of a process of its own.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from automation_bots.model import State
from automation_bots.surface import Capabilities
from bench.bots import chat
from bench.figures import Figure, quantile
from bench.floor import Floor
from bench.folders import HELLO, local_hosts, workspace
from tests.fakes.sshd import Sshd
from tests.support.chatbot import ChatBot, Surface, wait

BUSY = {"count": 30, "work": 10, "talk": 10}  # operation: jobs; python, ansible, ssh
COMMANDS = 300
PEOPLE = [f"asker{number}" for number in range(8)]

COUNT = '''import time
from collections.abc import Iterator


def count(to: int) -> Iterator[str]:
    """Count slowly, saying so twice a second.

    Risk: read
    """
    for number in range(to):
        print("line", number)
        yield f"at {number}"
        time.sleep(0.5)
'''
WORK = """# bot:
#   help: Work for long
#   risk: read
- hosts: "{{ devices }}"
  gather_facts: false
  tasks:
""" + "".join(f"    - {{name: step {n}, ansible.builtin.command: sleep 10}}\n" for n in range(100))
TALK = "help: Talk for long\nrisk: read\nlinux: [sh, -c, 'for i in $(seq 2000); do echo line $i; sleep 0.5; done']\n"
TOML = 'name = "bench"\nbackend = "Test"\n[limits]\njobs = {jobs}\nseconds = 900\n[drivers.ssh]\nagent = false\n'


class Listener(Surface):
    """Notes when each room heard its first words; every command is said in a room of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.capabilities = Capabilities(edits=True)  # progress as often as a chat network takes it
        self.first: dict[str, tuple[float, str]] = {}

    def say(self, place, answer):
        self.first.setdefault(place.room, (time.perf_counter(), answer.text))
        return super().say(place, answer)


@dataclass(frozen=True, slots=True)
class Case:
    """How many jobs may run, and how many commands come in a second."""

    name: str
    jobs: int
    per_second: float
    busy: bool = True


CASES = (
    Case("idle", 50, 4, busy=False),
    Case("queued", 50, 4),  # all 50 that may run do: what is asked for waits
    Case("started", 60, 2),  # what is asked for starts at once, beside the 50
    Case("flooded", 60, 4),  # the same, faster than two processors can work it off
)


def run() -> list[Figure]:
    with workspace() as folder, Sshd(folder / "sshd") as sshd:
        return [figure for case in CASES for figure in _measured(folder / case.name, sshd, case)]


def _measured(bot_folder: Path, sshd: Sshd, case: Case) -> list[Figure]:
    _write(bot_folder, sshd, case.jobs)
    with chat(bot_folder, Listener()) as bot:
        numbers = _make_busy(bot) if case.busy else []
        floor = Floor(bot_folder)
        spent = _ask_all(bot, floor, case.per_second)
        least = floor.close()
        _check_running(bot, numbers)
    return [
        Figure(f"ack.{case.name}.p50", median(spent), "ms"),
        Figure(f"ack.{case.name}.p99", quantile(spent, 0.99), "ms", 100),
        Figure(f"ack.{case.name}.max", max(spent), "ms"),
        Figure(f"ack.{case.name}.floor.p50", median(least), "ms"),
        Figure(f"ack.{case.name}.floor.p99", quantile(least, 0.99), "ms"),
    ]


def _write(folder: Path, sshd: Sshd, jobs: int) -> None:
    remote = {
        f"ssh{number}": {
            "ansible_host": sshd.addresses[number % len(sshd.addresses)],
            "ansible_port": sshd.port,
            "ansible_user": sshd.user,
            "ansible_ssh_private_key_file": str(sshd.key_file),
        }
        for number in range(BUSY["talk"])
    }
    people = [*PEOPLE, *(f"worker{number}" for number in range(5))]
    policy = {
        "people": {name: {"test": name, "groups": ["ops"]} for name in people},
        "rules": [{"name": "look", "who": "ops", "may": ["reads"]}],
    }
    files = {
        "bot.toml": TOML.format(jobs=jobs),
        "policy.yml": json.dumps(policy),
        "inventory/hosts.json": json.dumps({"all": {"hosts": {**local_hosts(BUSY["work"]), **remote}}}),
        "plugins/hello.py": HELLO,
        "plugins/count.py": COUNT,
        "playbooks/work.yml": WORK,
        "playbooks/verbs/talk.yml": TALK,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "known_hosts").write_text(sshd.known_hosts.read_text())


def _make_busy(bot: ChatBot) -> list[int]:
    """Start the 50 jobs and wait until each of them works."""
    lines = {"count": "!count 2000", "work": "!work on local{0}", "talk": "!talk on ssh{0}"}
    wanted = [lines[name].format(number) for name, count in BUSY.items() for number in range(count)]
    for number, line in enumerate(wanted):
        bot.say(line, who=f"worker{number % 5}", room=f"work{number % 5}")
    store, dispatcher = bot.automation.store, bot.automation.dispatcher
    wait(lambda: len(store.running()) == len(wanted), 60)
    numbers = [job.number for job in store.running()]
    talking = [job.number for job in store.running() if job.operation != "talk"]  # ssh says nothing meanwhile
    wait(lambda: all(dispatcher.progress(number) for number in talking), 120)
    return numbers


def _check_running(bot: ChatBot, numbers: list[int]) -> None:
    store = bot.automation.store
    ended = [job for number in numbers if (job := store.job(number)).state is not State.RUNNING]
    assert not ended, [(job, store.outcomes(job.number)) for job in ended]


def _ask_all(bot: ChatBot, floor: Floor, per_second: float) -> list[float]:
    """Ask for short jobs at random moments; milliseconds until each was accepted."""
    chance, asked = random.Random(1), {}
    for number in range(COMMANDS):
        time.sleep(chance.expovariate(per_second * 2))
        room = f"room{number}"
        asked[room] = time.perf_counter()
        bot.say(_line(number), who=PEOPLE[number % len(PEOPLE)], room=room)
        time.sleep(chance.expovariate(per_second * 2))
        floor.ask()
    wait(lambda: asked.keys() <= bot.surface.first.keys(), 30)
    heard = {room: bot.surface.first[room] for room in asked}
    assert all(text.startswith("#") for _, text in heard.values()), "not every command was accepted"
    return [(heard[room][0] - at) * 1000 for room, at in asked.items()]


def _line(number: int) -> str:
    return f"!uptime on local{number // 10 % BUSY['work']}" if number % 10 == 9 else f"!hello {number}"
