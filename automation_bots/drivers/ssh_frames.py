"""What the bot and its SSH process say to each other: a head of JSON and some bytes, each with its length before it."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

_LENGTHS = struct.Struct("!II")
_MOST = 64_000_000  # more than this is no frame but nonsense


class Frame(NamedTuple):
    """One message."""

    head: dict[str, Any]
    body: bytes = b""


def packed(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return a frame as it goes over the wire."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def read(sock: socket.socket) -> Frame | None:
    """Wait for the next frame; None: the other side has gone."""
    lengths = _exactly(sock, _LENGTHS.size)
    if lengths is None:
        return None
    for_head, for_body = _LENGTHS.unpack(lengths)
    data = _exactly(sock, for_head + for_body) if for_head + for_body <= _MOST else None
    return None if data is None else Frame(json.loads(data[:for_head]), bytes(data[for_head:]))


def _exactly(sock: socket.socket, count: int) -> bytearray | None:
    data = bytearray(count)
    view, got = memoryview(data), 0
    while got < count:
        try:
            more = sock.recv_into(view[got:])
        except OSError:
            return None
        if not more:
            return None
        got += more
    return data


async def aread(reader: asyncio.StreamReader) -> Frame | None:
    """Wait for the next frame; None: the bot has gone."""
    try:
        for_head, for_body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        data = await reader.readexactly(for_head + for_body)
    except (asyncio.IncompleteReadError, OSError):
        return None
    return Frame(json.loads(data[:for_head]), data[for_head:])
