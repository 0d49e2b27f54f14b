"""Events in the record: stored all or none, followed at least once, forgotten by count and age."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from automation_bots.model import Finding, Phase, ReportedEvent, Severity, StoredEvent
from automation_bots.redaction.mark import MARK
from automation_bots.secrets.references import names_a_secret
from automation_bots.store import alerts as lives
from automation_bots.store.bulk import put
from automation_bots.store.codec import canonical, frozen
from automation_bots.store.database import Database
from automation_bots.store.redaction import cleared
from automation_bots.store.schema import alerts, event_findings, event_marks, events, storable

_KEPT = ("kind", "what", "phase", "severity", "about", "text", "fingerprint", "started", "ended", "fields", "origin",
         "by", "done", "note", "until")  # fmt: skip
_STRANGE = ("what", "about", "text", "by", "note")  # texts that may hold a secret
_AT_ONCE = 1_000  # rows in one transaction, so that no writer waits long


class EventStore:
    """What happened elsewhere, who looked at it, and what they said."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def take(self, reported: Sequence[ReportedEvent]) -> int:
        """Keep all of them with what they make of alerts, or nothing; returns how many were news."""
        strange = self._database.cleared([_strange(event) for event in reported])
        known = [storable(event.fingerprint) for event in reported]  # it is looked for by what was stored
        clear = [
            replace(event, fingerprint=by, **texts) for event, by, texts in zip(reported, known, strange, strict=True)
        ]
        with self._database.write() as connection:
            news = lives.heard(connection, clear)
            rows = [(event.at, event.source, event.device, alert, _body(event)) for event, alert in news]
            if rows:
                names = ("at", "source", "device", "alert", "body")
                connection.execute(insert(events), [dict(zip(names, row, strict=True)) for row in rows])
        return len(news)

    # -- followed

    def follow(self, follower: str) -> int:
        """Return how far somebody has come; one who is new begins behind the last event."""
        with self._database.write() as connection:
            mark = connection.scalar(select(event_marks.c.number).where(event_marks.c.follower == follower))
            if mark is None:
                mark = connection.scalar(select(func.max(events.c.number))) or 0
                connection.execute(insert(event_marks).values(follower=follower, number=mark))
        return mark

    def followed(self, follower: str, number: int, said: Iterable[Finding] = ()) -> None:
        """Keep how far somebody has come, and what they said; said again of the same event, the last one counts."""
        rows = {(one.event, one.by): one.said for one in said}
        with self._database.write() as connection:
            for event, by in rows:
                mine = (event_findings.c.event == event, event_findings.c.by == by)
                connection.execute(delete(event_findings).where(*mine))
            told = [(event, by, cleared(connection, text)) for (event, by), text in rows.items()]
            put(connection, event_findings, ("event", "by", "said"), told)
            mark = update(event_marks).where(event_marks.c.follower == follower)
            connection.execute(mark.values(number=number))

    def after(self, number: int, limit: int) -> list[StoredEvent]:
        """Return the events behind one, the oldest first."""
        found = select(events).where(events.c.number > number).order_by(events.c.number).limit(limit)
        return self._read(found)

    # -- looked at

    def find(self, number: int) -> StoredEvent | None:
        """Return one."""
        return next(iter(self._read(select(events).where(events.c.number == number))), None)

    def findings(self, number: int) -> list[Finding]:
        """Return what was said of one."""
        with self._database.read() as connection:
            mine = select(event_findings).where(event_findings.c.event == number).order_by(event_findings.c.by)
            return [Finding(row.event, row.by, row.said) for row in connection.execute(mine)]

    def latest(self, limit: int, *, device: str = "", alert: int | None = None, before: int = 0) -> list[StoredEvent]:
        """Return the newest, first: of a device, of an alert, before a number."""
        conditions = [events.c.device == device] if device else []
        if alert is not None:
            conditions.append(events.c.alert == alert)
        if before:
            conditions.append(events.c.number < before)
        return self._read(select(events).where(*conditions).order_by(events.c.number.desc()).limit(limit))

    def last(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(func.max(events.c.number))) or 0

    def _read(self, question: Any) -> list[StoredEvent]:
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(question)]

    # -- forgotten

    def forget(self, days: int, count: int) -> int:
        """Forget old events and alerts that are over, in small steps; what nobody has followed yet stays."""
        before = self._clock() - timedelta(days=days)
        with self._database.read() as connection:
            followed = connection.scalar(select(func.min(event_marks.c.number)))
            aged = connection.scalar(select(func.max(events.c.number)).where(events.c.at < before)) or 0
            last = connection.scalar(select(func.max(events.c.number))) or 0
        until, gone = max(aged, last - count), 0
        if followed is not None:
            until = min(until, followed)
        while some := self._forget_until(until):
            gone += some
        while self._forget_alerts(before):
            pass
        return gone

    def _forget_until(self, number: int) -> int:
        with self._database.write() as connection:
            old = select(events.c.number).where(events.c.number <= number).order_by(events.c.number).limit(_AT_ONCE)
            numbers = list(connection.scalars(old))
            if numbers:
                most = numbers[-1]
                connection.execute(delete(event_findings).where(event_findings.c.event <= most))
                connection.execute(delete(events).where(events.c.number <= most))
        return len(numbers)

    def _forget_alerts(self, before: datetime) -> int:
        with self._database.write() as connection:
            old = select(alerts.c.number).where(alerts.c.ended < before, alerts.c.last < before).limit(_AT_ONCE)
            numbers = list(connection.scalars(old))
            connection.execute(delete(alerts).where(alerts.c.number.in_(numbers)))
        return len(numbers)


def _strange(event: ReportedEvent) -> dict[str, Any]:
    """What strangers wrote, in which a secret may stand; what an alert is known by stays."""
    texts = {name: getattr(event, name) for name in _STRANGE if getattr(event, name)}
    return {**texts, "fields": {key: MARK if names_a_secret(key) else text for key, text in event.fields.items()}}


def _body(event: ReportedEvent) -> str:
    return canonical({name: value for name in _KEPT if (value := getattr(event, name))})


def _of(row: Row[Any]) -> StoredEvent:
    body = frozen(json.loads(row.body))
    times = {name: datetime.fromisoformat(body[name]) for name in ("started", "ended", "until") if name in body}
    words = {"phase": Phase(body["phase"]), "severity": Severity(body["severity"])}
    event = ReportedEvent(source=row.source, at=row.at, device=row.device, **{**body, **times, **words})
    return StoredEvent(row.number, event, row.alert)
