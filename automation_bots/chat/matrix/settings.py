"""What [chat] of bot.toml says for Matrix, checked, with sentences that say how to mend it."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import requests
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from automation_bots.errors import in_words

_PERSON = re.compile(r"@[^:\s]+:\S+")
_SERVER = re.compile(r"[A-Za-z0-9.:\[\]-]+")


class MatrixSettings(BaseModel):
    """The settings of this network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    server: str  # the homeserver's address, not the name behind the colon
    user: str = ""  # with a password; a token says by itself whose it is
    password: str = Field("", repr=False)
    token: str = Field("", repr=False)
    device: str = "Automation Bots"  # the name of its session, shown to people
    invites: list[str] = []  # who may invite the bot: people and servers
    encryption: bool = True
    notices: bool = False  # post as m.notice, which rings for nobody
    ca: str = ""  # file of the private authority that signed the server's certificate
    proxy: str = ""
    edit_seconds: float = Field(5.0, ge=0.1, le=60)

    @field_validator("server")
    @classmethod
    def _url(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^/\s@]+(/[^\s@]*)?", value):
            raise ValueError(f'{value!r} is no address; write server = "https://matrix.example.org"')
        return value.rstrip("/")

    @field_validator("user")
    @classmethod
    def _id(cls, value: str) -> str:
        if value and not _PERSON.fullmatch(value):
            raise ValueError(f'{value!r} is no Matrix id; write user = "@bot:example.org"')
        return value

    @field_validator("invites", mode="before")
    @classmethod
    def _one(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @field_validator("invites")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for entry in value:
            if not (_PERSON.fullmatch(entry) or _SERVER.fullmatch(entry)):
                raise ValueError(f'{entry!r} is neither a person ("@ana:example.org") nor a server ("example.org")')
        return value

    @field_validator("ca")
    @classmethod
    def _file(cls, value: str) -> str:
        if value:
            try:
                ssl.create_default_context(cafile=value)
            except (OSError, ssl.SSLError) as error:
                raise ValueError(f"{value} holds no certificate that can be read ({in_words(error)})") from error
        return value

    @model_validator(mode="after")
    def _credentials(self) -> MatrixSettings:
        if bool(self.token) == bool(self.password):
            raise ValueError('give either a token ("env:NAME"), or user ("@bot:…") and password ("env:NAME")')
        if self.password and not self.user:
            raise ValueError('a password needs user = "@bot:example.org"')
        return self

    def may_invite(self, person: str) -> bool:
        """Whether an invitation of this person is taken: named, or of a named server."""
        return person in self.invites or person.partition(":")[2] in self.invites

    def way_out(self) -> str:
        """The proxy that is named, else the one of the environment; empty where there is none."""
        of_environment = requests.utils.get_environ_proxies(self.server)
        return self.proxy or str(of_environment.get(self.server.partition(":")[0], ""))

    def tls(self) -> ssl.SSLContext | bool:
        """What certificates are trusted."""
        return ssl.create_default_context(cafile=str(Path(self.ca))) if self.ca else True
