"""Run one line over an open SSH connection: read while it runs, answer sudo, stop when told."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import paramiko

from automation_bots.drivers.output import Capped, joined
from automation_bots.drivers.ssh_access import NoSession
from automation_bots.drivers.ssh_session import PROBLEMS, device_faults
from automation_bots.drivers.sudo import Line

_CHUNK = 1 << 16
_STEP = 0.05  # seconds between two looks at whether to stop while the device prints nothing
_LINGER = 3.0  # seconds of silence after the exit code; a service left behind may hold the output open for ever
_PROMPT_SECONDS = 10  # seconds after which sudo is taken to want no password


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended; no exit code: it was stopped, killed, or the connection broke."""

    exit_code: int | None
    output: str
    out_head: str
    err_tail: bytes
    accepted: bool
    stopped: bool
    connected: bool
    password_refused: bool


class Execution:
    """One running line."""

    def __init__(self, transport: paramiko.Transport, line: Line, *, limit: int, seconds: float) -> None:
        self.line = line
        self.limit = limit
        self.out = Capped(limit)
        self.err = Capped(limit)
        self._transport = transport
        self._prompt = line.prompt.encode()
        self._ended = False
        self._stdin_open = True
        self._heard = self._began = time.monotonic()
        self._accepted = True
        self._channel = _channel(transport, seconds)
        self._channel.settimeout(_STEP)

    def start(self) -> bool:
        """Send the line; only cutting the connection ends this wait when the device does not answer."""
        try:
            with device_faults():
                self._channel.exec_command(self.line.text)
        except PROBLEMS:
            self._accepted = False
            return False
        if not self._prompt and not self.line.keep_stdin:
            self._send(b"")
        return True

    def give(self, data: bytes) -> None:
        """Send input and its end."""
        self._send(data)

    def run(self, stopping: Callable[[], bool]) -> Ran:
        """Return when it ended, was stopped, or the connection broke."""
        while not self._is_over():
            if stopping():
                with contextlib.suppress(*PROBLEMS):  # the connection may be gone already
                    self._terminate()
                return self.result(stopped=True)
            self._read()
            self._answer()
        return self.result(stopped=False)

    def _is_over(self) -> bool:
        if not self._channel.exit_status_ready():
            return False
        return self._ended or time.monotonic() - self._heard > _LINGER

    def _read(self) -> None:
        if self._ended:
            self._channel.status_event.wait(_STEP)
            return
        with contextlib.suppress(TimeoutError):
            chunk = self._channel.recv(_CHUNK)
            self._take(self.out, chunk)
            self._ended = not chunk
        while self._channel.recv_stderr_ready():
            self._take(self.err, self._channel.recv_stderr(_CHUNK))

    def _take(self, where: Capped, chunk: bytes) -> None:
        if chunk:
            where.add(chunk)
            self._heard = time.monotonic()

    def _answer(self) -> None:
        """Give sudo its password once it asks; input stays open only as long as it might."""
        if not self._prompt or not self._stdin_open:
            return
        if self._prompt in self.err.head:
            self._send(self.line.password.encode() + b"\n")
        elif self.out.total or time.monotonic() - self._began > _PROMPT_SECONDS:
            self._send(b"")

    def _send(self, data: bytes) -> None:
        """Send this and the end of input; that the connection broke meanwhile is seen when reading."""
        self._stdin_open = False
        with contextlib.suppress(*PROBLEMS):
            self._channel.sendall(data)
            self._channel.shutdown_write()

    def _terminate(self) -> None:
        # Without a terminal a closed channel ends nothing at the device; paramiko has no public call for RFC 4254 §6.9.
        message = paramiko.Message()
        message.add_byte(bytes([paramiko.common.MSG_CHANNEL_REQUEST]))
        message.add_int(self._channel.remote_chanid)
        message.add_string("signal")
        message.add_boolean(False)  # noqa: FBT003 - paramiko's signature
        message.add_string("TERM")
        self._transport._send_user_message(message)  # type: ignore[attr-defined]  # noqa: SLF001

    def result(self, *, stopped: bool) -> Ran:
        """Sum up what was read so far."""
        code = -1 if stopped or not self._accepted else self._channel.recv_exit_status()
        if code == -1 and not stopped:
            self._transport.join(0.2)  # a broken connection closes its channels a moment before it says so
        asked = self.err.head.count(self._prompt) if self._prompt else 0
        if self._prompt:
            self.err.drop(self._prompt)
        return Ran(
            exit_code=None if code == -1 else code,
            output=joined(self.out, self.err, self.limit),
            out_head=self.out.head[:_CHUNK].decode("utf-8", "replace"),
            err_tail=self.err.tail,
            accepted=self._accepted,
            stopped=stopped,
            connected=self._transport.is_active(),
            password_refused=asked > 1,
        )


def _channel(transport: paramiko.Transport, seconds: float) -> paramiko.Channel:
    try:
        with device_faults():
            return transport.open_session(timeout=seconds)
    except PROBLEMS as error:
        raise NoSession(f"the device took the login but opened no session: {error}") from error
