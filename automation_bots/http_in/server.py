"""Listens for calls, in a thread of its own: who proves who they are is heard, and answered before anything is done."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import cast

from aiohttp import web

from automation_bots.errors import BadPayload, StoreError, in_words
from automation_bots.http_in.door import Door, Seldom
from automation_bots.http_in.rates import Rates
from automation_bots.http_in.receiver import Receiver

log = logging.getLogger(__name__)
_IDLE_SECONDS = 30.0  # of a connection that is kept, or that says nothing yet
_LINGER_SECONDS = 2.0  # that a body which nobody wants may still come
_CONNECTIONS, _EACH = 256, 32  # at once, and of one address
_REFUSED_PER_MINUTE = 60.0  # that one address may be wrong; whoever proves himself is not kept out by neighbours
_AT_ONCE = 16  # calls whose bodies are in memory; as many again of those that prove themselves by the body only
_START_SECONDS = 10.0
_AWAY_SECONDS = 10  # when to come again while the record is away


class HttpServer:
    """One listener for all receivers; `problem` says why it does not listen."""

    def __init__(
        self,
        address: str,
        port: int,
        receivers: Iterable[Receiver],
        now: Callable[[], datetime],
        proxies: Sequence[str] = (),
    ) -> None:
        self._address, self._port, self._now = address, port, now
        self._receivers = {one.name: one for one in receivers}
        self._proxies = tuple(ipaddress.ip_network(text) for text in proxies)
        self._rates, self._refusals = Rates(), Rates()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._ready = threading.Event()
        self._workers = ThreadPoolExecutor(4, "http body")
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self.answers: Counter[int] = Counter()  # by status, since the start
        self.port = 0  # once it listens
        self.problem = ""

    def start(self) -> None:
        """Begin to listen; returns when it does, or when it is known why not."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            self.problem = "did not begin to listen in time"
        if self.problem:
            log.error("http: %s", self.problem)

    def stop(self) -> None:
        """End: calls that are being answered are answered."""
        loop, ended = self._loop, self._ended
        if loop is not None and ended is not None and self._thread.is_alive():
            loop.call_soon_threadsafe(ended.set)
            self._thread.join(10)
        self._workers.shutdown(wait=False)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as error:
            self.problem = f"cannot listen on {self._address} port {self._port}: {in_words(error)}"
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._known, self._strangers = asyncio.Semaphore(_AT_ONCE), asyncio.Semaphore(_AT_ONCE)
        application = web.Application(client_max_size=0)  # bodies are read, and counted, by ourselves
        application.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(
            application,
            access_log=None,
            keepalive_timeout=_IDLE_SECONDS,
            max_line_size=4_096,
            max_field_size=4_096,
            lingering_time=_LINGER_SECONDS,
            auto_decompress=False,  # nothing that is packed is taken, so nothing is unpacked either
            handler_cancellation=True,
            logger=_strangers(),
        )
        await runner.setup()
        door = Door(cast(Callable[[], asyncio.Protocol], runner.server), _CONNECTIONS, _EACH, self._is_proxy)
        opened: asyncio.Server | None = None
        try:
            opened = await self._loop.create_server(door, self._address, self._port, backlog=128)
            self.port = opened.sockets[0].getsockname()[1]
            log.info("http on %s port %d, for %s", self._address, self.port, ", ".join(sorted(self._receivers)))
            self._ready.set()
            await self._ended.wait()
        finally:
            if opened is not None:
                opened.close()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            found = await self._judged(request)
        except asyncio.CancelledError:
            raise
        except Exception:  # whatever a stranger sent, they learn nothing of what it did here
            log.exception("http: a call could not be answered")
            found = _said(500)
        self.answers[found.status] += 1
        return found

    async def _judged(self, request: web.Request) -> web.Response:
        """One call, from the cheapest question to the dearest."""
        headers = {name.lower(): text for name, text in request.headers.items()}
        receiver = self._receivers.get(request.path.removeprefix("/hooks/")) if _is_hook(request) else None
        if receiver is None or not receiver.proof.knows(headers):
            return self._refused(request)
        if request.method != "POST":
            return _said(405, Allow="POST")
        if receiver.proof.token and (wait := self._too_often(receiver)):
            return _later(429, wait)
        async with self._known if receiver.proof.token else self._strangers:
            return await self._heard(request, receiver, headers)

    async def _heard(self, request: web.Request, receiver: Receiver, headers: Mapping[str, str]) -> web.Response:
        body = await self._body(request, receiver)
        if isinstance(body, web.Response):
            return body
        if not receiver.proof.signed(headers, body, self._now()):
            return self._refused(request)
        if not receiver.proof.token and (wait := self._too_often(receiver)):  # now that it is known to be its own call
            return _later(429, wait)
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._workers, receiver.take, body, headers)
        except BadPayload as error:
            log.warning("http: a call of %s is not what it should be: %s", receiver.name, error)
            return _said(400)
        except StoreError as error:
            log.error("http: a call of %s could not be kept, and has to come again: %s", receiver.name, error)  # noqa: TRY400
            return _later(503, _AWAY_SECONDS)
        return _said(202)

    def _too_often(self, receiver: Receiver) -> float:
        """Count a call of whoever may call there; how many seconds to wait, where there were too many."""
        return self._rates.wait(receiver.name, receiver.per_minute, time.monotonic())

    async def _body(self, request: web.Request, receiver: Receiver) -> bytes | web.Response:
        """Read all of it, or say why not; a proxy may have cut what it passes on."""
        length, most = request.headers.get("Content-Length"), receiver.max_bytes
        if length is not None and (not length.isdigit() or int(length) > most):
            return _closing(413)
        if "Content-Encoding" in request.headers:
            return _closing(415)  # what is packed may grow without limit
        found = bytearray()
        try:
            async with asyncio.timeout(receiver.body_seconds):
                async for chunk in request.content.iter_any():
                    found += chunk
                    if len(found) > most:
                        return _closing(413)
        except TimeoutError:
            return _closing(408)
        except Exception as error:  # noqa: BLE001 - aiohttp's own kinds for connections that ended and bad chunks
            log.info("http: a body ended too early: %s", in_words(error))
            return _closing(400)
        if length is not None and len(found) != int(length):
            return _closing(400)
        return bytes(found)

    def _refused(self, request: web.Request) -> web.Response:
        """Say no, without detail; to whoever is wrong too often, that it is too often."""
        caller = self.caller(request.remote or "", request.headers.get("X-Forwarded-For", ""))
        wait = self._refusals.wait(caller, _REFUSED_PER_MINUTE, time.monotonic())
        return _later(429, wait) if wait else _closing(401)

    def caller(self, peer: str, forwarded: str) -> str:
        """The address of who calls; of a proxy of ours, what it says of whom it speaks for."""
        if not forwarded or not self._is_proxy(peer):
            return peer
        for hop in reversed([part.strip() for part in forwarded.split(",")]):
            if not self._is_proxy(hop):
                return hop[:64]
        return peer

    def _is_proxy(self, text: str) -> bool:
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)


def _strangers() -> logging.Logger:
    """Where aiohttp writes of what is no HTTP, with all that was sent: strangers shall not fill the log."""
    named = logging.getLogger(f"{__name__}.strangers")
    if not named.filters:
        named.addFilter(Seldom())
    return named


def _is_hook(request: web.Request) -> bool:
    return request.path.startswith("/hooks/")


def _said(status: int, **headers: str) -> web.Response:
    return web.Response(status=status, headers=headers)


def _closing(status: int) -> web.Response:
    """Answer, and read no more of what may still come."""
    response = _said(status)
    response.force_close()
    return response


def _later(status: int, seconds: float) -> web.Response:
    return _said(status, **{"Retry-After": str(math.ceil(seconds))})
