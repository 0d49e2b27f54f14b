"""A bot's folder with its settings: where everything is, and which credentials it names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from automation_bots.config import permissions, settings
from automation_bots.config.permissions import Exposed
from automation_bots.config.secret_lookup import References
from automation_bots.drivers import own_operations
from automation_bots.errors import ConfigError
from automation_bots.inventory.inventory import Inventory
from automation_bots.model import Place
from automation_bots.operations import peers
from automation_bots.operations.catalog import Folders
from automation_bots.operations.own_commands import GROUPS
from automation_bots.processes.ansible_content import Content
from automation_bots.redaction.redactor import Redactor
from automation_bots.secrets import file_modes as secret_files
from automation_bots.secrets import references as secrets

OWN_PLUGINS = (*GROUPS, "operations")
_FORMER = {"desk": "bot", "closing": "freezes"}  # names of plugins that a bot.toml may still have
ROOT = Path(__file__).resolve().parents[2]


class BotFolder:
    """What bot.toml says, with paths and references resolved. With `untouched` nothing is made, and nothing refused."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None, *, untouched: bool = False) -> None:
        self.folder = folder.resolve()
        self.environment = dict(os.environ if environment is None else environment)
        self.settings = settings.load(self.folder)
        where = settings.data_path if untouched else settings.data_folder
        self.data = where(self.settings, self.folder, self.environment, ROOT)
        if not untouched:
            self._refuse_open_secrets()
            self._refuse_exposed()
        self.redactor = Redactor(secrets.in_environment(self.environment), self.settings.redaction.forms)
        self.references = References(self.folder, self.settings, self.environment, self.redactor)

    def _refuse_open_secrets(self) -> None:
        if found := secret_files.first(self.secret_files()):
            where, said = found
            raise settings.wrong(self.folder, where, said)

    def exposed(self) -> Iterator[Exposed]:
        """Yield what others could change or read of this bot, though they must not."""
        files = [self.folder / name for name in ("bot.toml", "policy.yml", "rules.yml", "vault.yml")]
        operations = self.operations()
        folders = [*operations.verbs, *operations.playbooks, *operations.functions]
        commands = [*folders, *sorted(operations.files())]
        yield from permissions.changeable(
            [self.folder, *files, *commands, *self._sources(), self.known_hosts, self.data]
        )
        yield from permissions.readable(permissions.record_files(self.data))

    def _refuse_exposed(self) -> None:
        if self.data.is_symlink():
            said = f"{self.data} is a link. Name the folder itself: data = {str(self.data.resolve())!r}"
            raise ConfigError(self.folder / "bot.toml", said)
        for found in self.exposed():
            mend = f"or let it be done: automation-bots check --fix-permissions {self.folder}"
            raise ConfigError(self.folder / "bot.toml", f"{found}, {mend}")

    def secret_files(self) -> Iterator[tuple[tuple[str, ...], Path, str]]:
        """Yield every file with a secret that bot.toml names: the setting, the file, what it is."""
        if vault := self.settings.inventory.vault_password_file:
            yield ("inventory", "vault_password_file"), self.path(vault), "the Vault password file"
        for key in self.settings.drivers.ssh.key_files:
            yield ("drivers", "ssh", "key_files"), self.path(key), "the private key"
        for where, reference in secrets.references(self.settings.model_dump()):
            kind, _, name = reference.partition(":")
            if kind == "file":
                yield where, self.folder / Path(name).expanduser(), "the secret file"

    def named_files(self) -> Iterator[Path]:
        """Yield what bot.toml names beside its own folder, wherever it lies."""
        yield from (path for _, path, _ in self.secret_files())
        yield from (self.known_hosts, *self._sources())

    def room(self, name: str, places: Mapping[str, str] | None = None) -> Place:
        """The place of a room, by its name in [places] or as the network writes it."""
        known = self.settings.places if places is None else places
        return Place(self.settings.network, known.get(name.removeprefix("#"), name))

    @property
    def peers(self) -> tuple[str, ...]:
        """The other bots that may be asked, and may ask."""
        return tuple(self.settings.peers.bots) if self.settings.peers.queue else ()

    def path(self, text: str) -> Path:
        """A path of bot.toml: relative to the bot's folder, `{data}` is the data folder."""
        return self.folder / Path(text.replace("{data}", str(self.data))).expanduser()

    @property
    def known_hosts(self) -> Path:
        """The host keys that this bot trusts."""
        return self.path(self.settings.drivers.ssh.known_hosts)

    def inventory(self, cache: Path | None = None) -> Inventory:
        """Make what reads the inventory; its cache is in the data folder unless another place is given."""
        wanted = self.settings.inventory
        vault = wanted.vault_password_file
        return Inventory(
            self._sources(),
            cache or self.data / "cache",
            vault_password_file=self.path(vault) if vault else None,
            refresh_seconds=wanted.refresh_seconds,
            content=self.content,
        )

    @property
    def content(self) -> Content:
        """The roles and collections that this bot has installed."""
        shown = self.folder.relative_to(ROOT) if self.folder.is_relative_to(ROOT) else self.folder
        return Content(self.data.absolute() / "galaxy", f"automation-bots install-requirements {shown}")

    @property
    def resolves(self) -> bool:
        """Whether names of devices are looked up; where the bot is only tried out, name servers are left in peace."""
        return self.settings.inventory.resolve and self.settings.backend not in {"Text", "Test"}

    def web_way(self, url: str) -> Mapping[str, str]:
        """By which proxy and with which authorities monitors ask a web address."""
        wanted, host = self.settings.monitors, (urlsplit(url).hostname or "").lower()
        proxy = "" if any(fnmatchcase(host, one.lower()) for one in wanted.direct) else wanted.proxy
        if secrets.is_reference(proxy):
            proxy = self.references.resolved({"proxy": proxy}, "monitors")["proxy"]
        return {"proxy": proxy, "ca": str(self.path(wanted.ca)) if wanted.ca else ""}

    @property
    def record(self) -> str | Path:
        """Where the record lives: the data folder, or a database server's URL."""
        url = self.settings.store.url
        return self.references.resolved({"url": url}, "store")["url"] if secrets.is_reference(url) else url or self.data

    def plugin_folders(self) -> list[str]:
        """The folders of Errbot plugins that `plugins` of bot.toml names; the bot's own are always there."""
        shared = ROOT / "errbot-plugins"
        if self.settings.plugins == ["all"]:
            return [str(shared)]
        names = dict.fromkeys([*OWN_PLUGINS, *(_FORMER.get(name, name) for name in self.settings.plugins)])
        for name in names:
            if not (shared / name).is_dir():
                known = ", ".join(sorted(path.name for path in shared.iterdir() if path.is_dir()))
                raise ConfigError(
                    self.folder / "bot.toml", f"plugins: there is no {name!r} in errbot-plugins; known: {known}"
                )
        return [str(shared / name) for name in names]

    def errbot_settings(self) -> dict[str, Any]:
        """What [errbot] says; a rule of its access control for a plugin's former name is one for the name of now."""
        found = dict(self.settings.errbot)
        if isinstance(rules := found.get("ACCESS_CONTROLS"), dict):
            found["ACCESS_CONTROLS"] = {**{_as_now(key): rule for key, rule in rules.items()}, **rules}
        return found

    def operations(self) -> Folders:
        """Where operations are read from."""
        playbooks = [ROOT / "playbooks", self.folder / "playbooks", *(self.folder / p for p in self.settings.playbooks)]
        return Folders(
            verbs=tuple(place / "verbs" for place in playbooks),
            playbooks=tuple(playbooks),
            functions=tuple(self.folder / place for place in self.settings.commands),
            own=(*own_operations.operations(), *peers.operations(self.peers)),
            shipped=ROOT / "playbooks",
        )

    def _sources(self) -> tuple[Path, ...]:
        """The inventory's files and folders; one below {data} is written by a program, and may not be there yet."""
        wanted = self.settings.inventory.sources
        return tuple(path for text in wanted if (path := self.path(text)).exists() or "{data}" not in text)

    def chat_identity(self) -> dict[str, Any]:
        """The credentials of the chat network, references resolved."""
        return {**self.settings.chat, **self._chat_secrets()}

    def environment_of(self, driver: str) -> dict[str, str]:
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


def _as_now(key: str) -> str:
    """`Desk:help` is `Bot:help`, and the record has a plugin of its own."""
    if key == "Jobs:audit":
        return "Record:audit"
    plugin, colon, command = key.partition(":")
    now = _FORMER.get(plugin.lower())
    return f"{now.capitalize()}{colon}{command}" if now else key
