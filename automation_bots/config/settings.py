"""A bot's folder and its bot.toml, validated; a wrong file stops the start with file, line, and how to mend it."""

from __future__ import annotations

import ipaddress
import re
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator

from automation_bots.config.drivers import DriverSettings
from automation_bots.config.peers import PeersSettings
from automation_bots.config.people import LdapSettings, PeopleSettings, RecordSettings, VaultSettings
from automation_bots.config.repos import RepoSettings
from automation_bots.config.strict import InClear, Strict, no_secret_in_clear
from automation_bots.errors import ConfigError, in_words
from automation_bots.inventory.inventory import REFRESH_SECONDS
from automation_bots.model import ApprovalDefaults
from automation_bots.policy.approval_rule import Length
from automation_bots.policy.schema import rate
from automation_bots.redaction.forms import Form
from automation_bots.secrets import references as secrets
from automation_bots.text.times import duration


class LimitSettings(Strict):
    """[limits]: how many jobs run at once, and how fast they may start."""

    jobs: int = Field(50, ge=1, le=1000)
    person: int = Field(10, ge=1)
    place: int = Field(20, ge=1)
    device: int = Field(4, ge=1)
    driver: dict[str, int] = {}
    site: dict[str, int] = {}
    operation: dict[str, int] = {}
    rates: dict[str, str] = {}
    queued: int = Field(100, ge=1)  # per person
    message: int = Field(20_000, ge=100)  # characters
    seconds: float = Field(600, gt=0)  # time limit of an operation that names none

    @field_validator("rates")
    @classmethod
    def _rates(cls, value: dict[str, str]) -> dict[str, str]:
        for key, text in value.items():
            if key not in {"person", "place"} and not key.startswith("operation:"):
                raise ValueError(f'{key!r} is no rate; known: person, place, "operation:<name>"')
            rate(text)
        return value


class StoreSettings(Strict):
    """[store]: where the record lives; empty: a file in the data folder."""

    url: str = ""

    @field_validator("url")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if not secrets.is_reference(value) and re.search(r"://[^/@]*:[^/@]*@", value):
            raise ValueError('the password must not stand here in clear; write url = "env:NAME" or "file:PATH"')
        return value


class MetricsSettings(Strict):
    """[metrics]: figures for Prometheus; off unless a port is given."""

    port: int = Field(0, ge=0, le=65535)
    address: str = "127.0.0.1"


class RetentionSettings(Strict):
    """[retention]: how long outputs of ended jobs stay; the audit stays."""

    days: int = Field(90, ge=1)


class RedactionSettings(Strict):
    """[redaction]: how lines with secrets look on devices of your own, in the language of docs/security.md."""

    forms: list[str] = []

    @field_validator("forms")
    @classmethod
    def _readable(cls, forms: list[str]) -> list[str]:
        for form in forms:
            _ = Form("own", "bot.toml", form).rule
        return forms


class ApprovalSettings(Strict):
    """[approvals]: how approvers are asked, where the rules of the policy say nothing else."""

    room: str = ""
    within: Length = "1d"
    late: Length = "15m"
    waiting: int = Field(20, ge=1)
    many: int = Field(10, ge=1)
    production: list[str] = ["prod*"]

    def asking(self) -> ApprovalDefaults:
        """Return them as the way of a command wants them."""
        within, late = (duration(text).total_seconds() for text in (self.within, self.late))
        return ApprovalDefaults(self.room, within, late, self.waiting, self.many, tuple(self.production))


class ScheduleSettings(Strict):
    """[schedules]: how many of them a person may have, how often they may come, how often they may fail in a row,
    and how long before a time approvers are asked about it.
    """  # fmt: skip

    person: int = Field(50, ge=0)
    reads: Length = "1m"
    changes: Length = "5m"
    failures: int = Field(5, ge=1)
    ahead: Length = "12h"

    def shortest(self, *, looks: bool) -> timedelta:
        """Return the shortest time between two times of a schedule."""
        return duration(self.reads if looks else self.changes)

    @property
    def lead(self) -> timedelta:
        """How long before a time approvers are asked about it."""
        return duration(self.ahead)


