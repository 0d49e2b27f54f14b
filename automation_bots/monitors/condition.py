"""What a read has to show, or must not: a condition on its table, or what everybody means by it. Pure.

What cannot be compared is never fine: then nobody can say.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from automation_bots.errors import BadCommand
from automation_bots.model import one_line
from automation_bots.monitors.measured import NONE, SIZE, Measured
from automation_bots.monitors.track import Seen
from automation_bots.text import filters

_COMPARISON = re.compile(r"(?P<column>\"[^\"]+\"|'[^']+'|.+?)\s*(?P<how>>=|<=|!=|==?|>|<|\bcontains\b)\s*(?P<value>.+)")
_NUMBER = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?)\s*(%|[kKMGTP]?i?(?:[Bb](?:it/s|its?|ps|/s)?)?)")
_SIZES = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15}
_ASSIGNED = re.compile(r"\s*([\w %./-]{1,40}?)\s*(?:=|:(?=\s))\s*(.*)")
_FIGURE = re.compile(r"[-+(]?\d[\d.,:/%]*[)%,]?")
_SHOWN = 3  # rows that are named
_WORST: Mapping[str, Callable[[Iterable[float]], float]] = {">": max, ">=": max, "<": min, "<=": min}

Found = tuple[Seen, str]  # what a look saw, in words


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column compared with one value."""

    column: str
    how: str
    value: str


def read(text: str) -> tuple[Comparison, ...]:
    """Read `used > 90 and type = ext4`; all have to hold in one row."""
    return tuple(_comparison(part) for part in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE))


def _comparison(text: str) -> Comparison:
    found = _COMPARISON.fullmatch(text.strip())
    if found is None or not found["value"].strip("\"' "):
        raise BadCommand(
            f"where {one_line(text, 60)}: write a column, one of > < >= <= = != contains, and a value, "
            "such as where used > 90"
        )
    how = "=" if found["how"] == "==" else found["how"]
    return Comparison(found["column"].strip("\"' "), how, found["value"].strip().strip("\"'"))


def judged(text: str, wanted: Sequence[Comparison]) -> Found:
    """Hold every row of what a device printed against a condition; the rows for which it holds are what is wrong."""
    every = list(tables(text))
    if not every:
        return Seen.NOTHING, "it printed nothing"
    found = [judged_table(header, rows, wanted) for header, rows in every]
    return next((one for one in found if one[0] is not Seen.NOTHING), found[0])


def judged_table(header: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[Comparison]) -> Found:
    """Hold every row of one table against a condition."""
    columns = [_column(one, header, rows) for one in wanted]
    if missing := next((one for one, at in zip(wanted, columns, strict=True) if at is None), None):
        return Seen.NOTHING, _no_column(missing, header)
    hit = [row for row in rows if all(holds(one, row[at or 0]) for one, at in zip(wanted, columns, strict=True))]
    return (Seen.POOR, _rows(header, hit, [at or 0 for at in columns])) if hit else (Seen.GOOD, "")


def measured(text: str, wanted: Sequence[Comparison]) -> Measured:
    """The figures that the first comparison of sizes is about: of each row that the others are about, and the worst."""
    first = next((one for one in wanted if one.how in _WORST), None)
    if first is None:
        return NONE
    others = [one for one in wanted if one is not first and one.how not in _WORST]
    found: dict[str, tuple[float, str]] = {}
    for header, rows in tables(text):
        at, places = _column(first, header, rows), [_column(one, header, rows) for one in others]
        if at is None or None in places:
            continue
        for row in rows:
            if all(holds(one, row[place or 0]) for one, place in zip(others, places, strict=True)):
                found.setdefault(_about(header, row, at), _figure(row[at]))
    units = {unit for _, unit in found.values()}
    if len(units) != 1:  # nothing, or what cannot be drawn on one scale
        return NONE
    parts = {name: value for name, (value, _) in found.items() if math.isfinite(value)}
    return Measured(units.pop(), _WORST[first.how](parts.values()), parts) if parts else NONE


def _figure(cell: str) -> tuple[float, str]:
    value, kind = _number(cell) or (math.nan, "")
    return (value / 1e9, SIZE) if kind == "size" else (value, kind)


def tables(text: str) -> Iterator[filters.Table]:
    """Give every table in a text: below a heading, wherever it begins, or as `name=value` lines."""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line for line in block.splitlines() if line.strip()]
        found = None if all(map(_ASSIGNED.fullmatch, lines)) else _below_heading(lines)
        yield from (found,) if found else _assigned(lines)


def _below_heading(lines: Sequence[str]) -> filters.Table | None:
    """The table that begins with the first line that can be a heading: one without a figure or an address."""
    for first in range(max(0, len(lines) - 1)):
        if not any(map(_FIGURE.fullmatch, lines[first].split())):
            found = filters.below_heading(lines[first:])
            if found:
                return found
    return None


def _assigned(lines: Sequence[str]) -> Iterator[filters.Table]:
    found = [match.groups() for line in lines if (match := _ASSIGNED.fullmatch(line))]
    if found and len(found) == len(lines):
        yield tuple(name for name, _ in found), [tuple(value for _, value in found)]
    elif lines:
        yield ("line",), [(line.strip(),) for line in lines]


