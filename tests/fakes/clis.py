"""Many scripted IOS-like devices in one process: fast ones for measuring, and ones that misbehave in a chosen way.

`python -m tests.fakes.clis FOLDER COUNT HALF LOGIN SLOW` (seconds) serves until standard input ends. They prove how a
client behaves, no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncssh

USER, PASSWORD, ENABLE = "lab", "lab-secret", "lab-enable"
VERSION = """\
Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 15.0(2)SE11, RELEASE SOFTWARE (fc3)
Technical Support: http://www.cisco.com/techsupport
Compiled Sat 19-Aug-17 09:34 by prod_rel_team

ROM: Bootstrap program is C2960 boot loader
BOOTLDR: C2960 Boot Loader (C2960-HBOOT-M) Version 12.2(53r)SEY3, RELEASE SOFTWARE (fc1)

{name} uptime is 1 year, 3 weeks, 4 days, 23 hours, 11 minutes
System returned to ROM by power-on
System image file is "flash:/c2960-lanbasek9-mz.150-2.SE11.bin"

cisco WS-C2960-24TT-L (PowerPC405) processor (revision P0) with 65536K bytes of memory.
Processor board ID FOC1010X{name}
Last reset from power-on
24 FastEthernet interfaces
2 Gigabit Ethernet interfaces