class MonitorSettings(Strict):
    """[monitors]: what tells a lost network from devices that are down, and how web addresses are reached."""

    reference: list[str] = Field([], max_length=5)  # addresses beyond the gateway
    proxy: str = ""  # for web addresses: http://[user:password@]host:port
    direct: list[str] = []  # hosts that need none
    ca: str = ""  # file of authorities beside those of the machine

    @field_validator("reference")
    @classmethod
    def _addresses(cls, reference: list[str]) -> list[str]:
        return [str(ipaddress.ip_address(one)) for one in reference]

    @field_validator("proxy")
    @classmethod
    def _is_proxy(cls, value: str) -> str:
        where = urlsplit(value)
        if value and not secrets.is_reference(value) and (where.scheme != "http" or not where.hostname):
            raise ValueError("is no proxy; write http://host:port")
        if where.password and not secrets.is_reference(value):
            raise ValueError('has a password; keep it elsewhere and write a reference such as "env:MONITOR_PROXY"')
        return value


class SuggestionSettings(Strict):
    """[suggestions]: what is said to words that are no command."""

    learn: bool = True  # what people typed before they found the right command is kept, without names and secrets
    meaning: bool = True  # sentences are compared by meaning, in a process of its own with 130 MB while somebody asks


class HttpSettings(Strict):
    """[http]: what may call this bot; off unless a port is given."""

    port: int = Field(0, ge=0, le=65535)
    address: str = "127.0.0.1"
    proxies: list[str] = []  # addresses whose X-Forwarded-For is believed

    @field_validator("proxies")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        for text in value:
            try:
                ipaddress.ip_network(text)
            except ValueError as error:
                raise ValueError(f"{text!r} is no address or network") from error
        return value


class EventSettings(Strict):
    """[events]: what happens elsewhere; who may tell of it, and how long it stays."""

    days: int = Field(30, ge=1)
    count: int = Field(200_000, ge=1_000)
    room: str = ""  # of sources that name none
    # What is kept of what the bot itself and Salt tell, beside what rules ask for.
    own: list[str] = ["bot/monitor/*", "bot/network/*", "bot/schedule/*/missed", "bot/schedule/*/refused"]
    sources: dict[str, dict[str, Any]] = {}

    @field_validator("sources")
    @classmethod
    def _names(cls, value: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        for name, table in value.items():
            if name == "bot" or not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,40}", name):
                raise ValueError(f"{name!r} is no name for a source: small letters, digits, - and _; not bot")
            no_secret_in_clear(table, name)
        return value


class InventorySettings(Strict):
    """[inventory]."""

    sources: list[str] = ["inventory"]
    vault_password_file: str = ""
    refresh_seconds: float = Field(REFRESH_SECONDS, gt=0)
    resolve: bool = True  # look names of devices up, to know which are one device; in a terminal never


