"""REST v1 of the Rocket.Chat test server: log-in, limits, error bodies, and which call leads where."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict, deque
from datetime import datetime
from email.utils import formatdate

from aiohttp import web

from tests.fakes.rocketchat import calls, rooms
from tests.fakes.rocketchat.workspace import BYPASS, MeteorError, PlainError, hashed, now
from tests.fakes.rocketchat.world import World

CALLS = vars(calls) | vars(rooms)
NO_LOGIN = {"login", "info", "settings.public"}


def plain(value):
    """A document as REST writes it."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple | set) else value


class Limiter:
    """So many calls of one route from one address within a window; `refuse` answers the next ones with 429."""

    def __init__(self, calls_allowed: int = 10, window_seconds: float = 60):
        self.allowed, self.window = calls_allowed, window_seconds
        self._seen: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._refused_until, self._refusals = 0.0, 0

    def refuse(self, seconds: float, count: int):
        self._refused_until, self._refusals = time.monotonic() + seconds, count

    def wait_seconds(self, address: str, route: str, *, bypass: bool) -> tuple[float, int]:
        """How long to wait (0: go on), and how many calls are left."""
        left = self._refused_until - time.monotonic()
        if self._refusals > 0 and left > 0:
            self._refusals -= 1
            return left, 0
        if bypass:
            return 0, self.allowed
        seen = self._seen[(address, route)]
        while seen and seen[0] < time.monotonic() - self.window:
            seen.popleft()
        if len(seen) >= self.allowed:
            return seen[0] + self.window - time.monotonic(), 0
        seen.append(time.monotonic())
        return 0, self.allowed - len(seen)


class Rest:
    """The calls, each in `calls.py` or `rooms.py` as `<method>_<name with _ for .>(ask)`."""

    def __init__(self, world: World):
        self.world, self.limiter = world, Limiter()
        self.called: list[str] = []  # "post chat.sendMessage": what was asked, for tests that count
        self.forbidden: set[str] = set()  # calls that the permissions of the workspace keep from everybody
        self.down = 0  # so many calls more are answered 503, as a proxy does while the server restarts
        self.down_seconds = 0  # of its Retry-After
        self.late: dict[str, float] = {}  # seconds by which the next answer comes late, though it was done
        self.silent_after = 0  # so many calls more are carried out, and their answers lost

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.down > 0:
            self.down -= 1
            text = "<html><body><h1>503 Service Unavailable</h1></body></html>"
            headers = {"Retry-After": str(self.down_seconds)} if self.down_seconds else {}
            return web.Response(status=503, text=text, content_type="text/html", headers=headers)
        name, _, rest = request.match_info["path"].partition("/")
        self.called.append(f"{request.method.lower()} {name}")
        action = CALLS.get(f"{request.method.lower()}_{name.replace('.', '_').lower()}")
        if action is None:
            return web.json_response(
                {"success": False, "status": "error", "message": "API endpoint does not exist."}, status=404
            )
        reply = await self._carried_out(request, name, rest, action)
        reply.headers["Date"] = formatdate(now().timestamp(), usegmt=True)
        await asyncio.sleep(self.late.pop(name, 0) if reply.status == web.HTTPOk.status_code else 0)
        if self.silent_after > 0:
            self.silent_after -= 1
            request.transport.close()
        return reply

    async def _carried_out(self, request: web.Request, name: str, rest: str, action) -> web.Response:
        user = self._user(request)
        if user is None and name not in NO_LOGIN:
            text = "You must be logged in to do this."
            return web.json_response({"success": False, "error": text, "status": "error", "message": text}, status=401)
        bypass = bool(user and BYPASS & set(user["roles"]))
        wait, left = self.limiter.wait_seconds(request.remote or "", name + request.method, bypass=bypass)
        headers = {
            "X-RateLimit-Limit": str(self.limiter.allowed),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(1000 * (now().timestamp() + (wait or self.limiter.window)))),
        }
        if wait:
            seconds = -int(-wait // 1)
            text = f"You must wait {seconds} seconds before trying this endpoint again."
            text = f"Error, too many requests. Please slow down. {text}"
            return web.json_response(
                {"success": False, "error": f"{text} [error-too-many-requests]"}, status=429, headers=headers
            )
        if name in self.forbidden:
            text = "User does not have the permissions required for this action [error-unauthorized]"
            return web.json_response({"success": False, "error": text}, status=403, headers=headers)
        status, body = await self._done(request, user, rest, action)
        return web.json_response(plain(body), status=status, headers={} if bypass else headers)

    def _user(self, request: web.Request) -> dict | None:
        user = self.world.owner(request.headers.get("X-Auth-Token", ""))
        return user if user and user["_id"] == request.headers.get("X-User-Id") else None

    async def _done(self, request: web.Request, user: dict | None, rest: str, action) -> tuple[int, dict]:
        try:
            answer = await action(
                calls.Ask(self.world, user or {}, await _body(request), dict(request.query), rest, request)
            )
        except calls.Answer as found:
            return found.status, found.body
        except MeteorError as error:
            if error.error in {"error-unauthorized", "unauthorized"}:
                return 403, {"success": False, "error": str(error)}
            body = {"success": False, "error": str(error), "errorType": error.error}
            return 400, body | ({"details": error.details} if error.details else {})
        except PlainError as error:
            return 400, {"success": False, "error": str(error)}
        return 200, answer | {"success": True}

    async def file(self, request: web.Request) -> web.Response:
        """A sent file, for those who may see its room."""
        upload, user = self.world.uploads.get(request.match_info["id"]), self._user(request)
        if upload is None:
            return web.Response(status=404)
        if user is None or not self.world.can_access(upload["rid"], user["_id"]):
            return web.Response(status=403)
        return web.Response(body=upload["content"], headers={"Content-Type": upload["type"]})

    def revoke(self, token: str):
        self.world.tokens.pop(hashed(token), None)


async def _body(request: web.Request) -> dict:
    if request.method != "POST" or request.content_type.startswith("multipart/"):
        return {}
    text = await request.text()
    if request.content_type == "application/x-www-form-urlencoded":
        return dict(await request.post())
    try:
        return json.loads(text) if text else {}
    except json.JSONDecodeError:
        raise MeteorError("invalid-params", "Invalid JSON") from None
