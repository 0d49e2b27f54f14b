"""Filters as they are typed at a router (`| include ^interface|description`), for devices that get no `|`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from automation_bots.errors import DriverError, UserError
from automation_bots.text.linear_regex import SafeRegex

FILTERS = ("include", "exclude", "begin", "section", "count")
Filter = tuple[str, str]  # which, and the expression


def named(word: str) -> str:
    """Return the filter that a word means, perhaps in short (`i`, `incl`); empty: none."""
    return next((name for name in FILTERS if word and name.startswith(word.lower())), "")


def read(words: Sequence[str]) -> Filter:
    """Return a filter out of the words behind a `|`; a DriverError says what there is."""
    name, expression = named(words[0]) if words else "", " ".join(words[1:]).strip("\"'")
    if not name:
        raise DriverError(f"| {' '.join(words)[:40]} is no filter; there are {', '.join(FILTERS)}")
    if not expression and name != "count":
        raise DriverError(f"| {name} needs what to look for, such as | {name} ^interface|description")
    _ = _search(expression)  # a wrong one is told before any device is asked
    return name, expression


def applied(text: str, filters: Iterable[Sequence[str]]) -> str:
    """Return what is left of an answer."""
    lines = text.splitlines()
    for name, expression in filters:
        lines = list(_KINDS[name](lines, _search(expression)))
    return "\n".join(lines)


def _search(expression: str) -> SafeRegex:
    try:
        SafeRegex(expression)
        return SafeRegex(f".*(?:{expression})")
    except UserError as error:
        raise DriverError(str(error)) from error


def _include(lines: Sequence[str], wanted: SafeRegex) -> Iterator[str]:
    return (line for line in lines if wanted.matches(line))


def _exclude(lines: Sequence[str], wanted: SafeRegex) -> Iterator[str]:
    return (line for line in lines if not wanted.matches(line))


def _begin(lines: Sequence[str], wanted: SafeRegex) -> Sequence[str]:
    first = next((number for number, line in enumerate(lines) if wanted.matches(line)), len(lines))
    return lines[first:]


def _section(lines: Sequence[str], wanted: SafeRegex) -> Iterator[str]:
    """Keep each line that matches, with all that is indented below it."""
    open_at: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if open_at is not None and (not line.strip() or indent <= open_at):
            open_at = None
        if open_at is None and wanted.matches(line):
            open_at = indent
        if open_at is not None:
            yield line


def _count(lines: Sequence[str], wanted: SafeRegex) -> Iterator[str]:
    yield f"Number of lines which match regexp = {sum(wanted.matches(line) for line in lines)}"


_KINDS = {"include": _include, "exclude": _exclude, "begin": _begin, "section": _section, "count": _count}
