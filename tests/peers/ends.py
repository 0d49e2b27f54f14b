"""One end of a queue with a record and keys, but without a chat network: for messages that no bot would send."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from automation_bots.model import Answer, Caller, Job, Person, Place, Risk, State
from automation_bots.peers import cards
from automation_bots.peers.answering import Answered, Answering, AnsweringContext
from automation_bots.peers.asking import Asking, AskingContext
from automation_bots.peers.exchange import Exchange, ExchangeContext, nonce
from automation_bots.peers.messages import PURPOSE, Request
from automation_bots.peers.refusals import Refusals
from automation_bots.peers.trust import TRUSTED, OwnKeys, TrustFile
from automation_bots.policy.peers import Human
from automation_bots.secrets.envelopes import Route, seal
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.store.peer_queue import SqlQueue
from tests.support.chatbot import Surface, wait

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANA = Human("ana", "slack", "U1")
KNOWN = "ana/slack/U1"


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class End:
    """linuxbot, winbot or another; what it was asked to run is in `ran`."""

    def __init__(self, folder, name, queue, clock, empty, named=("linuxbot", "winbot", "dbbot", "farbot")):
        self.name, self.clock, self.data = name, clock, folder / name
        shutil.copytree(empty, self.data)
        self.store = Store.open(self.data, clock=clock)
        self.queue, self.keys = SqlQueue(queue), OwnKeys(self.data)
        self.trust = TrustFile(self.data / TRUSTED)
        others = frozenset(named) - {name}
        self.refusals = Refusals(self.store.record, others.__contains__)
        context = ExchangeContext(name, "1.0", self.queue, self.keys, self.trust, others, self.refusals, clock)
        self.exchange, self.surface, self.ran = Exchange(context), Surface(), []
        self.answer = Answered(Answer("it is up"), fine=True)
        self.asking = Asking(
            AskingContext(
                self.store,
                self.exchange,
                self.refusals,
                clock,
                lambda _: self.surface,
                lambda _: 100,
                lambda p: p.room,
                str,
            )
        )
        self.answering = Answering(
            AnsweringContext(
                self.store, self.exchange, self.refusals, clock, self._person, self._run,
                lambda *_: None, "slack", lambda answer: answer, a_minute=20,
            )
        )  # fmt: skip

    def _person(self, caller: Caller):
        return Person("ana") if caller.id == KNOWN else None

    def _run(self, said):
        self.ran.append(said.line)
        return self.answer

    def trusts(self, *others):
        for other in others:
            card = cards.read(cards.written(other.name, other.keys.signs, NOW), other.name)
            self.trust.write(self.trust.now.adding(card, "test", NOW))

    def request(self, reader="winbot", **other) -> Request:
        """Something that it asks, for a job of its own."""
        fresh = Request(self.name, reader, nonce(), self.clock(), ANA, "#ops", "status", via=(self.name,))
        self.store.peers.ask(fresh.nonce, reader, self.job().number, Subject(), {})
        return replace(fresh, **other)

    def sealed(self, request, reader, **other):
        """As it goes over the queue; `other` values stand in it instead."""
        body = {**request.body, **other}
        return seal(PURPOSE, Route(request.sender, request.reader), body, self.keys.signs, reader.keys.signs.public)

    def job(self, place=Place("slack", "C1")):  # noqa: B008 - a value
        job = Job(
            0, State.QUEUED, "ana", Caller("slack", "U1", "ana"), place, "@winbot", {}, "", (), Risk.CHANGE, ("peers",)
        )
        return self.store.add_job(job)

    def turn(self):
        """Take what came, and answer it."""
        self.exchange.round()
        wait(lambda: not self.answering._waiting, 10)

    @property
    def refused(self):
        """Why messages were refused, as the record has it, the newest last."""
        rows = self.store.audit_rows(limit=100, kind=AuditKind.PEER_REFUSED)
        return [row.body["why"] for row in reversed(rows)]

    def close(self):
        self.answering.end()
        self.exchange.stop()
        self.store.close()
