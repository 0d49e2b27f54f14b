"""Where one message ends and the next begins in what comes over TCP, by RFC 6587: counted, or a line each. Pure."""

from __future__ import annotations

import re

_COUNTED = re.compile(rb"([1-9]\d{0,6}) (?=<)")
_MAY_BE_COUNTED = re.compile(rb"[1-9]\d{0,6} ?")
_ENDS = re.compile(rb"[\n\0]")


class Frames:
    """Takes bytes as they come and gives whole messages; both ways of counting may be mixed, as some devices do.

    A message longer than `limit` is cut there, the rest of it is passed over; so much is kept at most.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting = b""
        self._pass_over = 0  # bytes of a counted message that was too long
        self._until_end = False  # the rest of a line that was too long
        self.cut = 0  # messages that were too long

    def feed(self, data: bytes) -> list[bytes]:
        """Take more bytes; returns the messages that are whole now."""
        self._waiting += data
        found: list[bytes] = []
        while (message := self._next()) is not None:
            if message.strip(b"\r\n\0 "):
                found.append(message)
        return found

    def end(self) -> list[bytes]:
        """The connection is closed: what came last without an end is a message too."""
        left, self._waiting = self._waiting, b""
        return [left] if left.strip(b"\r\n\0 ") and not (self._pass_over or self._until_end) else []

    def _next(self) -> bytes | None:
        """The next message, an empty one where something was passed over; None when more bytes are needed."""
        if self._pass_over or self._until_end:
            return self._rest_of_long()
        self._waiting = self._waiting.lstrip(b"\r\n\0")
        if found := _COUNTED.match(self._waiting):
            return self._counted(found.end(), int(found[1]))
        if not self._waiting or _MAY_BE_COUNTED.fullmatch(self._waiting):
            return None
        return self._line()

    def _rest_of_long(self) -> bytes | None:
        if self._pass_over:
            gone = min(self._pass_over, len(self._waiting))
            self._waiting, self._pass_over = self._waiting[gone:], self._pass_over - gone
            return None if self._pass_over else b""
        if not (end := _ENDS.search(self._waiting)):
            self._waiting = b""
            return None
        self._waiting, self._until_end = self._waiting[end.end() :], False
        return b""

    def _counted(self, start: int, length: int) -> bytes | None:
        whole = min(length, self._limit)
        if len(self._waiting) < start + whole:
            return None
        message, self._waiting = self._waiting[start : start + whole], self._waiting[start + whole :]
        if length > whole:
            self.cut += 1
            self._pass_over = length - whole
        return message

    def _line(self) -> bytes | None:
        if end := _ENDS.search(self._waiting, 0, self._limit + 1):
            message, self._waiting = self._waiting[: end.start()], self._waiting[end.end() :]
            return message
        if len(self._waiting) <= self._limit:
            return None
        message, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
        self.cut += 1
        self._until_end = True
        return message
