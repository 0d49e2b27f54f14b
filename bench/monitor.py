"""10,000 devices pinged each ten seconds by one monitor of a whole bot; a look's CPU beside Debian's blackbox exporter.

On addresses of this machine, so that nothing but the bot is measured.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

from automation_bots.monitors import history
from automation_bots.store import Store
from bench.bots import chat
from bench.figures import Figure
from bench.folders import workspace
from tests.support.chatbot import ChatBot, wait

TARGETS, EVERY = 10_000, 10
SECONDS = 60  # that are measured
KEPT_TARGETS = 1_000
TOML = 'name = "bench"\nbackend = "Test"\n'
POLICY = {"people": {"ana": {"test": "ana", "groups": ["ops"]}},
          "rules": [{"name": "look", "who": "ops", "may": ["reads"]}]}  # fmt: skip
PEER = "prometheus-blackbox-exporter"
PEER_SECONDS = 8
_TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[Figure]:
    """Everything."""
    with workspace() as folder:
        _write(folder / "bot")
        figures, look = _watched(folder / "bot")
        figures.append(_size(folder / "record"))
        figures += _peer(folder, look)
    return figures


def _write(folder: Path) -> None:
    (folder / "inventory").mkdir(parents=True)
    hosts = {f"r{number}": {"ansible_host": f"127.{1 + number // 65_000}.{number // 250 % 250}.{number % 250 + 1}"}
             for number in range(TARGETS)}  # fmt: skip
    (folder / "inventory" / "hosts.yml").write_text(json.dumps({"all": {"children": {"net": {"hosts": hosts}}}}))
    (folder / "policy.yml").write_text(json.dumps(POLICY))
    (folder / "bot.toml").write_text(TOML)


def _watched(folder: Path) -> tuple[list[Figure], float]:
    """The figures of a monitor that goes on, and the CPU seconds of one look."""
    with chat(folder) as bot:
        bot.asks("!ping r1", "1 ok", seconds=120)
        before = _memory(os.getpid())
        bot.asks(f"!monitor ping net every {EVERY}s", "M1 ping net", seconds=60)
        monitors = bot.automation.monitors
        wait(lambda: monitors.figures().looks > 2 * TARGETS, 120)
        child = monitors.prober.pid
        cpu, looks, began = _cpu(child), monitors.figures().looks, time.monotonic()
        time.sleep(SECONDS)
        took, used = time.monotonic() - began, _cpu(child) - cpu
        looks = monitors.figures().looks - looks
        late = monitors.figures().lateness
        listed = min(_listed(bot) for _ in range(5))
        more = _memory(os.getpid()) - before + _memory(child)
    name = f"monitor.{TARGETS}"
    return [
        Figure(f"{name}.late_p99", late.p99 / 1000, "s", 1.0),
        Figure(f"{name}.late_worst", late.worst / 1000, "s"),
        Figure(f"{name}.cpu", used / took, "of a core", 0.6),
        Figure(f"{name}.memory", more / 1e6, "MB more", 200),
        Figure(f"{name}.looks", looks / took, "a second"),
        Figure(f"{name}.monitors", listed, "s", 1.0),
    ], used / looks


def _listed(bot: ChatBot) -> float:
    began = time.monotonic()
    bot.asks("!monitors", "1 monitor")
    return time.monotonic() - began


def _cpu(child: int) -> float:
    mine = os.times()
    words = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
    return mine.user + mine.system + (int(words[11]) + int(words[12])) / _TICKS


def _memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def _size(folder: Path) -> Figure:
    """30 days of 1,000 targets each ten seconds, as the recorder writes them."""
    store = Store.open(folder)
    chunk = b"".join(history.packed(0, at * 10.0, 2.0) for at in range(30))
    hour = history.hour(0, [(at, chunk) for at in range(0, 3_600, 300)])
    for target in range(KEPT_TARGETS):
        store.monitors.keep(history.RAW, [(target, at, chunk) for at in range(0, 86_400, 300)])
        store.monitors.keep(history.FINE, [(target, at, hour) for at in range(0, 30 * 86_400, 3_600)])
        store.monitors.keep(history.COARSE, [(target, at, hour + hour) for at in range(0, 30 * 86_400, 86_400)])
    store.close()
    size = sum(path.stat().st_size for path in folder.glob("bot.db*"))
    return Figure(f"monitor.{KEPT_TARGETS}.30days", size / 1e9, "GB", 1.0)


def _peer(folder: Path, look: float) -> list[Figure]:
    """The CPU of a look, as a part of the exporter's; nothing where that is not installed."""
    if not shutil.which(PEER):
        return []
    config = folder / "peer.yml"
    config.write_text("modules: {icmp: {prober: icmp, timeout: 2s, icmp: {preferred_ip_protocol: ip4}}}\n")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [PEER, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    peer = subprocess.Popen(command)
    try:
        wait(lambda: _asked(port, 0), 30)
        mine = os.times()
        before, count = _cpu(peer.pid) - mine.user - mine.system, _asked_for(port, PEER_SECONDS)
        mine = os.times()
        theirs = (_cpu(peer.pid) - mine.user - mine.system - before) / count
    finally:
        peer.kill()
        peer.wait()
    return [Figure("monitor.look/blackbox", look / theirs, "of its CPU", 1.0)]


def _asked(port: int, number: int) -> bool:
    url = f"http://127.0.0.1:{port}/probe?module=icmp&target=127.1.{number // 250 % 250}.{number % 250 + 1}"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return b"probe_success 1" in answer.read()
    except OSError:
        return False


def _asked_for(port: int, seconds: float) -> int:
    numbers, end, done = itertools.count(), time.monotonic() + seconds, []

    def ask() -> None:
        while time.monotonic() < end:
            done.append(_asked(port, next(numbers)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(done), "the exporter did not answer"
    return len(done)
