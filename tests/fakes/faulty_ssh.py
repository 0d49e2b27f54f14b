"""SSH servers that break in the ways that OpenSSH never does; each on loopback, for one test."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import asyncssh

from automation_bots.drivers.ssh.known_hosts import HostKey
from automation_bots.model import Device

HOST = "127.0.0.1"
Process = Any  # asyncssh's own type has a parameter that says nothing here


@dataclass(frozen=True)
class Faulty:
    """A running one: where it listens, and the host key that it showed first."""

    fault: type[Good]
    port: int
    key: HostKey
    later: HostKey

    @property
    def known(self) -> str:
        """The line that makes its first key known."""
        return self.key.line(HOST, self.port)

    def device(self, name: str = "", **variables: Any) -> Device:
        """Return it as the inventory would name it."""
        usual = {"ansible_host": HOST, "ansible_port": self.port, "ansible_user": "lab", "ansible_password": "lab"}
        return Device(name or self.fault.__name__.lower(), variables={**usual, **variables})


class Good(asyncssh.SSHServer):
    """Takes the user lab with the password lab, and prints `hello` whatever it is asked."""

    options: ClassVar[dict[str, Any]] = {}
    preamble = b""  # what is said before SSH begins

    def connection_made(self, conn: Any) -> None:
        self.conn = conn

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("lab", "lab")

    def session_requested(self) -> Any:
        return asyncssh.SSHServerProcess(self.runs, None, 3, allow_scp=False)

    async def runs(self, process: Process) -> None:
        process.stdout.write("hello\n")
        process.exit(0)

    @classmethod
    def accepted(cls, server: asyncssh.SSHAcceptor, later: asyncssh.SSHKey) -> None:
        """A connection was taken."""

    def deafen(self) -> None:
        """Read nothing more; what was asked already is still answered."""
        self.conn._transport.pause_reading()

    def reset(self) -> None:
        """Break the connection the hard way, so that the other side meets a reset and no end."""
        sock = self.conn.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.conn._transport.abort()


class ClosesAfterHandshake(Good):
    """Closes once the keys are exchanged, before any log-in."""

    def begin_auth(self, username: str) -> bool:
        self.conn.abort()
        return True


class ClosesAfterLogin(Good):
    """Closes once somebody is in."""

    def auth_completed(self) -> None:
        self.conn.abort()


class ClosesInOutput(Good):
    """Closes in the middle of what it prints."""

    async def runs(self, process: Process) -> None:
        process.stdout.write("begun\n")
        await process.stdout.drain()
        await asyncio.sleep(0.2)
        self.conn.abort()


class ResetsInOutput(Good):
    """The same, but as a device that is switched off and answers with a reset."""

    async def runs(self, process: Process) -> None:
        process.stdout.write("begun\n")
        await process.stdout.drain()
        await asyncio.sleep(0.2)
        self.reset()


class ResetsAtOnce(Good):
    """Resets every connection as soon as it is there."""

    def connection_made(self, conn: Any) -> None:
        super().connection_made(conn)
        self.reset()


class HangsAfterLogin(Good):
    """Takes the log-in, then falls silent."""

    def auth_completed(self) -> None:
        self.deafen()


class NeverAnswersExec(Good):
    """Opens a session, then never says whether it takes the command."""

    def session_requested(self) -> Any:
        self.deafen()
        return super().session_requested()


class NeverEnds(Good):
    """Begins to answer, and stops for ever."""

    async def runs(self, process: Process) -> None:
        process.stdout.write("begun\n")
        await asyncio.sleep(3600)


class Floods(Good):
    """Prints for ever, as fast as it is read."""

    async def runs(self, process: Process) -> None:
        while not process.channel.is_closing():
            process.stdout.write("0123456789abcdef" * 4096)
            await process.stdout.drain()


class ChangesKey(Good):
    """Shows another host key from its second connection on."""

    @classmethod
    def accepted(cls, server: asyncssh.SSHAcceptor, later: asyncssh.SSHKey) -> None:
        server.update(server_host_keys=[later])


class RefusesPassword(Good):
    """No password is right."""

    def validate_password(self, username: str, password: str) -> bool:
        return False


class OneSession(Good):
    """Has one session for all connections together; whoever comes while it is taken is refused."""

    taken: ClassVar[bool] = False

    def session_requested(self) -> Any:
        if OneSession.taken:
            raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "no more sessions")
        OneSession.taken = True
        return super().session_requested()

    async def runs(self, process: Process) -> None:
        process.stdout.write("hello\n")
        await asyncio.sleep(0.3)
        OneSession.taken = False
        process.exit(0)


class NoSession(Good):
    """Every session is taken by somebody else."""

    def session_requested(self) -> Any:
        raise asyncssh.ChannelOpenError(asyncssh.OPEN_RESOURCE_SHORTAGE, "no more sessions")


class LongBanner(Good):
    """Says 10 kB of legal text before the log-in."""

    def begin_auth(self, username: str) -> bool:
        self.conn.send_auth_banner("Authorised use only, by order of the legal office.\n" * 200)
        return True


class LongPreamble(Good):
    """Says 10 kB before SSH even begins, as RFC 4253 allows."""

    preamble = (
        b"Authorised use only, by order of the legal office of this company, all of it; "
        b"whoever goes on says yes to being recorded, and to rules that nobody has ever read.\r\n"
    ) * 64


class SudoNeverAsks(Good):
    """Where sudo should ask for a password, nothing comes."""

    async def runs(self, process: Process) -> None:
        await asyncio.sleep(3600)


class SudoAsksOtherwise(Good):
    """Sudo asks with a prompt of its own choice and waits; it runs nothing without an answer."""

    async def runs(self, process: Process) -> None:
        process.stderr.write("Please type the magic word: ")
        answer = await process.stdin.readline()
        process.stderr.write(f"sudo: {'wrong' if answer else 'no'} password was provided\n")
        process.exit(1)


class KilledBySignal(Good):
    """The command is killed there."""

    async def runs(self, process: Process) -> None:
        process.stdout.write("begun\n")
        process.exit_with_signal("KILL")


class OldAlgorithms(Good):
    """Speaks nothing that was not old ten years ago."""

    options: ClassVar[dict[str, Any]] = {
        "kex_algs": ["diffie-hellman-group1-sha1"],
        "encryption_algs": ["3des-cbc"],
        "mac_algs": ["hmac-sha1"],
    }


@contextlib.contextmanager
def running(fault: type[Good] = Good) -> Iterator[Faulty]:
    """Serve until the block is left."""
    started: dict[str, Any] = {}
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(fault, started, ready)), name=fault.__name__)
    thread.start()
    assert ready.wait(10), f"{fault.__name__} does not start"
    try:
        yield started["faulty"]
    finally:
        started["loop"].call_soon_threadsafe(started["over"].set)
        thread.join()


async def _serve(fault: type[Good], started: dict[str, Any], ready: threading.Event) -> None:
    keys = [asyncssh.generate_private_key("ssh-rsa" if fault is OldAlgorithms else "ssh-ed25519") for _ in range(2)]
    connections: set[Good] = set()
    server: asyncssh.SSHAcceptor

    def made() -> Good:
        connection = fault()
        connections.add(connection)
        fault.accepted(server, keys[1])
        return connection

    server = await asyncssh.listen(HOST, 0, server_host_keys=[keys[0]], server_factory=made, **fault.options)
    async with server, _front(fault.preamble, server.get_port()) as port:
        first, later = (HostKey(key.get_algorithm(), key.public_data) for key in keys)
        over = asyncio.Event()
        started.update(faulty=Faulty(fault, port, first, later), loop=asyncio.get_running_loop(), over=over)
        ready.set()
        await over.wait()
        for connection in connections:
            connection.conn.abort()


@contextlib.asynccontextmanager
async def _front(preamble: bytes, behind: int) -> AsyncIterator[int]:
    """Give the port to connect to: one that talks before the server does, where it should."""
    if not preamble:
        yield behind
        return
    tasks: set[asyncio.Task[None]] = set()

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())  # type: ignore[arg-type]
        writer.write(preamble)
        there, to_there = await asyncio.open_connection(HOST, behind)
        await asyncio.gather(_copied(reader, to_there), _copied(there, writer))

    async with await asyncio.start_server(taken, HOST, 0) as front:
        yield front.sockets[0].getsockname()[1]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    writer.close()