Configuration register is 0xF"""


@dataclass(frozen=True)
class Manner:
    """How a device behaves."""

    enable: str = ""  # asks for this password; empty: privileged from the start
    pages: int = 0  # lines on a page; 0: it never pages
    stubborn: bool = False  # pages whatever it is told
    busy: int = 0  # so many logins are turned away first, as when all sessions are taken
    silent: str = ""  # a command after which no prompt comes back
    slow_seconds: float = 0  # before each answer
    login_seconds: float = 0  # of thinking before it takes a login
    sessions: int = 0  # at most; 0: no limit
    old: bool = False  # speaks only what devices before 2015 speak
    banner: str = ""
    mute: bool = False  # shows its prompt only behind an empty line


class _Login(asyncssh.SSHServer):
    def __init__(self, device: Cli) -> None:
        self._device = device

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        device = self._device
        device.open.append(conn)
        device.most = max(device.most, device.connections)
        sessions = device.manner.sessions
        if device.turned_away < device.manner.busy or (sessions and device.connections > sessions):
            device.turned_away += 1
            conn.abort()
        self._conn = conn

    def connection_lost(self, exc: Exception | None) -> None:
        self._device.open.remove(self._conn)

    def auth_completed(self) -> None:
        self._device.logins += 1

    async def begin_auth(self, username: str) -> bool:
        await asyncio.sleep(self._device.manner.login_seconds)
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD) and not self._device.locked

    def public_key_auth_supported(self) -> bool:
        return bool(self._device.trusted)

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data in self._device.trusted

    def validate_ca_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key.public_data in self._device.trusted

    def session_requested(self) -> _Shell:
        return _Shell(self._device)


class _Shell(asyncssh.SSHServerSession):
    def __init__(self, device: Cli) -> None:
        self._device, self._line, self._hidden, self._paging = device, "", False, True
        self._privileged = not device.manner.enable
        self._rest: list[str] = []
        self._talk = device.talk()

    def connection_made(self, chan: asyncssh.SSHServerChannel) -> None:
        self._channel = chan

    def pty_requested(self, term_type: str, term_size: object, term_modes: object) -> bool:
        return True

    def shell_requested(self) -> bool:
        return True

    def session_started(self) -> None:
        prompt = "" if self._device.manner.mute else self._prompt
        self._channel.write(f"{self._device.manner.banner}\r\n{prompt}")

    @property
    def _prompt(self) -> str:
        if self._talk is not None:
            return self._talk.prompt
        return f"{self._device.name}{'#' if self._privileged else '>'}"

    def data_received(self, data: str, datatype: object) -> None:
        if self._rest:
            self._page()
            return
        for char in data:
            if char in "\r\n":
                line, self._line = self._line, ""
                self._take(line)
            else:
                self._line += char

    def _take(self, line: str) -> None:
        self._device.arrived.append(line)
        if self._hidden:
            self._hidden = False
            self._privileged = line == self._device.manner.enable
            self._channel.write(f"\r\n{'' if self._privileged else '% Bad secrets'}\r\n{self._prompt}")
            return
        if line == "enable" and not self._privileged:
            self._hidden = True
            self._channel.write(f"{line}\r\nPassword: ")
            return
        if line == "terminal length 0":
            self._paging = self._device.manner.stubborn
        wait = self._device.manner.slow_seconds
        asyncio.get_running_loop().call_later(wait, self._answer, line) if wait else self._answer(line)

    def _answer(self, line: str) -> None:
        if self._channel.is_closing():
            return
        if line and line == self._device.manner.silent:
            self._channel.write(f"{line}\r\nworking")
            return
        if self._talk is not None:
            text = self._talk.answer(line)
        else:
            text = self._device.answer(line, privileged=self._privileged)
        lines = text.split("\n")
        if self._device.manner.pages and self._paging:
            self._channel.write(f"{line}\r\n")
            self._rest = lines
            self._page()
            return
        text = "\r\n".join(lines)
        if text.endswith((") ", "[confirm]", "[yes/no]: ")):  # a question, behind which the cursor stays
            self._channel.write(f"{line}\r\n{text}")
            return
        end = "" if self._device.unended or not text else "\r\n"
        self._channel.write(f"{line}\r\n{text}{end}{self._prompt}")

    def _page(self) -> None:
        size = self._device.manner.pages
        now, self._rest = self._rest[:size], self._rest[size:]
        end = " --More-- " if self._rest else self._prompt
        self._channel.write("\b" * 10 + " " * 10 + "\b" * 10 + "\r\n".join([*now, end]))


class Cli:
    """One device: its name, its manner, and who is logged in."""

    locked = False  # lets nobody log in any more
    unended = False  # its answers end without a new line, so that the prompt stands right behind them

    def __init__(self, name: str, manner: Manner) -> None:
        self.name, self.manner = name, manner
        self.open: list[asyncssh.SSHServerConnection] = []
        self.most = self.turned_away = self.logins = 0
        self.arrived: list[str] = []  # every line, in order
        self.trusted: set[bytes] = set()  # public keys, of people or of authorities

    @property
    def connections(self) -> int:
        """How many there are now."""
        return len(self.open)

    def talk(self) -> object | None:
        """A session with a mode of its own, for devices that can be configured."""
        return None

    def answer(self, line: str, *, privileged: bool) -> str:
        if line == "show version":
            return VERSION.format(name=self.name)
        if line == "show running-config" and privileged:
            return f"hostname {self.name}\n!\ninterface Gi0/1\n description x\n!\nend"
        if not line or line.startswith("terminal "):
            return ""
        return "                ^\n% Invalid input detected at '^' marker.\n"

    async def listen(self, key: asyncssh.SSHKey, address: str, port: int = 0) -> asyncssh.SSHAcceptor:
        old = {}
        if self.manner.old:
            old = {"kex_algs": ["diffie-hellman-group14-sha1"], "encryption_algs": ["aes128-cbc"],
                   "mac_algs": ["hmac-sha1"], "signature_algs": ["ssh-rsa"]}  # fmt: skip
        return await asyncssh.listen(
            address, port, server_factory=lambda: _Login(self), server_host_keys=[key], line_editor=False, **old
        )


class Scripted(Cli):
    """A device that prints what is written down for each line, behind a prompt of its own."""

    def __init__(self, name: str, prompt: str, answers: Mapping[str, str], error: str) -> None:
        super().__init__(name, Manner())
        self.prompt, self.answers, self.error = prompt, answers, error
        self.heard: list[str] = []
        self.clients: set[str] = set()  # the programs that logged in

    def talk(self) -> Script:
        self.clients |= {str(connection.get_extra_info("client_version")) for connection in self.open}
        return Script(self)


@dataclass
class Script:
    """A session with a scripted device."""

    device: Scripted

    @property
    def prompt(self) -> str:
        return self.device.prompt

    def answer(self, line: str) -> str:
        line = line.strip()
        self.device.heard += [line] if line else []
        return self.device.answers.get(line, self.device.error) if line else ""


@contextlib.contextmanager
def many(
    folder: Path, count: int, login_seconds: float = 0, slow_seconds: float = 0
) -> Iterator[Mapping[str, tuple[str, int]]]:
    """Serve devices from two processes of their own; give name → (address, port); known_hosts is in the folder."""
    processes = []
    found: dict[str, tuple[str, int]] = {}
    try:
        for half in (0, 1):
            numbers = map(str, (count, half, login_seconds, slow_seconds))
            command = [sys.executable, "-m", "tests.fakes.clis", str(folder), *numbers]
            processes.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        for process in processes:
            for line in iter(process.stdout.readline, "ready\n"):
                name, address, port = line.split()
                found[name] = (address, int(port))
        hosts = [path.read_text() for path in sorted(folder.glob("known.*"))]
        (folder / "known_hosts").write_text("".join(hosts))
        yield found
    finally:
        for process in processes:
            process.stdin.close()
            process.stdout.close()
            process.wait(10)


class Shelf:
    """Devices of chosen manners in a thread of this process: `with Shelf(folder) as shelf: port = shelf.put(cli)`."""

    def __init__(self, known_hosts: Path) -> None:
        self.known_hosts = known_hosts
        self._key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncssh.SSHAcceptor] = []

    def put(self, device: Cli) -> int:
        """Serve a device; return its port."""
        made = asyncio.run_coroutine_threadsafe(device.listen(self._key, "127.0.0.1"), self._loop).result(10)
        self._servers.append(made)
        public = self._key.export_public_key().decode().strip()
        with self.known_hosts.open("a") as file:
            file.write(f"[127.0.0.1]:{made.get_port()} {public}\n")
        return made.get_port()

    def hang_up(self, device: Cli) -> None:
        """End all sessions of a device, as one that restarts does."""
        for connection in list(device.open):
            self._loop.call_soon_threadsafe(connection.abort)

    def __enter__(self) -> Shelf:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


async def _serve(folder: Path, count: int, half: int, manner: Manner) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode().strip()
    lines = []
    for number in range(half, count, 2):
        address, name = f"127.90.{number // 250}.{1 + number % 250}", f"sw{number + 1}"
        port = (await Cli(name, manner).listen(key, address)).get_port()
        lines.append(f"[{address}]:{port} {public}\n")
        print(name, address, port)  # noqa: T201 - what the parent reads
    (folder / f"known.{half}").write_text("".join(lines))
    print("ready", flush=True)  # noqa: T201 - what the parent waits for
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    login, slow = map(float, sys.argv[4:6])
    asyncio.run(
        _serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Manner(login_seconds=login, slow_seconds=slow))
    )
