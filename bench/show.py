"""`!show version` on many network devices through a whole bot, against nornir with netmiko on the same devices.

The devices think as switches do: 300 ms before they take a login, 50 ms before each answer. Every time both log in to
all devices anew; `kept` is the same where the bot still has the sessions of the time before, as it usually does.
`at_once` is without any thinking; there the servers, which share the machine's cores, are most of what is seen.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.bots import chat
from bench.figures import Figure, ratio
from bench.folders import ROOT, workspace
from bench.playbook import Ended, through_bot
from tests.fakes import clis
from tests.support.chatbot import ChatBot

SIZES = {100: 5, 500: 3}  # devices: rounds
# Seconds before the login, before each answer, and for which the bot keeps a session; and the bar for it.
SCENES = {"": (0.3, 0.05, 0, 1 / 3), ".kept": (0.3, 0.05, 60, 1 / 3), ".at_once": (0.0, 0.0, 0, None)}
WORKERS = 50  # of nornir; 20 and 100 were slower
PACKAGES = ("nornir==3.6.0", "nornir-netmiko==1.0.1", "netmiko==4.8.0")
TOML = 'name = "bench"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'
TOML += "[drivers.network]\nkeep_seconds = {keep}\n"
POLICY = "people:\n  ana: {test: ana, groups: [admins]}\nrules:\n  - {name: all, who: admins, may: [everything]}\n"


def run() -> list[Figure]:
    theirs = _nornir()
    return [figure for name in SCENES for figure in _measured(name, theirs)]


def _measured(name: str, theirs: Path) -> list[Figure]:
    login, answer, keep, bar = SCENES[name]
    with workspace() as folder, clis.many(folder, max(SIZES), login, answer) as devices:
        _write(folder, devices, keep)
        with chat(folder) as bot:
            ended, sizes = Ended(bot), SIZES.items()
            pairs = [(f"show{name}.{size}", _times(bot, ended, theirs, size, rounds)) for size, rounds in sizes]
    return [figure for title, times in pairs for figure in _figures(title, times, bar)]


def _times(bot: ChatBot, ended: Ended, theirs: Path, size: int, rounds: int) -> tuple[list[float], list[float]]:
    command = f"!show version on n{size}"
    through_bot(bot, ended, command)  # what is compiled and cached the first time is so for both
    nornir, ours = [], []
    for _ in range(rounds):
        nornir.append(_their(theirs, bot.folder, size))
        ours.append(through_bot(bot, ended, command))
    return nornir, ours


def _figures(name: str, times: tuple[list[float], list[float]], bar: float | None) -> list[Figure]:
    nornir, ours = times
    return [
        Figure(f"{name}.nornir", median(nornir), "s"),
        Figure(f"{name}.bot", median(ours), "s"),
        Figure(f"{name}.ratio", ratio(ours, nornir), "x", bar),
    ]


def _write(folder: Path, devices: dict[str, tuple[str, int]], keep: int) -> None:
    hosts = {name: {"ansible_host": address, "ansible_port": port} for name, (address, port) in devices.items()}
    groups = {f"n{size}": {"hosts": {f"sw{n + 1}": {} for n in range(size)}} for size in SIZES}
    common = {
        "driver": "network",
        "platform": "cisco_ios",
        "ansible_user": clis.USER,
        "ansible_password": clis.PASSWORD,
    }
    files = {
        "bot.toml": TOML.format(keep=keep),
        "policy.yml": POLICY,
        "inventory/hosts.json": json.dumps({"all": {"hosts": hosts, "vars": common, "children": groups}}),
        "devices.json": json.dumps(devices),
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _nornir() -> Path:
    """An environment of its own for nornir, made once."""
    folder = ROOT / "data" / "bench-nornir"
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PACKAGES], check=True)
        (folder / "ready").touch()
    return python


def _their(python: Path, folder: Path, size: int) -> float:
    """The seconds of nornir's run alone: its start and its inventory are not counted."""
    script = Path(__file__).with_name("show_nornir.py")
    argv = [python, script, folder / "devices.json", str(size), str(WORKERS), clis.USER, clis.PASSWORD]
    return float(subprocess.run(argv, check=True, capture_output=True, text=True, cwd=folder).stdout)
