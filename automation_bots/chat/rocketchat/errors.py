"""What Rocket.Chat refuses, in words and seconds."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import aiohttp

from automation_bots.chat.client import Rejected

_WAIT = re.compile(r"wait (\d+) seconds?")


class Refusal(Rejected):
    """What the realtime API refused: `kind` is its error, a word or a number."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.kind = str(error.get("error", ""))
        super().__init__(str(error.get("reason") or error.get("message") or self.kind or "refused"))

    @property
    def seconds(self) -> float:
        """How long to wait where it was too much."""
        found = _WAIT.search(str(self))
        return float(found[1]) if found else 10.0


def words(answer: dict[str, Any]) -> str:
    """What the server says."""
    return str(answer.get("error") or answer.get("message") or "")


def seconds_of(answer: dict[str, Any]) -> float:
    """Until when the server names it, else by its sentence, else a while."""
    found = _WAIT.search(words(answer))
    until = float(answer.get("_reset") or 0)
    if until > 0:
        return min(until, float(found[1])) if found else until
    return float(found[1]) if found else 5.0


def reset(headers: Any, now: datetime) -> float:
    """Rocket.Chat names the moment in milliseconds; a proxy before it the seconds, in Retry-After."""
    after = headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    moment = headers.get("X-RateLimit-Reset", "")
    if not moment.isdigit():
        return 0.0
    return float(max(0.05, int(moment) / 1000 - now.timestamp()))


def why(error: BaseException, url: str) -> str:
    """Why a server is not reached, and what to do."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        what = f"the certificate of {url} is not trusted ({error.certificate_error})"
        return f"{what}; if a private authority signed it, say ca = its file"
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"{url}/websocket answers {error.status} instead of a websocket; check the proxy before the server"
    return f"{url} is not reached: {error}" if str(error) else f"{url} does not answer in time"
