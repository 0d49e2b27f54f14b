"""What a Windows device answered: rows, text and errors, put together from lines as they come. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from automation_bots.drivers.output import Capped, cut, first_line, mark
from automation_bots.model import one_line

_MARK = b"#AB "
_CLIXML = "#< CLIXML"
_END = "</Objs>"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Where PowerShell's own words about an error end and its description of the place begins.
_PLACE = re.compile(r"\r?\n(?:At line:|At [A-Z]:|\s+\+ |Line \|)")
_NAME_OF_COMMAND = re.compile(r"^(?:[A-Za-z]+-[A-Za-z]+|[\w.]+\.exe) : ")
_NO_SERVICE = re.compile(r"Cannot find any service with service name ('[^']*\s[^']*')")
_CELL = 60
Row = Mapping[str, Any]


@dataclass(slots=True)
class WindowsAnswer:
    """Everything one device said, in its order, up to a limit."""

    limit: int
    said: list[Row | str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    exit_code: int | None = None  # what the runner says when it has come to its end
    no_preview: bool = False
    cut: bool = False
    _rest: bytes = b""
    _size: int = 0
    _err: Capped = field(default_factory=lambda: Capped(200_000))

    def out(self, chunk: bytes) -> None:
        """Take the next bytes of standard output."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line.rstrip(b"\r"))
        if len(self._rest) > 4 * self.limit:
            self._rest, self.cut = self._rest[:4], True

    def err(self, chunk: bytes) -> None:
        """Take the next bytes of standard error."""
        self._err.add(chunk)

    def end(self) -> None:
        """Nothing more comes."""
        if self._rest:
            self._line(self._rest.rstrip(b"\r"))
            self._rest = b""
        errors, warnings = streams_of(self._err.head.decode("utf-8", "replace"))
        self.errors += errors
        self.said += [f"Warning: {text}" for text in warnings]

    @property
    def rows(self) -> list[Row]:
        """The objects."""
        return [item for item in self.said if not isinstance(item, str)]

    def text(self) -> str:
        """All of it as people read it: tables, text, then the errors."""
        parts = [_table(list(run)) if kind else "\n".join(map(str, run)) for kind, run in _runs(self.said)]
        whole = "\n".join(part for part in [*parts, *(f"Error: {text}" for text in self.errors)] if part)
        return f"{cut(whole, self.limit)}\n{mark(self.limit)}" if self.cut else cut(whole, self.limit)

    def summary(self) -> str:
        """One line: what was found, or how much."""
        rows = self.rows
        if len(rows) == 1 and len(self.said) == 1:
            return one_line(", ".join(f"{key} {cell(value)}" for key, value in rows[0].items() if value is not None))
        if rows and len(rows) == len(self.said):
            return f"{len(rows)} objects"
        return first_line("\n".join(item for item in self.said if isinstance(item, str))) or (
            f"{len(rows)} objects" if rows else "done"
        )

    def _line(self, line: bytes) -> None:
        record = _record(line)
        if record is None:
            self._keep(line.decode("utf-8", "replace"), len(line))
            return
        kind, value = record.get("k"), record.get("v")
        if kind == "z":
            self.exit_code = int(record.get("c") or 0)
        elif kind == "n":
            self.no_preview, self.exit_code = True, 0
        elif kind == "e":
            self.errors.append(sentence(str(value)))
        elif isinstance(value, dict):
            self._keep(value, len(line))
        else:
            self._keep(cell(value), len(line))

    def _keep(self, item: Row | str, size: int) -> None:
        """What is over the limit is dropped; a text that crosses it is kept, to be cut when it is shown."""
        if self._size > self.limit:
            self.cut = True
            return
        self._size += size
        if item != "" or self.said:
            self.said.append(item)


def _record(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(_MARK):
        return None
    try:
        found = json.loads(base64.b64decode(line[len(_MARK) :], validate=True))
    except (binascii.Error, ValueError):
        return None
    return found if isinstance(found, dict) else None


def cell(value: Any) -> str:
    """One value as it stands in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def _runs(said: Sequence[Row | str]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Split into runs of text (no columns) and of rows with the same columns."""
    for columns, run in groupby(said, lambda item: () if isinstance(item, str) else tuple(map(str, item))):
        yield columns, list(run)


def _table(rows: Sequence[Row]) -> str:
    if len(rows) == 1 and len(rows[0]) > 1:
        return table([(str(key), one_line(cell(value), 400)) for key, value in rows[0].items()])
    return table([[one_line(cell(v), _CELL) for v in row.values()] for row in rows], header=tuple(map(str, rows[0])))


def table(rows: Sequence[Sequence[str]], *, header: Sequence[str] = ()) -> str:
    """Columns padded to the same width."""
    every = [tuple(header), *rows] if header else list(rows)
    widths = [max(len(row[i]) for row in every) for i in range(len(every[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in every)
    return "\n".join(line.rstrip() for line in lines)


def streams_of(text: str) -> tuple[list[str], list[str]]:
    """The sentences of errors and warnings on standard error: plain text, or CLIXML as Windows PowerShell writes it.

    Each process that says something there (such as a `powershell` that a script starts) writes a document of its own.
    """
    before, *documents = text.split(_CLIXML)
    errors, warnings = [sentence(before)] if before.strip() else [], []
    for document in documents:
        xml, end, behind = document.partition(_END)
        lines = _lines(xml + end)
        said = "".join(text for stream, text in lines if stream == "error")  # one error is cut into lines
        errors += [sentence(text) for text in (said, behind) if text.strip()]
        warnings += [sentence(text) for stream, text in lines if stream == "warning"]
    return errors, warnings


def _lines(xml: str) -> list[tuple[str, str]]:
    """What one document says, each with its stream; a broken one says all that it holds as an error."""
    try:
        root = ElementTree.fromstring(xml.strip())  # noqa: S314 - ElementTree reads no external entities
    except ElementTree.ParseError:
        return [("error", re.sub(r"<[^>]*>", "", _unescaped(xml)))]
    return [(node.get("S", "").lower(), _unescaped(node.text or "")) for node in root.iter()]


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def sentence(text: str) -> str:
    """An error as PowerShell prints it, without the place in a script that nobody wrote."""
    words = one_line(_NAME_OF_COMMAND.sub("", _PLACE.split(text.strip(), maxsplit=1)[0]), 400)
    if found := _NO_SERVICE.search(words):  # Windows looks for short names only, and people read the long ones
        words += f" If that is what it is called on the screen: !ps Get-Service -DisplayName {found[1]}"
    return words or "an error without words"
