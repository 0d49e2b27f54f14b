"""The drivers of a bot, made of its settings; and how host keys are looked at on the same ways."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.app.event_sources import EventSources
from automation_bots.commands.host_keys import Means
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.drivers import Driver
from automation_bots.drivers.alerts.driver import Alerts
from automation_bots.drivers.ansible.control_masters import Masters
from automation_bots.drivers.ansible.driver import Ansible
from automation_bots.drivers.local.driver import Local
from automation_bots.drivers.network.device_task import ConnectionOptions
from automation_bots.drivers.network.driver import Network
from automation_bots.drivers.paths.driver import Paths, Sight
from automation_bots.drivers.python.driver import Python
from automation_bots.drivers.reach.driver import Reach
from automation_bots.drivers.salt.api import Login
from automation_bots.drivers.salt.driver import Salt
from automation_bots.drivers.ssh.access import Access, LoginSources, access_to
from automation_bots.drivers.ssh.driver import Options, Ssh
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.drivers.ssh.offered import OfferedKey, offered_to
from automation_bots.drivers.ssh.ssh_config import SshConfig
from automation_bots.drivers.windows.driver import PowerShell
from automation_bots.drivers.windows.over_ssh import SshPowerShell
from automation_bots.inventory.inventory import Inventory
from automation_bots.model import Answer, Place
from automation_bots.policy import gate

NAMES = frozenset(one.name for one in (Ssh, Local, Network, Ansible, Python, Reach, Paths, PowerShell, Salt, Alerts))
_LOOK_SECONDS = 5.0  # for one device


class Equipment:
    """Makes drivers; each method knows the settings of one."""

    def __init__(self, bot_folder: BotFolder, inventory: Inventory, live: LiveConfig) -> None:
        self._bot_folder, self._inventory, self._live = bot_folder, inventory, live
        self.masters = Masters(bot_folder.data)
        self.event_sources = EventSources(self._salt(), live, bot_folder.settings.drivers)

    def drivers(self, *more: Driver) -> dict[str, Driver]:
        """Return all drivers by name; a later one of a name wins."""
        wanted = self._bot_folder.settings.drivers
        reach = Reach(packets_per_second=wanted.reach.packets_per_second)
        python = Python(environment=self._bot_folder.environment_of("python"), output_limit=wanted.output_limit)
        ssh = self._ssh()
        own: tuple[Driver, ...] = (ssh, self._network(), self._ansible(), python, reach, self._paths())
        own = (*own, self.powershell(ssh), Local(output_limit=wanted.output_limit))
        return {driver.name: driver for driver in (*own, *self.event_sources.drivers, *more)}

    @property
    def unready(self) -> frozenset[str]:
        """Drivers that nobody has set up."""
        settings = self._bot_folder.settings
        there = {Salt.name: settings.drivers.salt.url, Alerts.name: settings.events.sources}
        return frozenset(name for name, wanted in there.items() if not wanted)

    def _salt(self) -> Login:
        wanted, bot_folder = self._bot_folder.settings.drivers.salt, self._bot_folder
        password = bot_folder.references.resolved({"password": wanted.password}, "drivers", "salt")["password"]
        return Login(wanted.url, wanted.user, password, wanted.eauth, bot_folder.path(wanted.ca) if wanted.ca else None)

    def _ansible(self) -> Ansible:
        wanted = self._bot_folder.settings.drivers
        return Ansible(
            forks=wanted.ansible.forks,
            vault_password_file=self._inventory.vault_password_file,
            environment={"ANSIBLE_SSH_COMMON_ARGS": self._ssh_options(), **self._bot_folder.environment_of("ansible")},
            output_limit=wanted.output_limit,
            masters=self.masters,
            content=self._bot_folder.content,
            preload=wanted.ansible.preload,
        )

    def _ssh(self) -> Ssh:
        wanted = self._bot_folder.settings.drivers.ssh
        options = Options(
            parallel=wanted.parallel,
            connect_seconds=wanted.connect_seconds,
            key_files=tuple(self._bot_folder.path(key) for key in wanted.key_files),
            allow_agent=wanted.agent,
            keep_seconds=wanted.keep_seconds,
            keep=wanted.keep,
        )
        limit = self._bot_folder.settings.drivers.output_limit
        return Ssh(self._bot_folder.known_hosts, options, output_limit=limit, around=self.around())

    def _network(self) -> Network:
        drivers = self._bot_folder.settings.drivers
        options = ConnectionOptions(
            KnownHosts(self._bot_folder.known_hosts),
            connect_seconds=drivers.ssh.connect_seconds,
            read_seconds=drivers.network.read_seconds,
            keep_seconds=drivers.network.keep_seconds,
            config_limit=drivers.network.config_limit,
            key_files=tuple(self._bot_folder.path(key) for key in drivers.ssh.key_files),
            agent=drivers.ssh.agent,
            around=self.around(),
        )
        return Network(
            options,
            self._bot_folder.data / "network",
            parallel=drivers.network.parallel,
            threads=drivers.network.threads,
            output_limit=drivers.output_limit,
            keep_days=self._bot_folder.settings.retention.days,
        )

    def powershell(self, ssh: Ssh | None = None) -> PowerShell:
        """The driver for Windows, with these connections or with some of its own."""
        wanted = self._bot_folder.settings.drivers
        return PowerShell(
            SshPowerShell(ssh or self._ssh()),
            parallel=wanted.powershell.parallel,
            connect_seconds=wanted.powershell.connect_seconds,
            output_limit=wanted.output_limit,
            ca=self._bot_folder.path(wanted.powershell.ca) if wanted.powershell.ca else None,
        )

    def around(self) -> LoginSources:
        """What says how to get to a device, beside its own variables."""
        wanted = self._bot_folder.settings.drivers.ssh.config
        config = SshConfig(self._bot_folder.path(wanted)) if wanted else None
        return LoginSources(config, self._inventory.find, self._inventory.secrets)

    def means(self, tell: Callable[[Place, Answer], object]) -> Means:
        """How host keys are looked at: by the way that the driver takes, jump hosts included."""
        wanted, around = self._bot_folder.settings.drivers.ssh, self.around()
        keys = tuple(self._bot_folder.path(key) for key in wanted.key_files)

        def offered(access: Access) -> list[OfferedKey]:
            return offered_to(
                access, KnownHosts(self._bot_folder.known_hosts), _LOOK_SECONDS, keys=keys, agent=wanted.agent
            )

        return Means(
            self._bot_folder.known_hosts,
            tell=tell,
            access=lambda device: access_to(device, {}, around),
            offered=offered,
        )

    def _paths(self) -> Paths:
        def address(person: str, name: str) -> str:
            """What the inventory says of a device, to those who may know of it."""
            known = self._live.policy.people.get(person)
            if name not in gate.visible(self._live.scope, known):
                return ""
            return self._inventory.device(name).address

        return Paths(sight=Sight(device=address))

    def _ssh_options(self) -> str:
        """What Ansible tells ssh: the host keys that this bot trusts are trusted by playbooks too.

        A connection that is kept for the next job but leads nowhere any more, since the device restarts, must end.
        """
        files = " ".join(f'"{path}"' for path in (self._bot_folder.known_hosts, "~/.ssh/known_hosts"))
        return f"-o 'UserKnownHostsFile={files}' -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
