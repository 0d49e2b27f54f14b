"""The tables of bot.toml about people, their secrets and the record: [people], [ldap], [vault], [record]."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from automation_bots.config.strict import Strict
from automation_bots.secrets import references as secrets
from automation_bots.secrets.key_value import TIMEOUT_SECONDS


def _reference(value: str) -> str:
    if value and not secrets.is_reference(value):
        raise ValueError('a secret must not stand here in clear; write "env:NAME", "credential:NAME" or "file:PATH"')
    return value


def _not_from_there(value: str) -> str:
    if value.startswith(("kv:", "bao:")):
        raise ValueError("this opens the server, so it cannot come from it; write env:, credential: or file:")
    return _reference(value)


class PeopleSettings(Strict):
    """[people]: one-time codes, and the key that seals the secrets of authenticator apps."""

    seal_key: str = ""  # a reference; default: a private file in the data folder
    code_minutes: int = Field(15, ge=1, le=1440)

    _clear = field_validator("seal_key")(_reference)


class LdapSettings(Strict):
    """[ldap]: groups of people from a directory."""

    url: str = ""  # empty: not used
    start_tls: bool = True
    ca_file: str = ""
    bind_dn: str = ""
    bind_password: str = ""
    base: str = ""
    filter: str = "(uid={login})"
    groups: dict[str, str] = {}
    refresh_seconds: float = Field(300, ge=1)
    trust_seconds: float = Field(3600, ge=1)
    timeout_seconds: float = Field(5, gt=0)

    _clear = field_validator("bind_password")(_reference)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in {"ldap", "ldaps"}:
            raise ValueError(f"{value!r} must begin with ldaps:// or ldap://")
        return value

    @field_validator("filter")
    @classmethod
    def _filter(cls, value: str) -> str:
        if "{login}" not in value or not value.startswith("("):
            raise ValueError("the filter finds one person: write it in brackets, with {login} for the name")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url and not (self.base and self.groups):
            raise ValueError("with url it needs base, and groups = {group = 'DN of a group'}")
        if self.url.startswith("ldap:") and not self.start_tls and self.bind_password:
            host = urlsplit(self.url).hostname
            if host not in {"127.0.0.1", "::1", "localhost"}:
                raise ValueError("a password would go over the network in clear; use ldaps:// or start_tls")
        return self


class VaultSettings(Strict):
    """[vault]: HashiCorp Vault or OpenBao, for references kv:… and bao:…."""

    url: str = ""
    namespace: str = ""
    ca_file: str = ""
    token: str = ""
    role_id: str = ""
    secret_id: str = ""
    approle: str = "approle"  # where that way to log in is mounted
    timeout_seconds: float = Field(TIMEOUT_SECONDS, gt=0)
    cache_seconds: float = Field(60, ge=0)

    _clear = field_validator("token", "secret_id")(_not_from_there)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.url and not self.token and not (self.role_id and self.secret_id):
            raise ValueError("with url it needs token, or role_id and secret_id")
        return self


class RecordSettings(Strict):
    """[record]: signed checkpoints, and copies of the record for other programs."""

    checkpoint_minutes: float = Field(60, gt=0)
    checkpoint_file: str = "{data}/log/checkpoints.jsonl"
    checkpoint_room: str = ""
    syslog: str = ""

    @field_validator("syslog")
    @classmethod
    def _syslog(cls, value: str) -> str:
        found = urlsplit(value)
        if (
            value
            and not (found.scheme == "unix" and found.path)
            and not (found.scheme in {"udp", "tcp"} and found.hostname)
        ):
            raise ValueError(f"{value!r} must be like udp://host:514, tcp://host:601 or unix:/dev/log")
        return value
