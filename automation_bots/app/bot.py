"""The composition root: one bot from its folder, all parts made and joined here and nowhere else."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from automation_bots import __version__
from automation_bots.app.drivers import Equipment
from automation_bots.app.notices import Voice
from automation_bots.approvals.validity import Consent
from automation_bots.audit.keeper import Keeper
from automation_bots.commands.approvals import ApprovalDesk
from automation_bots.commands.bot import Desk
from automation_bots.commands.context import Office
from automation_bots.commands.freezes import CloseDesk
from automation_bots.commands.host_keys import TrustDesk
from automation_bots.commands.jobs import JobDesk
from automation_bots.commands.people import PeopleDesk
from automation_bots.commands.record import RecordDesk
from automation_bots.config.bot_folder import Home
from automation_bots.config.live import Change, World
from automation_bots.drivers import Driver
from automation_bots.drivers.windows.driver import PowerShell
from automation_bots.events import Bus
from automation_bots.health.health import Health
from automation_bots.health.logs import Recent
from automation_bots.identity.membership import Membership
from automation_bots.jobs import orphans
from automation_bots.jobs.announcer import Announcer
from automation_bots.jobs.dispatcher import Local
from automation_bots.jobs.driver_guard import Door, Passes
from automation_bots.jobs.run_context import Workshop
from automation_bots.model import Answer, Job, one_line
from automation_bots.pipeline.pipeline import Parts, Pipeline
from automation_bots.repos import setup as repos
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.surface import Surface

log = logging.getLogger(__name__)
_COLLECT = (50_000, 20, 20)


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


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
        self.home = home = Home(folder, environment)
        self.folder, self.settings, self.data, self.redactor = home.folder, home.settings, home.data, home.redactor
        self.inventory = home.inventory()
        self.world = World(self.inventory, self.folder / "policy.yml", home.operations(), self.settings.places)
        self.world.load()
        self._started = self._stopped = False
        if read_only:
            return
        self.voice = Voice(home, lambda: self.world.policy)
        self._equipment = Equipment(home, self.inventory, self.world)
        self._passes = Passes()
        self._drivers = self._doors(self._equipment.drivers(*drivers))
        self._runs = self.data.resolve() / "runs"
        self.store = Store.open(home.record)
        self.store.redact_with(self.redactor.text)
        self.membership = Membership(self.store.people, self.settings, self.data, home.references.resolved, now)
        self.membership.join(self.world)
        self._consent = Consent(self.world, self.store.parking.find, now)
        self.dispatcher, self.announcer = self._dispatch()
        self.pipeline = self._pipeline()
        self.keeper = Keeper(self.store, self.settings, self.data, now)
        self.health = self._health()
        self._set_desks(self._office())

    def _set_desks(self, office: Office) -> None:
        trust = TrustDesk(office, self._equipment.means(self.voice.say))
        self.desk, self.job_desk = Desk(office, trust), JobDesk(office)
        self.approval_desk = ApprovalDesk(office)
        self.people_desk = PeopleDesk(office, self.membership, lambda text: self.redactor.add([text]))
        self.record_desk = RecordDesk(office, self.keeper.signer.public)
        self._closed()
        self.close_desk = CloseDesk(office, self.job_desk, self._closed)
        self.repos = repos.desk(office, self.home, self.voice.say)

    def _closed(self) -> None:
        """Let the gate know what people have frozen and locked."""
        self.world.closures = self.store.closures.current()

    def _doors(self, drivers: Mapping[str, Driver]) -> dict[str, Door]:
        """Let nobody reach a driver but a job: the gate let it pass, and the record has it."""

        def refused(reason: str, about: Subject) -> None:
            self.store.record(AuditKind.DENIED, {"reason": reason}, about)

        return {name: Door(driver, self._passes, refused) for name, driver in drivers.items()}

    def _dispatch(self) -> tuple[Local, Announcer]:
        self._runs.mkdir(mode=0o700, exist_ok=True)
        workshop = Workshop(
            store=self.store,
            inventory=self.inventory,
            drivers=self._drivers,
            operation=self.world.operation,
            scope=lambda: self.world.scope,
            paused=lambda: "waits: the policy is broken" if self.world.policy_problem else "",
            redactor=self.redactor,
            time_limit=self.settings.limits.seconds,
            folder=self._runs,
            consent=self._consent.void,
            kv=self.home.references.kv,
            passes=self._passes,
        )
        caps = self.settings.limits.caps()
        dispatcher = Local(workshop, lambda: caps)
        announcer = Announcer(self.store, self.voice.of, now, dispatcher.progress)
        dispatcher.listen(self._equipment.elsewhere.telling(self.store, self._ended))
        return dispatcher, announcer

    def _ended(self, number: int) -> None:
        self.announcer.ended(number)
        self.pipeline.approvals.vigil.ended(number)

    @property
    def bus(self) -> Bus:
        """What happens, for plugins that act on it: by a request (`pipeline.submit`), judged as a person's is."""
        return self._equipment.elsewhere.bus

    def powershell(self) -> PowerShell:
        """A driver for Windows of its own, for trials beside a running bot, which gives none away."""
        if hasattr(self, "store"):
            raise RuntimeError("a running bot runs drivers by jobs only")
        return Equipment(self.home, self.inventory, self.world).powershell()

    def _pipeline(self) -> Pipeline:
        limits = self.settings.limits
        return Pipeline(
            Parts(
                world=self.world,
                store=self.store,
                dispatcher=self.dispatcher,
                announcer=self.announcer,
                now=now,
                queued_per_person=limits.queued,
                message_size=limits.message,
                sites=bool(limits.site),
                prefix=self.settings.prefix,
                selectors=self._equipment.elsewhere.selectors,
                asking=self.settings.approvals.asking(),
                surface=self.voice.of,
                known=self.redactor.known,
                page=self.voice.page,
            ),
            self._consent,
        )

    def _office(self) -> Office:
        return Office(
            name=self.settings.name,
            prefix=self.settings.prefix,
            world=self.world,
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
            world=self.world,
            drivers=tuple(sorted(self._drivers)),
            recent=Recent(self.redactor),
            link=lambda: self.voice.link,
            files=self._file_problems,
            plugins=lambda: tuple(one_line(text, 200) for text in self.repos.work.reaching),
            undelivered=lambda: self.voice.undelivered,
        )

    def _file_problems(self) -> tuple[str, ...]:
        world = self.world
        found = [world.policy_problem, world.inventory.problem, *map(str, world.catalog.problems)]
        found += self.repos.work.troubles
        return tuple(one_line(text, 300) for text in found if text)

    # -- life

    def start(self, surface: Surface) -> list[Job]:
        """Begin: recover what a crash left, tell it, take up the queue. Returns the interrupted jobs."""
        self.voice.surface = surface
        if self._started:
            return []
        # What is here now stays, and tens of thousands of devices are no garbage either: looking all of it through
        # again and again takes longer than the work itself.
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        self.store.record(AuditKind.OPENED, {"version": __version__, "policy": self.world.policy.version})
        interrupted = self.store.recover()
        ended = orphans.clear(self._runs) + orphans.end(self.repos.work.shelf.root)
        ended += self._equipment.masters.close()
        if ended:
            log.warning("ended %d processes that a killed bot had left running", ended)
        self.membership.start()
        self.keeper.start(self.voice.checkpoint)
        self.announcer.start()
        self.dispatcher.start()
        self.world.listen(self._reloaded)
        self.world.start()
        self._equipment.elsewhere.start()
        self.pipeline.approvals.vigil.begin()
        logging.getLogger().addHandler(self.health.recent)
        self._stop_metrics = self._serve_metrics()
        self._started = True
        self.repos.tell_problems(self.voice.tell_admins)
        return interrupted

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
        self.pipeline.approvals.vigil.look_at_all()
        log.info("%s read again%s", change.what, "".join(f"; {problem}" for problem in change.problems))
        self.store.record(AuditKind.RELOADED, {"what": change.what, "reason": "; ".join(change.problems)})
        for problem in change.problems:
            self.voice.tell_admins(Answer(f"A file is wrong and was left out: {problem}"))

    @property
    def started(self) -> bool:
        """Whether it works: the chat network is there."""
        return self._started

    @property
    def stopping(self) -> bool:
        """Whether its end has begun."""
        return self._stopped

    def hurry(self) -> None:
        """End the grace that `stop` gives to running work; it may come before the stop."""
        self.dispatcher.hurry()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """End: no new work, running work gets its grace, everybody is told."""
        if self._stopped:
            return
        self._stopped = True
        self.world.stop()
        if self._started:
            self.pipeline.approvals.vigil.stop()
        self.dispatcher.stop(grace_seconds)
        for driver in self._drivers.values():
            driver.close()
        if self._started:
            self.announcer.stop()
            self.membership.stop()
            self._stop_metrics()
            logging.getLogger().removeHandler(self.health.recent)
            self.store.record(AuditKind.CLOSED)
            self.keeper.stop()
        self.store.close()
