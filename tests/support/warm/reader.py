"""Ansible in memory once for all tests: a server that reads each inventory in a fork, where importing takes a second.

`python -m tests.support.warm.reader <socket>`; it ends with its standard input.
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent


@contextlib.contextmanager
def started() -> Iterator[None]:
    """Start it, and let all Python processes that are started within use it."""
    with tempfile.TemporaryDirectory() as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", "tests.support.warm.reader", address]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        server.stdout.readline()  # it listens: who connects from now on waits until it has imported all
        before = {name: os.environ.get(name) for name in ("PYTHONPATH", "TESTS_READER", "TESTS_HOME")}
        path = os.pathsep.join(filter(None, [before["PYTHONPATH"], str(HERE)]))
        os.environ.update(PYTHONPATH=path, TESTS_READER=address, TESTS_HOME=os.environ.get("HOME", ""))
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
            server.communicate()


def serve(address: str) -> None:
    """Fork for each who connects, until standard input ends."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen(64)
        print("listening", flush=True)
        from automation_bots.inventory import child

        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for the codes: each fork tells its own
        while server in select.select([server, sys.stdin], [], [])[0]:
            client, _ = server.accept()
            if os.fork() == 0:
                server.close()
                _be(client, child.main)
            client.close()


def _be(client: socket.socket, main) -> None:
    """Be the process that connected, run `main`, tell its exit code."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, files, *_ = socket.recv_fds(client, 4, 3)
    words, folder, environment = json.loads(_exactly(client, int.from_bytes(length, "big")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[:] = ["child", *words]
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - the one before is another file's
    threading.Thread(target=_end_with, args=(client,), daemon=True).start()
    code = 1
    try:
        code = main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.stdout.flush()
        client.sendall(str(code).encode())
        os._exit(0)


def _exactly(client: socket.socket, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        taken += client.recv(size - len(taken))
    return taken


def _end_with(client: socket.socket) -> None:
    """End with what it started when the process that connected was ended."""
    if not client.recv(1):
        os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    serve(sys.argv[1])
