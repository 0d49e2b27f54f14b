"""A real bot as a user starts it: a process of its own, lines in, answers out."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from automation_bots.processes import own
from tests.support.chatbot import wait

ROOT = Path(__file__).resolve().parents[2]
TOML = 'name = "{name}"\nbackend = "Text"\n{more}'
POLICY = """
people:
  admin: {text: "@admin", groups: [admins]}
  joe: {text: "@joe", groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
"""
HOSTS = """
all:
  hosts:
    here: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
    there: {ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}
"""


def write_bot(folder: Path, *, more: str = "", hosts: str = HOSTS, files: dict[str, str] | None = None) -> Path:
    """Write a bot's folder for the terminal."""
    contents = {
        "bot.toml": TOML.format(name=folder.name, more=more),
        "policy.yml": POLICY,
        "inventory/hosts.yml": hosts,
    }
    for name, text in {**contents, **(files or {})}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def surroundings(data: Path) -> dict[str, str]:
    """The environment of a bot that keeps its state in `data`."""
    return {**os.environ, **own.python_path(), "AUTOMATION_BOTS_DATA": str(data), "PYTHONUNBUFFERED": "1"}


def automation_bots(
    *words: object, data: Path, typed: str = "", seconds: float = 120, **secrets: str
) -> subprocess.CompletedProcess[str]:
    """Run the command `automation-bots` to its end."""
    command = [sys.executable, "-m", "automation_bots.cli.main", *map(str, words)]
    around = {**surroundings(data), **secrets}
    return subprocess.run(command, input=typed, capture_output=True, text=True, timeout=seconds, env=around, cwd=ROOT)


class Program:
    """`with Program("run", folder, data=…) as bot:`; leads a process group of its own, as a job of a shell does."""

    def __init__(self, *words: object, data: Path, disk: str = "") -> None:
        # Where tests themselves run in the background, their children would ignore what ends a program in a terminal.
        as_in_a_terminal = ["env", "--default-signal=INT,HUP"]
        command = [*as_in_a_terminal, sys.executable, "-m", "automation_bots.cli.main", *map(str, words)]
        if disk:  # shell lines that lay another disk over the data folder `$D`, for this process only
            own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
            command = [*own, "sh", "-ec", f'D={data}; {disk}; exec "$@"', "sh", *command]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=surroundings(data),
            cwd=ROOT,
            process_group=0,
        )
        self.said = ""
        self.seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # closed under us at the end
            for line in self.process.stdout:
                self.said += line

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self.ends()
        self.process.stdout.close()

    def say(self, line: str) -> None:
        """Type a line."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def hears(self, pattern: str, seconds: float = 60) -> str:
        """Wait for words that were not heard yet."""
        found = []

        def heard() -> bool:
            match = re.compile(pattern, re.MULTILINE).search(self.said, self.seen)
            if match:
                self.seen = match.end()
                found.append(match[0])
            return bool(match)

        wait(heard, seconds, lambda: f"nobody said {pattern!r}; said since: {self.said[self.seen :]}")
        return found[0]

    def asks(self, line: str, pattern: str = ".", seconds: float = 60) -> str:
        """Type, and wait for what is said next and matches."""
        self.seen = len(self.said)
        self.say(line)
        return self.hears(pattern, seconds)

    def signal(self, number: signal.Signals, *, group: bool = False) -> None:
        """Send a signal to the process, or to its whole group as a terminal does."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def kill(self) -> None:
        """End it without a chance to clean up."""
        self.process.kill()
        self.process.wait(10)

    def ends(self, seconds: float = 60) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(seconds)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._reader.join(10)
        return code


def processes_with(mark: str) -> list[str]:
    """The processes of this machine whose arguments contain the mark, as `pid parent arguments`."""
    listed = subprocess.run(["ps", "-wweo", "pid=,ppid=,stat=,args="], capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if mark in line and line.split()[0] != str(os.getpid())]


def survivors(mark: str, seconds: float = 10) -> list[str]:
    """The processes with the mark that are still there after a while."""
    deadline = time.monotonic() + seconds
    while (left := processes_with(mark)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
