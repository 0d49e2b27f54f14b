"""[chat] of a bot on Rocket.Chat."""

from __future__ import annotations

import ssl
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_LOCAL = {"localhost", "127.0.0.1", "::1"}


class RocketChatSettings(BaseModel):
    """Where the server is, and who the bot is there."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str  # https://chat.example.com, also with a path below it
    token: str = Field("", repr=False)  # a personal access token
    user: str = ""
    password: str = Field("", repr=False)
    ca: str = ""  # file of the authority that signed the server's certificate, beside those of the system
    answer_seconds: float = Field(20.0, gt=0, le=120)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or "@" in parts.netloc:
            raise ValueError(f"{value!r} is no address; write https://chat.example.com")
        if parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise ValueError("begin with https://; over http:// anybody on the way could read the token")
        if parts.path.rstrip("/").endswith(("/api/v1", "/websocket")):
            raise ValueError("write the address that people open in the browser, without what stands behind it")
        return value.rstrip("/")

    @field_validator("ca")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value and not Path(value).is_file():
            raise ValueError(f"there is no file {value}; give the certificate of the authority, in PEM")
        return value

    @model_validator(mode="after")
    def _either(self) -> RocketChatSettings:
        if not self.token and not (self.user and self.password):
            raise ValueError('give a token ("env:NAME", a personal access token of the bot), or user and password')
        return self

    @cached_property
    def trust(self) -> ssl.SSLContext | None:
        """Whom to believe that it is the server: the system's authorities, and the private one."""
        if not self.url.startswith("https"):
            return None
        context = ssl.create_default_context()
        if self.ca:
            context.load_verify_locations(self.ca)
        return context
