"""The composition root: one bot from its folder, all parts made and joined here and nowhere else."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from automation_bots import __version__, render
from automation_bots.app import rule_problems, watched
from automation_bots.app.alerts import Alerts
from automation_bots.app.delegated import Delegated
from automation_bots.app.drivers import Equipment
from automation_bots.app.named_rooms import NamedRooms
from automation_bots.app.notices import Notices
from automation_bots.app.rules import Acting, Rules, Speaking
from automation_bots.approvals.validity import ApprovalValidity
from automation_bots.audit.keeper import Keeper
from automation_bots.commands.alerts import AlertCommands
from automation_bots.commands.aliases import AliasCommands
from automation_bots.commands.approvals import ApprovalCommands
from automation_bots.commands.bot import BotCommands
from automation_bots.commands.changes import ChangeCommands
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.commands.faq import FaqCommands
from automation_bots.commands.filtered import filtered
from automation_bots.commands.freezes import FreezeCommands
from automation_bots.commands.help import HelpSources
from automation_bots.commands.host_keys import HostKeyCommands
from automation_bots.commands.jobs import JobCommands
from automation_bots.commands.monitors import MonitorCommands
from automation_bots.commands.peers import PeerCommands
from automation_bots.commands.people import PeopleCommands
from automation_bots.commands.record import RecordCommands
from automation_bots.commands.rules import RuleCommands
from automation_bots.commands.schedules import ScheduleCommands
from automation_bots.commands.watches import WatchCommands
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import Change, LiveConfig
from automation_bots.drivers import Driver
from automation_bots.drivers.alerts.driver import Alerts as AlertDriver
from automation_bots.drivers.windows.driver import PowerShell
from automation_bots.errors import UserError
from automation_bots.events import Bus
from automation_bots.health.health import Health
from automation_bots.health.logs import Recent
from automation_bots.identity.membership import Membership
from automation_bots.inventory.addresses import Addresses
from automation_bots.jobs import orphans
from automation_bots.jobs.announcer import Announcer
from automation_bots.jobs.dispatcher import Local
from automation_bots.jobs.driver_guard import DriverGuard, Permits
from automation_bots.jobs.request_context import Compare, RequestContext, TypedCommand
from automation_bots.jobs.restored import RestoredRequests
from automation_bots.jobs.run_context import RunContext
from automation_bots.jobs.throttle import Caps
from automation_bots.model import Answer, Job, Occurrence, Place, Schedule, Tells, one_line
from automation_bots.monitors.changes import Changes
from automation_bots.monitors.monitors import Monitors
from automation_bots.operations import own_at_times
from automation_bots.operations.own_commands import OWN, OwnCommand
from automation_bots.pipeline import afterwards
from automation_bots.pipeline.learning import Learning
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.policy import gate
from automation_bots.repos import setup as repos
from automation_bots.schedules import recurrence
from automation_bots.schedules.own_answers import OwnAnswers, OwnContext
from automation_bots.schedules.reports import ScheduleReports
from automation_bots.schedules.timer import ScheduleContext, ScheduleTimer
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.suggestions.meaning import Meaning
from automation_bots.surface import Surface
from automation_bots.text import command_prefix
from automation_bots.watches.watcher import WatchContext, Watcher

if TYPE_CHECKING:
    from automation_bots.app.peers import OtherBots

log = logging.getLogger(__name__)
_TURN_SECONDS = 0.001  # a thread that answers a person waits no longer for one that works; Python's own is 5 ms
_COLLECT = (50_000, 20, 20)


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def _typed(schedule: Schedule) -> TypedCommand:
    """What its maker typed, to be asked for again."""
    return TypedCommand(schedule.caller, schedule.place, schedule.operation, schedule.line, schedule.text)


def _own_line(schedule: Schedule) -> str:
    """The same of a command of the bot itself, which reads further lines as words."""
    return f"{schedule.line}\n{schedule.text}".strip()


class Bot:
    """One running instance. `start` it with a surface once the chat network is there; `stop` it once.

    With `read_only` only the files are read: for checks beside a running bot.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        drivers: tuple[Driver, ...] = (),
        read_only: bool = False,
    ) -> None:
        self.bot_folder = bot_folder = BotFolder(folder, environment)
        self.folder, self.settings, self.data, self.redactor = (
            bot_folder.folder,
            bot_folder.settings,
            bot_folder.data,
            bot_folder.redactor,
        )
        self.inventory, self._ending = bot_folder.inventory(), list[Callable[[], None]]()
        self.live = LiveConfig(
            self.inventory, self.folder / "policy.yml", bot_folder.operations(), self.settings.places
        )
        self.rules = self._read()
        self._started, self._stopped, self._read_only = False, False, read_only
        if read_only:
            return
        self.notices = Notices(bot_folder, self.live, self.spelled)
        self._rooms = NamedRooms(self.live, self.settings, lambda: self.notices.surface, self.notices.tell_admins)
        self._equipment, self._permits = Equipment(bot_folder, self.inventory, self.live), Permits()
        self._drivers = self._doors(self._equipment.drivers(AlertDriver(lambda: self.alerts.book), *drivers))
        self._runs = self.data.resolve() / "runs"
        self.store = Store.open(bot_folder.record)
        self.store.redact_with(self.redactor.text)
        self.membership = Membership(self.store.people, self.settings, self.data, bot_folder.references.resolved, now)
        self.membership.join(self.live)
        self._restored, self._validity = RestoredRequests(self.store.restored()), self._valid()
        self.peers, (self.dispatcher, self.announcer) = self._other_bots(), self._dispatch()
        self.pipeline, self.monitors, self.schedules = self._way()
        self.acting, self.keeper, self.alerts = self._beside()
        self.health = self._health()
        context = self._context()
        self.repos = repos.commands(context, self.bot_folder, self.notices.say)
        self.groups = self._groups(context)
        self.commands: Mapping[str, Callable[[CommandCall], Answer | None]] = {
            name: self._command(own) for name, own in OWN.items()
        }

    def _read(self) -> Rules:
        """Read all files for the first time."""
        self.live.load()
        return Rules(self.live, self.folder / "rules.yml")

    def _beside(self) -> tuple[Acting, Keeper, Alerts]:
        rooms, own = lambda room: self.bot_folder.room(room, self.live.places), lambda: self.commands
        speaking = Speaking(rooms, self.notices.of, now, self.notices.tell_admins, own)
        acting = Acting(self.rules, self.store, self.live, self.pipeline, speaking)
        keeper = Keeper(self.store, self.settings, self.data, now)
        alerts = Alerts(self.bot_folder, self.store, self.live, self.notices.of, now, (acting.follower,))
        alerts.hear(self.bus, lambda event: self.rules.ask_for(event, now()))
        return acting, keeper, alerts

    def _other_bots(self) -> OtherBots | None:
        """What asks other bots and is asked by them; nothing where no queue is named."""
        if not self.settings.peers.queue:
            return None
        from automation_bots.app.peers import OtherBots  # keys and their library are loaded where bots are reached

        peers = OtherBots(self.bot_folder, self.store, self.live, self.notices.of, self.notices.columns, now)
        self.notices.peers = peers.surface
        self._drivers |= self._doors({peers.driver.name: peers.driver})
        return peers

    def _peer_commands(self, context: CommandContext) -> PeerCommands:
        peers = self.peers
        return PeerCommands(context, peers.exchange, peers.asking, peers.about) if peers else PeerCommands(context)

    def _valid(self) -> ApprovalValidity:
        return ApprovalValidity(self.live, self.store.approvals.find, now)

    def _groups(self, context: CommandContext) -> dict[str, object]:
        """Who answers the bot's own commands, by the groups that they are declared with."""
        self._closed()
        self.watcher = self._watcher(context)
        self.aliases = AliasCommands(context, self.settings.aliases)
        self.help_sources = HelpSources(self._equipment.unready)
        alerts = AlertCommands(
            context, self.alerts.room, self.alerts.teller.heard, self.alerts.sources, self.alerts.book.tells
        )
        trust, peers = HostKeyCommands(context, self._equipment.means(self.notices.say)), self._peer_commands(context)
        monitors = MonitorCommands(context, self.monitors, alerts)
        jobs = JobCommands(context, alerts, peers, monitors.acknowledge)
        schedules = ScheduleCommands(context, self.schedules, self.settings.schedules, self._answer)
        return {
            "alerts": alerts,
            "aliases": self.aliases,
            "approvals": ApprovalCommands(context),
            "bot": BotCommands(context, trust, self.help_sources),
            "faq": FaqCommands(context),
            "freezes": FreezeCommands(context, jobs, schedules, self._closed),
            "jobs": jobs,
            "monitors": monitors,
            "changes": ChangeCommands(context, self.changes, monitors),
            "peers": peers,
            "people": PeopleCommands(context, self.membership, self._hide, self.notices.tell_accounts),
            "record": RecordCommands(context, self.keeper.signer.public),
            "repos": self.repos,
            "rules": RuleCommands(context, self.acting, alerts),
            "schedules": schedules,
            "watches": WatchCommands(context, self.watcher),
        }

    def _watcher(self, context: CommandContext) -> Watcher:
        def asked_in(job: Job) -> list[Place]:
            asked, usual = self.store.approvals.find(job.number), self.settings.approvals.asking().room
            rooms = {need.room or usual for need in asked.needs} if asked else set()
            return [self.bot_folder.room(room, self.live.places) for room in rooms if room]

        return Watcher(
            WatchContext(
                store=self.store,
                policy=lambda: self.live.policy,
                sees=context.sees,
                visible=lambda person: gate.visible(self.live.scope, person),
                inside=self.rules.inside,
                asked_in=asked_in,
                surface=self.notices.of,
                admins=self.notices.tell_admins,
            )
        )

    def _command(self, own: OwnCommand) -> Callable[[CommandCall], Answer | None]:
        found: Callable[[CommandCall], Answer | None] = getattr(self.groups[own.group], own.method)
        return filtered(found) if own.filtered else found

    def _hide(self, text: str) -> None:
        self.redactor.add([text])

    def _closed(self) -> None:
        """Let the gate know what people have frozen and locked."""
        self.live.block(self.store.change_blocks.current())

    def _doors(self, drivers: Mapping[str, Driver]) -> dict[str, DriverGuard]:
        """Let nobody reach a driver but a job: the gate let it pass, and the record has it."""

        def refused(reason: str, about: Subject) -> None:
            self.store.record(AuditKind.DENIED, {"reason": reason}, about)

        return {name: DriverGuard(driver, self._permits, refused) for name, driver in drivers.items()}

    def _dispatch(self) -> tuple[Local, Announcer]:
        self._runs.mkdir(mode=0o700, exist_ok=True)
        context = RunContext(
            store=self.store,
            inventory=self.inventory,
            drivers=self._drivers,
            operation=self.live.operation,
            scope=lambda: self.live.scope,
            paused=lambda: "waits: the policy is broken" if self.live.policy_problem else "",
            redactor=self.redactor,
            time_limit=self.settings.limits.seconds,
            folder=self._runs,
            validity=self._validity.void,
            all_names=self.inventory.all_names,
            columns=self.notices.columns,
            kv=self.bot_folder.references.kv,
            restored=self._restored,
            ask=Delegated(self.live, self.store, lambda: self.peers.driver if self.peers else None, now).ask,
            permits=self._permits,
        )
        caps = Caps.of(self.settings.limits)
        dispatcher = Local(context, lambda: caps)
        self._addresses = Addresses(self.inventory, dispatcher.reread)
        told = ScheduleReports(self.store).of
        then = partial(afterwards.then, self.live)
        announcer = Announcer(self.store, self.notices.of, now, dispatcher.progress, told, then)
        dispatcher.listen(self._equipment.event_sources.telling(self.store, self._ended))
        return dispatcher, announcer

    def _ended(self, number: int) -> None:
        self.announcer.ended(number)
        self.pipeline.approvals.timer.ended(number)
        self.schedules.ended(number)
        self.monitors.ended(number)
        self.changes.ended(number)
        if self._learning:
            self._learning.ended(number)

    @property
    def bus(self) -> Bus:
        """What happens, for plugins that act on it: by a request (`pipeline.submit`), judged as a person's is."""
        return self._equipment.event_sources.bus

    def powershell(self) -> PowerShell:
        """A driver for Windows of its own, for trials beside a running bot, which gives none away."""
        if not self._read_only:
            raise RuntimeError("a running bot runs drivers by jobs only")
        return Equipment(self.bot_folder, self.inventory, self.live).powershell()

    def _way(self) -> tuple[Pipeline, Monitors, ScheduleTimer]:
        """The way of a command, and what takes it again and again."""
        pipeline = self._pipeline()
        outside = watched.Outside(self.bus.publish, self.settings.monitors.reference, self.bot_folder.web_way)
        stands_on = watched.context(self.store, self.live, pipeline, self.notices.of, now, outside)
        monitors = Monitors(stands_on)
        self.changes = Changes(stands_on, monitors)
        return pipeline, monitors, self._schedules()

    def _pipeline(self) -> Pipeline:
        limits, learns = self.settings.limits, self.settings.suggestions.learn
        self._learning = Learning(self.live, self.store, self.redactor.text, now) if learns else None
        return Pipeline(
            RequestContext(
                live=self.live,
                store=self.store,
                dispatcher=self.dispatcher,
                announcer=self.announcer,
                now=now,
                queued_per_person=limits.queued,
                message_size=limits.message,
                sites=bool(limits.site),
                selectors=self._equipment.event_sources.selectors,
                asking=self.settings.approvals.asking(),
                surface=self.notices.of,
                network=self.settings.network,
                known=self.redactor.known,
                page=self.notices.page,
                compare=self._meaning(),
                missed=self._learning.missed if self._learning else lambda *_: None,
                learnt=self.store.questions.learnt if self._learning else tuple,
                alias=lambda caller, words: self.aliases.expanded(caller, words),  # noqa: PLW0108 - it is made later
                restored=self._restored,
            ),
            self._validity,
        )

    def _meaning(self) -> Compare:
        if not self.settings.suggestions.meaning:
            return lambda _question, _texts: ()
        meaning = Meaning()
        self.at_stop(meaning.stop)
        return meaning.nearest

    def _schedules(self) -> ScheduleTimer:
        def run(schedule: Schedule, occurrence: Occurrence, when: datetime | None = None) -> Answer | None:
            by_hand = recurrence.is_beside(schedule.times, occurrence.at)
            silent, confirmed = schedule.tells is not Tells.ALWAYS and not by_hand, schedule.confirmed
            return self.pipeline.scheduled(_typed(schedule), occurrence, confirmed=confirmed, silent=silent, when=when)

        return ScheduleTimer(
            ScheduleContext(
                store=self.store.schedules,
                policy=lambda: self.live.policy,
                now=now,
                run=run,
                asks=lambda schedule, occurrence: self.pipeline.asks(_typed(schedule), occurrence),
                own=self._own_answers(),
                looks=self._only_looks,
                surface=self.notices.of,
                admins=self.notices.tell_admins,
                bus=self.bus,
                devices=lambda schedule: self._devices(schedule.pattern),
                failures=self.settings.schedules.failures,
                ahead=self.settings.schedules.lead,
            )
        )

    def _answer(self, name: str, ask: CommandCall) -> Answer | None:
        return self.commands[name](ask)

    def _own_answers(self) -> OwnAnswers:
        """The bot's own commands at times: asked as their maker would ask, who is judged by them as ever."""

        def run(schedule: Schedule, occurrence: Occurrence) -> Answer | None:
            ask = CommandCall(schedule.caller, schedule.place, _own_line(schedule), occurrence=occurrence)
            return self._answer(schedule.operation, replace(ask, confirmed=schedule.confirmed))

        failures = self.settings.schedules.failures
        return OwnAnswers(OwnContext(self.store.schedules, run, self.redactor.text, self.notices.of, failures))

    def _only_looks(self, schedule: Schedule) -> bool:
        if schedule.operation in OWN:
            return own_at_times.only_looks(schedule.operation, _own_line(schedule))
        return self.pipeline.looks(_typed(schedule))

    def _devices(self, pattern: str) -> tuple[str, ...]:
        try:
            return self.live.inventory.expand(pattern) if pattern else ()
        except UserError:  # none of them is there any more
            return ()

    def _context(self) -> CommandContext:
        return CommandContext(
            name=self.settings.name,
            prefix=self.settings.prefix,
            live=self.live,
            store=self.store,
            dispatcher=self.dispatcher,
            pipeline=self.pipeline,
            now=now,
            clear=self.redactor.text,
            health=self.health,
        )

    def _health(self) -> Health:
        return Health(
            started=now(),
            data=self.data,
            store=self.store,
            dispatcher=self.dispatcher,
            live=self.live,
            drivers=tuple(sorted(self._drivers)),
            recent=Recent(self.redactor),
            link=lambda: self.notices.link,
            files=self._file_problems,
            plugins=lambda: tuple(one_line(text, 200) for text in self.repos.installer.reaching),
            undelivered=lambda: self.notices.undelivered,
            copies=self.keeper.waiting,
            watched=lambda: watched.figures(self.monitors),
            peers=lambda: self.peers.figures() if self.peers else None,
            heard=self.alerts.heard,
        )

    def _file_problems(self) -> tuple[str, ...]:
        live = self.live
        found = [live.policy_problem, live.inventory.problem, *map(str, live.catalog.problems)]
        found += [*self.repos.installer.troubles, *self.alerts.problems, *map(str, self.rules.book.broken)]
        return tuple(one_line(text, 300) for text in found if text)

    def spelled(self, answer: Answer) -> Answer:
        """Texts of ours write commands with `!`; this bot's own prefix stands in what leaves it."""
        answer = answer if self.notices.buttons else answer.in_words()
        names = {*OWN, *(name.partition(" ")[0] for name in self.live.catalog.operations)}
        return command_prefix.spelled(answer, self.settings.prefix, names)

    # -- life

    def start(self, surface: Surface) -> list[Job]:
        """Begin: recover what a crash left, tell it, take up the queue. Returns the interrupted jobs."""
        self.notices.connected(surface)
        if self._started:
            return []
        # What is here now stays, and tens of thousands of devices are no garbage either: looking all of it through
        # again and again takes longer than the work itself.
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        sys.setswitchinterval(_TURN_SECONDS)
        self.store.record(AuditKind.OPENED, {"version": __version__, "policy": self.live.policy.version})
        interrupted = self.store.recover()
        ended = orphans.clear(self._runs) + orphans.end(self.repos.installer.plugins.root)
        ended += self._equipment.masters.close()
        if ended:
            log.warning("ended %d processes that a killed bot had left running", ended)
        self._rooms.find()
        self.membership.start()
        self.keeper.start(self.notices.checkpoint)
        self.announcer.start()
        self.dispatcher.start()
        self.live.listen(self._reloaded)
        self.live.start()
        self._begin_to_look()
        self._begin_to_wait()
        logging.getLogger().addHandler(self.health.recent)
        self._stop_metrics = self._serve_metrics()
        self._started = True
        self._tell()
        return interrupted

    def _tell(self) -> None:
        """Say what somebody has to look at."""
        self.repos.tell_problems(self.notices.tell_admins)
        for problem in (*self.live.catalog.problems, *self.rules.book.broken):
            log.warning("left out: %s", problem)
            self.notices.tell_admins(Answer(f"A file is wrong and was left out: {problem}"))
        self._tell_restored()
        self._tell_open_denials()

    def _tell_restored(self) -> None:
        """Say at every start what of a restored record waits for a word."""
        waits, held = len(self._restored.waits), sum(schedule.restored for schedule in self.store.schedules.all())
        if waits or held:
            many = " and ".join(
                [render.many(waits, "request")] * bool(waits) + [render.many(held, "schedule")] * bool(held)
            )
            text = (
                f"The record was restored from a backup. {many} that waited then may have run since: say what goes on."
            )
            log.warning("%s", text)
            self.notices.page(Answer(text, hint="→ !pending · !schedules · !continue all"))

    def _begin_to_look(self) -> None:
        self._equipment.event_sources.start()
        if self.bot_folder.resolves:
            self._addresses.start()

    def _begin_to_wait(self) -> None:
        self.pipeline.approvals.timer.begin()
        self.schedules.begin()
        self.monitors.start()
        self.changes.start()
        self.acting.actions.start()
        self.watcher.start()
        self.alerts.start()
        if self.peers:
            self.peers.start(self.pipeline, self.commands, self.notices.tell_admins)

    def _serve_metrics(self) -> Callable[[], None]:
        wanted = self.settings.metrics
        if not wanted.port:
            return lambda: None
        from automation_bots.health.metrics import Metrics  # not loaded where nobody asks for figures

        try:
            return Metrics(self.health, now).serve(wanted.address, wanted.port)
        except OSError as error:  # a bot without figures is better than none
            log.error("metrics: cannot listen on %s port %d: %s", wanted.address, wanted.port, error.strerror)  # noqa: TRY400
            return lambda: None

    def _reloaded(self, change: Change) -> None:
        if change.what == "settings":
            self.notices.tell_admins(Answer("bot.toml has changed: it counts from the next start of the bot on."))
            return
        self.pipeline.approvals.timer.look_at_all()
        self.monitors.reconsider()
        log.info("%s read again%s", change.what, "".join(f"; {problem}" for problem in change.problems))
        self.store.record(AuditKind.RELOADED, {"what": change.what, "reason": "; ".join(change.problems)})
        for problem in change.problems:
            closed = "The rules cannot be read, so everybody is refused and nothing starts until they are mended"
            said = closed if change.what == "policy" else "A file is wrong and was left out"
            self.notices.tell_admins(Answer(f"{said}: {problem}"))
        if change.what in {"policy", "rules"}:
            self._rooms.find()
        if change.what == "inventory":
            self._addresses.wake()
            self.dispatcher.reread()
        if change.what in {"policy", "operations"}:
            self._tell_open_denials()

    def _tell_open_denials(self) -> None:
        """A typo in `deny:`, or a file that was renamed, must not leave open in silence what was closed."""
        for text in rule_problems.open_denials(self.bot_folder, self.live):
            log.warning("%s", text)
            self.notices.tell_admins(Answer(text))

    @property
    def started(self) -> bool:
        """Whether it works: the chat network is there."""
        return self._started

    @property
    def stopping(self) -> bool:
        """Whether its end has begun."""
        return self._stopped

    @property
    def condition(self) -> str:
        """How it is, in a line: for who looks from outside, without asking the record."""
        if self._stopped:
            return "ends: running work has its grace"
        running, waiting = self.dispatcher.active
        link = f"{self.settings.backend}: {self.notices.link or 'connected'}"
        return f"{link}; {render.many(running, 'job')} running, {waiting} waiting"

    def responds(self) -> bool:
        """Whether the queue goes on."""
        return not self._started or self._stopped or self.dispatcher.responds()

    def at_stop(self, call: Callable[[], None]) -> None:
        """End something of somebody else's with this bot."""
        self._ending.append(call)

    def hurry(self) -> None:
        """End the grace that `stop` gives to running work; it may come before the stop."""
        self.dispatcher.hurry()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """End: no new work, running work gets its grace, everybody is told."""
        if self._stopped:
            return
        self._stopped = True
        for call in self._ending:
            call()
        self.live.stop()
        self._addresses.stop()
        self._rooms.stop()
        if self._started:
            self._end_what_waits()
        self.dispatcher.stop(grace_seconds)
        for driver in self._drivers.values():
            driver.close()
        if self._started:
            self.announcer.stop()
            if self.peers:
                self.peers.stop()
            self.membership.stop()
            self._stop_metrics()
            logging.getLogger().removeHandler(self.health.recent)
            self.store.record(AuditKind.CLOSED)
            self.keeper.stop()
        self.store.close()

    def _end_what_waits(self) -> None:
        if self.peers:
            self.peers.leave()
        self.alerts.stop()
        self.watcher.stop()
        self.acting.actions.stop()
        self.schedules.stop()
        self.pipeline.approvals.timer.stop()
        self.changes.stop()
        self.monitors.stop()
