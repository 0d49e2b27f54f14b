"""Keeps Ansible imported and is `ansible-playbook` in a fork for whoever connects: see `servers` for who starts it.

A program of its own, run by its path: what it imports is Ansible and the standard library. Ansible reads its settings
while it is imported, so one server serves runs with one environment and one ansible.cfg only.

For each run there are two processes. The keeper adopts whatever the run leaves behind (PR_SET_CHILD_SUBREAPER, see
prctl(2)), so that it can end all of it when the run is cancelled: Ansible's workers lead sessions of their own, and a
fork shows its parent's environment to others, by which it cannot be told from other runs. The other one is Ansible.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_CHILD_SUBREAPER = 36
_GRACE_SECONDS = 3.0
_LOOK_SECONDS = 0.02
# What runs import while they run. Ansible's own loaders are left alone: they would keep half-made plugins.
_MODULES = (
    "ansible.executor.playbook_executor",
    "ansible.executor.task_queue_manager",
    "ansible.executor.module_common",
    "ansible.executor.process.worker",
    "ansible.inventory.manager",
    "ansible.playbook.handler_task_include",
    "ansible.modules",
    "multiprocessing.popen_fork",
    "multiprocessing.synchronize",
)
_PACKAGES = (
    *("action", "become", "cache", "callback", "connection", "doc_fragments", "filter", "inventory", "lookup", "shell"),
    *("strategy", "test", "vars"),
)
Playbook = Callable[[list[str]], None]


def main(address: str, idle_seconds: float) -> None:
    """Serve until standard input ends, or nobody has come for so long."""
    libc = ctypes.CDLL(None, use_errno=True)  # before any fork: nothing is imported there
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("listening", flush=True)  # noqa: T201 - to who started it
        run = _ansible()
        gc.collect()
        gc.freeze()  # what is in memory now is shared with all forks
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers tell their own end
        while server in select.select([server, sys.stdin], [], [], idle_seconds)[0]:
            client, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _keep(client, libc, run)
            client.close()
    Path(address).unlink(missing_ok=True)


def _ansible() -> Playbook:
    """Import what a run uses; return `ansible-playbook`."""
    from ansible import plugins
    from ansible.cli.playbook import PlaybookCLI

    folders = [(f"ansible.plugins.{name}", Path(plugins.__path__[0], name)) for name in _PACKAGES]
    found = [f"{package}.{file.stem}" for package, folder in folders for file in sorted(folder.glob("*.py"))]
    for name in (*_MODULES, *(name for name in found if not name.endswith(".base"))):
        with contextlib.suppress(Exception):  # it wants a package that is not there: as a run would find out
            _import(name)
    run: Playbook = PlaybookCLI.cli_executor
    return run


def _import(name: str) -> None:
    """Import a module as Ansible's loader does, without a name in its package: a plugin is called `list`."""
    above, _, last = name.rpartition(".")
    package = importlib.import_module(above)
    known = last in vars(package)
    importlib.import_module(name)
    if not known and name.startswith("ansible.plugins."):
        delattr(package, last)


def _keep(client: socket.socket, libc: ctypes.CDLL, run: Playbook) -> None:
    """Be the keeper of one run: start it, tell its end, or end it with all its forks when who asked is gone."""
    try:
        os.setsid()  # the server may end before its runs do
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        size, files, *_ = socket.recv_fds(client, 4, 3)
        request = json.loads(_exactly(client, int.from_bytes(size, "big")))
        # By its lock who ends the run sees when its forks are gone.
        with open(f"{request[2]['ANSIBLE_LOCAL_TEMP']}.kept", "wb") as kept:  # noqa: PTH123
            fcntl.flock(kept, fcntl.LOCK_EX)
            client.sendall(b"t")
            if client.recv(1) == b"g":  # who did not wait so long runs it by itself
                child = _started(request, files, run, ours=(client, kept))
                client.sendall(str(_until_it_ends(child, client)).encode())
    except OSError:
        pass  # who asked is gone
    finally:
        os._exit(0)


def _started(
    request: tuple[list[str], str, dict[str, str], int], files: list[int], run: Playbook, ours: tuple[Any, ...]
) -> int:
    """Fork it, with its files and without ours."""
    child = os.fork()
    if child == 0:
        for one in ours:
            one.close()
        _be(*request, files, run)
    for file in files:
        os.close(file)
    return child


def _until_it_ends(child: int, client: socket.socket) -> int:
    ending = os.pidfd_open(child)
    both: list[Any] = [ending, client]
    if ending not in select.select(both, [], [])[0]:  # who asked says nothing more: it was ended
        _end_all(os.getpid())
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _end_all(keeper: int) -> None:
    """End the forks of this run; programs that it started bear its mark, and who ends the run ends them by that."""
    mine = Path("/proc/self/environ").read_bytes()  # as the server was started with: forks show the same
    number, end = signal.SIGTERM, time.monotonic() + _GRACE_SECONDS
    while forks := [pid for pid in _below(keeper) if _environment(pid) == mine]:
        for pid in forks:
            with contextlib.suppress(OSError):
                os.kill(pid, number)
        if time.monotonic() > end:
            number = signal.SIGKILL
        time.sleep(_LOOK_SECONDS)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _below(keeper: int) -> list[int]:
    parents = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                after_name = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
                if after_name[0] != "Z":
                    parents[int(entry.name)] = int(after_name[1])
    found: set[int] = set()
    new = {keeper}
    while new:
        new = {pid for pid, parent in parents.items() if parent in new} - found
        found |= new
    return sorted(found)


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def _be(
    words: list[str], folder: str, environment: dict[str, str], umask: int, files: list[int], run: Playbook
) -> None:
    """Be `ansible-playbook` with these words, there, with these three files."""
    code = 70
    try:
        os.setsid()
        for number, file in enumerate(files):
            os.dup2(file, number)
            os.close(file)
        os.environ.clear()
        os.environ.update(environment)
        os.umask(umask)
        os.chdir(folder)
        sys.argv[:] = words
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the one before is another file's
        _own_folder(environment)
        run(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        # Without Ansible's teardown: all is told, and the run's folder is removed by who made it.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _own_folder(environment: dict[str, str]) -> None:
    """Give this run temporary files of its own: Ansible made the server's while it was imported."""
    import tempfile

    from ansible import constants

    folder = Path(environment["ANSIBLE_LOCAL_TEMP"])
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    constants.DEFAULT_LOCAL_TMP = tempfile.mkdtemp(prefix=f"ansible-local-{os.getpid()}", dir=folder)


def _exactly(client: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        if not (more := client.recv(size - len(taken))):
            raise OSError("who asked is gone")
        taken += more
    return taken


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
