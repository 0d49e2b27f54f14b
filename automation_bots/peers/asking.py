"""The side that asks: each call once, for a job here; the answer goes to whoever waits, or to the place that asked."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from automation_bots.errors import StoreError, UserError
from automation_bots.model import Caller, Job, Mark, Outcome, Place
from automation_bots.peers import messages, text
from automation_bots.peers.exchange import Exchange, nonce
from automation_bots.peers.messages import BadMessage, Cancel, Message, Reply, Request, Step, Why
from automation_bots.peers.refusals import Refusals
from automation_bots.policy.peers import human_of
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.store.peers import PeerCall
from automation_bots.surface import Surface

log = logging.getLogger(__name__)


class NotAsked(UserError):
    """Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply, and the delivery that is let go when it was acted on."""

    reply: Reply
    delivery: str


class Call:
    """One request on its way; what is heard of it comes in `inbox`."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.inbox: queue.SimpleQueue[Heard] = queue.SimpleQueue()
        self.delivery, self.began = "", time.monotonic()

    @property
    def bot(self) -> str:
        """Who is asked."""
        return self.request.reader


@dataclass(frozen=True, slots=True)
class AskingContext:
    """What it stands on."""

    store: Store
    exchange: Exchange
    refusals: Refusals
    now: Callable[[], datetime]
    surface: Callable[[Place], Surface]
    columns: Callable[[Place], int]
    place_name: Callable[[Place], str]
    clear: Callable[[str], str]  # takes secrets out of a text


class Asking:
    """Sends requests, and knows who waits for which."""

    def __init__(self, context: AskingContext) -> None:
        self._context, self._store = context, context.store.peers
        self._calls: dict[str, Call] = {}
        self._lock = threading.Lock()
        self.stopping = False
        self.sent = 0  # since the start
        context.exchange.handle(Reply, self.take)
        context.exchange.active = lambda: bool(self._calls)

    # -- out

    def ask(self, job: Job, bot: str, line: str, block: str = "") -> Call:
        """Ask another bot, for a job; NotAsked says why not, and then nothing was sent."""
        request = self._request(job, bot, line, block)
        self._checked(request)
        if not (presence := self._context.exchange.look()[bot]).here:
            raise NotAsked(f"{bot} cannot be asked: {presence.text}. Nothing was sent to it.")
        call = Call(request)
        about = replace(Subject.of_job(job), devices=())
        self._store.ask(request.nonce, bot, job.number, about, {"via": request.via, "hops": request.hops})
        with self._lock:
            self._calls[request.nonce] = call
        try:
            call.delivery = self._context.exchange.send(request)
        except StoreError as error:
            self.over(call)
            raise NotAsked(f"{bot} could not be asked: {error.plain}") from error
        self.sent += 1
        self._context.exchange.wake()
        return call

    def _request(self, job: Job, bot: str, line: str, block: str) -> Request:
        came = self._store.request(job.place)  # when another bot asked for it
        via = (*(came.via if came else ()), self._context.exchange.name)
        return Request(
            self._context.exchange.name, bot, nonce(), self._context.now(), human_of(job.caller, job.person),
            self._context.place_name(job.place), line, block, via, len(via),
            self._context.columns(job.place), self._heard(job), job.number,
            self._origin(job),
        )  # fmt: skip

    def _origin(self, job: Job) -> tuple[str, ...]:
        """The rules that led to a job, here and elsewhere."""
        rules = job.cause.rules if job.cause else self._store.origin(job.place)
        return tuple(f"{self._context.exchange.name}: {rule}"[:300] for rule in rules[-20:])

    def _heard(self, job: Job) -> tuple[str, ...]:
        """The chat message of a job, which a bot in the same room may have heard too."""
        rows = self._context.store.audit_rows(limit=1, job=job.number, kind=AuditKind.ACCEPTED)
        message = str(rows[0].body.get("message") or "") if rows else ""
        return (job.caller.network, message[:300]) if message else ()

    def _checked(self, request: Request) -> None:
        """What the other bot would refuse is not even sent, and stands in the record here."""
        try:
            messages.path(request, request.reader)
        except BadMessage as bad:
            self._context.refusals.note(bad.why, bad.reason, request.reader, self._context.now())
            raise NotAsked(f"{request.reader} was not asked: {bad.reason}.") from bad

    def cancel(self, bot: str, number: str, caller: Caller, person: str) -> bool:
        """Ask for a stop of a request, as somebody; False while nobody can be told."""
        cancel = Cancel(
            self._context.exchange.name, bot, nonce(), self._context.now(), number, human_of(caller, person)
        )
        try:
            self._context.exchange.send(cancel)
        except StoreError as error:
            log.warning("%s could not be told to stop: %s", bot, error)
            return False
        return True

    def open_calls(self, job: int) -> list[PeerCall]:
        """What of a job is with other bots, and not over as far as is known here."""
        return [call for call in self._store.calls_of(job) if call.open]

    def withdraw(self, call: Call) -> bool:
        """Take a request back that nobody has taken; then it is over, and nothing was done."""
        if not self._context.exchange.withdraw(call.delivery):
            return False
        self.over(call)
        return True

    def over(self, call: Call, heard: Heard | None = None) -> None:
        """Its end is known here: what comes of it later is of no interest."""
        self._store.close(call.request.nonce)
        self.leave(call)
        if heard is not None:
            self._context.exchange.release(heard.delivery)

    def leave(self, call: Call) -> None:
        """Nobody waits for it any longer: what comes is said in the place that asked."""
        with self._lock:
            self._calls.pop(call.request.nonce, None)
        while not call.inbox.empty():
            heard = call.inbox.get()
            if self._late(heard.reply):
                self._context.exchange.release(heard.delivery)

    # -- in

    def take(self, message: Message, delivery: str) -> bool:
        """Take a reply; one that ends a call is let go by whoever acts on it."""
        if not isinstance(message, Reply):
            return True
        found = self._store.call(message.re)
        if found is None or found.bot != message.sender:
            reason = "it answers what was not asked of it"
            self._context.refusals.note(Why.UNASKED, reason, message.sender, self._context.now())
            return True
        if message.step is Step.REFUSED or message.why:
            self._refused(message, found)
        if not found.open:
            return True
        if message.job is not None and found.remote != message.job:
            self._store.known_as(found.nonce, message.job)
        with self._lock:
            call = self._calls.get(message.re)
            if call is not None:
                call.inbox.put(Heard(message, delivery))
                return message.step not in {Step.ENDED, Step.REFUSED}
        return self._late(message)

    def _refused(self, reply: Reply, call: PeerCall) -> None:
        """What was refused there stands in the record of both."""
        job = self._context.store.job(call.job)
        about = replace(Subject.of_job(job), devices=())
        self._context.refusals.note(reply.why, reply.answer.text[:300], reply.sender, self._context.now(), about)

    def _late(self, reply: Reply) -> bool:
        """Say in the place that asked what came after its job had ended here."""
        found = self._store.call(reply.re)
        if found is None or not found.open or reply.step not in {Step.SAID, Step.ENDED, Step.REFUSED}:
            return True
        job = self._context.store.job(found.job)
        answer = text.late(job, reply, self._context.clear)
        mark = Mark(f"{reply.nonce} of {reply.sender}", reply.at)
        self._context.surface(job.place).say(job.place, replace(answer, mark=mark))
        if reply.step is not Step.SAID:
            self._store.close(found.nonce)
            outcome = Outcome("", text.status_of(reply), text.summary(reply))
            self._context.store.add_outcomes(
                job.number, [replace(outcome, summary=self._context.clear(outcome.summary))]
            )
        return True
