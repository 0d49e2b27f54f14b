"""Run one line over an open connection: keep what is printed, answer sudo, stop when told. In the SSH process."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncssh

from automation_bots.drivers.output import Capped
from automation_bots.drivers.ssh.access import LoginFailed

_IN_MEMORY = 16_384  # bytes of a stream that wait in memory; what is more waits in a file
_LINGER = 3.0  # seconds of silence after the exit code; a service left behind may hold the output open for ever
_PROMPT_SECONDS = 10  # seconds after which sudo is taken to want no password
_INPUT_SECONDS = 0.2  # after which a command that still runs is told that there is no input
_FLOOD = 4_000_000  # bytes beyond the limit between two rests, so that one flooding device leaves time for the others
_REST = 0.05
_TERMINAL: dict[str, Any] = {
    "request_pty": "force",
    "term_type": "dumb",
    "term_modes": {asyncssh.PTY_ECHO: 0, asyncssh.PTY_ONLCR: 0},
}


@dataclass(frozen=True, slots=True)
class SshRequest:
    """One line to run: how, and where its output may lie."""

    text: str
    keep_stdin: bool
    password: str
    prompt: str
    pty: bool
    limit: int
    spill: str  # the files' names begin with that
    input: str = ""  # what the command is given to read


@dataclass(slots=True)
class Ran:
    """How it ended; no exit code: it was stopped, killed, or the connection broke."""

    exit_code: int | None = None
    accepted: bool = True
    stopped: bool = False
    connected: bool = True
    asked: int = 0  # how often sudo wanted a password

    def head(self) -> dict[str, Any]:
        """As it goes over the wire."""
        return asdict(self)


class Stream(Capped):
    """One stream: the first bytes in memory, the next ones up to the limit in a file."""

    def __init__(self, limit: int, path: str) -> None:
        super().__init__(limit)
        self.path = path
        self.spilled = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes."""
        room = self.limit - self.spilled - len(self.head)
        self.head += chunk[:room]
        self.tail = (self.tail + chunk)[-4096:]
        self.total += len(chunk)
        if len(self.head) > _IN_MEMORY:
            self._spill()

    def _spill(self) -> None:
        try:
            Path(self.path).parent.mkdir(exist_ok=True)
            with Path(self.path).open("ab") as file:
                file.write(self.head)
        except OSError:
            return  # a full disk, or no file handle: it stays in memory, which the limit bounds too
        self.spilled += len(self.head)
        self.head.clear()


