"""The record to a syslog server, as RFC 5424: over UDP, TCP (with octet counts, RFC 6587) or a unix socket."""

from __future__ import annotations

import json
import logging
import os
import select
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from automation_bots.audit import ecs
from automation_bots.audit.follower import AuditSource, Follower
from automation_bots.store.audit import AuditKind, AuditRow
from automation_bots.store.schema import stamp

log = logging.getLogger(__name__)
_LOG_AUDIT = 13 << 3  # the facility
_NOTICE, _WARNING = 5, 4
_WARNED = frozenset({AuditKind.DENIED, AuditKind.UNKNOWN_PERSON, AuditKind.CODE_REFUSED, AuditKind.PROOF_REFUSED,
                     AuditKind.INTERRUPTED, AuditKind.MISSED, AuditKind.ERROR})  # fmt: skip
_DATAGRAM = 60_000  # bytes; a longer record goes without the hashed text and the names of its devices
_CONNECT_SECONDS = 5.0


def message(row: AuditRow, bot: str, limit: int | None = None) -> bytes:
    """Write one record as RFC 5424: the text behind the header is its ECS document as JSON."""
    document = ecs.ecs_of(row)
    host, kind = socket.gethostname() or "-", str(row.kind).replace(" ", "-")[:32] or "-"
    priority = _LOG_AUDIT + (_WARNING if row.kind in _WARNED else _NOTICE)
    head = f"<{priority}>1 {stamp(row.at)} {_word(host, 255)} {_word(bot, 48)} {os.getpid()} {_word(kind, 32)} - "
    whole = _text(head, document)
    if limit is None or len(whole) <= limit:
        return whole
    event = {name: value for name, value in document["event"].items() if name != "original"}
    return _text(head, {**document, "event": event, "related": {}})[:limit]


def _text(head: str, document: dict[str, Any]) -> bytes:
    # With the byte order mark that RFC 5424 asks for where the text is UTF-8; JSON's escapes keep it in one line.
    return head.encode("ascii", "replace") + b"\xef\xbb\xbf" + json.dumps(document, separators=(",", ":")).encode()


def _word(text: str, limit: int) -> str:
    return "".join(c if 33 <= ord(c) <= 126 else "_" for c in text)[:limit] or "-"


class Syslog(Follower):
    """Follows the store in a thread of its own; what the server missed is sent when it is back."""

    def __init__(self, url: str, cursor: Path, bot: str) -> None:
        super().__init__()
        self.copies = f"the record at the syslog server {url}"  # also in `!status`, when entries wait
        self._cursor, self._bot = cursor, bot
        self._found = urlsplit(url)
        self._socket: socket.socket | None = None
        self._last: int | None = None

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send what is there, then end."""
        super().close(timeout_seconds)
        self.forget()

    def catch_up(self, source: AuditSource) -> int:
        """Send the rows that were not sent yet; returns the number of the last one sent."""
        if self._last is None:
            self._last = self._resume(source)
        while rows := source.audit_after(self._last):
            for row in rows:
                self._send(row)
                self._last = row.seq
            self._keep(self._last)
        return self._last

    def behind(self, source: AuditSource) -> int:
        """How many entries were not sent yet."""
        return 0 if self._last is None else max(0, source.audit_head()[0] - self._last)

    def _resume(self, source: AuditSource) -> int:
        with suppress(OSError, ValueError):
            return int(self._cursor.read_text())
        last = source.audit_head()[0]
        self._keep(last)
        return last

    def _keep(self, seq: int) -> None:
        part = self._cursor.with_suffix(".part")
        part.write_text(str(seq))
        part.replace(self._cursor)

    def _send(self, row: AuditRow) -> None:
        if self._socket is not None and self._found.scheme == "tcp" and _ended(self._socket):
            self.forget()  # else the first record after a restart of the server would be lost
        if self._socket is None:
            self._socket = self._connected()
        if self._found.scheme == "tcp":
            data = message(row, self._bot)
            self._socket.sendall(f"{len(data)} ".encode() + data)
        else:
            self._socket.send(message(row, self._bot, _DATAGRAM))

    def _connected(self) -> socket.socket:
        found = self._found
        if found.scheme == "tcp":
            return socket.create_connection((found.hostname or "", found.port or 601), _CONNECT_SECONDS)
        family, target = socket.AF_UNIX, found.path
        if found.scheme == "udp":
            first = socket.getaddrinfo(found.hostname, found.port or 514, type=socket.SOCK_DGRAM)[0]
            family, target = first[0], first[4]  # type: ignore[assignment]  # an address of that family
        made = socket.socket(family, socket.SOCK_DGRAM)
        made.settimeout(_CONNECT_SECONDS)
        made.connect(target)
        return made

    def forget(self) -> None:
        """Connect anew for the next row."""
        made, self._socket = self._socket, None
        if made is not None:
            made.close()


def _ended(connection: socket.socket) -> bool:
    """Whether the other side has closed it; a syslog server never says anything."""
    looked = select.poll()
    looked.register(connection, select.POLLIN)
    if not looked.poll(0):  # asked beforehand: `recv` on a socket with a time limit waits so long for something to read
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True
