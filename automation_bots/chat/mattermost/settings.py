"""What [chat] of bot.toml says for Mattermost, checked."""

from __future__ import annotations

import ssl
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class MattermostSettings(BaseModel):
    """The settings of one server."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str  # https://chat.example.com, also with a path below it
    token: str = Field(min_length=1)
    ca: str = ""  # file of the authority that signed the server's certificate, beside those of the system
    callback: str = ""  # where the server reaches the bot when somebody clicks; without it questions have reactions
    callback_listen: str = ""  # host:port that the bot listens on for it; default: those of `callback`
    timeout_seconds: float = Field(10, gt=0, le=120)
    probe_seconds: float = Field(60, gt=0)  # a revoked token leaves the link open and silent: asked for now and then

    @field_validator("url", "callback")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (
            parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or "@" in parts.netloc
        ):
            raise ValueError(f"{value!r} is no address; write https://chat.example.com")
        if value and parts.path.rstrip("/").endswith("/api/v4"):
            raise ValueError("write the address that people open in the browser, without /api/v4")
        return value.rstrip("/")

    @field_validator("callback_listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if value and (not host or not port.isdigit()):
            raise ValueError(f'{value!r} is no address to listen on; write "127.0.0.1:8066"')
        return value

    @field_validator("ca")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError(f"there is no file {value}; give the certificate of the authority, in PEM")
        return value

    @model_validator(mode="after")
    def _where_to_listen(self) -> MattermostSettings:
        if self.callback_listen and not self.callback:
            raise ValueError("callback_listen needs callback: the address at which the server reaches the bot")
        if self.callback.startswith("https:") and not self.callback_listen:
            raise ValueError("an https callback ends at a proxy; say in callback_listen where the bot itself listens")
        return self

    @cached_property
    def server(self) -> SplitResult:
        """The parts of the server's address."""
        return urlsplit(self.url)

    @property
    def listen(self) -> tuple[str, int]:
        """Where clicks arrive."""
        if self.callback_listen:
            host, _, port = self.callback_listen.rpartition(":")
            return host.strip("[]"), int(port)
        parts = urlsplit(self.callback)
        return parts.hostname or "127.0.0.1", parts.port or 80

    @cached_property
    def trust(self) -> ssl.SSLContext:
        """Whom to believe that it is the server: the system's authorities, and the private one."""
        context = ssl.create_default_context()
        if self.ca:
            context.load_verify_locations(self.ca)
        return context
