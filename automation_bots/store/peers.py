"""What other bots asked here, each request once; and what was asked of them, until the answer is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from automation_bots.errors import StoreError
from automation_bots.model import Place
from automation_bots.policy.peers import bot_of
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical
from automation_bots.store.database import Database
from automation_bots.store.schema import peer_calls as calls
from automation_bots.store.schema import peer_requests as requests


class Arrival(StrEnum):
    """How a request came."""

    NEW = "new"
    AGAIN = "again"  # by the same delivery: the bot was killed before it could say that it has it
    REPLAYED = "replayed"  # somebody sent once more what was taken already


@dataclass(frozen=True, slots=True)
class PeerRequest:
    """Something that another bot asked: its number among theirs, and the job that it became."""

    bot: str
    nonce: str
    at: datetime
    job: int | None
    ended: bool
    facts: Mapping[str, Any]

    @property
    def via(self) -> tuple[str, ...]:
        """The bots that it came by, the first one first."""
        return tuple(self.facts["via"])


@dataclass(frozen=True, slots=True)
class PeerCall:
    """Something that was asked of another bot, for a job here."""

    nonce: str
    bot: str
    job: int
    at: datetime
    open: bool  # its end is not known here
    remote: int | None  # its job there


class PeerStore:
    """Both."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    # -- asked of this bot

    def take(self, bot: str, nonce: str, delivery: str, facts: Mapping[str, Any], about: Subject) -> Arrival:
        """Take a request, with its audit row; only who gets NEW may run it."""
        now = self._clock()
        row = {"bot": bot, "nonce": nonce, "at": now, "delivery": delivery, "ended": False, "body": canonical(facts)}
        with self._database.write() as connection:
            seen = connection.execute(select(requests).where(*_is(bot, nonce))).one_or_none()
            if seen is not None:
                return Arrival.AGAIN if seen.delivery == delivery else Arrival.REPLAYED
            connection.execute(insert(requests), row)
            audit.append(connection, now, AuditKind.PEER_TOOK, about, {"bot": bot, "nonce": nonce, **facts})
        return Arrival.NEW

    def request(self, place: Place) -> PeerRequest | None:
        """What was asked for in a place that is a request of another bot."""
        return self.request_of(bot_of(place.network), place.thread)

    def origin(self, place: Place) -> tuple[str, ...]:
        """The rules that led to what another bot asked for in a place."""
        found = self.request(place) if bot_of(place.network) else None
        return tuple(found.facts.get("origin", ())) if found else ()

    def request_of(self, bot: str, nonce: str) -> PeerRequest | None:
        """Return one."""
        with self._database.read() as connection:
            row = connection.execute(select(requests).where(*_is(bot, nonce))).one_or_none()
        return _request(row) if row else None

    def unfinished(self) -> list[PeerRequest]:
        """Return those of which the asking bot does not know the end, the oldest first."""
        with self._database.read() as connection:
            found = select(requests).where(requests.c.ended.is_(False)).order_by(requests.c.at)
            return [_request(row) for row in connection.execute(found)]

    def end(self, bot: str, nonce: str) -> None:
        """Note that the asking bot knows how it ended."""
        with self._database.write() as connection:
            connection.execute(update(requests).where(*_is(bot, nonce)).values(ended=True))

    # -- asked of others

    def ask(self, nonce: str, bot: str, job: int, about: Subject, facts: Mapping[str, Any]) -> None:
        """Keep that something is about to be asked, with its audit row."""
        now = self._clock()
        row = {"nonce": nonce, "bot": bot, "job": job, "at": now, "open": True, "remote": None}
        with self._database.write() as connection:
            connection.execute(insert(calls), row)
            audit.append(connection, now, AuditKind.PEER_ASKED, about, {"bot": bot, "nonce": nonce, **facts})

    def call(self, nonce: str) -> PeerCall | None:
        """Return one."""
        with self._database.read() as connection:
            row = connection.execute(select(calls).where(calls.c.nonce == nonce)).one_or_none()
        return _call(row) if row else None

    def calls_of(self, job: int) -> list[PeerCall]:
        """Return what was asked of others for a job."""
        with self._database.read() as connection:
            return [_call(row) for row in connection.execute(
                select(calls).where(calls.c.job == job).order_by(calls.c.at, calls.c.nonce))]  # fmt: skip

    def known_as(self, nonce: str, remote: int) -> None:
        """Keep which job it is there."""
        with self._database.write() as connection:
            connection.execute(update(calls).where(calls.c.nonce == nonce).values(remote=remote))

    def close(self, nonce: str) -> bool:
        """Note that its end is known; True for the one who knows it first."""
        with self._database.write() as connection:
            still = (calls.c.nonce == nonce, calls.c.open.is_(True))
            return connection.execute(update(calls).where(*still).values(open=False)).rowcount == 1

    def of_job(self, number: int) -> PeerRequest | None:
        """The request that a job runs for."""
        with self._database.read() as connection:
            row = connection.execute(select(requests).where(requests.c.job == number)).one_or_none()
        return _request(row) if row else None


def link(connection: Connection, place: Place, job: int) -> None:
    """Let a request have its one job, in the transaction that makes it; a StoreError where it has one already."""
    free = (*_is(bot_of(place.network), place.thread), requests.c.job.is_(None), requests.c.ended.is_(False))
    if connection.execute(update(requests).where(*free).values(job=job)).rowcount != 1:
        raise StoreError(f"What {bot_of(place.network)} asked has a job already.")


def forget(connection: Connection, before: datetime) -> int:
    """Forget old ones, whose end is known; returns how many."""
    old = connection.execute(delete(requests).where(requests.c.at < before, requests.c.ended.is_(True))).rowcount
    return old + connection.execute(delete(calls).where(calls.c.at < before)).rowcount


def _is(bot: str, nonce: str) -> tuple[Any, ...]:
    return requests.c.bot == bot, requests.c.nonce == nonce


def _request(row: Row[Any]) -> PeerRequest:
    return PeerRequest(row.bot, row.nonce, row.at, row.job, row.ended, json.loads(row.body))


def _call(row: Row[Any]) -> PeerCall:
    return PeerCall(row.nonce, row.bot, row.job, row.at, row.open, row.remote)
