"""Calls of Slack's Web API, and what their errors mean to the rest of the bot."""

from __future__ import annotations

import http.client
import ssl
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler

from automation_bots.chat.client import Away, BotsApart, Busy, Rejected, Revoked, away
from automation_bots.chat.clock import NetworkClock
from automation_bots.errors import in_words

_ASK_AGAIN_SECONDS = 30.0  # where Slack says no time
_READS_AGAIN = 3
_REVOKED = {
    "account_inactive": "the app's account was deactivated or the app was removed from the workspace",
    "invalid_auth": "Slack does not know the token",
    "not_allowed_token_type": "a token is of the wrong kind: bot_token begins with xoxb-, app_token with xapp-",
    "not_authed": "no token was sent",
    "team_disabled": "the workspace was closed",
    "token_expired": "the token has expired",
    "token_revoked": "the token was revoked",
    "user_removed_from_team": "the bot was removed from the workspace",
}
_LATER = frozenset(
    {
        "fatal_error",
        "internal_error",
        "migration_in_progress",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
_REJECTED = {
    "cant_update_message": "only own messages can be edited",
    "channel_not_found": "there is no such room, or the bot was not invited to it: /invite it",
    "edit_window_closed": "the workspace's settings do not allow editing a message of that age",
    "is_archived": "the room is archived",
    "message_not_found": "the message is gone",
    "msg_too_long": "the message is too long",
    "not_in_channel": "the bot is not in that room: /invite it",
    "restricted_action": "the workspace's settings do not let the bot write there",
    "thread_not_found": "the thread is gone",
    "user_not_found": "there is no such person",
}


class SlackSettings(BaseModel):
    """[chat] for Slack."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bot_token: str = Field(min_length=1)
    app_token: str = Field(min_length=1)
    url: str = "https://slack.com/api/"
    proxy: str = ""  # http://[user:password@]host:port
    ca: str = ""  # file of a CA, where a proxy of one's own opens TLS
    seconds: float = Field(15, gt=0)  # time limit of one call

    @field_validator("bot_token")
    @classmethod
    def _bot(cls, value: str) -> str:
        if not value.startswith("xoxb-"):
            raise ValueError("is no bot token; it begins with xoxb- and stands under OAuth & Permissions")
        return value

    @field_validator("app_token")
    @classmethod
    def _app(cls, value: str) -> str:
        if not value.startswith("xapp-"):
            raise ValueError("is no app-level token; it begins with xapp- and stands under Basic Information")
        return value

    def tls(self) -> ssl.SSLContext:
        """Whom to trust."""
        trusted = ssl.create_default_context()
        if self.ca:
            trusted.load_verify_locations(self.ca)
        return trusted


class Calls:
    """Two clients: one passes a 429 on, since the order of a room hangs on it; one waits by itself."""

    def __init__(self, settings: SlackSettings) -> None:
        common: dict[str, Any] = {
            "token": settings.bot_token,
            "base_url": settings.url,
            "timeout": settings.seconds,
            "ssl": settings.tls(),
            "proxy": settings.proxy or None,
        }
        self._app_token = settings.app_token
        self.clock = NetworkClock()
        self.writer = WebClient(**common, retry_handlers=[])
        patient = [ConnectionErrorRetryHandler(), RateLimitErrorRetryHandler(max_retry_count=_READS_AGAIN)]
        self.reader = WebClient(**common, retry_handlers=patient)

    def write(self, method: str, **arguments: Any) -> Any:
        """Call a method that changes something; a limit is the caller's to wait for."""
        return self._called(self.writer, method, arguments)

    def read(self, method: str, **arguments: Any) -> Any:
        """Call a method that only reads; waits for limits itself."""
        return self._called(self.reader, method, arguments)

    def pages(self, method: str, key: str, most: int, **arguments: Any) -> Any:
        """Yield the entries of at most so many pages."""
        cursor = ""
        for _ in range(most):
            answer = self.read(method, **arguments, **({"cursor": cursor} if cursor else {}))
            yield from answer[key]
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor:
                return

    def socket_url(self) -> str:
        """Where the next connection goes; good for a short time and once."""
        try:
            answer = self._called(self.writer, "apps_connections_open", {"app_token": self._app_token})
        except Rejected as error:  # it will not work later either: an admin has to act
            raise Revoked(f"{error}. Is Socket Mode on, and does the app token have connections:write?") from error
        return str(answer["url"])

    def _called(self, client: WebClient, method: str, arguments: dict[str, Any]) -> Any:
        asked = datetime.now(UTC)
        answer = _called(client, method, arguments)
        self.clock.note(header(answer, "date"), asked)
        return answer


def header(response: Any, name: str) -> str:
    """A header of an answer, whatever case its name has."""
    return next((str(value) for key, value in (response.headers or {}).items() if str(key).lower() == name), "")


def _called(client: WebClient, method: str, arguments: dict[str, Any]) -> Any:
    try:
        return getattr(client, method)(**arguments)
    except SlackApiError as error:
        raise meant(error, method.replace("_", ".", 1)) from error
    except (OSError, http.client.HTTPException) as error:
        raise Away(f"Slack cannot be reached: {in_words(error)}") from error
    except SlackClientError as error:
        if "(status: 5" in str(error):  # of a file's way
            raise Away(f"Slack takes no file now: {error}") from error
        raise Rejected(f"Slack takes no such call: {error}") from error


def meant(error: SlackApiError, method: str) -> Exception:
    """Say which of our errors one of Slack's is."""
    response = error.response
    status, code = int(getattr(response, "status_code", 200)), str(response.get("error", ""))
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        return Busy(_seconds(response), f"Slack asks to wait before the next {method}")
    if status >= 500 or code in _LATER:
        return away(f"Slack answered {status} to {method}", header(response, "retry-after"))
    if code in _REVOKED:
        return Revoked(f"Slack refuses the bot: {_REVOKED[code]} ({code})")
    if code == "missing_scope":
        needed = response.get("needed", "")
        return Rejected(
            f"Slack refuses {method}: the app lacks the scope {needed};"
            " add it under OAuth & Permissions, then install the app again (missing_scope)"
        )
    if code == "cannot_dm_bot":
        return BotsApart("Slack has no direct messages between two bots")
    why = _REJECTED.get(code) or "; ".join((response.get("response_metadata") or {}).get("messages", ())) or "refused"
    return Rejected(f"Slack refuses {method}: {why} ({code})")


def _seconds(response: Any) -> float:
    try:
        return max(0.0, float(header(response, "retry-after") or _ASK_AGAIN_SECONDS))
    except ValueError:
        return _ASK_AGAIN_SECONDS
