"""Buttons under questions, and the small HTTP endpoint that Mattermost calls when one is clicked."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from automation_bots.chat.client import Away, label_of
from automation_bots.chat.mattermost.settings import MattermostSettings

log = logging.getLogger(__name__)
PROPERTY = "automation_bots_question"  # of a post: which question's buttons it has
_BODY_BYTES = 64 * 1024
_STYLES = {"Approve": "good", "Deny": "danger"}
_GONE = "That question is not open any more."
_LATER = "The bot could not check that just now; click again, or type the answer."


class Buttons:
    """Nothing in a call proves that the server sent it, so each question has a secret that only its buttons carry.

    It is made from the token and the question's number, so that buttons work after a restart too.
    """

    def __init__(self, settings: MattermostSettings, clicked: Callable[[dict[str, Any]], bool]) -> None:
        self._settings, self._clicked = settings, clicked
        self._key = hashlib.sha256(b"buttons:" + settings.token.encode()).digest()
        self._runner: web.AppRunner | None = None

    def properties(self, room: str, choices: tuple[str, ...]) -> dict[str, Any]:
        """Return what a post needs to have these buttons."""
        question = secrets.token_hex(8)
        actions = [
            {"id": f"choice{number}", "name": label_of(choice), "type": "button",
             "style": _STYLES.get(choice, "default"),
             "integration": {"url": self._settings.callback, "context": self._context(room, question, choice)}}
            for number, choice in enumerate(choices)
        ]  # fmt: skip
        return {
            PROPERTY: question,
            "attachments": [{"fallback": " / ".join(map(label_of, choices)), "actions": actions}],
        }

    def _context(self, room: str, question: str, choice: str) -> dict[str, str]:
        return {"question": question, "choice": choice, "secret": self._secret(room, question, choice)}

    def _secret(self, *parts: str) -> str:
        return hmac.new(self._key, json.dumps(parts).encode(), "sha256").hexdigest()

    def is_genuine(self, call: dict[str, Any]) -> bool:
        """Whether the call carries the secret of a button that this bot has made in that room."""
        context = call.get("context")
        if not isinstance(context, dict):
            return False
        parts = [call.get("channel_id"), context.get("question"), context.get("choice")]
        known, given = [part for part in parts if isinstance(part, str)], context.get("secret")
        whole = len(known) == len(parts) and isinstance(given, str) and given.isascii()
        return whole and hmac.compare_digest(self._secret(*known), str(given))

    # -- the endpoint

    async def listen(self) -> None:
        """Answer clicks from now on. Raises OSError where the address cannot be used."""
        if self._runner is not None:
            return
        application = web.Application(client_max_size=_BODY_BYTES)
        application.router.add_post(urlsplit(self._settings.callback).path or "/", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, *self._settings.listen).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    @property
    def listening(self) -> bool:
        """Whether clicks arrive."""
        return self._runner is not None

    async def close(self) -> None:
        """Answer no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            call = json.loads(await request.text())
        except ValueError:
            return web.Response(status=400)
        if not isinstance(call, dict) or not self.is_genuine(call):
            log.warning("a call from %s is no click on a button of this bot", request.remote)
            return web.Response(status=403)
        try:
            known = await asyncio.get_running_loop().run_in_executor(None, self._clicked, call)
        except Away as error:
            log.warning("a click could not be checked: %s", error)
            return web.json_response({"ephemeral_text": _LATER})
        return web.json_response({} if known else {"ephemeral_text": _GONE})
