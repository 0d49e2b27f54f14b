"""What all sources have in common: their tables in bot.toml, and what a kind of source gives to the bot.

A new kind is one file with a `SOURCE`, and a line in `registry.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar

from pydantic import AfterValidator, Field, field_validator, model_validator

from automation_bots.alerts.event import Intake, ReportedEvent, Severity
from automation_bots.config.strict import Strict
from automation_bots.drivers.alerts.back import Back
from automation_bots.secrets import references

MAX_FIELDS, MAX_TEXT, MAX_WORD = 64, 4_000, 500  # what is kept of one event
_LEAST_SECRET = 16  # characters: a shorter one can be guessed


class SourceSettings(Strict):
    """[events.sources.<name>]: what every kind has."""

    name: str  # the table's own
    kind: str
    room: str = ""  # where its alerts are told; empty: nowhere, they are only listed and given to rules
    severities: dict[str, Severity] = Field({})  # the sender's own words
    device: list[str] = Field([])  # fields in which the sender names the device, the first that is there

    def severity(self, word: str, default: Severity = Severity.UNKNOWN) -> Severity:
        """Map a sender's word."""
        own = {key.lower(): value for key, value in self.severities.items()}
        return own.get(word.strip().lower()) or SEVERITIES.get(word.strip().lower(), default)

    def about(self, fields: Mapping[str, str], *others: str) -> str:
        """Return what the sender calls the device: by the settings, else the first of these fields that is there."""
        return next((fields[name] for name in (*self.device, *others) if fields.get(name)), "")


# The words of many senders; a source's own come first.
SEVERITIES: Mapping[str, Severity] = {
    **dict.fromkeys(("critical", "crit", "disaster", "emergency", "emerg", "alert", "fatal", "page", "p1", "sev1"),
                    Severity.CRITICAL),
    **dict.fromkeys(("high", "major", "error", "err", "p2", "sev2"), Severity.HIGH),
    **dict.fromkeys(("warning", "warn", "average", "minor", "medium", "p3", "sev3"), Severity.WARNING),
    **dict.fromkeys(("info", "information", "informational", "notice", "low", "none", "ok", "debug", "p4", "p5",
                     "sev4"), Severity.INFO),
}  # fmt: skip


class HttpSettings(SourceSettings):
    """A source that calls the bot by HTTP: how it proves itself, and how much it may send."""

    token: str = ""  # as bearer, as the password of basic authentication, or in `header`
    header: str = ""  # another header than Authorization that holds the token
    secret: str = ""  # of an HMAC-SHA256 over the body
    signature_header: str = "X-Hub-Signature-256"
    timestamp_header: str = ""  # signed with the body, as "<timestamp>:<body>"
    replay_seconds: int = Field(300, ge=10, le=3_600)  # how old a timestamp may be
    max_bytes: int = Field(1_048_576, ge=1_024, le=33_554_432)
    per_minute: int = Field(600, ge=1, le=100_000)  # calls

    @field_validator("token", "secret")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and not references.is_reference(value) and len(value) < _LEAST_SECRET:
            raise ValueError(f"is shorter than {_LEAST_SECRET} characters; make one: openssl rand -hex 32")
        return value

    @model_validator(mode="after")
    def _proves_itself(self) -> Self:
        if not self.token and not self.secret:
            raise ValueError('needs token = "env:NAME", or secret = "env:NAME" where the sender can sign')
        return self


def _server_url(text: str) -> str:
    """Refuse what is no address, and what has a login in it."""
    if text and not re.fullmatch(r"https?://[^/@\s]+(/[^@\s?#]*)?", text):
        raise ValueError("is no address such as https://zabbix.corp.example; a login does not belong in it")
    return text


ServerUrl = Annotated[str, AfterValidator(_server_url)]


S = TypeVar("S", bound=SourceSettings)
H = TypeVar("H", bound=HttpSettings)


class Listening(Protocol):
    """A source that listens by itself, made but not begun."""

    @property
    def problem(self) -> str:
        """Why it hears nothing; empty while it does."""

    def start(self) -> None:
        """Begin; what cannot be begun is told by `problem`, and does not stop the bot."""

    def stop(self) -> None:
        """End."""


@dataclass(frozen=True, slots=True)
class HttpKind(Generic[H]):
    """A kind that is called by HTTP at /hooks/<name>. `read` is pure, and raises BadPayload."""

    kind: str
    settings: type[H]
    read: Callable[[bytes, Mapping[str, str], H, datetime], list[ReportedEvent]]  # headers in lower case
    # The server that tells, where it can be told something; a path of bot.toml is read by the second.
    back: Callable[[H, Callable[[str], Path]], Back | None] = lambda _settings, _path: None


@dataclass(frozen=True, slots=True)
class ListenContext:
    """What a source that listens by itself stands on."""

    intake: Intake
    now: Callable[[], datetime]
    device: Callable[[str], str]  # an address or a name → the device of the inventory; empty: none
    folder: Path  # the bot's own state


@dataclass(frozen=True, slots=True)
class ListeningKind(Generic[S]):
    """A kind that opens its own ears: a port, a socket, a stream."""

    kind: str
    settings: type[S]
    listen: Callable[[S, ListenContext], Listening]


Kind = HttpKind[Any] | ListeningKind[Any]


def texts(value: object, *, most: int = MAX_FIELDS) -> dict[str, str]:
    """The fields of a table of JSON as texts; what is nested, or too much, is left out."""
    if not isinstance(value, Mapping):
        return {}
    plain = {str(key): item for key, item in value.items() if isinstance(item, str | int | float)}
    return {key[:MAX_WORD]: as_text(item) for key, item in list(plain.items())[:most]}


def as_text(value: object) -> str:
    """A plain value of JSON as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:MAX_TEXT]
