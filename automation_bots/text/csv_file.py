"""Rows as CSV (RFC 4180) that a spreadsheet opens right and runs nothing of. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from automation_bots.model import File, one_line

_FORMULA = re.compile(r"^[\s'\"\x00-\x1f]*[=+\-@＝＋－＠|%]|^[\t\r\n]")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)*")
_CELL = 30_000  # characters; a spreadsheet takes no more of one cell


def text(header: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Write rows below a heading, each in one line."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def file(stem: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> File:
    """Return the rows as a file of that name."""
    return File.of_text(f"{stem}.csv", text(header, rows))


def _cell(value: object) -> str:
    """A text that a spreadsheet might run is shown with an apostrophe before it."""
    said = str(value)
    harmless = _NUMBER.fullmatch(said) or not _FORMULA.search(said)
    return one_line(said if harmless else f"'{said}", _CELL)
