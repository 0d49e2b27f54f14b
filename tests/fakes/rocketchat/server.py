"""A Rocket.Chat server for tests: REST v1, the realtime API and files, started in a thread on a free port of loopback.

Written from Rocket.Chat's published protocol (its developer documentation, and what its own clients send and expect);
strict: what the real server refuses is refused here, with the real body. Not there: apps (so no buttons: a message with
blocks shows them, but only an app hears a click), end-to-end encryption, federation, the limits of DDP methods.
"""

from __future__ import annotations

import asyncio
import copy
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from tests.fakes.rocketchat.ddp import Session
from tests.fakes.rocketchat.rest import Rest
from tests.fakes.rocketchat.workspace import hashed
from tests.fakes.rocketchat.world import World


class RocketChatServer:
    """Use as a context manager. What people do, tests do through `run`, which does it on the server's own thread."""

    def __init__(self, *, certificates: Path | None = None, heartbeat_seconds: float = 15):
        self.world = World(self._tell)
        self.rest = Rest(self.world)
        self.sessions: set[Session] = set()
        self.heartbeat_seconds = heartbeat_seconds
        self.connections = 0  # made so far
        self.open = True  # False: new websockets are refused, as a proxy does while the server restarts
        self._certificates = certificates
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="rocketchat")
        self.port = 0

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _start(self):
        app = web.Application(client_max_size=200 * 1024 * 1024)
        app.router.add_get("/websocket", self._websocket)
        app.router.add_get("/api/info", self._info)
        app.router.add_route("*", "/api/v1/{path:.+}", self.rest.answer)
        app.router.add_get("/file-upload/{id}/{name}", self.rest.file)
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        context = None
        if self._certificates:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificates / "server.pem", self._certificates / "server.key")
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=context)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self._certificates else ''}://127.0.0.1:{self.port}"

    async def _info(self, request: web.Request) -> web.StreamResponse:
        request.match_info["path"] = "info"
        return await self.rest.answer(request)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if not self.open:
            return web.Response(status=502, text="Bad Gateway")
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = Session(self.world, socket, self.heartbeat_seconds)
        self.sessions.add(session)
        self.connections += 1
        try:
            await session.run()
        finally:
            self.sessions.discard(session)
        return socket

    def _tell(self, kind: str, *what):
        what = copy.deepcopy(what)
        for session in list(self.sessions):
            getattr(self, f"_tell_{kind}")(session, *what)

    def _tell_message(self, session: Session, message: dict):
        session.message(message)

    def _tell_deleted(self, session: Session, rid: str, mid: str):
        session.event("stream-notify-room", f"{rid}/deleteMessage", [{"_id": mid}])

    def _tell_subscription(self, session: Session, uid: str, what: str, subscription: dict):
        session.event("stream-notify-user", f"{uid}/subscriptions-changed", [what, subscription])

    def _tell_room(self, session: Session, rid: str, what: str, room: dict, uid: str):
        """To everybody in it, or only to the one who came or went."""
        if session.uid and (session.uid == uid or (not uid and session.uid in self.world.members[rid])):
            session.event("stream-notify-user", f"{session.uid}/rooms-changed", [what, room])

    def _tell_role(self, session: Session, what: str, role: str, user: dict):
        session.event("stream-notify-logged", "roles-change", [{"type": what, "_id": role, "u": user}])

    def _tell_revoked(self, session: Session, uid: str):
        if session.uid == uid and self.world.owner(session.token) is None:
            asyncio.ensure_future(session.socket.close())  # noqa: RUF006

    # for tests
    def run(self, action: Callable, *args, **kwargs):
        """Do something on the server's thread and return what came of it."""

        async def done():
            return copy.deepcopy(action(*args, **kwargs))

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(10)

    def cut(self):
        """Break every connection without a word, as a failing network does."""
        self.run(lambda: [session.socket._req.transport.abort() for session in self.sessions])

    def limit(self, seconds: float, count: int = 1):
        """Answer the next calls with 429, for so long."""
        self.run(self.rest.limiter.refuse, seconds, count)

    def revoke(self, token: str):
        """Take a token back; its connections are closed."""

        def act():
            uid, _ = self.world.tokens.pop(hashed(token))
            self._tell("revoked", uid)

        self.run(act)

    def replay(self, mid: str):
        """Deliver a message once more."""
        self.run(lambda: self._tell("message", self.world.messages[mid]))

    def give_role(self, uid: str, role: str):
        def act():
            user = self.world.users[uid]
            user["roles"].append(role)
            self._tell("role", "added", role, {"_id": uid, "username": user["username"]})

        self.run(act)
