"""`!config` with its accounting, against netmiko's `send_config_set` and NAPALM on the same simulated devices in a run.

400 lines to one device, and 20 lines to 100 devices. Ours logs in twice, reads the configuration and finds each line
in it; netmiko's only types. The devices think 100 ms before a login and 20 ms before each answer. NAPALM is measured on
EOS (load, compare, commit): its driver for IOS needs SCP or Tcl, which the simulated devices have not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from bench.figures import Figure, ratio
from tests.drivers.network.bench import Chat, driver
from tests.fakes import clis
from tests.fakes.clis_config import Configurable, Eos, Ios

SCENES = {"one": (1, 400, 2), "many": (100, 20, 2)}  # devices, lines, rounds
KINDS = {"netmiko": (Ios, "cisco_ios"), "napalm": (Eos, "arista_eos")}  # who is the other, on which devices
THINKS = clis.Manner(login_seconds=0.1, slow_seconds=0.02)
BAR = 1.2
WORKERS = 50  # of the others


def run() -> list[Figure]:
    return [figure for other in KINDS for name in SCENES for figure in _measured(other, name)]


def _measured(other: str, name: str) -> list[Figure]:
    count, lines, rounds = SCENES[name]
    with tempfile.TemporaryDirectory() as folder, clis.Shelf(Path(folder) / "known_hosts") as shelf:
        devices = [_device(shelf, f"sw{number}", *KINDS[other]) for number in range(count)]
        network = driver(shelf.known_hosts, Path(folder) / "data", read_seconds=60, connect_seconds=60)
        chat = Chat(network, Path(folder) / "work", ansible_password=clis.PASSWORD)
        chat.run(ops.CONFIG, devices[0], lines=_lines(2, "warm"), seconds=600)
        theirs, ours = [], []
        for number in range(rounds):
            theirs.append(_their(other, devices, _lines(lines, f"a{number}")))
            ours.append(_our(chat, devices, _lines(lines, f"b{number}")))
    return [
        Figure(f"config.{name}.{other}", median(theirs), "s"),
        Figure(f"config.{name}.bot", median(ours), "s"),
        Figure(f"config.{name}.ratio", ratio(ours, theirs), "x", BAR),
    ]


def _device(shelf: clis.Shelf, name: str, kind: type[Configurable], platform: str) -> Device:
    it = kind(name, f"hostname {name}")
    it.archive, it.manner = False, THINKS
    login = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(it), "ansible_user": clis.USER}
    return Device(name, variables={**login, "platform": platform})


def _lines(count: int, text: str) -> tuple[str, ...]:
    ports = range(count // 2)
    return tuple(line for port in ports for line in (f"interface Et{port}", f" description {text} {port}"))


def _our(chat: Chat, devices: list[Device], lines: tuple[str, ...]) -> float:
    outcomes = chat.run(ops.CONFIG, *devices, lines=lines, seconds=600).outcomes.values()
    wrong = [outcome.summary for outcome in outcomes if outcome.status is not Status.CHANGED]
    assert not wrong, wrong[:3]
    return max(outcome.seconds for outcome in outcomes)


def _their(other: str, devices: list[Device], lines: tuple[str, ...]) -> float:
    """The seconds of their work alone, in a process of its own as ours is."""
    ports = [device.variables["ansible_port"] for device in devices]
    asked = {"way": other, "ports": ports, "lines": lines, "workers": WORKERS, "account": (clis.USER, clis.PASSWORD)}
    script = Path(__file__).with_name("config_others.py")  # with -P, as bench/ssh.py is no package of theirs
    done = subprocess.run(
        [sys.executable, "-P", script], input=json.dumps(asked), check=True, capture_output=True, text=True
    )
    return float(done.stdout)