class Settings(Strict):
    """bot.toml."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$")  # also the data folder's name
    backend: str = "Text"
    prefix: str = Field("!", min_length=1, max_length=5)
    mention: list[str] = []
    plugins: list[str] = ["all"]
    commands: list[str] = ["plugins"]  # folders with Python commands
    playbooks: list[str] = []  # more folders with playbooks, beside the shared one
    data: str = ""  # default: data/<name> beside the program
    welcome: list[str] = []
    chat: dict[str, Any] = {}
    errbot: dict[str, Any] = {}
    places: dict[str, str] = {}
    aliases: dict[str, str] = {}  # short forms of commands, for everybody
    limits: LimitSettings = LimitSettings()
    drivers: DriverSettings = DriverSettings()
    retention: RetentionSettings = RetentionSettings()
    store: StoreSettings = StoreSettings()
    redaction: RedactionSettings = RedactionSettings()
    metrics: MetricsSettings = MetricsSettings()
    inventory: InventorySettings = InventorySettings()
    approvals: ApprovalSettings = ApprovalSettings()
    schedules: ScheduleSettings = ScheduleSettings()
    monitors: MonitorSettings = MonitorSettings()
    http: HttpSettings = HttpSettings()
    suggestions: SuggestionSettings = SuggestionSettings()
    events: EventSettings = EventSettings()
    peers: PeersSettings = PeersSettings()
    repos: RepoSettings = RepoSettings()
    record: RecordSettings = RecordSettings()
    people: PeopleSettings = PeopleSettings()
    ldap: LdapSettings = LdapSettings()
    vault: VaultSettings = VaultSettings()

    _clear = field_validator("chat")(no_secret_in_clear)

    @property
    def network(self) -> str:
        """The chat network's name as people and places use it: lower case."""
        return self.backend.lower()


def load(folder: Path) -> Settings:
    """Read bot.toml of a bot's folder."""
    path = folder / "bot.toml"
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(
            path, f"cannot be read ({in_words(error)}); `make new-bot NAME=…` writes a folder to start from"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "is not UTF-8; save it as UTF-8 text") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        raise ConfigError(path, f"is no TOML: {error}", int(found.group(1)) if found else None) from error
    try:
        return Settings.model_validate({"name": folder.resolve().name, **data})
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"]]
        cause = first.get("ctx", {}).get("error")
        at = [*where, *cause.path] if isinstance(cause, InClear) else where
        raise ConfigError(path, f"{'.'.join(where)}: {_mended(first, where)}", _line_of(text, at)) from error


def wrong(folder: Path, where: tuple[str, ...], reason: str) -> ConfigError:
    """Make the error for a value that shows to be wrong only when it is used."""
    path, name = folder / "bot.toml", ".".join(where)
    said = f"{name} {reason}" if reason.startswith("is ") else f"{name}: {reason}"
    return ConfigError(path, said, _line_of(path.read_text(), list(where)))


def _mended(error: Mapping[str, Any], where: list[str]) -> str:
    if error["type"] != "extra_forbidden":
        return str(error["msg"]).removeprefix("Value error, ")
    model: Any = Settings
    for part in where[:-1]:
        of_any_name = get_type_hints(model).get("__pydantic_extra__")
        model = model.model_fields[part].annotation if part in model.model_fields else get_args(of_any_name)[-1]
    return f"this key is not known; known here: {', '.join(sorted(model.model_fields))}"


def _line_of(text: str, where: list[str]) -> int | None:
    """Find the line of a key: the last part that stands at a line's beginning after its table's heading."""
    best, table = None, ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\s*\[+([^\]]+)\]", line):
            table = heading.group(1).strip()
            if where[: table.count(".") + 1] == table.split("."):
                best = number
        elif key := re.match(r'\s*("?)([\w.:-]+)\1\s*=', line):
            names = [key.group(2)] if key.group(1) else key.group(2).split(".")
            full = [*(table.split(".") if table else []), *names]
            if where[: len(full)] == full:
                return number
    return best


def data_path(wanted: Settings, folder: Path, environment: Mapping[str, str], root: Path) -> Path:
    """Where a bot keeps its state, whether it is there or not."""
    base = Path(environment.get("AUTOMATION_BOTS_DATA") or root / "data")
    return (folder / wanted.data) if wanted.data else base / wanted.name


def data_folder(wanted: Settings, folder: Path, environment: Mapping[str, str], root: Path) -> Path:
    """Where a bot keeps its state; made readable by its owner only."""
    data = data_path(wanted, folder, environment, root)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=data):
            pass
    except OSError as error:
        raise ConfigError(
            folder / "bot.toml",
            f"the data folder {data} cannot be written ({in_words(error)})."
            " Check that the bot's user owns it and may write there, or name another one: data = …",
        ) from error
    return data
