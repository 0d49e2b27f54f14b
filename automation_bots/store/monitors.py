"""Monitors: what they look at, what they told, and what they saw, in a few bytes a look."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from automation_bots.model import NOTHING, Caller, Monitor, MonitorEvent, MonitorTarget, Place
from automation_bots.store import audit, looks, outcomes
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.bulk import put
from automation_bots.store.codec import canonical, frozen
from automation_bots.store.database import Database
from automation_bots.store.schema import monitor_events as events
from automation_bots.store.schema import monitor_history as history
from automation_bots.store.schema import monitor_targets as targets
from automation_bots.store.schema import monitors

KEPT_DAYS = 365  # that an ended monitor can be looked at
_KEPT = ("kind", "title", "operation", "parameters", "pattern", "devices", "interval", "condition", "muted_why", "why")
_TIMES = ("until", "muted", "made")
_PART_OF = "of"
_AT_ONCE = 1_000  # rows in one transaction, so that no writer waits long
_OF = (history.c.target == bindparam("b_target"), history.c.level == bindparam("b_level"))
_DROP = delete(history).where(*_OF, history.c.at == bindparam("b_at"))
_BEFORE = delete(history).where(*_OF, history.c.at < bindparam("b_at"))
_SAVE = update(targets).where(targets.c.id == bindparam("b_id")).values(body=bindparam("b_body"))

Chunk = tuple[int, int, bytes]  # target, seconds since the epoch, packed


class MonitorStore:
    """The monitors and all that belongs to them."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    # -- monitors

    def add(self, monitor: Monitor, wanted: Sequence[MonitorTarget]) -> tuple[Monitor, list[MonitorTarget]]:
        """Keep a new one with what it looks at; returns both with their numbers."""
        now = self._clock()
        with self._database.write() as connection:
            made = replace(monitor, made=now, ended=None)
            number = connection.scalar(insert(monitors).returning(monitors.c.number), _row(made)) or 0
            made = replace(made, number=number)
            rows = [(number, one.name, one.device, canonical(one.facts)) for one in wanted]
            put(connection, targets, ("monitor", "name", "device", "body"), rows)
            body = {"monitor": number, "title": made.title, "interval": made.interval, "until": made.until,
                    "targets": len(wanted)}  # fmt: skip
            audit.append(connection, now, AuditKind.MONITOR, subject(made), body)
            return made, _targets(connection, number)

    def running(self) -> list[Monitor]:
        """Return those that go on, the oldest first."""
        with self._database.read() as connection:
            found = select(monitors).where(monitors.c.ended.is_(None)).order_by(monitors.c.number)
            return [_of(row) for row in connection.execute(found)]

    def find(self, number: int) -> Monitor | None:
        """Return one, also one that has ended."""
        with self._database.read() as connection:
            row = connection.execute(select(monitors).where(monitors.c.number == number)).one_or_none()
        return _of(row) if row else None

    def targets(self, number: int) -> list[MonitorTarget]:
        """Return what a monitor looks at, as it was given."""
        with self._database.read() as connection:
            return [one for one in _targets(connection, number) if _PART_OF not in one.facts]

    def parts(self, number: int) -> list[MonitorTarget]:
        """Return the parts of targets that have a history of their own; `of` in their facts is the target."""
        with self._database.read() as connection:
            return [one for one in _targets(connection, number) if _PART_OF in one.facts]

    def add_parts(self, number: int, of: MonitorTarget, names: Sequence[str], unit: str) -> list[MonitorTarget]:
        """Give parts of a target, such as its interfaces, a history of their own."""
        body = canonical({_PART_OF: of.id, "unit": unit})
        with self._database.write() as connection:
            put(
                connection,
                targets,
                ("monitor", "name", "device", "body"),
                [(number, name, of.device, body) for name in names],
            )
            return [one for one in _targets(connection, number) if one.facts.get(_PART_OF) == of.id]

    def set_message(self, number: int, message: str) -> None:
        """Keep which chat message shows it."""
        with self._database.write() as connection:
            connection.execute(update(monitors).where(monitors.c.number == number).values(message=message))

    def change(
        self, monitor: Monitor, by: Subject, facts: Mapping[str, Any], changed: Iterable[MonitorTarget] = ()
    ) -> None:
        """Put a changed value in its place: muted, acknowledged."""
        now = self._clock()
        with self._database.write() as connection:
            values = {name: value for name, value in _row(monitor).items() if name in {"body", "person"}}
            connection.execute(update(monitors).where(monitors.c.number == monitor.number).values(**values))
            _save(connection, changed)
            audit.append(connection, now, AuditKind.MONITOR_CHANGED, by, {"monitor": monitor.number, **facts})

    def end(self, monitor: Monitor, why: str, by: Subject | None = None, facts: Mapping[str, Any] = NOTHING) -> bool:
        """End one; False when it has ended already."""
        now = self._clock()
        with self._database.write() as connection:
            alive = update(monitors).where(monitors.c.number == monitor.number, monitors.c.ended.is_(None))
            body = _row(replace(monitor, why=why))["body"]
            if connection.execute(alive.values(ended=now, body=body)).rowcount != 1:
                return False
            told = {"monitor": monitor.number, "reason": why, **facts}
            audit.append(connection, now, AuditKind.MONITOR_ENDED, by or subject(monitor), told)
        return True

    # -- what became of targets

    def save(self, changed: Iterable[MonitorTarget]) -> None:
        """Write down how targets are."""
        rows = list(changed)
        for some in _some(rows):
            with self._database.write() as connection:
                _save(connection, some)

    def tell(
        self, monitor: Monitor, told: Sequence[MonitorEvent], facts: Mapping[str, Any], look: int | None = None
    ) -> None:
        """Write down what was told, and an audit row for all of it; `look`: the job of the read that saw it."""
        now = self._clock()
        with self._database.write() as connection:
            rows = [
                {"monitor": one.monitor, "target": one.target, "at": one.at, "state": one.state, "text": one.text}
                for one in told
            ]
            if rows:
                connection.execute(insert(events), rows)
            body = {"monitor": monitor.number, **facts}
            if look is not None:
                body |= {"look": look, "output_sha256": outcomes.output_digest(connection, look)}
            audit.append(connection, now, AuditKind.MONITOR_SAW, replace(subject(monitor), named=False), body)

    def events(self, number: int, limit: int, target: str = "") -> list[MonitorEvent]:
        """Return what was told last, the newest first."""
        mine = [events.c.monitor == number, *([events.c.target == target] if target else [])]
        with self._database.read() as connection:
            found = connection.execute(select(events).where(*mine).order_by(events.c.id.desc()).limit(limit))
            return [MonitorEvent(row.monitor, row.target, row.at, row.state, row.text) for row in found]

    # -- what was seen

    def keep(self, level: int, chunks: Sequence[Chunk]) -> None:
        """Write packed looks; a chunk that is there is replaced."""
        for some in _some(chunks):
            with self._database.write() as connection:
                keys = [{"b_target": target, "b_level": level, "b_at": at} for target, at, _ in some]
                connection.execute(_DROP, keys)
                rows = [(target, level, at, data) for target, at, data in some]
                put(connection, history, ("target", "level", "at", "data"), rows)

    def seen(self, target: int, level: int, since: int, until: int) -> list[tuple[int, bytes]]:
        """Return the chunks that begin within a time, the oldest first."""
        within = (history.c.target == target, history.c.level == level, history.c.at >= since, history.c.at < until)
        with self._database.read() as connection:
            found = connection.execute(select(history.c.at, history.c.data).where(*within).order_by(history.c.at))
            return [(row.at, bytes(row.data)) for row in found]

    def seen_of(self, wanted: Collection[int], level: int, since: int) -> Iterator[tuple[int, int, bytes]]:
        """Give the chunks of many targets since then: target, beginning, packed; the oldest first."""
        for some in _some(list(wanted)):
            mine = (history.c.target.in_(some), history.c.level == level, history.c.at >= since)
            with self._database.read() as connection:
                columns = select(history.c.target, history.c.at, history.c.data)
                found = connection.execute(columns.where(*mine).order_by(history.c.target, history.c.at)).all()
            yield from ((row.target, row.at, bytes(row.data)) for row in found)

    def forget_seen(self, wanted: Collection[int], level: int, before: int) -> None:
        """Forget what these targets' chunks of a level held before then."""
        rows = [{"b_target": target, "b_level": level, "b_at": before} for target in wanted]
        for some in _some(rows):
            with self._database.write() as connection:
                connection.execute(_BEFORE, some)

    def all_targets(self) -> list[int]:
        """Return every target of which something may be kept."""
        with self._database.read() as connection:
            return list(connection.scalars(select(targets.c.id).order_by(targets.c.id)))

    def forget_look(self, job: int) -> bool:
        """Forget what a read brought that was as the one before."""
        with self._database.write() as connection:
            return looks.forget_details(connection, job)

    def sum_up_looks(self) -> int:
        """Take out the jobs of looks that were as before and are a day old; a row of the audit says how many."""
        gone = 0
        while True:
            now = self._clock()
            with self._database.write() as connection:
                some = looks.forget_jobs(connection, now)
                for number, jobs in some.items():
                    row = connection.execute(select(monitors).where(monitors.c.number == number)).one_or_none()
                    about = replace(subject(_of(row)), named=False) if row else Subject()
                    body = {"monitor": number, "as_before": len(jobs), "first": jobs[0], "last": jobs[-1]}
                    audit.append(connection, now, AuditKind.MONITOR_SAW, about, body)
            if not some:
                return gone
            gone += sum(map(len, some.values()))

    def forget_ended(self) -> int:
        """Forget monitors that ended long ago, with all that belongs to them; returns how many."""
        before = self._clock() - timedelta(days=KEPT_DAYS)
        with self._database.read() as connection:
            old = list(connection.scalars(select(monitors.c.number).where(monitors.c.ended < before)))
        for number in old:
            with self._database.write() as connection:
                theirs = select(targets.c.id).where(targets.c.monitor == number)
                connection.execute(delete(history).where(history.c.target.in_(theirs)))
                connection.execute(delete(targets).where(targets.c.monitor == number))
                connection.execute(delete(events).where(events.c.monitor == number))
                connection.execute(delete(monitors).where(monitors.c.number == number))
        return len(old)


