"""An HTTP proxy for tests: tunnels and plain requests, and a note of where each one went."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Proxy:
    """Listens on loopback while the context lasts."""

    def __enter__(self) -> Proxy:
        self.seen: list[str] = []  # "CONNECT host:port", "POST /path"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()
        return self

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
        server = socket.create_connection((address.hostname, address.port))
        if verb == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(f"{verb} {address.path} HTTP/1.1\r\n".encode() + rest)
        threading.Thread(target=_pipe, args=(client, server), daemon=True).start()
        _pipe(server, client)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
