"""Other bots, joined to this one: their queue, the driver that asks them, and the way that their requests take here."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from automation_bots import __version__
from automation_bots.commands.context import CommandCall
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.drivers import Driver
from automation_bots.errors import StoreError
from automation_bots.health.health import PeerFigures
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Caller, Job, Person, Place
from automation_bots.operations.own_commands import OWN, Late
from automation_bots.peers.answering import Answered, Answering, AnsweringContext, Said
from automation_bots.peers.asking import Asking, AskingContext
from automation_bots.peers.driver import Peers
from automation_bots.peers.exchange import Exchange, ExchangeContext
from automation_bots.peers.queue import Queue
from automation_bots.peers.refusals import Refusals
from automation_bots.peers.surface import PeerSurface
from automation_bots.peers.trust import TRUSTED, OwnKeys, Trusted, TrustFile
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.policy.peers import bot_of
from automation_bots.secrets import references
from automation_bots.store import AuditKind, Store
from automation_bots.store.codec import canonical
from automation_bots.store.peer_queue import SqlQueue
from automation_bots.surface import Surface
from automation_bots.text import command_prefix
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_CONFIRM = re.compile(r"\s--confirm(?:=|\s+)(\d{1,6})\s*\Z")
_KEYS_SECONDS = 2.0
_OF_ONES_OWN = ("cancel", "retry", "withdraw", "ack")  # what one may do about one's own jobs from elsewhere
Commands = Mapping[str, Callable[[CommandCall], Answer | None]]


def queue_of(bot_folder: BotFolder) -> Queue:
    """The queue that [peers] names: a database server, or a folder of this machine."""
    wanted = bot_folder.settings.peers.queue
    if references.is_reference(wanted):
        wanted = bot_folder.references.resolved({"queue": wanted}, "peers")["queue"]
    return SqlQueue(wanted if "://" in wanted else bot_folder.path(wanted))


class OtherBots:
    """Made with the bot, begun with it, ended with it."""

    def __init__(
        self,
        bot_folder: BotFolder,
        store: Store,
        live: LiveConfig,
        surface: Callable[[Place], Surface],
        columns: Callable[[Place], int],
        now: Callable[[], datetime],
    ) -> None:
        self._bot_folder, self._store, self._live, self._now = bot_folder, store, live, now
        self._name, data = bot_folder.settings.name, bot_folder.data
        self.named = bot_folder.peers
        self.trust = TrustFile(data / TRUSTED)
        self.refusals = Refusals(store.record, lambda name: name in self.named)
        self.exchange = Exchange(
            ExchangeContext(
                self._name, __version__, queue_of(bot_folder), OwnKeys(data), self.trust, frozenset(self.named),
                self.refusals, now,
            )
        )  # fmt: skip
        self._way: tuple[Pipeline, Commands] | None = None
        self.asking = Asking(
            AskingContext(
                store, self.exchange, self.refusals, now, surface, columns, self._place_name,
                bot_folder.redactor.text,
            )
        )  # fmt: skip
        self.answering = Answering(
            AnsweringContext(
                store=store,
                exchange=self.exchange,
                refusals=self.refusals,
                now=now,
                person=self._person,
                run=self._run,
                cancel=self._cancel,
                network=bot_folder.settings.network,
                spelled=self._spelled,
            )
        )
        self.surface = PeerSurface(self.answering)
        self._keys = Loop("peer keys", self._look_at_keys)
        self._known: Trusted | None = None
        self._tell: Callable[[Answer], None] = lambda _answer: None

    def _person(self, caller: Caller) -> Person | None:
        return self._live.policy.person(caller)

    def _place_name(self, place: Place) -> str:
        return self._pipeline.place_name(place)

    @property
    def driver(self) -> Driver:
        """What asks them, for a job."""
        return Peers(self.asking, lambda: self.exchange.signs, self.named)

    @property
    def _pipeline(self) -> Pipeline:
        if self._way is None:
            raise StoreError("the bot has not begun yet")
        return self._way[0]

    def start(self, pipeline: Pipeline, commands: Commands, tell_admins: Callable[[Answer], None]) -> None:
        """Begin to ask and to be asked."""
        self._way, self._tell = (pipeline, commands), tell_admins
        self._known = self._recorded()
        self._keys.start()
        self.answering.start()
        self.exchange.start()

    def leave(self) -> None:
        """The bot is about to end: what others do for it goes on without it."""
        self.asking.stopping = True
        self.answering.stop()

    def stop(self) -> None:
        """End."""
        self._keys.stop()
        self.answering.end()
        self.exchange.stop()

    # -- asked here

    def _run(self, said: Said) -> Answered | None:
        """Run what another bot's person said: an operation by its job, a question to the bot itself at once."""
        pipeline, commands = self._pipeline, self._way[1] if self._way else {}
        confirm = _CONFIRM.search(said.line)
        line = said.line[: confirm.start()] if confirm else said.line
        name, _, rest = line.strip().removeprefix(self._bot_folder.settings.prefix).partition(" ")
        own = OWN.get(name.lower())
        if own is None or self._live.catalog.find(name) is not None:
            typed = TypedCommand(said.caller, said.place, name, rest.strip(), said.text, said.message_id)
            answer = pipeline.unattended(typed, confirmed=int(confirm[1]) if confirm else 0)
            return None if answer is None else Answered(answer, fine=False)
        if own.late is not Late.LOOKS and own.name not in _OF_ONES_OWN:
            text = f"No: !{own.name} is said to {self._name} itself, where its own people are."
            return Answered(Answer(text.replace("!", "")), fine=False)
        call = CommandCall(said.caller, said.place, rest.strip())
        answer = commands[own.name](call)
        return None if answer is None else Answered(answer, fine=True)

    def _cancel(self, caller: Caller, place: Place, job: int) -> Answer | None:
        commands = self._way[1] if self._way else {}
        return commands["cancel"](CommandCall(caller, place, str(job)))

    def _spelled(self, answer: Answer) -> Answer:
        """Commands in what is said bear the way back: `!@winbot job 207`."""
        names = {*OWN, *(name.partition(" ")[0] for name in self._live.catalog.operations)}
        return command_prefix.spelled(answer, f"!@{self._name} ", names)

    # -- what is so

    def about(self, job: Job) -> list[tuple[str, str]]:
        """Which jobs of other bots a job here belongs to."""
        if bot := bot_of(job.place.network):
            asked = self._store.peers.of_job(job.number)
            where = f" from {asked.facts['where']}" if asked and asked.facts["where"] else ""
            earlier = f", after {', '.join(asked.via[:-1])}" if asked and asked.via[1:] else ""
            number = f" #{asked.facts['theirs']}" if asked and asked.facts["theirs"] else ""
            return [("asked by", f"{bot}{number}{where}{earlier}")]
        calls = self._store.peers.calls_of(job.number)
        return [("there", f"{call.bot} #{call.remote}") for call in calls if call.remote is not None]

    def figures(self) -> PeerFigures:
        """What they come to, for whoever scrapes it."""
        here = {name: one.here for name, one in self.exchange.signs.items()}
        refused, problem = dict(self.refusals.counts), self.exchange.problem
        return PeerFigures(here, self.asking.sent, self.answering.taken, refused, problem)

    # -- keys

    def _look_at_keys(self) -> float:
        """Keep in the record which keys are trusted, as somebody changed them on the command line."""
        now = self.exchange.trusted
        if now != self._known:
            self._known = now
            self._store.record(AuditKind.PEER_KEY, _keys(now))
            names = ", ".join(sorted(now.bots)) or "none"
            self._tell(Answer(f"The keys of other bots were changed: trusted are {names}.", hint="→ !peers"))
        return _KEYS_SECONDS

    def _recorded(self) -> Trusted | None:
        """What the record knows; the same as now, where nothing was changed meanwhile."""
        rows = self._store.audit_rows(limit=1, kind=AuditKind.PEER_KEY)
        try:
            now = self.exchange.trusted
        except StoreError:
            return None
        known = rows[0].body if rows else _keys(Trusted())
        return now if canonical(known) == canonical(_keys(now)) else None


def _keys(trusted: Trusted) -> dict[str, object]:
    """What the record keeps of them."""
    bots = {name: [key.fingerprint for key in one.keys] for name, one in trusted.bots.items()}
    return {"trusted": bots, "revoked": sorted(trusted.revoked)}


def key_files(data: Path) -> tuple[OwnKeys, TrustFile]:
    """The files of a bot's keys, for the command line beside a running one."""
    return OwnKeys(data), TrustFile(data / TRUSTED)
