"""Thirty Cisco-like devices on loopback, by FakeNOS in an environment of its own (it pins another paramiko)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import asyncssh

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(os.environ.get("AUTOMATION_BOTS_FAKENOS") or ROOT / ".venv/fakenos/bin/fakenos")
_INVENTORY = """\
hosts:
  R:
    username: user
    password: lab-secret
    port: [{first}, {last}]
    replicas: {count}
    platform: {platform}
"""


class FakeNos:
    """`with FakeNos(30) as lab:` gives `lab.ports`; what they answer is canned, and no change stays."""

    missing = "" if PROGRAM.exists() else "needs FakeNOS: make setup"
    user, password = "user", "lab-secret"

    def __init__(self, count: int = 30, platform: str = "cisco_ios") -> None:
        self.ports: tuple[int, ...] = ()
        self.known_hosts = Path()
        self._count, self._platform = count, platform
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> FakeNos:
        with contextlib.ExitStack() as undo:
            undo.callback(self._cleanup.close)
            folder = Path(self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="lab-fakenos-")))
            first = _free_ports(self._count)
            self.ports = tuple(range(first, first + self._count))
            text = _INVENTORY.format(first=first, last=self.ports[-1], count=self._count, platform=self._platform)
            (folder / "inventory.yaml").write_text(text)
            log = self._cleanup.enter_context((folder / "log").open("w"))
            process = subprocess.Popen(
                [PROGRAM, "-i", "inventory.yaml"], cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            self._cleanup.callback(process.wait, 10)
            self._cleanup.callback(process.kill)
            self._wait(process, folder)
            self.known_hosts = folder / "known_hosts"
            self.known_hosts.write_text(asyncio.run(self._keys()))
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _wait(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        end = time.monotonic() + 90
        while not _listens(self.ports[-1]):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"FakeNOS did not start: {(folder / 'log').read_text()[-500:]}")
            time.sleep(0.3)

    async def _keys(self) -> str:
        lines = []
        for port in self.ports:
            key = await asyncssh.get_server_host_key("127.0.0.1", port, config=None)
            lines.append(f"[127.0.0.1]:{port} {key.export_public_key().decode().strip()}\n")
        return "".join(lines)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody listens on."""
    for first in range(26_000, 32_000, count):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise RuntimeError("no free ports for FakeNOS")
