"""The HTTP side: tokens, scopes, arguments, faults, the upload and download of files."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from tests.fakes.slack.links import Links
from tests.fakes.slack.methods import Api, Method, as_type
from tests.fakes.slack.reading import METHODS
from tests.fakes.slack.workspace import Refused, invalid_arguments


class Front:
    """Takes every request, and judges it before a method sees it."""

    def __init__(self, api: Api, links: Links, notice: Callable[[], None]) -> None:
        self.api, self.space, self.links, self._notice = api, api.space, links, notice
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.unknown: list[tuple[str, str]] = []  # arguments that no method takes; Slack ignores them
        self.responses: list[dict[str, Any]] = []  # posted to a response_url
        self.faults: dict[str, list[tuple[int, int]]] = {}
        self.limits: dict[str, tuple[int, float]] = {}
        self.late: dict[str, float] = {}  # seconds by which the next answer comes late, though it was done
        self.apps = [self]  # this one's and those of other apps of the workspace; it takes the requests of all
        self._past: dict[tuple[str, str], list[float]] = {}

    def application(self) -> web.Application:
        """Make the application; a new one for each start."""
        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/api/{method}", self._called)
        app.router.add_route("*", "/upload/v1/{file}", self._uploaded)
        app.router.add_get("/files-pri/{file}/{name}", self._downloaded)
        app.router.add_post("/response/{number}", self._responded)
        app.router.add_get("/link", self._linked)
        return app

    def _app(self, token: str) -> Front:
        return next((app for app in self.apps if token in {app.space.bot_token, app.space.app_token}), self)

    async def _linked(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("app_id")
        return await next((app for app in self.apps if app.space.app == wanted), self).links.serve(request)

    async def _called(self, request: web.Request) -> web.Response:
        name, app = request.match_info["method"], self
        try:
            given, token = await _arguments(request)
            app = self._app(token)
            self.calls.append((name, given))
            if (fault := self._fault(name, given)) is not None:
                return fault
            body = {"ok": True, **app._answer(name, given, token)}
            await asyncio.sleep(self.late.pop(name, 0))
        except Refused as error:
            body = error.body
        finally:
            self._notice()
        return web.json_response(body, headers=app._scopes(name))

    def _scopes(self, name: str) -> dict[str, str]:
        wanted = METHODS[name].scopes if name in METHODS else ()
        scopes = {"x-oauth-scopes": ",".join(self.space.scopes), "x-accepted-oauth-scopes": ",".join(wanted)}
        return {"Date": formatdate(self.space.now(), usegmt=True), **scopes}

    def _fault(self, name: str, given: dict[str, Any]) -> web.Response | None:
        planned = self.faults.get(name) or self.faults.get("*") or []
        status, seconds = planned.pop(0) if planned else self._beyond(name, given)
        if status == 429:
            headers = {"Retry-After": str(seconds)}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        headers = {"Retry-After": str(seconds)} if seconds else {}
        return web.Response(status=status, text="upstream failure", headers=headers) if status else None

    def _beyond(self, name: str, given: dict[str, Any]) -> tuple[int, int]:
        calls, seconds = self.limits.get(name, (0, 0.0))
        past = self._past.setdefault((name, str(given.get("channel", ""))), [])
        now = time.monotonic()
        past[:] = [at for at in past if at > now - seconds]
        if calls and len(past) >= calls:
            return 429, max(1, round(past[0] + seconds - now))
        past.append(now)
        return 0, 0

    def _answer(self, name: str, given: dict[str, Any], token: str) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        if name != "api.test":
            self._admit(method, token)
        if method.form_only and given.get("_json"):
            given = {}
        if name == "apps.connections.open":
            return {"url": f"ws{self.api.host()[4:]}/link?ticket={self.links.ticket()}&app_id={self.space.app}"}
        return method.do(self.api, self._checked(name, method, given))

    def _admit(self, method: Method, token: str) -> None:
        if not token:
            raise Refused("not_authed")
        if token not in {self.space.bot_token, self.space.app_token}:
            raise Refused("invalid_auth")
        if self.space.revoked:
            raise Refused(self.space.revoked)
        if method.app_level != (token == self.space.app_token):
            raise Refused("not_allowed_token_type")
        has = self.space.app_scopes if method.app_level else self.space.scopes
        if method.scopes and not set(method.scopes) & set(has):
            raise Refused("missing_scope", needed=",".join(method.scopes), provided=",".join(has))

    def _checked(self, name: str, method: Method, given: dict[str, Any]) -> dict[str, Any]:
        kinds = method.arguments
        required = [key for key, kind in kinds.items() if kind.endswith("!")]
        if missing := [key for key in required if given.get(key) in (None, "")]:
            raise invalid_arguments(*(f"missing required field: {key}" for key in missing))
        known = {key: value for key, value in given.items() if key in kinds and value is not None}
        if name == "api.test":
            return given
        self.unknown += [(name, key) for key in given if key not in kinds and key not in {"token", "_json"}]
        return {key: as_type(kinds[key].rstrip("!"), value, key) for key, value in known.items()}

    # -- files

    async def _uploaded(self, request: web.Request) -> web.Response:
        file = self.space.files.get(request.match_info["file"])
        if request.method not in {"POST", "PUT"} or file is None:
            return web.Response(status=404, text="not found")
        if request.content_type == "multipart/form-data":
            parts = await request.post()
            content = next((part.file.read() for part in parts.values() if hasattr(part, "file")), b"")
        else:
            content = await request.read()
        if len(content) != file.length:
            return web.Response(status=400, text="length does not match")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    async def _downloaded(self, request: web.Request) -> web.Response:
        file = self.space.files.get(request.match_info["file"].partition("-")[2])
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        space = self._app(token).space
        allowed = token == space.bot_token and not space.revoked
        if not allowed or "files:read" not in space.scopes:
            return web.Response(status=302, headers={"Location": f"{self.api.host()}/?redir=login"})
        if file is None or file.content is None:
            return web.Response(status=404, text="not found")
        return web.Response(body=file.content, content_type="application/octet-stream")

    async def _responded(self, request: web.Request) -> web.Response:
        self.responses.append(await request.json())
        self._notice()
        return web.Response(text="ok")


async def _arguments(request: web.Request) -> tuple[dict[str, Any], str]:
    """What was given, in a form, in JSON or in the address; and the token."""
    given: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        try:
            read = json.loads(await request.text() or "{}")
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(read, dict):
            raise Refused("json_not_object")
        given |= {**read, "_json": True}
    else:
        given |= {key: value for key, value in (await request.post()).items() if isinstance(value, str)}
    header = request.headers.get("Authorization", "")
    if header and not header.startswith("Bearer "):
        raise Refused("invalid_auth")
    return given, header.removeprefix("Bearer ") or str(given.get("token", ""))
