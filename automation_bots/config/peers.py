"""[peers]: other bots, the queue that carries requests to them, and who of their people is who here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, field_validator, model_validator

from automation_bots.config.strict import Strict
from automation_bots.secrets import references as secrets

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_PEOPLE = ("same ids", "same names")
_TAKEN = {"all", "bots"}  # words for several of them


class PeerSettings(Strict):
    """[peers.<name>]: one other bot."""

    people: str | dict[str, str] = "same ids"

    @field_validator("people")
    @classmethod
    def _known(cls, value: str | dict[str, str]) -> str | dict[str, str]:
        if isinstance(value, str) and value not in _PEOPLE:
            raise ValueError('write "same ids", "same names", or a list {their name = "our name"}')
        return value


class PeersSettings(Strict):
    """[peers]: nothing of it is running while no queue is named. Each table in it is a bot of that name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, PeerSettings] = Field(init=False)

    queue: str = ""  # a postgresql:// URL (better a reference), or a folder for bots of one machine

    @property
    def bots(self) -> Mapping[str, PeerSettings]:
        """The bots by their names."""
        return self.__pydantic_extra__

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        for name, one in value.items() if isinstance(value, dict) else ():
            if name not in cls.model_fields and not isinstance(one, dict | PeerSettings):
                raise ValueError(f"{name!r} is not known here; there is queue, and a table [peers.<name>] for each bot")
            if name not in cls.model_fields and (not _NAME.fullmatch(name) or name in _TAKEN):
                raise ValueError(f"{name!r} is no name of a bot")
        return value

    @field_validator("queue")
    @classmethod
    def _no_password(cls, value: str) -> str:
        if not secrets.is_reference(value) and re.search(r"://[^/@]*:[^/@]*@", value):
            raise ValueError('the password must not stand here in clear; write queue = "env:NAME" or "file:PATH"')
        return value
