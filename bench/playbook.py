"""A playbook, or a command of this machine, from the chat until its job has ended, against bare ansible-playbook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from statistics import median

from automation_bots.model import FINAL, State
from bench.bots import chat
from bench.figures import Figure, ratio
from bench.folders import local_hosts, workspace
from tests.support.chatbot import ChatBot

FORKS = 20
ROUNDS = {"one": 11, "fifty": 5}
BARS = {"one": 0.5, "fifty": 0.85}  # of the time that ansible-playbook takes
HERE_ROUNDS, HERE_BAR = 21, 0.1  # seconds, that a person takes for at once
PLAYBOOK = """# bot:
#   help: One task
#   risk: read
- hosts: "{{ devices }}"
  gather_facts: false
  tasks:
    - {name: look, ansible.builtin.command: "true", changed_when: false}
"""
POLICY = "people:\n  ana: {test: ana, groups: [admins]}\nrules:\n  - {name: all, who: admins, may: [everything]}\n"
TOML = f'name = "bench"\nbackend = "Test"\n[drivers.ansible]\nforks = {FORKS}\n'


def run() -> list[Figure]:
    with workspace() as folder:
        _write(folder)
        with chat(folder) as bot:
            ended = Ended(bot)
            here = _here(bot, ended)
            return [*here, *(f for name, rounds in ROUNDS.items() for f in _compare(bot, ended, name, rounds))]


def _write(folder: Path) -> None:
    hosts = local_hosts(50)
    groups = {"one": {"hosts": {"local0": {}}}, "fifty": {"hosts": {name: {} for name in hosts}}}
    files = {
        "bot.toml": TOML,
        "policy.yml": POLICY,
        "inventory/hosts.json": json.dumps({"all": {"hosts": hosts, "children": groups}}),
        "playbooks/look.yml": PLAYBOOK,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


class Ended:
    """Wakes when the store says that a job has ended."""

    def __init__(self, bot: ChatBot) -> None:
        self._store = bot.automation.store
        self._committed = threading.Event()
        self._store.on_commit(self._committed.set)

    def wait(self, number: int) -> None:
        while True:
            self._committed.clear()
            newest = self._store.jobs(limit=1)
            if newest and newest[0].number == number and newest[0].state in FINAL:
                assert newest[0].state is State.DONE, newest[0]
                return
            self._committed.wait(60)


def _compare(bot: ChatBot, ended: Ended, name: str, rounds: int) -> list[Figure]:
    _bare(bot.folder, name)  # what is compiled and cached the first time is so for both
    through_bot(bot, ended, f"!look on {name}")
    bare, ours = [], []
    for _ in range(rounds):
        bare.append(_bare(bot.folder, name))
        ours.append(through_bot(bot, ended, f"!look on {name}"))
    return [
        Figure(f"playbook.{name}.bare", median(bare), "s"),
        Figure(f"playbook.{name}.bot", median(ours), "s"),
        Figure(f"playbook.{name}.ratio", ratio(ours, bare), "x", BARS[name]),
    ]


def _here(bot: ChatBot, ended: Ended) -> list[Figure]:
    """A command of the bot's own machine, which is a process and no playbook."""
    through_bot(bot, ended, "!uptime on one")
    bare, ours = [], []
    for _ in range(HERE_ROUNDS):
        started = time.perf_counter()
        subprocess.run(["uptime"], check=True, capture_output=True)
        bare.append(time.perf_counter() - started)
        ours.append(through_bot(bot, ended, "!uptime on one"))
    return [Figure("here.bare", median(bare), "s"), Figure("here.bot", median(ours), "s", HERE_BAR)]


def through_bot(bot: ChatBot, ended: Ended, command: str) -> float:
    """The seconds from a command until its job has ended."""
    number = len(bot.jobs) + 1
    started = time.perf_counter()
    bot.say(command)
    ended.wait(number)
    return time.perf_counter() - started


def _bare(folder: Path, name: str) -> float:
    program = Path(sys.executable).with_name("ansible-playbook")
    argv = [program, "--forks", str(FORKS), "-i", folder / "inventory", "-e", f"devices={name}", "look.yml"]
    settings = {"ANSIBLE_HOST_KEY_CHECKING": "True", "ANSIBLE_PIPELINING": "True", "LANG": "C.UTF-8"}
    environment = {"HOME": os.environ["HOME"], "PATH": f"{program.parent}:{os.environ['PATH']}", **settings}
    started = time.perf_counter()
    subprocess.run(argv, cwd=folder / "playbooks", env=environment, check=True, capture_output=True)
    return time.perf_counter() - started
