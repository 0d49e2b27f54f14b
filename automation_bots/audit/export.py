"""The record for an auditor: readable columns as CSV that no spreadsheet runs, or JSON with the hashed texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from automation_bots.errors import BadCommand
from automation_bots.model import Status, one_line
from automation_bots.store.audit import AuditRow
from automation_bots.store.codec import canonical
from automation_bots.store.schema import stamp
from automation_bots.text import csv_file
from automation_bots.text.times import dated

COLUMNS = ("number", "time (UTC)", "what", "person", "network", "id", "place", "job", "operation", "parameters",
           "devices", "device names", "rules", "reason", "note", "result", *(status.value for status in Status),
           "output SHA-256", "more", "hash")  # fmt: skip
_SHOWN = ("devices", "parameters", "rules", "reason", "error", "note", "state", "counts", "outcomes", "output_sha256")


def period(words: Iterable[str], now: datetime) -> tuple[datetime, datetime]:
    """Read `from 2026-11-01 to 2026-11-30`, days of UTC, both included; times may follow a T."""
    said = list(words)
    if len(said) not in {2, 4} or said[0].lower() != "from" or (len(said) == 4 and said[2].lower() != "to"):
        raise BadCommand("Write the period as  from 2026-11-01 to 2026-11-30  (days in UTC, both included).")
    since = _moment(said[1], end=False)
    until = _moment(said[3], end=True) if len(said) == 4 else now + timedelta(seconds=1)
    if until <= since:
        raise BadCommand(f"The period ends before it begins: {one_line(' '.join(said), 60)}")
    return since, until


def _moment(text: str, *, end: bool) -> datetime:
    try:
        moment = dated(text, "UTC")
    except ValueError:  # of that form, and no day of any calendar
        moment = None
    if moment is None:
        raise BadCommand(f"{one_line(text, 40)!r} is no day; write 2026-11-30 or 2026-11-30T14:00")
    return moment + timedelta(days=1) if end and ":" not in text else moment


def as_csv(rows: Iterable[AuditRow]) -> str:
    """Write rows as CSV with a heading."""
    return csv_file.text(COLUMNS, map(_columns, rows))


def as_json(rows: Iterable[AuditRow]) -> str:
    """Write rows as a JSON list; `original` is the text whose SHA-256 is `hash`."""
    return "[\n" + ",\n".join(json.dumps(_document(row), ensure_ascii=False) for row in rows) + "\n]\n"


def _document(row: AuditRow) -> dict[str, Any]:
    return {"number": row.seq, "time": stamp(row.at), "what": str(row.kind), "person": row.person,
            "network": row.network, "id": row.caller, "place": row.place, "job": row.job, "operation": row.operation,
            "devices": row.devices, "details": row.body, "hash": row.hash, "previous": row.prev,
            "original": row.original}  # fmt: skip


def _columns(row: AuditRow) -> tuple[object, ...]:
    body = row.body
    more = {name: value for name, value in body.items() if name not in _SHOWN and value not in ("", None, [], {})}
    reason = ". ".join(str(body[name]) for name in ("reason", "error") if body.get(name))
    return (
        row.seq, stamp(row.at), str(row.kind), row.person, row.network, row.caller, row.place, row.job or "",
        row.operation, _pairs(body.get("parameters")), row.devices or "", _listed(body.get("devices")),
        _listed(body.get("rules")), reason, body.get("note") or "", _result(body), *_outcomes(body.get("outcomes")),
        body.get("output_sha256") or "", canonical(more) if more else "", row.hash,
    )  # fmt: skip


def _outcomes(found: Any) -> list[str]:
    """The devices by what came of them: a column for each."""
    each = found if isinstance(found, Mapping) else {}
    return [_listed(sorted(name or "-" for name, what in each.items() if what == status)) for status in Status]


def _result(body: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {status}" for status, number in (body.get("counts") or {}).items())
    return ": ".join(part for part in (str(body.get("state") or ""), counts) if part)


def _listed(values: Any) -> str:
    return ", ".join(map(str, values or ()))


def _pairs(values: Any) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items()) if isinstance(values, Mapping) else ""
