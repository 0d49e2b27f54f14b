"""What a Windows Remote Shell is: processes with pipes, and the quotas over them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

TERMINATED = 0xC000013A  # STATUS_CONTROL_C_EXIT
LONGEST_LINE = 8191  # of cmd.exe
_HERE = Path(__file__).resolve()


class Command:
    """One process, its input, and its output in the order in which it came."""

    def __init__(self, line: str, environment: dict[str, str]) -> None:
        self.id = str(uuid.uuid4()).upper()
        self._changed = threading.Condition()
        self._chunks: list[tuple[str, bytes]] = []
        self.touched = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE.with_name("pwsh.py")), line],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self._readers = [self._reader("stdout"), self._reader("stderr")]

    def _reader(self, name: str) -> threading.Thread:
        pipe = getattr(self._process, name)

        def read() -> None:
            while chunk := pipe.read1(1 << 16):
                with self._changed:
                    self._chunks.append((name, chunk))
                    self._changed.notify_all()
            with self._changed:
                self._changed.notify_all()

        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def send(self, data: bytes, *, end: bool) -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.flush()
            if end:
                self._process.stdin.close()

    def receive(self, seconds: float, size: int) -> tuple[list[tuple[str, bytes]], int | None] | None:
        """Return chunks and, once all is read, the exit code; None when nothing came in time."""
        end = time.monotonic() + seconds
        with self._changed:
            while not self._chunks and any(reader.is_alive() for reader in self._readers):
                left = end - time.monotonic()
                if left <= 0:
                    return None
                self._changed.wait(min(left, 0.05))
            taken = self._take(size)
            if self._chunks or any(reader.is_alive() for reader in self._readers):
                return taken, None
        return taken, self._process.wait() % 2**32

    def _take(self, size: int) -> list[tuple[str, bytes]]:
        taken: list[tuple[str, bytes]] = []
        while self._chunks and size > 0:
            name, chunk = self._chunks.pop(0)
            if len(chunk) > size:
                self._chunks.insert(0, (name, chunk[size:]))
                chunk = chunk[:size]
            taken.append((name, chunk))
            size -= len(chunk)
        return taken

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def end(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.wait()


class Shell:
    """One shell of one user."""

    def __init__(self, user: str, idle_seconds: float, environment: dict[str, str]) -> None:
        self.id = str(uuid.uuid4()).upper()
        self.user = user
        self.idle_seconds = idle_seconds
        self.environment = environment
        self.touched = time.monotonic()
        self.commands: dict[str, Command] = {}

    def end(self) -> None:
        for command in self.commands.values():
            command.end()


class Shells:
    """All of them. Idle ones end by themselves, which is looked at whenever anybody asks for anything."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._shells: dict[str, Shell] = {}

    def of(self, user: str) -> list[Shell]:
        with self.lock:
            self._expire()
            return [shell for shell in self._shells.values() if shell.user == user]

    def add(self, shell: Shell) -> None:
        with self.lock:
            self._shells[shell.id] = shell

    def find(self, key: str, user: str) -> Shell | None:
        with self.lock:
            self._expire()
            shell = self._shells.get(key)
            if shell is None or shell.user != user:
                return None
            shell.touched = time.monotonic()
            return shell

    def remove(self, shell: Shell) -> None:
        with self.lock:
            self._shells.pop(shell.id, None)
        shell.end()

    def end(self) -> None:
        for shell in list(self._shells.values()):
            shell.end()

    def _expire(self) -> None:
        now = time.monotonic()
        for key, shell in list(self._shells.items()):
            busy = any(command.alive for command in shell.commands.values())
            if not busy and now - shell.touched > shell.idle_seconds:
                del self._shells[key]