def subject(monitor: Monitor) -> Subject:
    """Whom and what an audit row of a monitor is about."""
    return Subject(monitor.person, monitor.caller, monitor.place, monitor.operation, monitor.devices).brief()


def _some(rows: Sequence[Any]) -> Iterable[list[Any]]:
    return (list(rows[start : start + _AT_ONCE]) for start in range(0, len(rows), _AT_ONCE))


def _save(connection: Connection, changed: Iterable[MonitorTarget]) -> None:
    rows = [{"b_id": one.id, "b_body": canonical(one.facts)} for one in changed]
    if rows:
        connection.execute(_SAVE, rows)


def _targets(connection: Connection, number: int) -> list[MonitorTarget]:
    found = connection.execute(select(targets).where(targets.c.monitor == number).order_by(targets.c.id))
    return [MonitorTarget(row.id, row.monitor, row.name, row.device, json.loads(row.body)) for row in found]


def _row(monitor: Monitor) -> dict[str, Any]:
    body = {name: getattr(monitor, name) for name in (*_KEPT, *_TIMES)}
    body |= {"caller": asdict(monitor.caller), "place": asdict(monitor.place)}
    return {
        "person": monitor.person,
        "ended": monitor.ended,
        "message": monitor.message,
        "body": canonical(body),
    }


def _of(row: Row[Any]) -> Monitor:
    body = json.loads(row.body)
    times = {name: datetime.fromisoformat(body[name]) if body[name] else None for name in _TIMES}
    kept = {name: frozen(body[name]) for name in _KEPT}
    return Monitor(
        row.number, row.person, Caller(**body["caller"]), Place(**body["place"]), ended=row.ended, message=row.message,
        **{**kept, **times},
    )  # fmt: skip
