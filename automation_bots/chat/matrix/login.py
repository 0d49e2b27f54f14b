"""Who the bot is on the homeserver: a token, or a password used once; the session is kept for the next start."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from automation_bots.chat.client import Rejected, Revoked
from automation_bots.chat.matrix.nio_client import Client, RanOut, write
from automation_bots.chat.matrix.settings import MatrixSettings

log = logging.getLogger(__name__)


def kept(folder: Path, wanted: MatrixSettings) -> dict[str, str]:
    """The session of an earlier start, of the same user and server."""
    try:
        session = json.loads((folder / "session.json").read_text())
    except (OSError, ValueError):
        return {}
    same = session.get("server") == wanted.server and session.get("user_id") == wanted.user
    return session if same and session.get("token") else {}


async def enter(client: Client, wanted: MatrixSettings, folder: Path) -> None:
    """Make the client somebody, its keys loaded; raises Revoked when the credentials are not taken."""
    session = {"token": wanted.token} if wanted.token else kept(folder, wanted)
    if not session:
        await _log_in(client, wanted, folder, "")
        return
    client.access_token = session["token"]
    try:
        me = await client.ask("GET", "account/whoami")
    except Revoked as error:
        await _again(client, wanted, folder, session, error)
        return
    if wanted.user and me["user_id"] != wanted.user:
        raise Revoked(f"the token is that of {me['user_id']}, and not of {wanted.user}; mend user or token in [chat]")
    if wanted.encryption and not me.get("device_id"):
        raise Revoked("the token belongs to no device, so it cannot encrypt; log in for one, or set encryption = false")
    client.restore_login(me["user_id"], me.get("device_id", ""), session["token"])


async def _again(client: Client, wanted: MatrixSettings, folder: Path, session: dict[str, str], why: Revoked) -> None:
    """A session that only ran out is opened anew; one that somebody has ended stays ended."""
    if wanted.password and isinstance(why, RanOut):
        await _log_in(client, wanted, folder, session["device_id"])
        return
    if wanted.token:
        raise Revoked(f"{why}; make a new token and put it where token points to") from why
    file = folder / "session.json"
    raise Revoked(
        f"{why}: somebody has ended the bot's session. To let it in again as a new device, delete {file} and start"
    ) from why


async def _log_in(client: Client, wanted: MatrixSettings, folder: Path, device: str) -> None:
    client.access_token = ""
    who = {"type": "m.id.user", "user": wanted.user}
    body: dict[str, Any] = {"type": "m.login.password", "identifier": who, "password": wanted.password}
    body |= {"device_id": device} if device else {"initial_device_display_name": wanted.device}
    try:
        done = await client.ask("POST", "login", body)
    except Rejected as error:
        raise Revoked(f"the homeserver does not take user and password of [chat]: {error}") from error
    if not device:
        for old in ("keys.db", "since"):  # of a device that is no more
            (folder / old).unlink(missing_ok=True)
        if wanted.encryption:
            (folder / "keys.db").touch(mode=0o600)
    session = {"server": wanted.server, "user_id": done["user_id"], "device_id": done["device_id"]}
    write(folder / "session.json", json.dumps({**session, "token": done["access_token"]}))
    client.restore_login(done["user_id"], done["device_id"], done["access_token"])
    log.info("logged in as %s, device %s", done["user_id"], done["device_id"])
