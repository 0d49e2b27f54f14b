"""A door between a Matrix client and its homeserver, for tests: it counts, cuts, refuses, and repeats."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web

# What keeps the link up and the keys right, whatever is said.
_UPKEEP = re.compile(
    r"/sync|/keys/|/sendToDevice|/joined_members|whoami|/login|account_data|/profile/|/join/|/versions"
)
_SENDS = r"/rooms/[^/]+/send/"
_HOP = {"content-length", "transfer-encoding", "connection", "host"}


class Gate:
    """Its own thread; `url` is what the client is told."""

    def __init__(self, upstream: str, certificates: Path | None = None) -> None:
        self._upstream, self._tls = upstream, None
        if certificates:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        self.calls = 0
        self.since = ""  # of the newest sync that was asked for
        self.listening = 0  # syncs that wait for something to happen
        self.down = False
        self._refusals: list[tuple[str, int, Any, dict[str, str]]] = []
        self._swallowed = ""
        self._late = ("", 0.0)
        self._rewind = ""
        self._open: set[Any] = set()
        self._loop = asyncio.new_event_loop()
        ready: Future[int] = Future()
        self._thread = threading.Thread(target=self._run, args=(ready,), name="gate", daemon=True)
        self._thread.start()
        self.url = f"http{'s' * bool(certificates)}://127.0.0.1:{ready.result(10)}"

    def cut(self) -> None:
        """End every connection without a farewell."""
        self._loop.call_soon_threadsafe(self._cut)

    def limit(self, times: int, seconds: float) -> None:
        """Refuse the next events that are sent."""
        said = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": int(seconds * 1000)}
        for _ in range(times):
            self.refuse(_SENDS, 429, said)

    def refuse(self, pattern: str, status: int, said: Any, retry_after: int = 0) -> None:
        """Answer the next call of that path so."""
        self._refusals.append((pattern, status, said, {"Retry-After": str(retry_after)} if retry_after else {}))

    @contextlib.contextmanager
    def swallowing(self, pattern: str) -> Iterator[None]:
        """Let calls of that path reach the server, and cut the line before the answer comes back, tries again too."""
        self._swallowed = pattern
        try:
            yield
        finally:
            self._swallowed = ""

    def late(self, pattern: str, seconds: float) -> None:
        """Let the next call of that path reach the server, and its answer come so much later."""
        self._late = pattern, seconds

    def rewind(self, since: str) -> None:
        """Let the server send again all that came after that moment."""
        self._loop.call_soon_threadsafe(self._turn_back, since)

    def close(self) -> None:
        """End it."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(10)

    def _run(self, ready: Future[int]) -> None:
        asyncio.set_event_loop(self._loop)
        self._turned = asyncio.Event()
        self._loop.run_until_complete(self._begin(ready))
        self._loop.run_forever()
        self._loop.close()

    async def _begin(self, ready: Future[int]) -> None:
        self._http = ClientSession(timeout=ClientTimeout(total=90), auto_decompress=False)
        app = web.Application(client_max_size=50_000_000)
        app.router.add_route("*", "/{rest:.*}", self._pass)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        ready.set_result(self._runner.addresses[0][1])

    async def _end(self) -> None:
        self._cut()
        await self._runner.cleanup()
        await self._http.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._loop.call_soon(self._loop.stop)

    def _cut(self) -> None:
        for transport in list(self._open):
            transport.abort()

    def _turn_back(self, since: str) -> None:
        self._rewind = since
        self._turned.set()

    async def _pass(self, request: web.Request) -> web.Response:
        self._open.add(request.transport)
        try:
            if self.down:
                return web.json_response({"errcode": "M_UNKNOWN", "error": "away"}, status=503)
            if not _UPKEEP.search(request.path):
                self.calls += 1
            if refusal := self._refusal(request):
                return web.json_response(refusal[2], status=refusal[1], headers=refusal[3])
            if request.path.endswith("/sync"):
                return await self._sync(request)
            answer = await self._ask(request, dict(request.query), await request.read())
            if self._late[0] and re.search(self._late[0], request.path):
                seconds, self._late = self._late[1], ("", 0.0)
                await asyncio.sleep(seconds)
            if self._swallowed and re.search(self._swallowed, request.path):
                request.transport.abort()
            return answer  # noqa: TRY300 - what was cut off has its answer too
        except (ClientError, TimeoutError):
            return web.Response(status=502)
        finally:
            self._open.discard(request.transport)

    def _refusal(self, request: web.Request) -> Any:
        found = next((one for one in self._refusals if re.search(one[0], request.path)), None)
        if found is not None:
            self._refusals.remove(found)
        return found

    async def _sync(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        self.since = query.get("since", "") or self.since
        self.listening += 1
        try:
            while True:
                if self._rewind:
                    query["since"], self._rewind = self._rewind, ""
                    query.pop("timeout", None)
                self._turned.clear()
                asked, turned = self._loop.create_task(self._ask(request, query, b"")), self._turned.wait()
                turning = self._loop.create_task(turned)
                try:
                    await asyncio.wait({asked, turning}, return_when=asyncio.FIRST_COMPLETED)
                    if asked.done():
                        return asked.result()
                finally:
                    turning.cancel()
                    asked.cancel()
        finally:
            self.listening -= 1

    async def _ask(self, request: web.Request, query: dict[str, str], body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        url = self._upstream + request.rel_url.raw_path
        async with self._http.request(request.method, url, params=query, data=body or None, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)
