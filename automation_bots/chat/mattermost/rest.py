"""Mattermost's REST calls, with errors in the words of all clients."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import httpx
from mattermostautodriver import exceptions
from mattermostautodriver.client import Client
from mattermostautodriver.driver.base import BaseDriver

from automation_bots.chat.client import Away, Busy, Rejected, Revoked, away
from automation_bots.chat.clock import NetworkClock
from automation_bots.chat.mattermost.settings import MattermostSettings

API = "/api/v4"
_SERVER_ERROR = 500
# The one says every refusal as an error, the other every call.
for _name, _level in (("mattermostautodriver.websocket", logging.CRITICAL), ("httpx", logging.WARNING)):
    logging.getLogger(_name).setLevel(_level)


class Refused(Rejected):
    """The server's refusal, with its error id."""

    def __init__(self, message: str, id_: str = "", status: int = 0) -> None:
        super().__init__(f"{message} ({id_ or status})")
        self.id, self.status = id_, status


class _Client(Client):  # type: ignore[misc]  # ships no types
    """Knows addresses with a path, as servers below another site have them."""

    base = ""

    @property
    def url(self) -> str:
        return self.base


class Rest:
    """Every call ends in time; tries nothing twice, since the outbox does."""

    def __init__(self, settings: MattermostSettings) -> None:
        parts = settings.server
        options = {**BaseDriver.default_options, "scheme": parts.scheme, "url": parts.hostname, "port": parts.port or 0,
                   "token": settings.token, "request_timeout": settings.timeout_seconds, "max_retries": 0,
                   "verify": settings.trust}  # fmt: skip
        self.clock = NetworkClock()
        self._client = _Client(options)
        self._client.token, self._client.base = settings.token, settings.url

    def get(self, path: str, **params: Any) -> Any:
        """Read something."""
        return self.answer("get", path, params=params).json()

    def post(self, path: str, body: Any) -> Any:
        """Make something."""
        return self.answer("post", path, options=body).json()

    def put(self, path: str, body: Any) -> Any:
        """Change something."""
        return self.answer("put", path, options=body).json()

    def delete(self, path: str) -> None:
        """Take something away."""
        self.answer("delete", path)

    def file(self, id_: str) -> bytes:
        """Fetch a file."""
        return self.answer("get", f"/files/{id_}").content

    def send_file(self, room: str, name: str, content: bytes) -> str:
        """Send a file's content; return its id, with which one post may carry it."""
        answer = self.answer("post", "/files", data={"channel_id": room}, files={"files": (name, content)})
        return str(answer.json()["file_infos"][0]["id"])

    def answer(self, method: str, path: str, **what: Any) -> httpx.Response:
        """Call; raise Away, Busy, Refused or Revoked."""
        asked = datetime.now(UTC)
        answer = self._answer(method, path, **what)
        self.clock.note(answer.headers.get("Date", ""), asked)
        return answer

    def _answer(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            return self._client.make_request(method, f"{API}{path}", **what)  # type: ignore[no-any-return]
        except exceptions.TooManyRequests as error:
            raise Busy(error.retry_after if error.retry_after is not None else 1.0) from error
        except exceptions.NoAccessTokenProvided as error:
            raise Revoked(f"{error} ({error.error_id})") from error
        except exceptions.MattermostError as error:
            if error.status_code >= _SERVER_ERROR and not isinstance(error, exceptions.FeatureDisabled):
                raise away(f"the server answers {error.status_code}: {error}", _retry_after(error)) from error
            raise Refused(str(error), error.error_id, error.status_code) from error
        except exceptions.InvalidMattermostError as error:  # no Mattermost: a proxy before it
            if error.status_code in {404, 413}:
                raise Refused("something before the server refuses this", "", error.status_code) from error
            raise away(f"something before the server answers {error.status_code}", _retry_after(error)) from error
        except httpx.HTTPError as error:
            raise Away(_explained(error)) from error

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _retry_after(error: Exception) -> str:
    """What the answer behind an error says; the library keeps it for a 429 only."""
    behind: BaseException | None = error
    while behind is not None and not isinstance(behind, httpx.HTTPStatusError):
        behind = behind.__cause__ or behind.__context__
    return str(behind.response.headers.get("Retry-After", "")) if behind is not None else ""


def _explained(error: Exception) -> str:
    text = str(error) or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "the server's certificate is not trusted; if a private authority signed it, say ca = its file"
    return f"the server cannot be reached: {text}"
