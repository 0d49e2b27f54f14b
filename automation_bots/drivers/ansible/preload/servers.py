"""Starts and ends the servers that have Ansible in memory, one for each way in which Ansible is set up.

With a server `ansible-playbook` begins in a third of the time. Whatever may be amiss with one, a run goes on without:
what is handed over to nobody is run as ever (see `handover`).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from automation_bots.processes import marked
from automation_bots.processes.group import PIPE, ProcessGroup, Program

OF_A_RUN = ("AUTOMATION_BOTS_", "ANSIBLE_LOCAL_TEMP")  # what is another value in each run and nothing to a server
IDLE_SECONDS = 900.0  # after which one ends by itself
_START_SECONDS = 10.0
_MOST = 2  # servers at once, of about 70 MB each
_RUNS = 500  # after which a server is made anew, whatever Ansible may have piled up
_END_SECONDS = 10.0
_HERE = Path(__file__).resolve().parent
_HANDOVER = str(_HERE / "handover.py")
_NAME = "AUTOMATION_BOTS_PRELOADED"  # by which forks are told from the programs that they start

_PATHS = re.compile(r"ANSIBLE_\w*(PATHS?|PLUGINS|FILE|CONFIG|LIBRARY|UTILS|HOME|DIR)")

Setup = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Server:
    group: ProcessGroup
    address: Path
    state: tuple[object, ...]
    runs: int = 0
    used: float = field(default_factory=time.monotonic)


class Servers:
    """The servers of one bot; `folder` gives a private one whose path is short, for their sockets."""

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._by_setup: dict[Setup, _Server] = {}

    def command(self, words: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> tuple[str, ...]:
        """Return what to start instead of `ansible-playbook`: a hand-over to a server that fits, or the words as is."""
        with contextlib.suppress(OSError):  # no process to be had, or no room for a socket: as ever, then
            address = self._address(environment, folder)
            return (sys.executable, "-I", "-S", _HANDOVER, str(address), *words)
        return words

    @staticmethod
    def hand_back(mark: str, local_temp: Path) -> None:
        """End the forks of a run, and only then may its programs be ended: else Ansible would tell how those failed."""
        for pid in marked.find(mark):
            with contextlib.suppress(OSError):
                if _HANDOVER.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + _END_SECONDS
        with contextlib.suppress(FileNotFoundError), local_temp.with_suffix(".kept").open("rb") as kept:
            while not _locked(kept) and time.monotonic() < end:
                time.sleep(0.01)

    def _address(self, environment: Mapping[str, str], folder: Path) -> Path:
        settings = _settings(environment, folder)
        setup: Setup = (("", _place(settings, environment, folder)), *sorted(_lasting(environment).items()))
        state = _state(settings, environment)
        with self._lock:
            found = self._by_setup.get(setup)
            if found is None or found.state != state or found.runs >= _RUNS or found.group.ended():
                if found is not None:
                    self._end(setup)
                found = self._by_setup[setup] = self._started(setup, state)
            found.runs += 1
            found.used = time.monotonic()
            self._end_the_rest(setup)
            return found.address

    def _started(self, setup: Setup, state: tuple[object, ...]) -> _Server:
        where, *variables = setup
        sockets = self._folder()
        address = sockets / f"f{secrets.token_hex(3)}"
        program = Program(
            # -P: nothing beside it is taken for a library; the run's own PYTHONPATH counts as ever
            command=(sys.executable, "-P", str(_HERE / "server.py"), str(address), str(IDLE_SECONDS)),
            environment={**dict(variables), _NAME: address.name, "ANSIBLE_LOCAL_TEMP": str(sockets)},
            folder=Path(where[1]),
        )
        group = ProcessGroup(program, stdin=PIPE, stdout=PIPE)
        if not select.select([group.stdout], [], [], _START_SECONDS)[0] or not group.stdout.readline():
            group.close()
            raise OSError("it does not start")
        return _Server(group, address, state)  # it listens: who connects waits until all is imported

    def _end_the_rest(self, newest: Setup) -> None:
        others = sorted((setup for setup in self._by_setup if setup != newest), key=lambda s: self._by_setup[s].used)
        for setup in others[: max(0, len(self._by_setup) - _MOST)]:
            self._end(setup)

    def _end(self, setup: Setup) -> None:
        """End it; its runs lead sessions of their own and go on to their ends."""
        server = self._by_setup.pop(setup)
        server.address.unlink(missing_ok=True)
        server.group.close()

    def close(self) -> None:
        """End all."""
        with self._lock:
            for setup in list(self._by_setup):
                self._end(setup)


def _locked(kept: IO[bytes]) -> bool:
    """Whether the keeper of a run is gone."""
    try:
        fcntl.flock(kept, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lasting(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(OF_A_RUN)}


def _settings(environment: Mapping[str, str], folder: Path) -> Path | None:
    """The ansible.cfg beside a playbook; None: there is none, or another one is named."""
    beside = folder / "ansible.cfg"
    return beside if beside.is_file() and not environment.get("ANSIBLE_CONFIG") else None


def _place(settings: Path | None, environment: Mapping[str, str], folder: Path) -> str:
    """Where Ansible has to be imported: in the playbook's folder where its settings depend on that."""
    paths = [value for name, value in environment.items() if _PATHS.fullmatch(name)]
    relative = any(part and part[0] not in "/~" for value in paths for part in value.split(os.pathsep))
    return str(folder) if settings or relative else "/"


def _state(settings: Path | None, environment: Mapping[str, str]) -> tuple[object, ...]:
    """What makes a server old: other settings or packages than when it was started. Collections each run reads anew."""
    watched = [Path(path) for path in sys.path if path.endswith("site-packages")]
    watched += [Path(environment.get("HOME") or "/", ".ansible.cfg"), Path("/etc/ansible/ansible.cfg")]
    watched += [Path(path) for path in (settings, environment.get("ANSIBLE_CONFIG")) if path]
    return tuple(_when(path) for path in watched)


def _when(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
