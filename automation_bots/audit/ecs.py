"""A copy of the audit rows as JSON lines with Elastic Common Schema names, for log shippers.

A thread of its own follows the store: a slow or full disk delays the copy and nothing else. Each line carries the
hashed text (`event.original`) and its SHA-256 (`event.hash`), so the chain can be checked from the copy alone.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation_bots.audit.follower import AuditSource, Follower
from automation_bots.model import one_line
from automation_bots.store.audit import START, AuditKind, AuditRow
from automation_bots.store.codec import canonical
from automation_bots.store.schema import stamp

log = logging.getLogger(__name__)

ECS_VERSION = "8.11.0"
TAIL_BYTES = 1_000_000  # the last line is nearly always in so much of the end

# kind: (event.category, event.type, event.outcome); without a kind here it is only information
_MEANING: dict[str, tuple[str, str, str]] = {
    AuditKind.STARTED: ("process", "start", "unknown"),
    AuditKind.ENDED: ("process", "end", ""),  # by what the job came to
    AuditKind.CANCELLED: ("process", "end", "success"),
    AuditKind.INTERRUPTED: ("process", "end", "unknown"),
    AuditKind.DENIED: ("api", "denied", "failure"),
    AuditKind.UNKNOWN_PERSON: ("api", "denied", "failure"),
    AuditKind.ASKED: ("api", "info", "unknown"),
    AuditKind.APPROVED: ("api", "allowed", "success"),
    AuditKind.APPROVAL_DENIED: ("api", "denied", "failure"),
    AuditKind.EXPIRED: ("api", "end", "failure"),
    AuditKind.VOIDED: ("api", "end", "failure"),
    AuditKind.WITHDRAWN: ("api", "end", "success"),
    AuditKind.SCHEDULE: ("configuration", "creation", "success"),
    AuditKind.SCHEDULE_CHANGED: ("configuration", "change", "success"),
    AuditKind.MISSED: ("process", "info", "failure"),
    AuditKind.RESTORED: ("database", "change", "success"),
    AuditKind.RELOADED: ("configuration", "change", "success"),
    AuditKind.INSTALLED: ("package", "installation", "success"),
    AuditKind.UPDATED: ("package", "change", "success"),
    AuditKind.REMOVED: ("package", "deletion", "success"),
    AuditKind.TRUSTED: ("configuration", "change", "success"),
    AuditKind.UNTRUSTED: ("configuration", "change", "success"),
    AuditKind.PEER_REFUSED: ("api", "denied", "failure"),
    AuditKind.PEER_KEY: ("configuration", "change", "success"),
    AuditKind.ERROR: ("process", "info", "failure"),
}


class EcsLog(Follower):
    """The file, its rotation (`.1` is the newest backup) and the thread that writes it."""

    def __init__(self, path: Path | str, max_bytes: int = 50_000_000, backups: int = 10) -> None:
        super().__init__()
        self._path = Path(path)
        self.copies = f"the audit copy {path}"
        self._max_bytes = max_bytes
        self._backups = max(backups, 1)
        self._last: int | None = None  # the last row in the file; None: to be looked up

    def catch_up(self, source: AuditSource) -> int:
        """Copy the rows that the file lacks and return the number of the last one in it."""
        if self._last is None:
            self._last = self._resume(source)
        while rows := source.audit_after(self._last):
            self._append_lines(map(ecs_of, rows))
        return self._last

    def forget(self) -> None:
        """Look at the file again: a line may be cut."""
        self._last = None

    def _append_lines(self, documents: Iterable[dict[str, Any]]) -> None:
        descriptor = self._open()
        try:
            size = os.fstat(descriptor).st_size
            for document in documents:
                line = (json.dumps(document, separators=(",", ":")) + "\n").encode()
                if size and size + len(line) > self._max_bytes:
                    os.close(descriptor)
                    self._rotate()
                    descriptor, size = self._open(), 0
                _write_all(descriptor, line)
                size += len(line)
                self._last = document["event"]["sequence"]
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def _rotate(self) -> None:
        for number in range(self._backups - 1, 0, -1):
            if self._backup(number).exists():
                self._backup(number).replace(self._backup(number + 1))
        self._path.replace(self._backup(1))

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _resume(self, source: AuditSource) -> int:
        """Find the last row in the file; a line that a crash cut short is taken off."""
        _cut_partial_line(self._path)
        written = _last_event(self._path) or _last_event(self._backup(1))
        if written is None:
            return 0
        seq, known = int(written["sequence"]), START
        if seq and (rows := source.audit_after(seq - 1, 1)):
            known = rows[0].hash if rows[0].seq == seq else ""
        if known == written["hash"]:
            return seq
        return self._disagree(source, seq)

    def _disagree(self, source: AuditSource, seq: int) -> int:
        """Say in log and copy that the record differs, and go on with what the copy cannot have."""
        last, known = 0, START
        while (rows := source.audit_after(last)) and last < seq:
            last, known = next(((row.seq, row.hash) for row in rows if row.seq == seq), (rows[-1].seq, rows[-1].hash))
        text = (f"the audit copy {self._path} has a row {seq} that the record has not: one of them was changed, or put"
                f" back to an older state; copying goes on after row {last}")  # fmt: skip
        log.error("%s", text)
        event = {"kind": "alert", "category": ["file"], "type": ["change"], "action": "copy differs",
                 "outcome": "failure", "sequence": last, "hash": known}  # fmt: skip
        self._append_lines([{"@timestamp": stamp(datetime.now(UTC)), "ecs": {"version": ECS_VERSION}, "message": text,
                             "event": event}])  # fmt: skip
        return last


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _cut_partial_line(path: Path) -> None:
    if not path.is_file() or _tail(path, 1) in {b"", b"\n"}:
        return
    whole = path.read_bytes()  # rare, and no longer than max_bytes: a job on many devices has a very long line
    os.truncate(path, whole.rfind(b"\n") + 1)


def _last_event(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    return _event_in(_tail(path, TAIL_BYTES)) or _event_in(path.read_bytes())


def _tail(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()


def _event_in(data: bytes) -> dict[str, Any] | None:
    for line in reversed(data.splitlines()):
        with suppress(ValueError, KeyError, TypeError):
            event: dict[str, Any] = json.loads(line)["event"]
            return event
    return None


def ecs_of(row: AuditRow) -> dict[str, Any]:
    """Write one audit row with the names of the Elastic Common Schema."""
    category, event_type, outcome = _MEANING.get(row.kind, ("process", "info", ""))
    event = {"kind": "event", "category": [category], "type": [event_type], "action": row.kind, "sequence": row.seq,
             "outcome": outcome or _outcome(row), "hash": row.hash, "original": row.original}  # fmt: skip
    if row.body.get("reason"):
        event["reason"] = one_line(str(row.body["reason"]), 500)
    document = {
        "@timestamp": stamp(row.at), "ecs": {"version": ECS_VERSION}, "message": _message(row), "event": event,
        "labels": dict(_labels(row)),
    }  # fmt: skip
    if row.person or row.caller:
        user = {"name": row.person, "id": f"{row.network}:{row.caller}" if row.caller else ""}
        document["user"] = {name: value for name, value in user.items() if value}
    if hosts := row.body.get("devices"):
        document["related"] = {"hosts": list(hosts)}
    return document


def _outcome(row: AuditRow) -> str:
    state = row.body.get("state")
    if state is None:
        return "unknown"
    return "success" if state == "done" else "failure"


def _labels(row: AuditRow) -> Iterator[tuple[str, str]]:
    """Labels are flat words; what is nested stays in event.original, where it cannot blow up a search index."""
    values = {"job": row.job, "operation": row.operation, "network": row.network, "place": row.place}
    yield from ((name, str(value)) for name, value in values.items() if value)
    for name in ("risk", "state", "digest", "pattern"):
        if row.body.get(name):
            yield name, one_line(str(row.body[name]))
    if row.body.get("parameters"):
        yield "parameters", one_line(canonical(row.body["parameters"]), 1000)


def _message(row: AuditRow) -> str:
    parts = [f"#{row.job}" if row.job else "", row.operation, row.kind]
    if row.devices:
        parts.append(f"on {row.devices} device{'' if row.devices == 1 else 's'}")
    if row.person:
        parts.append(f"by {row.person}")
    if row.body.get("error"):
        parts.append(f"({row.body['error']})")
    return one_line(" ".join(part for part in parts if part), 500)
