"""A bot's end of the queue: signs of life, what goes out signed and sealed, what comes in and is refused or handed on.

One thread, which waits for nothing but the queue: who answers or waits does so elsewhere.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from automation_bots.errors import StoreError
from automation_bots.peers import messages, presence
from automation_bots.peers.messages import BadMessage, Cancel, Message, Notice, Reply, Request
from automation_bots.peers.presence import Presence
from automation_bots.peers.queue import Queue
from automation_bots.peers.refusals import Refusals
from automation_bots.peers.trust import OwnKeys, Trusted, TrustFile
from automation_bots.secrets.envelopes import BadEnvelope, Flaw, PublicKeys, seal, unseal
from automation_bots.secrets.envelopes import Route as EnvelopeRoute
from automation_bots.store.peer_queue import Delivery
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
BEAT_SECONDS = 1.0
_BUSY_SECONDS, _IDLE_SECONDS = 0.05, 0.25
_AGAIN_SECONDS = 2.0
_FORGET_SECONDS = 3600.0
_UNSENT = 1_000  # replies that are kept while the queue is away
_NOTICE = "!"  # before a message that nobody answers, whatever is wrong with it


def nonce() -> str:
    """A number that was never used."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class ExchangeContext:
    """What it stands on."""

    name: str
    version: str
    queue: Queue
    keys: OwnKeys
    trust: TrustFile
    named: frozenset[str]  # in bot.toml
    refusals: Refusals
    now: Callable[[], datetime]


