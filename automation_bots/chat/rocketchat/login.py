"""How a bot logs in to Rocket.Chat: with a personal access token, or with a password and from then on its session."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from automation_bots.chat.client import Away, Busy, Revoked
from automation_bots.chat.rocketchat.errors import Refusal
from automation_bots.chat.rocketchat.realtime import Realtime

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Credentials:
    """What the bot has; `session` is the token that a password brought."""

    token: str
    user: str
    password: str
    session: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


async def logged_in(link: Realtime, have: Credentials) -> tuple[str, str]:
    """Log the websocket in; return the account's id and the token for REST."""
    token = have.token or have.session
    if token:
        try:
            return await _login(link, {"resume": token})
        except Revoked:
            if have.token:
                raise
            log.info("the session is over; logging in anew")
            have.session = ""
    password = {"digest": hashlib.sha256(have.password.encode()).hexdigest(), "algorithm": "sha-256"}
    id_, have.session = await _login(link, {"user": {"username": have.user}, "password": password})
    return id_, have.session


async def _login(link: Realtime, how: dict[str, object]) -> tuple[str, str]:
    try:
        answer = await link.method("login", how)
    except Refusal as refusal:
        raise _meant(refusal, how) from None
    return str(answer["id"]), str(answer["token"])


def _meant(refusal: Refusal, how: dict[str, object]) -> Exception:
    if refusal.kind == "too-many-requests":
        return Busy(refusal.seconds, str(refusal))
    if refusal.kind == "totp-required":
        return Revoked("the account asks for a second factor; use a personal access token that ignores it")
    if refusal.kind in {"403", "401", "error-user-is-not-activated", "error-login-blocked-for-user"}:
        what = "the token" if "resume" in how else "the user or the password"
        return Revoked(f"{what} is refused ({refusal})")
    return Away(f"the log-in is refused: {refusal}")
