"""What the bot keeps about people beside policy.yml: links, one-time codes, enrolments, proofs. Each with its audit."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, update

from automation_bots.model import Caller
from automation_bots.policy.accounts import AccountChange
from automation_bots.policy.people import IdentityLink
from automation_bots.store import audit, schema
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.schema import enrolments, invitations, learnt, links, proofs, stamp


class Transactions(Protocol):
    """The database."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a consistent view."""

    def write(self) -> AbstractContextManager[Connection]:
        """Give the writer's connection."""


_AND = ", "  # between names of people, which have no comma


@dataclass(frozen=True, slots=True)
class Kept:
    """A person's enrolment."""

    sealed: bytes
    confirmed: bool
    locked_until: datetime | None


class PeopleStore:
    """Every change is one transaction with its audit row."""

    def __init__(self, database: Transactions, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    # -- links

    def links(self) -> tuple[IdentityLink, ...]:
        """Return all links, in the order in which they were made."""
        with self._database.read() as connection:
            rows = connection.execute(select(links).order_by(links.c.at, links.c.network, links.c.id)).mappings()
            return tuple(_linked(row) for row in rows)

    def link(self, link: IdentityLink, about: Subject) -> str:
        """Link an id to a person; returns whose it was already, and changes nothing then."""
        now = self._clock()
        with self._database.write() as connection:
            if holder := _holder(connection, link.network, link.id):
                return holder
            _link(connection, link, about, now)
        return ""

    def unlink(self, network: str, id_: str, about: Subject) -> bool:
        """Take a link away, and the proofs of that id."""
        now = self._clock()
        with self._database.write() as connection:
            person = _holder(connection, network, id_)
            if person:
                _remove(connection, links, network=network, id=id_)
                _remove(connection, proofs, network=network, id=id_)
                body = {"of": person, "network": network, "id": id_}
                audit.append(connection, now, AuditKind.UNLINKED, about, body)
        return bool(person)

    def invite(self, code_hash: str, person: str, expires: datetime, about: Subject, by: Sequence[str] = ()) -> None:
        """Keep a one-time code, by its hash; an earlier one of the same person ends. Behind it are one admin or two."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(delete(invitations).where(invitations.c.person == person))
            row = {"code": code_hash, "person": person, "expires": expires}
            connection.execute(insert(invitations), row)
            body = {"of": person, "until": stamp(expires), "by": list(by or (about.person,))}
            audit.append(connection, now, AuditKind.INVITED, about, body)

    def redeem(self, code_hash: str, about: Subject, caller: Caller) -> str:
        """Use a code up: the caller's id is linked to its person, who is returned; nothing when it is not good."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(delete(invitations).where(invitations.c.expires <= now))
            row = connection.execute(select(invitations).where(invitations.c.code == code_hash)).mappings().first()
            if row is None or _holder(connection, caller.network, caller.id):
                audit.append(connection, now, AuditKind.CODE_REFUSED, about)
                return ""
            connection.execute(delete(invitations).where(invitations.c.code == code_hash))
            by = _inviters(connection, row["person"])
            _link(connection, IdentityLink(caller.network, caller.id, row["person"], by), about, now)
            return str(row["person"])

    def refused_since(self, since: datetime, caller: Caller | None = None) -> int:
        """Count the wrong one-time codes: of one caller, or of everybody."""
        table = schema.audit
        condition = [table.c.kind == AuditKind.CODE_REFUSED.value, table.c.at >= stamp(since)]
        if caller is not None:
            condition += [table.c.network == caller.network, table.c.caller == caller.id]
        with self._database.read() as connection:
            return connection.scalar(select(func.count()).select_from(table).where(*condition)) or 0

    # -- enrolments and proofs

    def enrolment(self, person: str) -> Kept | None:
        """Return a person's enrolment."""
        with self._database.read() as connection:
            row = _enrolment(connection, person)
        return Kept(row["sealed"], row["confirmed"], row["locked_until"]) if row else None

    def enrol(self, sealed: bytes, about: Subject) -> bool:
        """Begin an enrolment; False when there is a confirmed one. A lock on wrong codes stays."""
        now, of_person = self._clock(), enrolments.c.person == about.person
        fresh: dict[str, Any] = {"sealed": sealed, "step": 0, "at": now}
        with self._database.write() as connection:
            known = _enrolment(connection, about.person)
            if known and known["confirmed"]:
                return False
            if known:
                connection.execute(update(enrolments).where(of_person).values(fresh))
            else:
                row = {**fresh, "person": about.person, "confirmed": False, "failures": 0, "locked_until": None}
                connection.execute(insert(enrolments), row)
            audit.append(connection, now, AuditKind.ENROLMENT, about, {"state": "begun"})
        return True

    def use_step(self, step: int, about: Subject, *, counts: bool) -> bool:
        """Use a code's step up and note the proof; False when that step, or a later one, was used before."""
        now, caller = self._clock(), about.caller
        with self._database.write() as connection:
            known = _enrolment(connection, about.person)
            statement = update(enrolments).where(enrolments.c.person == about.person, enrolments.c.step < step)
            values: dict[str, Any] = {"step": step, "failures": 0}
            if counts:
                values["confirmed"] = True
            if known is None or not connection.execute(statement.values(values)).rowcount:
                audit.append(connection, now, AuditKind.PROOF_REFUSED, about, {"reason": "code used before"})
                return False
            if not counts or caller is None:
                audit.append(connection, now, AuditKind.PROOF_REFUSED, about, {"reason": "typed in a room"})
                return True
            if not known["confirmed"]:
                audit.append(connection, now, AuditKind.ENROLMENT, about, {"state": "confirmed"})
            _remove(connection, proofs, network=caller.network, id=caller.id)
            row = {"network": caller.network, "id": caller.id, "person": about.person, "at": now}
            connection.execute(insert(proofs), row)
            audit.append(connection, now, AuditKind.PROVED, about)
        return True

    def wrong_code(self, about: Subject, allowed: int, locked_until: datetime) -> bool:
        """Count a wrong code; with `allowed` of them in a row the person is locked, which is returned."""
        now, of_person = self._clock(), enrolments.c.person == about.person
        with self._database.write() as connection:
            known = _enrolment(connection, about.person)
            failures = (known["failures"] if known else 0) + 1
            locked = failures >= allowed
            values = {"failures": 0, "locked_until": locked_until} if locked else {"failures": failures}
            connection.execute(update(enrolments).where(of_person).values(values))
            reason = f"wrong code, locked until {stamp(locked_until)}" if locked else "wrong code"
            audit.append(connection, now, AuditKind.PROOF_REFUSED, about, {"reason": reason})
        return locked

    def proved_at(self, caller: Caller, person: str) -> datetime | None:
        """Return when this person last proved themselves with this id."""
        mine = (proofs.c.network == caller.network, proofs.c.id == caller.id, proofs.c.person == person)
        with self._database.read() as connection:
            return connection.scalar(select(proofs.c.at).where(*mine))

    def end_proof(self, caller: Caller) -> None:
        """Forget the proof of an id: the person steps away."""
        with self._database.write() as connection:
            _remove(connection, proofs, network=caller.network, id=caller.id)

    def reset_of(self, person: str) -> AccountChange | None:
        """Return who reset a person's app the last time, and when."""
        with self._database.read() as connection:
            return _last(connection, AuditKind.ENROLMENT, person, {"state": "reset"})

    def reset(self, person: str, about: Subject, by: Sequence[str] = ()) -> bool:
        """Forget a person's enrolment and proofs; False when there was none."""
        now = self._clock()
        with self._database.write() as connection:
            gone = _remove(connection, enrolments, person=person)
            _remove(connection, proofs, person=person)
            if gone:
                body = {"of": person, "state": "reset", "by": list(by or (about.person,))}
                audit.append(connection, now, AuditKind.ENROLMENT, about, body)
        return bool(gone)

    def keep_only(self, people: Collection[str]) -> tuple[str, ...]:
        """Forget all that is kept of those whom policy.yml no longer names; returns who they were."""
        now, tables = self._clock(), (links, invitations, enrolments, proofs, learnt)
        with self._database.read() as connection:
            known = {name for table in tables for name in connection.scalars(select(table.c.person).distinct())}
        gone = tuple(sorted(known.difference({*people, ""})))
        if not gone:
            return ()
        with self._database.write() as connection:
            for person in gone:
                for table in tables:
                    _remove(connection, table, person=person)
                audit.append(connection, now, AuditKind.FORGOTTEN, Subject(), {"of": person})
        return gone


def _holder(connection: Connection, network: str, id_: str) -> str:
    mine = (links.c.network == network, links.c.id == id_)
    return connection.scalar(select(links.c.person).where(*mine)) or ""


def _link(connection: Connection, link: IdentityLink, about: Subject, now: datetime) -> None:
    by = link.by or (about.person or link.person,)
    row = {"network": link.network, "id": link.id, "person": link.person, "by": _AND.join(by), "at": now}
    connection.execute(insert(links), row)
    body: Mapping[str, Any] = {"of": link.person, "network": link.network, "id": link.id, "by": list(by)}
    audit.append(connection, now, AuditKind.LINKED, about, body)


def _linked(row: RowMapping) -> IdentityLink:
    return IdentityLink(row["network"], row["id"], row["person"], tuple(row["by"].split(_AND)), row["at"])


def _inviters(connection: Connection, person: str) -> tuple[str, ...]:
    """Whose code it is that a person's new account typed: the newest one counts, and each is in the record."""
    found = _last(connection, AuditKind.INVITED, person, {})
    return found.by if found else ()


def _last(connection: Connection, kind: AuditKind, person: str, wanted: Mapping[str, str]) -> AccountChange | None:
    """Return who did something to a person the last time."""
    table = schema.audit
    columns = select(table.c.at, table.c.person, table.c.body).where(table.c.kind == kind.value)
    for row in connection.execute(columns.order_by(table.c.seq.desc())):
        body = json.loads(row.body)
        if body.get("of") == person and wanted.items() <= body.items():
            return AccountChange(tuple(body.get("by") or (row.person,)), datetime.fromisoformat(row.at))
    return None


def _enrolment(connection: Connection, person: str) -> RowMapping | None:
    return connection.execute(select(enrolments).where(enrolments.c.person == person)).mappings().first()


def _remove(connection: Connection, table: Table, **values: str) -> int:
    condition = [table.c[name] == value for name, value in values.items()]
    return connection.execute(delete(table).where(*condition)).rowcount
