"""`make demo`: simulated devices, then the bot on bots/demo, then everything is stopped again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from automation_bots.config import settings
from automation_bots.config.bot_folder import ROOT
from automation_bots.errors import DriverError
from automation_bots.processes.group import PIPE, ProcessGroup, Program
from automation_bots.processes.own import module

_WAIT_SECONDS = 1.0
_GRACE_SECONDS = 10.0


def run() -> int:
    """Run the demo until its input ends."""
    folder = ROOT / "bots" / "demo"
    data = settings.data_folder(settings.load(folder), folder, os.environ, ROOT)
    devices = _devices(data / "lab")
    command = [sys.executable, "-m", "automation_bots.cli.main", "run", str(folder)]
    try:
        bot = subprocess.Popen(command, cwd=ROOT)  # noqa: S603 - our own module
        # The terminal sends Ctrl-C to both; the bot ends by it, and only then this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: bot.terminate())
        while True:  # in pieces: a signal that comes just before a wait without an end is not heard
            with contextlib.suppress(subprocess.TimeoutExpired):
                return bot.wait(_WAIT_SECONDS)
    finally:
        devices.end(_GRACE_SECONDS)


def _devices(folder: Path) -> ProcessGroup:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = module("automation_bots.demo.devices", "--folder", str(folder))
    # Its standard input stays open for as long as this process lives: the devices end with it, however it ends.
    devices = ProcessGroup(Program(command=command, environment=os.environ, folder=ROOT), PIPE, PIPE, None)
    line = devices.stdout.readline().decode(errors="replace").strip()
    if line != "ready":
        devices.end()
        raise DriverError(f"The simulated devices did not start: {line or 'see the message above'}")
    return devices
