"""Keep the first part of what a device prints, however much that is, in bounded memory."""

from __future__ import annotations

from typing import Protocol

from automation_bots.model import one_line

_TAIL = 4096


class Capped:
    """Bytes up to a limit, and always the last few, since the reason of a failure stands at the end."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.head = bytearray()
        self.tail = b""
        self.total = 0

    def add(self, chunk: bytes) -> None:
        """Take the next bytes; what is over the limit is only counted."""
        self.head += chunk[: self.limit - len(self.head)]
        self.tail = (self.tail + chunk)[-_TAIL:]
        self.total += len(chunk)

    def drop(self, piece: bytes) -> None:
        """Forget a piece that is ours and not the device's."""
        before = len(self.head)
        self.head = self.head.replace(piece, b"")
        self.tail = self.tail.replace(piece, b"")
        self.total -= before - len(self.head)


class Part(Protocol):
    """What was kept of a stream, and how much there was."""

    @property
    def head(self) -> bytes | bytearray:
        """The first bytes, up to the limit."""

    @property
    def total(self) -> int:
        """How many there were."""


def joined(out: Part, err: Part, limit: int) -> str:
    """Return standard output, then standard error, as text of at most `limit` bytes and a mark where it was cut."""
    for_err = min(len(err.head), max(limit - len(out.head), limit // 10))
    kept = (_kept(out, limit - for_err, limit), _kept(err, for_err, limit))
    return "\n".join(part for part in kept if part)


def _kept(part: Part, size: int, limit: int) -> str:
    """A stream up to a size, marked at its own end: what was cut there must not seem to go on with another stream."""
    text = _text(bytes(part.head[:size]))
    return f"{text}\n{mark(limit)}" if part.total > min(size, len(part.head)) else text


def cut(text: str, limit: int) -> str:
    """Return the text with at most `limit` bytes of it, marked where it was cut."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= limit else f"{raw[:limit].decode('utf-8', 'ignore')}\n{mark(limit)}"


def mark(limit: int) -> str:
    """Return the line that stands where output was cut."""
    return f"[output cut at {size(limit)}]"


def size(limit: int) -> str:
    """Return a number of bytes as people say it."""
    return f"{limit / 1_000_000:g} MB" if limit >= 1_000_000 else f"{limit:,} bytes"


def first_line(text: str) -> str:
    """Return the first line that says something, as one line to show."""
    return next((one_line(line) for line in text.splitlines() if line.strip()), "")


def last_line(tail: bytes) -> str:
    """Return the last line that says something, as one line to show."""
    if len(tail) >= _TAIL:  # it begins in the middle of something, perhaps of a secret, of which no half must be shown
        tail = tail[_TAIL // 4 :]
        tail = tail.partition(b"\n")[2] or tail.partition(b" ")[2]
    return first_line("\n".join(reversed(_text(tail).splitlines())))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace").rstrip("\r\n")
