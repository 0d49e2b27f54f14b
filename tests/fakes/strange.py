"""Servers that take connections and then misbehave."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def server(behave: Callable[[socket.socket, threading.Event], None]) -> Iterator[int]:
    """Give the port of a server that hands each connection to `behave`, in turn, until the test is over."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)
        thread = threading.Thread(target=_serve, args=(listening, behave, over))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            thread.join()


def _serve(listening: socket.socket, behave: Callable[[socket.socket, threading.Event], None], over: threading.Event):
    while not over.is_set():
        with contextlib.suppress(OSError):
            connection, _ = listening.accept()
            with connection:
                connection.settimeout(5)
                behave(connection, over)


def silent(_connection: socket.socket, over: threading.Event) -> None:
    """Say nothing at all."""
    over.wait(10)


def hangs_up(_connection: socket.socket, _over: threading.Event) -> None:
    """Close at once."""


def garbage(connection: socket.socket, over: threading.Event) -> None:
    """Send bytes that are no text."""
    connection.sendall(b"\xff\xfe\xfd\x00\n" * 200)
    over.wait(0.2)


def web(connection: socket.socket, _over: threading.Event) -> None:
    """Answer as a web server does."""
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")


def broken_handshake(connection: socket.socket, over: threading.Event) -> None:
    """Begin as SSH, go on as something else."""
    connection.sendall(b"SSH-2.0-Lab\r\n" + b"\x00\x01\x02\x03" * 500)
    over.wait(0.2)


def stalls_after_greeting(connection: socket.socket, over: threading.Event) -> None:
    """Greet, then say no more: a device whose disk is dead does so."""
    connection.sendall(b"SSH-2.0-Lab\r\n")
    over.wait(10)
