"""Filters as they are typed at a router (`| include ^interface|description | count`), for any text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from automation_bots.errors import BadCommand
from automation_bots.text.linear_regex import SafeRegex

LINES = ("include", "exclude", "begin", "section", "count")  # as at a router, also in short
TABLES = ("match", "columns", "csv")  # of this bot, in whole words
_ALONE = {"count", "csv"}  # they take no words
Filter = tuple[str, str]  # which, and the expression
_GAP = re.compile(r"\s{2,}")
_LEAST_LINES = 2
_FEWEST = 3  # columns; what has fewer may be a sentence


def named(word: str) -> str:
    """Return the filter of a router that a word means, perhaps in short (`i`, `incl`); empty: none."""
    return next((name for name in LINES if word and name.startswith(word.lower())), "")


def known(word: str) -> str:
    """Return the filter that a word means: a router's, or one of this bot's own."""
    return word.lower() if word.lower() in TABLES else named(word)


def read(words: Sequence[str]) -> Filter:
    """Return a filter out of the words behind a `|`; a BadCommand says what there is."""
    name, expression = known(words[0]) if words else "", " ".join(words[1:]).strip("\"'")
    if not name:
        raise BadCommand(f"| {' '.join(words)[:40]} is no filter; there are {', '.join((*LINES, *TABLES))}")
    if not expression and name not in _ALONE:
        such = "name,state" if name == "columns" else "^interface|description"
        raise BadCommand(f"| {name} needs what to look for, such as | {name} {such}")
    if name not in TABLES[1:]:
        search(expression)  # a wrong one is told before any device is asked
    return name, expression


def applied(text: str, filters: Iterable[Sequence[str]]) -> str:
    """Return what is left of an answer."""
    lines = text.splitlines()
    for name, expression in filters:
        lines = list(_KINDS[name](lines, expression))
    return "\n".join(lines)


def search(expression: str) -> SafeRegex:
    """Make an expression that is looked for anywhere in a line, in time that no expression can prolong."""
    flags = "(?i)" if expression.startswith("(?i)") else ""
    SafeRegex(expression)  # what is wrong with it is said about what was typed
    return SafeRegex(f"{flags}.*(?:{expression.removeprefix('(?i)')})")


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]  # the heading, the rows


def table(lines: Sequence[str]) -> Table:
    """Read lines as a table below its heading, as far as blanks tell columns apart; else each line is one cell."""
    full = [line.strip() for line in lines if line.strip()]
    return below_heading(lines) or (("line",), [(line,) for line in full])


def below_heading(lines: Sequence[str]) -> Table | None:
    """Read a table whose heading is the first line; None where blanks do not tell columns apart."""
    full = [line.strip() for line in lines if line.strip()]
    return regular(full) or aligned(lines) or last_is_long(full)


def regular(full: Sequence[str]) -> Table | None:
    """Read a table whose rows all have as many cells as its heading."""
    for split in (_GAP.split, str.split):
        header = split(full[0].strip()) if full else []
        rows = [split(line.strip()) for line in full[1:]]
        if len(header) > 1 and rows and all(len(row) == len(header) for row in rows):
            return tuple(header), [tuple(row) for row in rows]
    return None


def aligned(lines: Sequence[str]) -> Table | None:
    """Read a table with empty cells: each column begins where its heading does, which is one word."""
    full = [line.rstrip() for line in lines if line.strip()]
    starts = [found.start() for found in re.finditer(r"\S+", full[0])] if full else []
    if len(starts) < _FEWEST or len(full) < _LEAST_LINES or len(_GAP.split(full[0].strip())) != len(starts):
        return None
    if any(len(line) > at and line[at - 1] != " " for line in full[1:] for at in starts[1:]):
        return None
    ends = [*starts[1:], None]
    cells = [tuple(line[at:end].strip() for at, end in zip(starts, ends, strict=True)) for line in full]
    return cells[0], cells[1:]


def last_is_long(full: Sequence[str]) -> Table | None:
    """Read a table whose last column holds blanks: in its heading, as `Mounted on`, or in its cells, as a command."""
    header, rows = full[0].split() if full else [], [line.split() for line in full[1:]]
    least, most = min(map(len, rows), default=0), max(map(len, rows), default=0)
    count = min(len(header), least)
    if count < _FEWEST or len(header) - count > 1 or (most != least and least != len(header)):
        return None
    last = count - 1
    return (*header[:last], " ".join(header[last:])), [(*row[:last], " ".join(row[last:])) for row in rows]


def _include(lines: Sequence[str], expression: str) -> Iterator[str]:
    wanted = search(expression)
    return (line for line in lines if wanted.matches(line))


def _exclude(lines: Sequence[str], expression: str) -> Iterator[str]:
    wanted = search(expression)
    return (line for line in lines if not wanted.matches(line))


def _begin(lines: Sequence[str], expression: str) -> Sequence[str]:
    wanted = search(expression)
    first = next((number for number, line in enumerate(lines) if wanted.matches(line)), len(lines))
    return lines[first:]


def _section(lines: Sequence[str], expression: str) -> Iterator[str]:
    """Keep each line that matches, with all that is indented below it."""
    wanted, open_at = search(expression), None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if open_at is not None and (not line.strip() or indent <= open_at):
            open_at = None
        if open_at is None and wanted.matches(line):
            open_at = indent
        if open_at is not None:
            yield line


def _count(lines: Sequence[str], expression: str) -> Iterator[str]:
    """The form of a router; without an expression all lines that hold something are counted."""
    wanted = search(expression)
    yield f"Number of lines which match regexp = {sum(bool(line.strip()) and wanted.matches(line) for line in lines)}"


def _columns(lines: Sequence[str], names: str) -> Iterator[str]:
    """Keep the columns of these names, of a text that is a table; others are left as they are."""
    header, rows = table(lines)
    by_name = {name.lower(): number for number, name in enumerate(header)}
    at = [by_name[name.strip().lower()] for name in names.split(",") if name.strip().lower() in by_name]
    cells = [[row[i] for i in at] for row in (header, *rows)]
    if not at:
        yield from lines
        return
    widths = [max(len(row[i]) for row in cells) for i in range(len(at))]
    yield from ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _all(lines: Sequence[str], _expression: str) -> Sequence[str]:
    return lines


_KINDS = {
    "include": _include, "match": _include, "exclude": _exclude, "begin": _begin, "section": _section, "count": _count,
    "columns": _columns, "csv": _all,
}  # fmt: skip
