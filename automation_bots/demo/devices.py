"""Simulated network devices that speak SSH: `python -m automation_bots.demo.devices --folder DIR`.

They live as long as standard input is open, so they end with whoever started them, however that ended.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import hmac
import json
import logging
import os
import secrets
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Any

import asyncssh
import yaml

from automation_bots.demo.cli import Cli
from automation_bots.demo.switch import Switch, network

USER = "demo"
_PORT = 2222
_Process = asyncssh.SSHServerProcess[str]


class _Login(asyncssh.SSHServer):
    """Lets in the one user with the one password; a device that is reloading does not answer at all."""

    def __init__(self, switch: Switch, password: str) -> None:
        self._switch = switch
        self._password = password

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        if self._switch.reloading:
            conn.abort()

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 - asyncssh's signature
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return hmac.compare_digest(f"{username}:{password}".encode(), f"{USER}:{self._password}".encode())


class Devices:
    """The four devices as SSH servers of this event loop; everything a client needs is written into the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.switches = network()
        self.addresses: dict[str, tuple[str, int]] = {}
        self.password = ""
        self._servers: list[asyncssh.SSHAcceptor] = []

    async def start(self) -> None:
        """Listen, then write known_hosts, devices.json and inventory.yml."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.password = _kept(self.folder / "password", lambda: secrets.token_urlsafe(12))
        known = []
        for number, switch in enumerate(self.switches.values(), 1):
            key = _host_key(self.folder / f"hostkey_{switch.name}")
            host, port = self.addresses[switch.name] = await self._listen(number, switch, key)
            known.append(f"[{host}]:{port} {key.export_public_key().decode().strip()}\n")
        _write(self.folder / "known_hosts", "".join(known))
        shown = {name: {"host": host, "port": port} for name, (host, port) in self.addresses.items()}
        _write(self.folder / "devices.json", json.dumps(shown, indent=2) + "\n")
        _write(self.folder / "inventory.yml", yaml.safe_dump(self.inventory(), sort_keys=False))

    async def close(self) -> None:
        """Stop listening and hang up."""
        for server in self._servers:
            server.close()
        await asyncio.gather(*(server.wait_closed() for server in self._servers))

    def inventory(self) -> dict[str, Any]:
        """Return an inventory in Ansible's format. It holds the password, so its file is private."""
        hosts = {name: {"ansible_host": host, "ansible_port": port} for name, (host, port) in self.addresses.items()}
        variables = {
            "ansible_user": USER,
            "ansible_password": self.password,
            "ansible_become_password": self.password,
            "ansible_network_os": "cisco.ios.ios",
            "ansible_connection": "ansible.netcommon.network_cli",
        }
        groups = {
            group: {"hosts": {name: host for name, host in hosts.items() if name.startswith(group)}}
            for group in ("core", "access")
        }
        return {"network": {"children": groups, "vars": variables}}

    async def _listen(self, number: int, switch: Switch, key: asyncssh.SSHKey) -> tuple[str, int]:
        # Not every system has the whole of 127.0.0.0/8 (macOS has one address), and ports may be taken.
        wanted = [(f"127.0.20.{number}", _PORT), (f"127.0.20.{number}", 0)]
        wanted += [("127.0.0.1", 22_200 + number), ("127.0.0.1", 0)]
        for host, port in wanted:
            try:
                server = await asyncssh.create_server(
                    partial(_Login, switch, self.password),
                    host,
                    port,
                    server_host_keys=[key],
                    process_factory=partial(_serve, switch, self.password),
                    errors="replace",
                    server_version="SimIOS",
                    allow_scp=False,
                )
            except OSError as error:
                if error.errno not in {errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES}:
                    raise
                continue
            self._servers.append(server)
            return host, server.get_port()
        raise OSError(errno.EADDRINUSE, f"no address is free for {switch.name}")


async def _serve(switch: Switch, secret: str, process: _Process) -> None:
    user = (str(process.get_extra_info("username")), str((process.get_extra_info("peername") or ("",))[0]))
    switch.users.append(user)
    try:
        status = _one_command(switch, secret, process) if process.command else await _shell(switch, secret, process)
        process.exit(status)
    except BrokenPipeError:  # hung up in the middle of an answer
        process.close()
    finally:
        switch.users.remove(user)
    if switch.reloading:
        process.get_extra_info("connection").close()


def _one_command(switch: Switch, secret: str, process: _Process) -> int:
    cli = Cli(switch, USER, secret, asks=False)
    for line in (process.command or "").splitlines():
        reply = cli.run(line)
        if reply.text:
            process.stdout.write(reply.text + "\n")
        if not reply.ok or reply.close:
            return 0 if reply.ok else 1
    return 0


async def _shell(switch: Switch, secret: str, process: _Process) -> int:
    cli = Cli(switch, USER, secret)
    editor: Any = process.channel  # asyncssh wraps the channel when there is a terminal, its types do not say so
    while not switch.reloading:
        process.stdout.write(cli.prompt)
        if process.get_terminal_type():
            editor.set_echo(not cli.hidden)
        try:
            line = await process.stdin.readline()
        except (asyncssh.BreakReceived, asyncssh.SignalReceived, asyncssh.TerminalSizeChanged):
            process.stdout.write("\n")
            continue
        if not line:
            return 0
        reply = cli.run(line.rstrip("\r\n"))
        if reply.text:
            process.stdout.write(reply.text + "\n")
        if reply.close:
            return 0
    return 0


def _kept(path: Path, make: Any) -> str:
    """Return what the private file holds; made once, so that clients may remember it."""
    if not path.exists():
        _write(path, make() + "\n")
    return path.read_text(encoding="utf-8").strip()


def _host_key(path: Path) -> asyncssh.SSHKey:
    return asyncssh.import_private_key(
        _kept(path, lambda: asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode().strip()) + "\n"
    )


def _write(path: Path, text: str) -> None:
    """Write a private file in one step: a reader sees the old one or the new one.

    What says the same already is left alone, so that the bot finds its inventory unchanged and starts from its cache.
    """
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    new.replace(path)


async def _until_told(folder: Path) -> None:
    devices, loop, told = Devices(folder), asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    # A thread, since an event loop cannot watch every kind of input. Not PR_SET_PDEATHSIG: that
    # fires when the *thread* that started us ends.
    threading.Thread(target=_wait_for_the_end_of_input, args=(loop, told), daemon=True).start()
    await devices.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await told.wait()
    await devices.close()


def _wait_for_the_end_of_input(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:  # closed, or the terminal is gone
        pass
    loop.call_soon_threadsafe(told.set)


def main() -> None:
    """Run until standard input closes or a signal comes."""
    parser = argparse.ArgumentParser(description="Simulated network devices for trying the bot out.")
    parser.add_argument("--folder", type=Path, required=True, help="for the password, keys, addresses and inventory")
    logging.getLogger("asyncssh").setLevel(logging.ERROR)
    asyncio.run(_until_told(parser.parse_args().folder))


if __name__ == "__main__":
    main()
