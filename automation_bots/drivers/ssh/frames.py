"""What the bot and its SSH process say to each other: a head of JSON and some bytes, each with its length before it."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

_LENGTHS = struct.Struct("!II")
_MOST = 64_000_000  # more than this is no frame but nonsense


class Readable(Protocol):
    """A socket as a file."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer only at the end."""


class Frame(NamedTuple):
    """One message."""

    head: dict[str, Any]
    body: bytes = b""


def packed(head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """Return a frame as it goes over the wire."""
    text = json.dumps(head, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(text), len(body)) + text + body


def read(stream: Readable) -> Frame | None:
    """Wait for the next frame; None: the other side has gone."""
    try:
        lengths = stream.read(_LENGTHS.size)
        if len(lengths) < _LENGTHS.size:
            return None
        for_head, for_body = _LENGTHS.unpack(lengths)
        if for_head + for_body > _MOST:
            return None
        data = stream.read(for_head + for_body)
    except OSError:
        return None
    return Frame(json.loads(data[:for_head]), data[for_head:]) if len(data) == for_head + for_body else None


async def aread(reader: asyncio.StreamReader) -> Frame | None:
    """Wait for the next frame; None: the bot has gone."""
    try:
        for_head, for_body = _LENGTHS.unpack(await reader.readexactly(_LENGTHS.size))
        data = await reader.readexactly(for_head + for_body)
    except (asyncio.IncompleteReadError, OSError):
        return None
    return Frame(json.loads(data[:for_head]), data[for_head:])
