"""The composition root: one bot from its folder, all parts made and joined here and nowhere else."""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation_bots import __version__, gate, secrets, settings
from automation_bots.announce import Announcer
from automation_bots.approvaldesk import ApprovalDesk
from automation_bots.catalog import Folders
from automation_bots.checkpoints import Checkpoint
from automation_bots.closedesk import CloseDesk
from automation_bots.consent import Consent
from automation_bots.desk import Desk
from automation_bots.dispatch import leftovers
from automation_bots.dispatch.local import Local
from automation_bots.dispatch.run import Workshop
from automation_bots.drivers import Closing, Driver
from automation_bots.drivers.ansible import Ansible
from automation_bots.drivers.paths import Paths, Sight
from automation_bots.drivers.powershell import PowerShell
from automation_bots.drivers.powershell_ssh import SshPowerShell
from automation_bots.drivers.python import Python
from automation_bots.drivers.reach import Reach
from automation_bots.drivers.ssh import Options, Ssh
from automation_bots.drivers.ssh_access import Access, Around, KnownHosts, OfferedKey, access_to, offered_to
from automation_bots.drivers.ssh_config import SshConfig
from automation_bots.errors import ConfigError
from automation_bots.health import Health
from automation_bots.inventory import Inventory
from automation_bots.jobdesk import JobDesk
from automation_bots.keeper import Keeper
from automation_bots.logs import Recent
from automation_bots.membership import Membership
from automation_bots.model import Answer, Job, Place, one_line
from automation_bots.office import Office
from automation_bots.peopledesk import PeopleDesk
from automation_bots.pipeline import Parts, Pipeline
from automation_bots.recorddesk import RecordDesk
from automation_bots.redact import Redactor
from automation_bots.references import References
from automation_bots.rules import ADMINS
from automation_bots.store import AuditKind, Store
from automation_bots.surface import Surface
from automation_bots.trust import Means, TrustDesk
from automation_bots.world import Change, World

log = logging.getLogger(__name__)
_COLLECT = (50_000, 20, 20)
OWN_PLUGINS = ("approvals", "closing", "desk", "jobs", "operations", "people")
_LOOK_SECONDS = 5.0  # for one device
ROOT = Path(__file__).resolve().parent.parent


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


