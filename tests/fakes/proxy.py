"""Proxies for tests: HTTP (tunnels and plain requests) and SOCKS, with a note of where each connection went."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Proxy:
    """Listens on loopback while the context lasts."""

    scheme = "http"

    def __init__(self, **hosts: str) -> None:
        self._hosts = {name.replace("_", "."): address for name, address in hosts.items()}  # as this proxy knows them
        self._frozen = threading.Event()

    def __enter__(self) -> Proxy:
        self.seen: list[str] = []  # "CONNECT host:port", "POST /path"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"{self.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def freeze(self) -> None:
        """Let every connection of now go dead: open, and nothing comes through any more."""
        frozen, self._frozen = self._frozen, threading.Event()
        frozen.set()

    def __exit__(self, *_exception: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._one, args=(self._listener.accept()[0],), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head and (more := client.recv(65536)):
            head += more
        line, _, rest = head.partition(b"\r\n")
        verb, target, _ = line.decode().split(" ")
        address = urlsplit(target if "://" in target else f"//{target}")
        self.seen.append(f"{verb} {address.path or address.netloc}")
        server = socket.create_connection((self._hosts.get(address.hostname, address.hostname), address.port))
        if verb == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(f"{verb} {address.path} HTTP/1.1\r\n".encode() + rest)
        _join(client, server, self._frozen)


class Socks(Proxy):
    """The same by SOCKS 5, without a password."""

    scheme = "socks5"

    def _one(self, client: socket.socket) -> None:
        with client.makefile("rb", buffering=0) as words:
            words.read(words.read(2)[1])  # the ways to log in that it offers
            client.sendall(b"\x05\x00")
            kind = words.read(4)[3]
            host = socket.inet_ntoa(words.read(4)) if kind == 1 else words.read(words.read(1)[0]).decode()
            port = int.from_bytes(words.read(2), "big")
        self.seen.append(f"SOCKS {host}:{port}")
        server = socket.create_connection((host, port))
        client.sendall(b"\x05\x00\x00\x01" + bytes(6))
        _join(client, server, self._frozen)


def _join(client: socket.socket, server: socket.socket, frozen: threading.Event) -> None:
    threading.Thread(target=_pipe, args=(client, server, frozen), daemon=True).start()
    _pipe(server, client, frozen)


def _pipe(source: socket.socket, target: socket.socket, frozen: threading.Event) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            if not frozen.is_set():
                target.sendall(data)
        if not frozen.is_set():
            target.shutdown(socket.SHUT_WR)
