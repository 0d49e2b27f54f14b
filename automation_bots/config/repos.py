"""The table [repos] of bot.toml: where plugins from elsewhere may come from, and what they may cost."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from automation_bots.config.strict import Strict


class RepoSettings(Strict):
    """[repos]."""

    hosts: list[str] = ["github.com"]
    local: bool = False
    index: str = ""  # a repos.json, for !repos search
    packages: str = ""  # the index of Python packages
    wheels: str = ""  # a folder with wheels; then no index is asked
    ca: str = ""  # file of the authorities that sign the servers' certificates; empty: those of this machine
    megabytes: int = Field(20, ge=1)
    seconds: float = Field(120, gt=0)

    @field_validator("packages", "index")
    @classmethod
    def _only_https(cls, value: str) -> str:
        if "://" in value and not re.match(r"https://[^/@]+(/|$)", value):
            raise ValueError("must begin with https:// and carry no password; pip reads those from its own pip.conf")
        return value