class Exchange:
    """Started with the bot; `handlers` take what is in order, by its kind."""

    def __init__(self, context: ExchangeContext) -> None:
        self._context = context
        self._handlers: dict[type[Message], Callable[[Message, str], bool]] = {Notice: self._noticed}
        self._since = context.now()
        self._unsent: list[tuple[Reply, Callable[[], object]]] = []
        self._lock = threading.Lock()
        self._held: set[str] = set()  # deliveries that somebody works on
        self._waiting: dict[str, float] = {}  # those that could not be taken now
        self._signs: Mapping[str, Presence] = {}
        self._beaten = self._forgotten = self._looked = 0.0
        self.problem = "it has not been reached yet"
        self.active: Callable[[], bool] = lambda: False
        self._loop = Loop("peers", self.round)

    def handle(self, kind: type[Message], take: Callable[[Message, str], bool]) -> None:
        """Hand messages of a kind to whoever takes them."""
        self._handlers[kind] = take

    @property
    def name(self) -> str:
        """Whose end it is."""
        return self._context.name

    @property
    def trusted(self) -> Trusted:
        """Bots that are named in bot.toml and whose key is trusted."""
        known = self._context.trust.now
        return Trusted({name: one for name, one in known.bots.items() if name in self._context.named}, known.revoked)

    @property
    def fingerprint(self) -> str:
        """By which others know this bot."""
        return self._context.keys.signs.public.fingerprint

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End, and say so."""
        self._loop.stop()
        try:
            self._context.queue.leave(self.name)
        except StoreError as error:
            log.warning("the other bots could not be told that this one ends: %s", error)
        self._context.queue.close()

    def wake(self) -> None:
        """Look at once."""
        self._loop.wake()

    # -- out

    def send(self, message: Message, *, limit: int = messages.REQUEST_SIZE) -> str:
        """Sign, seal and send; returns what it is withdrawn by. A StoreError says why not."""
        known = self.trusted.bots.get(message.reader)
        if known is None:
            raise StoreError(f"{message.reader} is not trusted: automation-bots peer trust")
        route = EnvelopeRoute(self.name, message.reader)
        sealed = seal(messages.PURPOSE, route, message.body, self._context.keys.signs, known.newest)
        if len(sealed) > limit:
            raise StoreError(f"That is {len(sealed):,} characters; between bots at most {limit:,} are sent.")
        return self._context.queue.put(message.reader, _NOTICE + sealed if isinstance(message, Notice) else sealed)

    def send_surely(self, reply: Reply, then: Callable[[], object]) -> None:
        """Send now, or as soon as the queue is there again; then do the rest."""
        try:
            self.send(reply, limit=messages.REPLY_SIZE)
        except StoreError as error:
            log.warning("%s cannot be answered now: %s", reply.reader, error)
            with self._lock:
                self._unsent = [*self._unsent, (reply, then)][-_UNSENT:]
        else:
            then()

    def withdraw(self, delivery: str) -> bool:
        """Take a message back; False when its reader has it, or nobody can say."""
        try:
            return self._context.queue.withdraw(delivery)
        except StoreError:
            return False

    def release(self, delivery: str) -> None:
        """Let a message go that somebody worked on."""
        try:
            self._context.queue.done([delivery])
        except StoreError as error:  # it comes again, and is known
            log.warning("a message between bots could not be let go: %s", error)
        finally:
            with self._lock:
                self._held.discard(delivery)

    # -- who is there

    def look(self) -> Mapping[str, Presence]:
        """How every bot is that is named, as the queue knows it now."""
        trusted, now = self.trusted, self._context.now()
        try:
            signs = self._context.queue.signs()
        except StoreError as error:
            self.problem = error.plain
            return {name: Presence(name, problem=error.plain) for name in sorted(self._context.named)}
        self._looked = time.monotonic()
        self._signs = {name: presence.read(name, signs.get(name), trusted, now) for name in sorted(self._context.named)}
        return self._signs

    @property
    def signs(self) -> Mapping[str, Presence]:
        """As they were at the last look, or why nobody knows."""
        if self.problem:
            return {name: Presence(name, problem=self.problem) for name in self._signs}
        later = time.monotonic() - self._looked
        return {
            name: replace(one, seconds=None if one.seconds is None else one.seconds + later)
            for name, one in self._signs.items()
        }

    # -- in

    def round(self) -> float:
        """Give a sign of life, send what waits, take what came; return how long nothing is to be done."""
        try:
            self._beat()
            self._again()
            known = self._known()
            fresh = self._context.queue.take(self.name, messages.REPLY_SIZE, known)
        except StoreError as error:
            self.problem = error.plain
            raise
        self.problem = ""
        with self._lock:
            self._held.update(one.id for one in fresh)
        for one in fresh:
            self._taken(one)
        return _BUSY_SECONDS if fresh or self.active() else _IDLE_SECONDS

    def _known(self) -> tuple[str, ...]:
        """The messages that somebody works on, or that are to come again later."""
        with self._lock:
            for one in [one for one, at in self._waiting.items() if at <= time.monotonic()]:
                del self._waiting[one]
                self._held.discard(one)
            return tuple(self._held)

    def _beat(self) -> None:
        at = time.monotonic()
        if at - self._beaten >= BEAT_SECONDS:
            context = self._context
            card = presence.written(self.name, context.keys.signs, context.version, self._since, context.now())
            context.queue.beat(self.name, card)
            self._beaten = at
            self.look()
        if at - self._forgotten >= _FORGET_SECONDS:
            self._forgotten = at
            self._context.queue.forget()

    def _again(self) -> None:
        with self._lock:
            waiting, self._unsent = self._unsent, []
        for reply, then in waiting:
            self.send_surely(reply, then)

    def _taken(self, one: Delivery) -> None:
        try:
            over = self._read(one)
        except (StoreError, OSError) as error:  # the record or a chat network is away: it comes again
            log.warning("a message between bots waits: %s", error)
            with self._lock:
                self._waiting[one.id] = time.monotonic() + _AGAIN_SECONDS
            return
        except Exception:  # one strange message must not keep the others
            log.exception("a message between bots could not be taken")
            over = True
        if over:
            self.release(one.id)

    def _read(self, one: Delivery) -> bool:
        text, answered = one.body.removeprefix(_NOTICE), not one.body.startswith(_NOTICE)
        try:
            message = self._opened(text)
        except BadEnvelope as bad:
            self._refuse(bad.flaw, bad.reason, bad.claims, answered=answered)
            return True
        if isinstance(message, Request | Cancel) and len(text) > messages.REQUEST_SIZE:
            self._refuse(Flaw.TOO_LONG, f"it has {len(text):,} characters", message.sender, answered=answered)
            return True
        return self._handlers[type(message)](message, one.id)

    def _opened(self, text: str) -> Message:
        if not text:
            raise BadEnvelope(Flaw.TOO_LONG, f"it is longer than {messages.REPLY_SIZE:,} characters")
        body = unseal(messages.PURPOSE, self.name, text, self._context.keys.all, self._key)
        try:
            return messages.read(body)
        except BadMessage as bad:
            raise BadEnvelope(Flaw.UNREADABLE, bad.reason, str(body["from"])) from bad

    def _key(self, sender: str, fingerprint: str) -> PublicKeys | None:
        return self.trusted.key(sender, fingerprint)

    def _refuse(self, why: str, reason: str, claims: str, *, answered: bool) -> None:
        """Write down what was refused; who is said to have sent it hears of it, if that is a bot we know."""
        now = self._context.now()
        if not self._context.refusals.note(why, reason, claims, now):  # a flood of them fills no log either
            return
        log.warning("a message between bots was refused, said to be from %s: %s: %s", claims or "nobody", why, reason)
        if answered and claims in self.trusted.bots:
            notice = Notice(self.name, claims, nonce(), now, why, reason)
            try:
                self.send(notice)
            except StoreError as error:
                log.warning("%s could not be told: %s", claims, error)

    def _noticed(self, message: Message, _delivery: str) -> bool:
        if isinstance(message, Notice):
            reason = f"{message.sender} refused what was said to be from this bot: {message.reason}"
            self._context.refusals.note(message.why, reason, message.sender, self._context.now())
        return True
