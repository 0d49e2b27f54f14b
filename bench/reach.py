"""`!reach` of 10,000 and 60,000 addresses from the message to the end of the job, beside `fping` on the same ones.

As fast as it goes, and at the pace that a bot has unless told otherwise. In a network namespace of its own, where a
rule of nftables drops pings to the dead ones.
"""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from automation_bots.drivers.defaults import REACH_PACKETS_PER_SECOND
from automation_bots.model import FINAL
from bench.bots import chat
from bench.figures import Figure, ratio
from bench.folders import workspace
from tests.support.chatbot import ChatBot, wait

SIZES = (10_000, 60_000)
LAST = 200  # the last number of an address is 1 to this
DEAD = {5: LAST // 20, 50: LAST // 2}  # percent: addresses up to this last number do not answer
TIMES = 5
BOUND = 3.0  # three tries of a second
LATE = {10_000: 0.6, 60_000: 1.0}  # all the dead ones are known at the same moment, and told one by one
RATIOS = {10_000: 2.5, 60_000: 3.0}  # of fping, which stores nothing
TOML = 'name = "bench"\nbackend = "Test"\n'
NO_PACE = "[drivers.reach]\npackets_per_second = 0\n"
POLICY = {"people": {"ana": {"test": "ana", "groups": ["ops"]}},
          "rules": [{"name": "look", "who": "ops", "may": ["reads"]}]}  # fmt: skip
_NEW_NETWORK = 0x40000000


def run() -> list[Figure]:
    """In a child, since its network is not ours any more afterwards."""
    with workspace() as folder:
        found = folder / "figures.json"
        child = os.fork()
        if not child:
            code = 1
            try:
                found.write_text(json.dumps([[f.name, f.value, f.unit, f.bar] for f in _measured(folder)]))
                code = 0
            except BaseException:
                traceback.print_exc()
                raise
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        if status:
            raise SystemExit("the bench of reach failed; it needs root, iproute2, nftables and fping")
        return [Figure(*row) for row in json.loads(found.read_text())]


def _measured(folder: Path) -> list[Figure]:
    _own_network()
    figures: list[Figure] = []
    for size in SIZES:
        bot_folder = folder / str(size)
        hosts = _addresses(size)
        _write(bot_folder, hosts, NO_PACE)
        with chat(bot_folder) as bot:
            _sweep(bot, size)  # the worker process runs from now on, as it does in a bot that is not new
            figures += _alive(bot, bot_folder, size)
            for percent, last in DEAD.items():
                with _dead(last):
                    figures += _partly(bot, size, percent)
    return [*figures, *_paced(folder / "paced", SIZES[-1])]


def _paced(bot_folder: Path, size: int) -> Iterator[Figure]:
    """At the pace of a bot that nobody told another one."""
    _write(bot_folder, _addresses(size))
    least = size / REACH_PACKETS_PER_SECOND
    with chat(bot_folder) as bot:
        _sweep(bot, size)
        yield Figure(f"reach.{size}.paced", _sweep(bot, size), "s", least + 1)
        with _dead(DEAD[5]):
            yield Figure(f"reach.{size}.paced.5%dead", _sweep(bot, size, dead=size // 20), "s", least + 1 + BOUND)


def _own_network() -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "a network namespace cannot be made")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def _addresses(size: int) -> list[str]:
    return [f"127.{1 + n // (LAST * 250)}.{n // LAST % 250}.{n % LAST + 1}" for n in range(size)]


def _write(folder: Path, hosts: list[str], toml: str = "") -> None:
    groups: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for number, address in enumerate(hosts):
        group = groups.setdefault(f"rack{number % 40}", {"hosts": {}})
        group["hosts"][f"d{number}"] = {"ansible_host": address}
    files = {
        "bot.toml": TOML + toml,
        "policy.yml": json.dumps(POLICY),
        "inventory/hosts.json": json.dumps({"all": {"children": groups}}),
        "addresses": "\n".join(hosts) + "\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _alive(bot: ChatBot, bot_folder: Path, size: int) -> Iterator[Figure]:
    ours, theirs = [], []
    for _ in range(TIMES):
        theirs.append(_fping(bot_folder))
        ours.append(_sweep(bot, size))
    yield Figure(f"reach.{size}.fping", median(theirs), "s")
    yield Figure(f"reach.{size}.ended", median(ours), "s")
    yield Figure(f"reach.{size}.ratio", ratio(ours, theirs), "x", RATIOS[size])


def _partly(bot: ChatBot, size: int, percent: int) -> Iterator[Figure]:
    ended = _sweep(bot, size, dead=size * percent // 100)
    yield Figure(f"reach.{size}.{percent}%dead", ended, "s", BOUND + LATE[size])


def _fping(bot_folder: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(["fping", "-i", "0", "-q", "-f", bot_folder / "addresses"], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr[-300:]
    return time.perf_counter() - began


def _sweep(bot: ChatBot, size: int, dead: int = 0) -> float:
    """Seconds from the message until the job had ended: all outcomes, the summary and the audit row are stored."""
    store = bot.automation.store
    known = store.jobs(limit=1)[0].number if bot.jobs else 0
    with sqlite3.connect(f"file:{_database(bot)}?mode=ro", uri=True) as connection:
        began = time.perf_counter()
        bot.say("!reach")
        _until(connection, "SELECT count(*) FROM jobs WHERE number = ? AND ended IS NOT NULL", known + 1, 1)
        ended = time.perf_counter() - began
    wait(lambda: not bot.automation.announcer.pending, 30)
    job = store.job(known + 1)
    assert job.state in FINAL
    assert job.counts == ({"ok": size - dead, "unreachable": dead} if dead else {"ok": size}), job.counts
    return ended


def _database(bot: ChatBot) -> Path:
    return bot.automation.data / "bot.db"


def _until(connection: sqlite3.Connection, question: str, job: int, wanted: int) -> None:
    end = time.monotonic() + 120
    while connection.execute(question, (job,)).fetchone()[0] < wanted:
        assert time.monotonic() < end, f"job {job} does not end"
        time.sleep(0.005)


@contextmanager
def _dead(last: int) -> Iterator[None]:
    """Drop pings to addresses whose last number is not above this."""
    rules = (
        "add table inet bench; add chain inet bench in { type filter hook input priority 0; }; "
        f"add rule inet bench in icmp type echo-request ip daddr & 0.0.0.255 <= 0.0.0.{last} drop"
    )
    subprocess.run(["nft", rules], check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete table inet bench"], check=True)
