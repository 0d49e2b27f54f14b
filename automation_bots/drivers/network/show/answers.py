"""What devices answered, as people read it: tables filtered and put together, or text; what is other now. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from automation_bots.errors import DriverError, UserError
from automation_bots.model import Conclusion, File
from automation_bots.render import WHOLE_OUTPUTS, table
from automation_bots.surface import COLUMNS
from automation_bots.text import csv_file, filters, grouping
from automation_bots.text.grouping import Alike
from automation_bots.text.linear_regex import SafeRegex

LINES_SHOWN = 40
NO_ROW = "(no row)"
_ENDLESS = 1_000_000
_NUMBER = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class View:
    """How an answer is wanted: only these lines or rows, only these columns."""

    match: str = ""
    columns: tuple[str, ...] = ()
    filters: tuple[Sequence[str], ...] = ()  # those of a router, in their order

    def text(self, text: str) -> str:
        """Keep the lines that match."""
        if not self.match:
            return text
        wanted = _search(self.match)
        return "\n".join(line for line in text.splitlines() if wanted.matches(line))

    def rows(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Rows:
        """Keep the rows of which a line matches, in the device's order, and the columns that are wanted."""
        kept = [tuple(row) for row in rows]
        if self.match:
            wanted = _search(self.match)
            kept = [row for row in kept if wanted.matches("  ".join(row))]
        for name, expression in self.filters:
            kept = _filtered(kept, name, expression)
        full = Rows(tuple(header), tuple(kept))
        return full.only(self.columns) if self.columns else full.told()


@dataclass(frozen=True, slots=True)
class Rows:
    """A table."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def only(self, columns: Sequence[str]) -> Rows:
        """Keep these columns, in this order; a DriverError names those that there are."""
        if unknown := [name for name in columns if name.lower() not in self.header]:
            raise DriverError(f"no column {', '.join(unknown)}; there are {', '.join(self.header)}")
        at = [self.header.index(name.lower()) for name in columns]
        return Rows(tuple(self.header[i] for i in at), tuple(tuple(row[i] for i in at) for row in self.rows))

    def told(self) -> Rows:
        """Leave out columns that hold nothing in any row."""
        at = [i for i in range(len(self.header)) if not self.rows or any(row[i] for row in self.rows)]
        return Rows(tuple(self.header[i] for i in at), tuple(tuple(row[i] for i in at) for row in self.rows))

    def fitting(self, columns: int) -> tuple[Rows, tuple[str, ...]]:
        """Return the first columns that fit into so many characters, and the names of those left out."""
        width, kept = 0, 0
        for i, name in enumerate(self.header):
            width += 2 + max([len(name), *(len(_short(row[i])) for row in self.rows)])
            if kept and width > columns:
                break
            kept += 1
        rows = tuple(row[:kept] for row in self.rows)
        return Rows(self.header[:kept], rows), self.header[kept:]

    @property
    def by_name(self) -> str:
        """One row as lines of a name and a value, which a phone can show whole."""
        return table(list(zip(self.header, map(_short, self.rows[0]), strict=True)), limit=len(self.header))

    @property
    def text(self) -> str:
        """The table as text."""
        rows = [tuple(_short(cell) for cell in row) for row in self.rows]
        return table(rows, limit=len(rows), header=self.header)


def _short(cell: str) -> str:
    cell = " ".join(cell.split())
    return cell if len(cell) <= 60 else cell[:59] + "…"


def _natural(row: Sequence[str]) -> list[list[tuple[int, str]]]:
    return [[(int(p), "") if p.isdecimal() else (-1, p) for p in _NUMBER.split(cell)] for cell in row]


def _search(expression: str) -> SafeRegex:
    try:
        return filters.search(expression)
    except UserError as error:
        raise DriverError(str(error)) from error


def _filtered(rows: list[tuple[str, ...]], name: str, expression: str) -> list[tuple[str, ...]]:
    """A router's filter on rows: each is one line, and nothing is indented below it."""
    wanted = _search(expression)
    found = [wanted.matches("  ".join(row)) for row in rows]
    if name == "begin":
        return rows[found.index(True) :] if True in found else []
    return [row for row, hit in zip(rows, found, strict=True) if hit is not (name == "exclude")]


