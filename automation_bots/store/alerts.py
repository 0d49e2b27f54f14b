"""Alerts: one row a life, what people did about it, and what of it a room has not seen yet."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, or_, select, update

from automation_bots.model import Alert, Phase, ReportedEvent, Severity
from automation_bots.store import alert_life, audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical
from automation_bots.store.database import Database
from automation_bots.store.schema import alerts

_KEPT = ("kind", "what", "severity", "about", "text", "fields", "reports", "acknowledged", "comment", "muted_why",
         "shown",
         "revision", "told")  # fmt: skip
_TIMES = ("heard", "closed", "muted")
_AT_ONCE = 500  # fingerprints in one question
_SAVE = update(alerts).where(alerts.c.number == bindparam("b_number"))

Key = tuple[str, str]  # source, fingerprint


class AlertStore:
    """The alerts; what events make of them is written by the events' own store, in the same transaction."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def find(self, number: int) -> Alert | None:
        """Return one."""
        with self._database.read() as connection:
            row = connection.execute(select(alerts).where(alerts.c.number == number)).one_or_none()
        return _of(row) if row else None

    def firing(self, limit: int = 10_000) -> list[Alert]:
        """Return those that go on, the newest first."""
        found = select(alerts).where(alerts.c.ended.is_(None)).order_by(alerts.c.number.desc()).limit(limit)
        return self._read(found)

    def latest(self, limit: int, device: str = "") -> list[Alert]:
        """Return the newest, first; of one device where one is named."""
        mine = [alerts.c.device == device] if device else []
        return self._read(select(alerts).where(*mine).order_by(alerts.c.number.desc()).limit(limit))

    def untold(self, limit: int) -> list[Alert]:
        """Return those whose message does not show what is known, the oldest first."""
        return self._read(select(alerts).where(alerts.c.untold.is_(True)).order_by(alerts.c.number).limit(limit))

    def folded(self, fold: int) -> list[Alert]:
        """Return all that share a message."""
        return self._read(select(alerts).where(alerts.c.fold == fold).order_by(alerts.c.number))

    def _read(self, question: Any) -> list[Alert]:
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(question)]

    def told(self, shown: Iterable[Alert]) -> None:
        """Keep what messages show, `message`, `fold`, `told` and `shown` of each; what came meanwhile stays untold."""
        every = {one.number: one for one in shown}
        numbers = sorted(every)
        for start in range(0, len(numbers), _AT_ONCE):
            with self._database.write() as connection:
                some = select(alerts).where(alerts.c.number.in_(numbers[start : start + _AT_ONCE]))
                found = [_shown(_of(row), every[row.number]) for row in connection.execute(some)]
                if found:
                    connection.execute(_SAVE, [{"b_number": one.number, **_row(one)} for one in found])

    def change(self, number: int, then: Callable[[Alert], Alert], by: Subject, facts: Mapping[str, Any]) -> Alert:
        """Let a person change one: acknowledged, muted. Returns it as it is then; LookupError: it is forgotten."""
        now = self._clock()
        with self._database.write() as connection:
            row = connection.execute(select(alerts).where(alerts.c.number == number)).one_or_none()
            if row is None:
                raise LookupError(number)
            seen = _of(row)
            changed = replace(then(seen), revision=seen.revision + 1)
            connection.execute(update(alerts).where(alerts.c.number == number).values(**_row(changed)))
            audit.append(connection, now, AuditKind.ALERT_CHANGED, by, {"alert": number, **facts})
        return changed

    def counts(self) -> dict[str, int]:
        """Return how many go on, by severity."""
        found: dict[str, int] = dict.fromkeys(Severity, 0)
        for one in self.firing():
            found[one.severity] += 1
        return found


def heard(connection: Connection, reported: Sequence[ReportedEvent]) -> list[tuple[ReportedEvent, int | None]]:
    """Put reports into the lives that they are of; returns those that are news, with the alert's number."""
    lives = _Lives(connection, reported)
    taken = [(event, lives.take(event)) for event in reported]
    lives.save()
    return [(event, key and lives.number(key)) for event, (key, news) in taken if news]