class Session(asyncssh.SSHClientSession[bytes]):
    """One running line."""

    def __init__(self, work: SshRequest) -> None:
        self.work = work
        self.out, self.err = Stream(work.limit, work.spill + ".out"), Stream(work.limit, work.spill + ".err")
        self.ran = Ran()
        self.opened = False
        self.over = asyncio.Event()
        self.opening: asyncio.Timeout | None = None
        self._prompt = work.prompt.encode()
        self._stdin_open = True
        self._answered = False
        self._exited = self._ended = False
        self._heard = self._rested = 0.0
        self._loop = asyncio.get_running_loop()
        self._timers: list[asyncio.TimerHandle] = []
        self._chan: Any = None

    def connection_made(self, chan: Any) -> None:
        """The device gave a session; from here on the line is on its way."""
        self._chan = chan
        self.opened = True
        if self.opening is not None:
            self.opening.reschedule(None)

    def session_started(self) -> None:
        """The device took the line."""
        if self.work.input:
            self._send(self.work.input.encode())
            self._end_input()
        elif self._prompt:
            self._later(_PROMPT_SECONDS, self._end_input)
        elif not self.work.keep_stdin:
            # Most commands have ended before they could miss it, which saves a packet for each device of a fan-out.
            self._later(_INPUT_SECONDS, self._end_input)

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Take what is printed."""
        self._heard = self._loop.time()
        stream = self.err if datatype else self.out
        if self._answered:  # at a terminal sudo goes to a new line after the password
            data = data.lstrip(b"\r\n")
            self._answered = not data
        stream.add(data)
        if self._prompt and self._asked(stream):
            return
        if self._prompt and stream is self.out and not self.work.pty:
            self._end_input()  # the command runs, so sudo wants no password
        if stream.total - stream.limit > self._rested + _FLOOD:
            self._rest(stream)

    def _asked(self, stream: Stream) -> bool:
        """Give sudo its password when it asks; input stays open only as long as it might."""
        if self._prompt not in stream.head:
            return False
        stream.drop(self._prompt)
        self.ran.asked += 1
        if self._stdin_open:
            self._send(self.work.password.encode() + b"\n")
            self._answered = self.work.pty
            if not self.work.pty:
                self._end_input()
        if self.ran.asked > 1:
            self._end_input()
        return True

    def _rest(self, stream: Stream) -> None:
        self._rested = stream.total - stream.limit
        self._chan.pause_reading()
        self._later(_REST, self._resume)

    def _resume(self) -> None:
        with contextlib.suppress(OSError):
            self._chan.resume_reading()

    def eof_received(self) -> bool:
        """The device prints nothing more."""
        self._ended = True
        self._maybe_over()
        return True

    def exit_status_received(self, status: int) -> None:
        """It ended."""
        self.ran.exit_code = status
        self._exit()

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:  # noqa: FBT001, ARG002
        """It was killed."""
        self._exit()

    def _exit(self) -> None:
        self._exited = True
        self._maybe_over()
        if not self.over.is_set():
            self._later(_LINGER, self._lingered)

    def _lingered(self) -> None:
        silent = self._loop.time() - self._heard
        if silent >= _LINGER:
            self.over.set()
        else:
            self._later(_LINGER - silent, self._lingered)

    def _maybe_over(self) -> None:
        if self._exited and self._ended:
            self.over.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed, by the device or by the end of the connection."""
        self.ran.connected = exc is None or self._exited
        self.over.set()

    def stop(self) -> None:
        """Ask for the end: without a terminal a closed channel alone ends nothing at the device."""
        self.ran.stopped = True
        if self._chan is not None:
            with contextlib.suppress(OSError):
                self._chan.send_signal("TERM")
                self._chan.close()

    def close(self) -> None:
        """Let go of the channel, and of what would still happen."""
        for timer in self._timers:
            timer.cancel()
        if self._chan is not None:
            self._chan.close()

    def _end_input(self) -> None:
        if self._stdin_open:
            self._stdin_open = False
            with contextlib.suppress(OSError):
                if self.work.pty:
                    self._chan.write(b"\x04")
                self._chan.write_eof()

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self._chan.write(data)

    def _later(self, seconds: float, call: Any) -> None:
        self._timers.append(self._loop.call_later(seconds, call))


async def opened(conn: asyncssh.SSHClientConnection, session: Session, where: str, seconds: float) -> None:
    """Give the line to the device. NoSession: it got no session, so nothing was begun."""
    terminal = _TERMINAL if session.work.pty else {}
    try:
        async with asyncio.timeout(seconds) as session.opening:
            await conn.create_session(lambda: session, session.work.text, **terminal)
    except asyncio.CancelledError:
        if not session.opened:
            raise
        session.stop()  # the line was sent, so it may run
        session.over.set()
    except TimeoutError as error:
        text = f"{where} took the login but opened no session within {seconds:.0f} s"
        raise LoginFailed(text) from error
    except (asyncssh.Error, OSError) as error:
        if session.opened:  # the line was sent, so it may run
            session.ran.accepted = not isinstance(error, asyncssh.ChannelOpenError) or conn.is_closed()
            session.ran.connected = not conn.is_closed()
            session.over.set()
            return
        if conn.is_closed() or not isinstance(error, asyncssh.ChannelOpenError):
            raise Lost(f"{where} took the login and then closed the connection") from error
        raise NoSlot(f"{where} took the login but opened no session: {error.reason}") from error


class Lost(LoginFailed):
    """The connection was gone before anything was begun."""


class NoSlot(LoginFailed):
    """The device has no session left on this connection."""
