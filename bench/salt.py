"""`!salt * test.ping` by chat, until its outcomes are stored and the job has ended, against the `salt` command."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

from bench.bots import chat
from bench.figures import Figure, ratio
from bench.folders import workspace
from bench.playbook import POLICY, Ended
from tests.fakes.salt import Salt
from tests.support.chatbot import ChatBot

ROUNDS = 15
TOML = """name = "bench"
backend = "Test"
[drivers.salt]
url = "{url}"
user = "opsbot"
password = "file:password"
eauth = "file"
"""
HOSTS = "all: {hosts: {web1: {}, web2: {}, db1: {}}}\n"


def run() -> list[Figure]:
    with Salt() as salt, workspace() as folder:
        _write(folder, salt)
        with chat(folder) as bot:
            return _compare(bot, salt)


def _write(folder: Path, salt: Salt) -> None:
    files = {"bot.toml": TOML.format(url=salt.url), "policy.yml": POLICY, "inventory/hosts.yml": HOSTS}
    for name, text in {**files, "password": salt.password}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "password").chmod(0o600)


def _compare(bot: ChatBot, salt: Salt) -> list[Figure]:
    ended = Ended(bot)
    _command(salt)  # what is read and cached the first time is so for both
    _through_bot(bot, ended)
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(_command(salt))
        ours.append(_through_bot(bot, ended))
    return [
        Figure("salt.ping.command", median(theirs), "s"),
        Figure("salt.ping.bot", median(ours), "s"),
        Figure("salt.ping.ratio", ratio(ours, theirs), "x", 0.4),
    ]


def _command(salt: Salt) -> float:
    started = time.perf_counter()
    done = salt.command("salt", "*", "test.ping")
    assert done.stdout.count("True") == 3, done
    return time.perf_counter() - started


def _through_bot(bot: ChatBot, ended: Ended) -> float:
    number = len(bot.jobs) + 1
    started = time.perf_counter()
    bot.say("!salt * test.ping")
    ended.wait(number)
    return time.perf_counter() - started
