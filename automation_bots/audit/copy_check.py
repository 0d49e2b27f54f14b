"""Whether the copy of the record in lines of JSON still says what the record says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automation_bots.audit.ecs import ecs_of
from automation_bots.errors import AutomationError
from automation_bots.store import AuditRow, Store

_READ_AT_ONCE = 500
# Another version of the bot may have chosen other words here; what it said of who, what, where and when it kept.
_WORDING = {"message", "ecs.version", *(f"event.{name}" for name in ("category", "type", "outcome", "kind", "reason"))}


class ChangedCopy(AutomationError):
    """A line of the copy is not what was written there."""


def check(path: Path, store: Store) -> int:
    """Compare the file and those that were rotated away; return how many lines there are."""
    count, rows = 0, _Rows(store)
    for file in _oldest_first(path):
        with file.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                if line.endswith("\n"):  # else the bot is writing it now, or was cut short and writes it anew
                    _compare(f"{file}:{number}", line, rows)
                    count += 1
    return count


def _oldest_first(path: Path) -> list[Path]:
    rotated = [other for other in path.parent.glob(f"{path.name}.*") if other.suffix[1:].isdigit()]
    found = sorted(rotated, key=lambda other: -int(other.suffix[1:]))
    return [*found, path] if path.exists() else found


def _compare(where: str, line: str, rows: _Rows) -> None:
    try:
        document = json.loads(line)
        seq = int(document["event"]["sequence"])
    except (ValueError, KeyError, TypeError):
        raise ChangedCopy(f"{where}: is no entry of the record. Somebody changed it.") from None
    row = rows.of(seq)
    if row is None:
        raise ChangedCopy(f"{where}: tells entry {seq}, which the record has not.")
    here, there = dict(_flat(document)), dict(_flat(ecs_of(row)))
    different = [name for name in sorted(here.keys() | there.keys()) if here.get(name) != there.get(name)]
    if changed := [name for name in different if name not in _WORDING]:
        raise ChangedCopy(
            f"{where}: says something else of entry {seq} than the record ({changed[0]}). Somebody changed it."
        )


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}.{key}" if name else str(key))


class _Rows:
    """The rows of the record, read as the copy goes on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[int, AuditRow] = {}

    def of(self, seq: int) -> AuditRow | None:
        if seq not in self._kept:
            self._kept = {row.seq: row for row in self._store.audit_after(seq - 1, _READ_AT_ONCE)}
        return self._kept.get(seq)
