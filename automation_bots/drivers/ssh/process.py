"""The bot's side of its SSH process: started when first needed, started anew when it died, ended with the bot."""

from __future__ import annotations

import contextlib
import itertools
import queue
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automation_bots.drivers.ssh import frames as ssh_frames
from automation_bots.drivers.ssh.frames import Frame
from automation_bots.errors import DriverError, in_words
from automation_bots.processes import own
from automation_bots.processes.group import ProcessGroup, Program

_CHILD = "automation_bots.drivers.ssh.child"
_ENVIRONMENT = "HOME|LANG|LC_ALL|SSH_AUTH_SOCK|USER|LOGNAME|TMPDIR|PYTHONHASHSEED"
_END_SECONDS = 3.0

Inbox = queue.SimpleQueue[Frame | None]


class SshShare:
    """What one job has running there."""

    def __init__(self, process: _Process, number: int) -> None:
        self.inbox: Inbox = queue.SimpleQueue()
        self._process, self._number = process, number

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Say on what terms the devices are to be reached."""
        self._say({"do": "begin", "settings": settings})

    def run(self, orders: Sequence[Mapping[str, Any]]) -> None:
        """Give more work."""
        self._say({"do": "run", "orders": orders})

    def stop(self) -> None:
        """Stop all that runs or waits; each device still gives word."""
        self._say({"do": "stop"})

    def frame(self, seconds: float) -> Frame | None:
        """Wait for the next word; None: there was none."""
        try:
            found = self.inbox.get(timeout=max(0.0, seconds))
        except queue.Empty:
            return None
        if found is None:
            raise DriverError(self._process.why_dead())
        return found

    def nudge(self) -> None:
        """Wake whoever waits for a frame."""
        self.inbox.put(Frame({}))

    def end(self) -> None:
        """Forget the job."""
        self._say({"do": "end"})
        self._process.forget(self._number)

    def _say(self, head: Mapping[str, Any]) -> None:
        self._process.send({**head, "job": self._number})


class _Process:
    """One running process with the thread that reads from it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {**own.inherited(_ENVIRONMENT), **own.python_path()}
        try:
            self._group = ProcessGroup(Program(command=own.module(_CHILD), environment=environment), theirs.fileno())
        except OSError as error:
            ours.close()
            raise DriverError(f"the SSH process of the bot cannot be started: {in_words(error)}") from error
        finally:
            theirs.close()
        self._sock = ours
        self._sending = threading.Lock()
        self._lock = threading.Lock()
        self._inboxes: dict[int, Inbox] = {}
        self.alive = True
        self.pid = self._group.pid
        self._thread = threading.Thread(target=self._read, name="ssh-reader", daemon=True)
        self._thread.start()

    def share(self, number: int) -> SshShare:
        """Begin a job's share."""
        share = SshShare(self, number)
        with self._lock:
            self._inboxes[number] = share.inbox
            if not self.alive:
                share.inbox.put(None)
        return share

    def forget(self, number: int) -> None:
        """Throw away what is still said of a job."""
        with self._lock:
            self._inboxes.pop(number, None)

    def send(self, head: Mapping[str, Any]) -> None:
        """Say something; that nobody hears it is noticed when reading."""
        with self._sending, contextlib.suppress(OSError):
            self._sock.sendall(ssh_frames.packed(head))

    def why_dead(self) -> str:
        """Say how the process ended."""
        code = self._group.end() if self._group.ended(1) else None
        if code is None:
            return "the SSH process of the bot ended"
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"the SSH process of the bot {how}"

    def close(self) -> None:
        """End it and the thread."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._group.ended(_END_SECONDS)
        self._group.end()
        self._thread.join()
        self._sock.close()

    def _read(self) -> None:
        with self._sock.makefile("rb", 1 << 18) as stream:
            while (frame := ssh_frames.read(stream)) is not None:
                with self._lock:
                    inbox = self._inboxes.get(frame.head.get("job", 0))
                if inbox is not None:
                    inbox.put(frame)
        with self._lock:
            self.alive = False
            for inbox in self._inboxes.values():
                inbox.put(None)


class Worker:
    """The SSH process, whichever one runs now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: _Process | None = None
        self._numbers = itertools.count(1)
        self._closed = False

    @contextlib.contextmanager
    def share(self) -> Iterator[SshShare]:
        """Give a job its share in the process that runs, or in a new one."""
        with self._lock:
            if self._closed:
                raise DriverError("the bot is stopping")
            if self._process is not None and not self._process.alive:
                self._process.close()
                self._process = None
            if self._process is None:
                self._process = _Process()
            share = self._process.share(next(self._numbers))
        try:
            yield share
        finally:
            share.end()

    @property
    def pid(self) -> int | None:
        """The number of the process, where one runs."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def close(self) -> None:
        """End the process and all connections; no job finds another one."""
        with self._lock:
            process, self._process, self._closed = self._process, None, True
        if process is not None:
            process.close()