def alike(tables: Mapping[str, Rows]) -> tuple[Alike, ...]:
    """Group devices with equal tables; empty: all of them in one table read better."""
    groups = grouping.alike(tables)
    few = len(tables) <= WHOLE_OUTPUTS and all(len(found.rows) < 2 for found in tables.values())
    if not groups or few or (2 * len(groups[0].devices) < len(tables) < 2 * len(groups)):
        return ()
    return groups


def together(tables: Mapping[str, Rows], *, named: bool = False) -> Rows:
    """Put the tables of many devices into one, the device first; with `named` it is where there is only one too."""
    if len(tables) == 1 and not named:
        return next(iter(tables.values()))
    order = sorted(tables, key=lambda name: _natural([name]))
    same = _same_columns([tables[device] for device in order])
    rows = ((device, *row) for device, found in zip(order, same, strict=True) for row in found.rows)
    return Rows(("device", *same[0].header), tuple(rows))


def _same_columns(tables: Sequence[Rows]) -> list[Rows]:
    """Give tables the columns that any of them has; a cell that a table does not have is empty."""
    header = tuple(dict.fromkeys(name for found in tables for name in found.header))
    at = [[found.header.index(name) if name in found.header else None for name in header] for found in tables]
    return [
        Rows(header, tuple(tuple("" if i is None else row[i] for i in place) for row in found.rows))
        for found, place in zip(tables, at, strict=True)
    ]


def concluded(
    tables: Mapping[str, Rows], name: str, *, as_csv: bool, named: bool = False, columns: int = COLUMNS
) -> Conclusion:
    """Sum tables up, equal ones once: as much as a message shows, the rest (or all, as CSV) as a file."""
    whole, groups = together(tables, named=named), alike(tables)
    text, shown = (
        (f"{grouping.sentence(groups)}.", _groups(groups, tables, columns)) if groups else ("", _joined(whole, columns))
    )
    files: tuple[File, ...] = ()
    if as_csv:
        files = (csv_file.file(name, whole.header, whole.rows),)
    elif shown.cut:
        files = (File.of_text(f"{name}.txt", whole.text + "\n"),)
    lines = [shown.text]
    if shown.cut:
        lines.append(f"… {shown.cut} in {name}")
    if shown.left:
        lines.append(f"… more columns: {', '.join(shown.left)}  (| columns name,… picks)")
    return Conclusion(text, "\n".join(lines), files)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What fits into a message, and what does not."""

    text: str
    cut: str = ""  # what is only in the file
    left: tuple[str, ...] = ()  # the columns left out


def _joined(whole: Rows, columns: int) -> _Shown:
    """All devices in one table."""
    fitting, left = whole.fitting(columns)
    if left and len(whole.rows) == 1:
        return _Shown(whole.by_name)
    more = len(whole.rows) - LINES_SHOWN
    kept = Rows(fitting.header, fitting.rows[:LINES_SHOWN]) if more > 0 else fitting
    text = kept.text if whole.rows else NO_ROW
    return _Shown(text, f"and {more} more rows" if more > 0 else "", left)


def _groups(groups: Sequence[Alike], tables: Mapping[str, Rows], columns: int) -> _Shown:
    """The common table, then those that differ; columns of the same width, so that lines can be compared."""
    each = _same_columns([tables[group.devices[0]] for group in groups])
    fitting, left = Rows(each[0].header, tuple(row for found in each for row in found.rows)).fitting(columns)
    header, *lines = fitting.text.split("\n")
    told = []
    for group, found in zip(groups, each, strict=True):
        mine, lines = lines[: len(found.rows)], lines[len(found.rows) :]
        told.append(Alike(group.devices, "\n".join([header, *mine]) if mine else NO_ROW))
    text = grouping.block(told, LINES_SHOWN)
    return _Shown(text, "" if text == grouping.block(told, _ENDLESS) else "all rows", left)


def changed(old: str, new: str) -> str:
    """The lines that are other than the last time, `-` then and `+` now."""
    found = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=0)
    return "\n".join(f"{line[0]} {line[1:]}" for line in found if not line.startswith(("---", "+++", "@@")))