class _Lives:
    """The lives that some reports are of, as they are in the record and as they become."""

    def __init__(self, connection: Connection, reported: Sequence[ReportedEvent]) -> None:
        self._connection = connection
        self._alerts: dict[Key, dict[datetime, Alert]] = defaultdict(dict)
        self._before: dict[int, Alert] = {}
        wanted: dict[str, list[ReportedEvent]] = defaultdict(list)
        for event in reported:
            if event.fingerprint:
                wanted[event.source].append(event)
        for source, of_source in wanted.items():
            for start in range(0, len(of_source), _AT_ONCE):
                self._load(source, of_source[start : start + _AT_ONCE])

    def _load(self, source: str, reported: Sequence[ReportedEvent]) -> None:
        """Read the lives that are named by their begin, and the latest of each fingerprint."""
        prints = sorted({event.fingerprint for event in reported})
        starts = sorted({event.started for event in reported if event.started})
        mine = (alerts.c.source == source, alerts.c.fingerprint.in_(prints))
        latest = select(func.max(alerts.c.started)).where(*mine).group_by(alerts.c.fingerprint)
        for row in self._connection.execute(
            select(alerts).where(*mine, or_(alerts.c.started.in_(starts), alerts.c.started.in_(latest)))
        ):
            alert = _of(row)
            self._alerts[source, alert.fingerprint][alert.started] = self._before[alert.number] = alert

    def take(self, event: ReportedEvent) -> tuple[tuple[Key, datetime] | None, bool]:
        """Return the life that an event is of, and whether it is news."""
        if not event.fingerprint or event.phase is Phase.SINGLE:
            return None, True
        lives = self._alerts[event.source, event.fingerprint]
        if not lives and event.started is None and event.phase is not Phase.FIRING:
            return None, False  # the end of something that nobody has heard of
        started = self._meant(lives, event)
        if started not in lives:
            lives[started] = replace(alert_life.begun(event), started=started)
            news = True
        else:
            lives[started], news = alert_life.grown(lives[started], event)
        for old in alert_life.settled(lives.values()):
            lives[old.started] = old
        late = event.phase is Phase.FIRING and not lives[started].firing
        return ((event.source, event.fingerprint), started), news and not late

    def _meant(self, lives: Mapping[datetime, Alert], event: ReportedEvent) -> datetime:
        """Which life is meant: the one that began then, or the last one where the sender does not say when."""
        if not lives or event.started in lives:
            return event.started or event.at
        latest = lives[max(lives)]
        if event.started is not None:
            return latest.started if latest.firing and alert_life.moved(latest, event) else event.started
        over = not latest.firing and event.phase is Phase.FIRING and latest.closed and event.at > latest.closed
        return event.at if over and not alert_life.flaps(latest, event) else latest.started

    def save(self) -> None:
        """Write what is new or other."""
        found = [alert for lives in self._alerts.values() for alert in lives.values()]
        if new := [alert for alert in found if not alert.number]:
            made = self._connection.execute(
                insert(alerts).returning(alerts.c.number, sort_by_parameter_order=True), [_row(one) for one in new]
            )
            for one, number in zip(new, made.scalars().all(), strict=True):
                self._alerts[one.source, one.fingerprint][one.started] = replace(one, number=number)
        changed = [one for one in found if one.number and self._before[one.number] != one]
        if changed:
            self._connection.execute(_SAVE, [{"b_number": one.number, **_row(one)} for one in changed])

    def number(self, key: tuple[Key, datetime]) -> int:
        """Return the number that a life has after `save`."""
        return self._alerts[key[0]][key[1]].number


def _shown(alert: Alert, as_shown: Alert) -> Alert:
    """What is known now, and what the message shows of it."""
    message, fold = as_shown.message, as_shown.fold
    return replace(alert, message=message, fold=fold, told=as_shown.told, shown=as_shown.shown)


def _row(alert: Alert) -> dict[str, Any]:
    body = {name: getattr(alert, name) for name in (*_KEPT, *_TIMES)}
    return {
        "source": alert.source, "fingerprint": alert.fingerprint, "started": alert.started, "ended": alert.ended,
        "device": alert.device, "last": alert.last, "fold": alert.fold, "untold": alert.told < alert.revision,
        "message": alert.message, "body": canonical(body),
    }  # fmt: skip


def _of(row: Row[Any]) -> Alert:
    body = json.loads(row.body)
    times = {name: datetime.fromisoformat(body[name]) if body[name] else None for name in _TIMES}
    kept = {**{name: body[name] for name in _KEPT if name in body}, "severity": Severity(body["severity"]), **times}
    return Alert(
        number=row.number, source=row.source, fingerprint=row.fingerprint, started=row.started, ended=row.ended,
        device=row.device, last=row.last, fold=row.fold, message=row.message, **kept,
    )  # fmt: skip