class Bot:
    """One running instance. `start` it with a surface once the chat network is there; `stop` it once.

    With `read_only` only the files are read: for checks beside a running bot.
    """

    _surface: Surface | None

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        *,
        drivers: tuple[Driver, ...] = (),
        read_only: bool = False,
    ) -> None:
        self.folder = folder.resolve()
        self.environment = dict(os.environ if environment is None else environment)
        self.settings = settings.load(self.folder)
        self.data = settings.data_folder(self.settings, self.folder, self.environment, ROOT)
        self.redactor = Redactor()
        self.references = References(self.folder, self.settings, self.environment, self.redactor)
        self.inventory = self._inventory()
        self.world = World(self.inventory, self.folder / "policy.yml", self._folders(), self.settings.places)
        self.world.load()
        self._started = self._stopped = False
        if read_only:
            return
        self._more_drivers, self._surface = drivers, None
        self._runs = self.data.resolve() / "runs"
        self.store = Store.open(self.record)
        self.membership = Membership(self.store.people, self.settings, self.data, self.references.resolved, now)
        self.membership.join(self.world)
        self._consent = Consent(self.world, self.store.parking.find, now)
        self.dispatcher, self.announcer = self._dispatch()
        self.pipeline = self._pipeline()
        self.keeper = Keeper(self.store, self.settings, self.data, now)
        self.health = self._health()
        self._set_desks(self._office())

    def _set_desks(self, office: Office) -> None:
        trust = TrustDesk(office, self._trust_means())
        self.desk, self.job_desk = Desk(office, trust), JobDesk(office)
        self.approval_desk = ApprovalDesk(office)
        self.people_desk = PeopleDesk(office, self.membership, lambda text: self.redactor.add([text]))
        self.record_desk = RecordDesk(office, self.keeper.signer.public)
        self._closed()
        self.close_desk = CloseDesk(office, self.job_desk, self._closed)

    def _closed(self) -> None:
        """Let the gate know what people have frozen and locked."""
        self.world.closures = self.store.closures.current()

    # -- parts

    def _path(self, text: str) -> Path:
        """A path of bot.toml: relative to the bot's folder, `{data}` is the data folder."""
        return self.folder / Path(text.replace("{data}", str(self.data))).expanduser()

    @property
    def known_hosts(self) -> Path:
        """The host keys that this bot trusts."""
        return self._path(self.settings.drivers.ssh.known_hosts)

    def _inventory(self) -> Inventory:
        wanted = self.settings.inventory
        vault = wanted.vault_password_file
        return Inventory(
            self._sources(),
            self.data / "cache",
            vault_password_file=self._path(vault) if vault else None,
            refresh_seconds=wanted.refresh_seconds,
        )

    @property
    def record(self) -> str | Path:
        """Where the record lives: the data folder, or a database server's URL."""
        url = self.settings.store.url
        return self.references.resolved({"url": url}, "store")["url"] if secrets.is_reference(url) else url or self.data

    def plugin_folders(self) -> list[str]:
        """The folders of Errbot plugins that `plugins` of bot.toml names; the bot's own three are always there."""
        shared = ROOT / "errbot-plugins"
        if self.settings.plugins == ["all"]:
            return [str(shared)]
        names = dict.fromkeys([*OWN_PLUGINS, *self.settings.plugins])
        for name in names:
            if not (shared / name).is_dir():
                known = ", ".join(sorted(path.name for path in shared.iterdir() if path.is_dir()))
                raise ConfigError(
                    self.folder / "bot.toml", f"plugins: there is no {name!r} in errbot-plugins; known: {known}"
                )
        return [str(shared / name) for name in names]

    def _folders(self) -> Folders:
        playbooks = [ROOT / "playbooks", self.folder / "playbooks", *(self.folder / p for p in self.settings.playbooks)]
        return Folders(
            verbs=tuple(place / "verbs" for place in playbooks),
            playbooks=tuple(playbooks),
            functions=tuple(self.folder / place for place in self.settings.commands),
        )

    def _sources(self) -> tuple[Path, ...]:
        """The inventory's files and folders; one below {data} is written by a program, and may not be there yet."""
        wanted = self.settings.inventory.sources
        return tuple(path for text in wanted if (path := self._path(text)).exists() or "{data}" not in text)

    def _dispatch(self) -> tuple[Local, Announcer]:
        self._runs.mkdir(mode=0o700, exist_ok=True)
        drivers = self._drivers()
        self._workshop_drivers = frozenset(drivers)
        workshop = Workshop(
            store=self.store,
            inventory=self.inventory,
            drivers=drivers,
            operation=self.world.operation,
            scope=lambda: self.world.scope,
            paused=lambda: "waits: the policy is broken" if self.world.policy_problem else "",
            redactor=self.redactor,
            time_limit=self.settings.limits.seconds,
            folder=self._runs,
            consent=self._consent.void,
            kv=self.references.kv,
        )
        caps = self.settings.limits.caps()
        dispatcher = Local(workshop, lambda: caps)
        announcer = Announcer(self.store, self._surface_of, now, dispatcher.progress)
        dispatcher.listen(self._ended)
        return dispatcher, announcer

    def _ended(self, number: int) -> None:
        self.announcer.ended(number)
        self.pipeline.approvals.vigil.ended(number)

    def _drivers(self) -> dict[str, Driver]:
        wanted, vault = self.settings.drivers, self.inventory.vault_password_file
        ssh = self._ssh()
        ansible = Ansible(
            forks=wanted.ansible.forks,
            vault_password_file=vault,
            environment={"ANSIBLE_SSH_COMMON_ARGS": self._ssh_options(), **self._environment_of("ansible")},
            output_limit=wanted.output_limit,
        )
        python = Python(environment=self._environment_of("python"), output_limit=wanted.output_limit)
        reach = Reach(packets_per_second=wanted.reach.packets_per_second)
        ours = (ssh, ansible, python, reach, self._paths(), self.powershell(ssh))
        drivers: tuple[Driver, ...] = (*ours, *self._more_drivers)
        self._closing = [driver.close for driver in drivers if isinstance(driver, Closing)]
        return {driver.name: driver for driver in drivers}

    def powershell(self, ssh: Ssh | None = None) -> PowerShell:
        """The driver for Windows, with these connections or with some of its own."""
        wanted = self.settings.drivers.powershell
        return PowerShell(
            SshPowerShell(ssh or self._ssh()),
            parallel=wanted.parallel,
            connect_seconds=wanted.connect_seconds,
            output_limit=self.settings.drivers.output_limit,
            ca=self._path(wanted.ca) if wanted.ca else None,
        )

    def _ssh(self) -> Ssh:
        wanted = self.settings.drivers.ssh
        options = Options(
            parallel=wanted.parallel,
            connect_seconds=wanted.connect_seconds,
            key_files=tuple(self._path(key) for key in wanted.key_files),
            allow_agent=wanted.agent,
            keep_seconds=wanted.keep_seconds,
            keep=wanted.keep,
        )
        limit = self.settings.drivers.output_limit
        return Ssh(self.known_hosts, options, output_limit=limit, around=self._around())

    def _around(self) -> Around:
        """What says how to get to a device, beside its own variables."""
        wanted = self.settings.drivers.ssh.config
        config = SshConfig(self._path(wanted)) if wanted else None
        return Around(config, self.inventory.find, self.inventory.secrets)

    def _trust_means(self) -> Means:
        """How host keys are looked at: by the way that the driver takes, jump hosts included."""
        wanted, around = self.settings.drivers.ssh, self._around()
        keys = tuple(self._path(key) for key in wanted.key_files)

        def offered(access: Access) -> list[OfferedKey]:
            return offered_to(access, KnownHosts(self.known_hosts), _LOOK_SECONDS, keys=keys, agent=wanted.agent)

        return Means(
            self.known_hosts,
            tell=lambda place, text: self._surface_of(place).say(place, text),
            access=lambda device: access_to(device, {}, around),
            offered=offered,
        )

    def _paths(self) -> Paths:
        def address(person: str, name: str) -> str:
            """What the inventory says of a device, to those who may know of it."""
            known = self.world.policy.people.get(person)
            if name not in gate.visible(self.world.scope, known):
                return ""
            return self.inventory.device(name).address

        return Paths(sight=Sight(device=address))

    def _ssh_options(self) -> str:
        """What Ansible tells ssh: the host keys that this bot trusts are trusted by playbooks too."""
        files = " ".join(f'"{path}"' for path in (self.known_hosts, "~/.ssh/known_hosts"))
        return f"-o 'UserKnownHostsFile={files}'"

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
                asking=self.settings.approvals.asking(),
                surface=self._surface_of,
                page=self._page,
            ),
            self._consent,
        )

    def _page(self, answer: Answer) -> None:
        """Tell the admins and the approvers' room at once, without making the one wait who has an emergency."""
        threading.Thread(target=self._page_now, args=(answer,), name="page", daemon=True).start()

    def _page_now(self, answer: Answer) -> None:
        self._tell_admins(answer)
        if room := self.settings.approvals.asking().room:
            self._tell(
                "the approvers' room",
                Place(self.settings.network, self.settings.places.get(room.removeprefix("#"), room)),
                answer,
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
            drivers=tuple(sorted(self._workshop_drivers)),
            recent=Recent(self.redactor),
            link=self._link,
            files=self._file_problems,
        )

    def _link(self) -> str:
        """What is wrong with the connection to the chat network; empty when nothing is."""
        return "not connected yet" if self._surface is None else str(getattr(self._surface, "link", ""))

    def _file_problems(self) -> tuple[str, ...]:
        world = self.world
        found = (world.policy_problem, world.inventory.problem, *map(str, world.catalog.problems))
        return tuple(one_line(text, 300) for text in found if text)

    def _surface_of(self, _place: Place) -> Surface:
        if self._surface is None:
            raise OSError("the chat network is not connected yet")
        return self._surface

    # -- secrets

    def chat_identity(self) -> dict[str, Any]:
        """The credentials of the chat network, references resolved."""
        return {**self.settings.chat, **self._chat_secrets()}

    def _environment_of(self, driver: str) -> dict[str, str]:
        """What [drivers.<name>.environment] says, references resolved."""
        return self.references.resolved(
            getattr(self.settings.drivers, driver).environment, "drivers", driver, "environment"
        )

    def _chat_secrets(self) -> dict[str, str]:
        """Resolved only where the bot really runs: a check needs no tokens."""
        named = {key: value for key, value in self.settings.chat.items() if isinstance(value, str)}
        return self.references.resolved(
            {key: value for key, value in named.items() if secrets.is_reference(value)}, "chat"
        )

    # -- life

    def start(self, surface: Surface) -> list[Job]:
        """Begin: recover what a crash left, tell it, take up the queue. Returns the interrupted jobs."""
        if self._started:
            self._surface = surface
            return []
        self._surface = surface
        # What is here now stays, and tens of thousands of devices are no garbage either: looking all of it through
        # again and again takes longer than the work itself.
        gc.freeze()
        gc.set_threshold(*_COLLECT)
        self.store.record(AuditKind.OPENED, {"version": __version__, "policy": self.world.policy.version})
        interrupted = self.store.recover()
        if ended := leftovers.clear(self._runs):
            log.warning("ended %d processes that a killed bot had left running", ended)
        self.membership.start()
        self.keeper.start(self._post_checkpoint)
        self.announcer.start()
        self.dispatcher.start()
        self.world.listen(self._reloaded)
        self.world.start()
        self.pipeline.approvals.vigil.begin()
        logging.getLogger().addHandler(self.health.recent)
        self._stop_metrics = self._serve_metrics()
        self._started = True
        return interrupted

    def _serve_metrics(self) -> Callable[[], None]:
        wanted = self.settings.metrics
        if not wanted.port:
            return lambda: None
        from automation_bots.metrics import Metrics  # not loaded where nobody asks for figures

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
            self._tell_admins(Answer(f"A file is wrong and was left out: {problem}"))

    def _post_checkpoint(self, checkpoint: Checkpoint) -> None:
        if room := self.settings.record.checkpoint_room:
            place = Place(self.settings.network, self.settings.places.get(room.removeprefix("#"), room))
            text = f"Checkpoint of the record of {checkpoint.bot}: {checkpoint.seq} entries, signed."
            self._surface_of(place).say(place, Answer(text, checkpoint.line))

    def _tell_admins(self, answer: Answer) -> None:
        network = self.settings.network
        for person in self.world.policy.people.values():
            if ADMINS in person.groups and network in person.ids:
                self._tell(person.name, Place(network, person.ids[network], direct=True), answer)

    def _tell(self, who: str, place: Place, answer: Answer) -> None:
        try:
            self._surface_of(place).say(place, answer)
        except Exception:  # whatever a network raises for one of them, the others are told
            log.exception("%s could not be told: %s", who, answer.text)

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
        for close in self._closing:
            close()
        if self._started:
            self.announcer.stop()
            self.membership.stop()
            self._stop_metrics()
            logging.getLogger().removeHandler(self.health.recent)
            self.store.record(AuditKind.CLOSED)
            self.keeper.stop()
        self.store.close()