def _column(wanted: Comparison, header: Sequence[str], rows: Sequence[Sequence[str]]) -> int | None:
    """The column that is meant: of those with nearly this name, the first whose cells can be compared."""
    name = _plain(wanted.column)
    exact = [at for at, known in enumerate(header) if _plain(known) == name]
    near = [at for at, known in enumerate(header) if at not in exact and _is_near(name, _plain(known))]
    return next((at for at in (*exact, *near) if any(_comparable(wanted, row[at]) for row in rows)), None)


def _is_near(name: str, known: str) -> bool:
    return len(known) > 1 and len(name) > 1 and (known.startswith(name) or name.startswith(known))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _no_column(wanted: Comparison, header: Sequence[str]) -> str:
    known = ", ".join(header) if header != ("line",) else "no table"
    return one_line(f'no column "{wanted.column}" that can be compared with {wanted.value}; there is {known}', 200)


def _comparable(wanted: Comparison, cell: str) -> bool:
    if wanted.how in {"=", "!=", "contains"}:
        return True
    return _both(wanted, cell) is not None


def _both(wanted: Comparison, cell: str) -> tuple[float, float] | None:
    """Both as numbers of one kind; percentages are no sizes."""
    left, right = _number(cell), _number(wanted.value)
    if left is None or right is None:
        return None
    kinds = {left[1], right[1]}
    return None if "size" in kinds and kinds != {"size"} else (left[0], right[0])


def _number(text: str) -> tuple[float, str] | None:
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    value, unit = float(found[1].replace(",", "")), found[2].lower()
    if unit in {"", "%"}:
        return value, unit
    base = 1024.0 / 1000.0 if unit[1:2] == "i" and unit[0] != "b" else 1.0
    power = "kmgtp".find(unit[0]) + 1
    return value * _SIZES.get(unit[0], 1.0) * base**power, "size"


_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def size(text: str) -> float:
    """A number with or without a unit; 0 where it is none."""
    found = _number(text)
    return found[0] if found else 0.0


def holds(wanted: Comparison, cell: str) -> bool:
    """Whether a comparison holds for a cell."""
    if wanted.how == "contains":
        return wanted.value.lower() in cell.lower()
    both = _both(wanted, cell)
    if both is not None:
        return _COMPARE[wanted.how](*both)
    same = cell.strip().lower() == wanted.value.lower()
    return same if wanted.how == "=" else not same if wanted.how == "!=" else False


def _rows(header: Sequence[str], hit: Sequence[Sequence[str]], columns: Sequence[int]) -> str:
    """The rows that fit, each by what it is about and the cells that were looked at."""
    said = []
    for row in hit[:_SHOWN]:
        cells = ", ".join(f"{header[at]} {row[at]}" for at in dict.fromkeys(columns))
        said.append(cells if _name_at(header) in columns or len(header) == 1 else f"{row[_name_at(header)]} {cells}")
    more = f" and {len(hit) - _SHOWN} more" if len(hit) > _SHOWN else ""
    return one_line("; ".join(said) + more, 300)


def _name_at(header: Sequence[str]) -> int:
    """The column that says what a row is about."""
    return next((at for at, name in enumerate(header) if _plain(name) == "mountedon"), 0)


def _about(header: Sequence[str], row: Sequence[str], at: int) -> str:
    return one_line(header[at] if _name_at(header) == at else row[_name_at(header)], 60)


# -- what everybody means by a read


def _bgp(text: str) -> Found:
    return _bad_rows(text, ("state", "statepfxrcd"), ("neighbor", "peer"), _session_is_down)


def _session_is_down(state: str) -> bool:
    word = state.split("/")[0].strip().lower()
    return not (word.isdigit() or word.startswith("estab") or word in {"up", "shut"} or "admin" in state.lower())


def _service(text: str) -> Found:
    return _bad_rows(text, ("activestate", "status"), ("description", "name"),
                     lambda state: state.lower() not in {"active", "running", "reloading"})  # fmt: skip


def _minions(text: str) -> Found:
    return _bad_rows(text, ("state", "up", "status"), ("minion", "name"), lambda state: state.lower() in {"no", "down"})


_MEANT: Mapping[str, Callable[[str], Found]] = {"bgp": _bgp, "service": _service, "minions": _minions}


def meant(operation: str) -> Callable[[str], Found] | None:
    """What everybody means by watching an operation; None where it only has to succeed."""
    return _MEANT.get(operation)


def _bad_rows(text: str, states: Sequence[str], names: Sequence[str], is_bad: Callable[[str], bool]) -> Found:
    """Look at the column of the state; rows whose state is bad are what is wrong."""
    seen = bad = 0
    said = []
    for header, rows in tables(text):
        plain = [_plain(name) for name in header]
        at = next((plain.index(name) for name in states if name in plain), None)
        if at is None:
            continue
        who = next((plain.index(name) for name in names if name in plain), 0)
        for row in rows:
            seen += 1
            if is_bad(row[at]):
                bad += 1
                said.append(f"{row[who]} is {row[at]}")
    if not seen:
        return Seen.NOTHING, "what it printed has no state to look at"
    more = f" and {bad - _SHOWN} more" if bad > _SHOWN else ""
    return (Seen.POOR, one_line(", ".join(said[:_SHOWN]) + more, 300)) if bad else (Seen.GOOD, "")
