"""netmiko on our own connection: it knows the platforms, asyncssh knows host keys, jump hosts and old algorithms."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import asyncssh
import netmiko
from netmiko.exceptions import NetmikoBaseException, ReadTimeout

from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.session import connection as ssh
from automation_bots.errors import in_words
from automation_bots.model import NETWORK_OS
from automation_bots.text.nearest import did_you_mean, nearest

# FRR's vtysh looks and behaves like an IOS command line; netmiko has no type of its own for it.
_TYPES = {"frr": "cisco_ios", "cisco_xe": "cisco_xe"}


class Bridge:
    """A shell on asyncssh with the face of paramiko's: what netmiko's threads read comes from the process's loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._heard = threading.Event()
        self.closed = False
        self.transport = self

    def attach(self, channel: asyncssh.SSHClientChannel[bytes]) -> None:
        """Take the channel to write to."""
        self._channel = channel

    def feed(self, data: bytes) -> None:
        """Keep what the device printed until it is read."""
        with self._lock:
            self._buffer += data
        self._heard.set()

    def hang_up(self) -> None:
        """Nothing comes any more."""
        self.closed = True
        self._heard.set()

    def wait(self, seconds: float) -> None:
        """Wait until there may be something to read; to look again and again costs more than what is said."""
        self._heard.wait(seconds)

    def recv_ready(self) -> bool:
        """Return whether there is something to read; netmiko polls."""
        return bool(self._buffer) or self.closed

    def recv(self, size: int) -> bytes:
        """Return what is there; nothing means that the device hung up, as with a socket."""
        with self._lock:
            data = bytes(self._buffer[:size])
            del self._buffer[:size]
            if not self._buffer and not self.closed:
                self._heard.clear()
        return data

    def sendall(self, data: bytes) -> None:
        """Write."""
        if self.closed or self._channel is None:
            raise OSError("the device closed the session")
        self._loop.call_soon_threadsafe(self._channel.write, data)

    def settimeout(self, _seconds: float | None) -> None:
        """Nothing here blocks."""

    def is_active(self) -> bool:
        """Return whether the session is open."""
        return not self.closed

    def close(self) -> None:
        """The connection is closed by whoever opened it."""


class _Feeding(asyncssh.SSHClientSession[bytes]):
    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def data_received(self, data: bytes, datatype: asyncssh.DataType) -> None:  # noqa: ARG002 - asyncssh's signature
        self._bridge.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncssh's signature
        self._bridge.hang_up()


class _Client:
    """What netmiko takes for paramiko's SSHClient: connected already."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def connect(self, **_parameters: Any) -> None:
        """Nothing is left to do."""

    def invoke_shell(self, **_parameters: Any) -> Bridge:
        """Return the shell that is open already."""
        return self._bridge

    def close(self) -> None:
        """The connection is closed by whoever opened it."""


async def bridged(work: DeviceRequest, stack: contextlib.AsyncExitStack, loop: asyncio.AbstractEventLoop) -> Bridge:
    """Log in, and give a shell for netmiko; `stack` closes it."""
    connection = await stack.enter_async_context(ssh.connected(work))
    bridge = Bridge(loop)
    bridge.attach(await ssh.shell(connection, lambda: _Feeding(bridge)))
    return bridge


def prepared(work: DeviceRequest, bridge: Bridge) -> Any:
    """Return netmiko's connection, in enable mode."""
    with said():
        connection = _netmiko(work, bridge)
        _enable(work, connection)
    return connection


def _netmiko(work: DeviceRequest, bridge: Bridge) -> Any:
    connection: Any = netmiko.ConnectHandler(
        device_type=netmiko_type(work.platform),
        host=work.login.host,
        username=work.login.user,
        secret=work.login.enable,
        read_timeout_override=work.read_seconds,
        auto_connect=False,
    )
    connection._build_ssh_client = lambda: _Client(bridge)  # noqa: SLF001 - netmiko's only place for it
    connection._open()  # noqa: SLF001 - what auto_connect would have called
    return connection


def _enable(work: DeviceRequest, connection: Any) -> None:
    if not hasattr(connection, "check_enable_mode") or connection.check_enable_mode():
        return
    if not (work.login.enable or work.login.become):
        return
    try:
        connection.enable()
    except (ValueError, ReadTimeout) as error:
        raise Problem("the enable password is refused; see ansible_become_password in the inventory") from error


def netmiko_type(platform: str) -> str:
    """Return netmiko's name of a platform; a Problem for one it does not know."""
    kind = _TYPES.get(platform, platform)
    if kind not in netmiko.platforms:
        near = (
            NETWORK_OS.get(word, word) for word in nearest(platform.lower(), (*NETWORK_OS, *netmiko.platforms, *_TYPES))
        )
        meant = did_you_mean([f"platform: {word}" for word in near], "Set platform: to a device type of netmiko.")
        raise Problem(f"no driver for the platform {platform}.{meant}")
    return str(kind)


@contextlib.contextmanager
def said() -> Iterator[None]:
    """Turn what netmiko raises into a sentence."""
    try:
        yield
    except ReadTimeout as error:
        raise Problem("the prompt did not come back in time; see network_read_seconds in the inventory") from error
    except NetmikoBaseException as error:
        raise Problem(_first(str(error))) from error
    except (OSError, ValueError) as error:
        raise Problem(f"the device broke off: {_first(in_words(error))}") from error


def _first(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given").rstrip(".")
