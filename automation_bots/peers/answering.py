"""The side that is asked: each request once, as the person that its human is here, judged and run as any other."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from automation_bots.errors import AutomationError, StoreError, UserError
from automation_bots.model import FINAL, Answer, Caller, Person, Place, one_line
from automation_bots.peers import messages
from automation_bots.peers.exchange import Exchange, nonce
from automation_bots.peers.messages import BadMessage, Cancel, Message, Reply, Request, Step, Why
from automation_bots.peers.refusals import Refusals
from automation_bots.policy.peers import bot_of, caller_of, network_of
from automation_bots.store import Store, Subject
from automation_bots.store.peers import Arrival

log = logging.getLogger(__name__)
_AT_ONCE = 4
_WAITING = 100  # requests that came, and are not looked at yet
_MINUTE = timedelta(minutes=1)
ANSWERED, REFUSED = "answered", "refused"  # states of what became no job


@dataclass(frozen=True, slots=True)
class Said:
    """A command of another bot's person, as it is run here; the answer is None where a job was made."""

    caller: Caller
    place: Place
    line: str
    text: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said at once; `fine`: it was answered, and not refused."""

    answer: Answer
    fine: bool


@dataclass(frozen=True, slots=True)
class AnsweringContext:
    """What it stands on."""

    store: Store
    exchange: Exchange
    refusals: Refusals
    now: Callable[[], datetime]
    person: Callable[[Caller], Person | None]
    run: Callable[[Said], Answered | None]  # None: a job tells what becomes of it
    cancel: Callable[[Caller, Place, int], Answer | None]
    network: str  # of this bot's own people
    spelled: Callable[[Answer], Answer]
    a_minute: int = 120  # requests of one bot


class _About(TypedDict, total=False):
    """What a reply says beside its answer."""

    job: int | None
    state: str
    why: str


class Answering:
    """Takes requests from the exchange's thread, and answers them in threads of its own."""

    def __init__(self, context: AnsweringContext) -> None:
        self._context = context
        self._pool = ThreadPoolExecutor(_AT_ONCE, "peers")
        self._lock = threading.Lock()
        self._waiting, self._stopping = 0, False
        self._recent: dict[str, deque[datetime]] = defaultdict(deque)
        self.taken = 0  # since the start
        context.exchange.handle(Request, self.take)
        context.exchange.handle(Cancel, self.take)

    def start(self) -> None:
        """Tell what the last life left: a request without a job was never begun."""
        for one in self._context.store.peers.unfinished():
            if one.job is None:
                name = self._context.exchange.name
                text = f"{name} was stopped before it answered. No job was begun, nothing was changed."
                self._say(one.bot, one.nonce, Step.ENDED, Answer(text), state=REFUSED)

    def stop(self) -> None:
        """Take no more: what comes now waits in the queue."""
        self._stopping = True

    def end(self) -> None:
        """End."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def take(self, message: Message, delivery: str) -> bool:
        """Take a message; it is let go when it was looked at."""
        with self._lock:
            if self._stopping or self._waiting >= _WAITING:
                raise StoreError(f"{self._waiting} requests of other bots wait")
            self._waiting += 1
        self._pool.submit(self._work, message, delivery)
        return False

    def _work(self, message: Message, delivery: str) -> None:
        context = self._context
        try:
            if isinstance(message, Request):
                self._request(message, delivery)
            elif isinstance(message, Cancel):
                self._cancel(message)
        except BadMessage as bad:
            self._refuse(message, bad)
        except StoreError as error:
            log.warning("%s could not be answered: %s", message.sender, error)
        except Exception:  # one strange request must not keep its thread
            log.exception("a request of %s failed inside the bot", message.sender)
        finally:
            with self._lock:
                self._waiting -= 1
            context.exchange.release(delivery)

    def _refuse(self, message: Message, bad: BadMessage) -> None:
        person = message.person if isinstance(message, Request | Cancel) else None
        place = Place(network_of(message.sender), network_of(message.sender), message.nonce)
        caller = caller_of(message.sender, person) if person else None
        about = Subject("", caller, place, _operation(message))
        if self._context.refusals.note(bad.why, bad.reason, message.sender, self._context.now(), about):
            re = message.re if isinstance(message, Cancel) else message.nonce
            known = (
                bad.why is Why.REPLAYED
            )  # that request goes on, or has ended: only the one who replayed it is refused
            step = Step.SAID if known or isinstance(message, Cancel) else Step.REFUSED
            answer = Answer(f"{self._context.exchange.name} refused it: {bad.reason}.")
            self._context.exchange.send_surely(self._reply(message.sender, re, step, answer, why=bad.why), lambda: None)

    # -- one request

    def _request(self, request: Request, delivery: str) -> None:
        context, now = self._context, self._context.now()
        messages.path(request, context.exchange.name)
        messages.fresh(request.at, now)
        self._not_too_many(request.sender, now)
        said = self._said(request)
        person = context.person(said.caller)
        about = Subject(person.name if person else "", said.caller, said.place, _operation(request))
        arrival = context.store.peers.take(request.sender, request.nonce, delivery, _facts(request), about)
        if arrival is Arrival.REPLAYED:
            raise BadMessage(Why.REPLAYED, "it was taken already, and is not run a second time")
        if arrival is Arrival.AGAIN:
            return
        self.taken += 1
        try:
            self._known(request, person)
        except BadMessage as bad:
            context.store.peers.end(request.sender, request.nonce)
            raise bad from None
        if self._heard(request):
            text = f"{context.exchange.name} stands in that room too, heard it itself, and answers there."
            self._say(request.sender, request.nonce, Step.ENDED, Answer(text), state=ANSWERED)
            return
        self._say(request.sender, request.nonce, Step.TAKEN, Answer(""))
        self._run(request, said)

    def _not_too_many(self, bot: str, now: datetime) -> None:
        with self._lock:
            recent = self._recent[bot]
            while recent and now - recent[0] > _MINUTE:
                recent.popleft()
            if len(recent) >= self._context.a_minute:
                raise BadMessage(Why.TOO_MANY, f"{len(recent)} requests of {bot} within a minute are enough")
            recent.append(now)

    def _known(self, request: Request, person: Person | None) -> None:
        """Refuse whom nobody knows here."""
        if person is None:
            human = request.person
            raise BadMessage(
                Why.UNKNOWN_PERSON,
                f"{one_line(human.name, 60)} ({human.network} {one_line(human.id, 60)}) is nobody here; an admin of"
                f" {self._context.exchange.name} says in policy.yml or [peers.{request.sender}] who that is",
            )

    def _heard(self, request: Request) -> bool:
        """Whether this bot stands in the same room and took it there; else it never will."""
        if request.heard[:1] != (self._context.network,):
            return False
        return not self._context.store.first_seen(request.heard[0], request.heard[-1])

    def _said(self, request: Request) -> Said:
        place = Place(network_of(request.sender), network_of(request.sender), request.nonce)
        return Said(caller_of(request.sender, request.person), place, request.line, request.text,
                    f"{place.network}:{request.nonce}")  # fmt: skip

    def _run(self, request: Request, said: Said) -> None:
        try:
            found = self._context.run(said)
        except UserError as error:
            found = Answered(Answer(str(error)), fine=False)
        except AutomationError as error:
            log.exception("what %s asked failed", request.sender)
            found = Answered(Answer(f"That failed. {one_line(error.plain, 300)}"), fine=False)
        except Exception:  # whatever it meets, the bot that asked is not left without a word
            log.exception("what %s asked failed inside the bot", request.sender)
            found = Answered(Answer("That failed inside the bot; an admin finds the reason in the log."), fine=False)
        if found is None and self._has_no_job(request):
            found = Answered(Answer("Done."), fine=True)
        if found is not None:
            self._say(
                request.sender, request.nonce, Step.ENDED, found.answer, state=ANSWERED if found.fine else REFUSED
            )

    def _has_no_job(self, request: Request) -> bool:
        """Whether nothing will tell what became of it."""
        kept = self._context.store.peers.request_of(request.sender, request.nonce)
        return kept is None or kept.job is None

    def _cancel(self, cancel: Cancel) -> None:
        messages.fresh(cancel.at, self._context.now())
        found = self._context.store.peers.request_of(cancel.sender, cancel.re)
        if found is None:
            raise BadMessage(Why.UNASKED, "it never asked for that")
        if found.job is None:
            return
        place = Place(network_of(cancel.sender), network_of(cancel.sender), cancel.re)
        try:
            answer = self._context.cancel(caller_of(cancel.sender, cancel.person), place, found.job)
        except UserError as error:
            answer = Answer(str(error))
        if answer is not None:
            self._say(cancel.sender, cancel.re, Step.SAID, answer, job=found.job)

    # -- what is said

    def _say(self, bot: str, re: str, step: Step, answer: Answer, *, state: str = "", job: int | None = None) -> None:
        def told() -> None:
            if step is Step.ENDED:
                self._context.store.peers.end(bot, re)

        reply = self._reply(bot, re, step, self._context.spelled(answer), state=state, job=job)
        self._context.exchange.send_surely(reply, told)

    def _reply(self, bot: str, re: str, step: Step, answer: Answer, **about: Unpack[_About]) -> Reply:
        name, now = self._context.exchange.name, self._context.now()
        answer = replace(answer.in_words(), mark=None, mentions=())
        return Reply(name, bot, nonce(), now, re, step, time.time_ns(), answer=answer, **about)

    def tell(self, place: Place, answer: Answer, *, opens: bool = False, shows: bool = False) -> None:
        """Tell the bot that asked what a job of its request says; OSError while the queue is away.

        `opens`: its first words; `shows`: a state that a later one may replace.
        """
        store, bot = self._context.store, bot_of(place.network)
        found = store.peers.request(place)
        job = store.job(found.job) if found is not None and found.job is not None else None
        over = job is not None and job.state in FINAL and not opens and not shows
        step = Step.ENDED if over else Step.PROGRESS if shows else Step.SAID
        state, number = (job.state.value, job.number) if job else ("", None)
        if opens and job is not None and job.state in FINAL:
            state = ""  # its end is told next
        reply = self._reply(bot, place.thread, step, self._context.spelled(answer), state=state, job=number)
        try:
            self._context.exchange.send(reply, limit=messages.REPLY_SIZE)
        except StoreError as error:
            raise OSError(str(error)) from error
        if over:
            store.peers.end(bot, place.thread)


def _operation(message: Message) -> str:
    return (
        one_line(message.line.split(maxsplit=1)[0], 60) if isinstance(message, Request) and message.line.split() else ""
    )


def _facts(request: Request) -> dict[str, object]:
    """What the record keeps of a request; its words stand with the job, without secrets."""
    return {"via": request.via, "hops": request.hops, "where": request.where, "human": request.person.name,
            "theirs": request.job, "origin": request.origin}  # fmt: skip
