"""The connection to a Rocket.Chat server: REST calls, and the realtime API (DDP) over a websocket, on one thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import itertools
import json
import logging
import ssl
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import aiohttp

from automation_bots.chat.client import Away, Busy, Rejected, Revoked, away
from automation_bots.chat.clock import NetworkClock
from automation_bots.chat.rocketchat import errors
from automation_bots.errors import in_words

log = logging.getLogger(__name__)
PULSE = (20.0, 50.0)  # seconds of silence after which the server is asked for a sign of life, and given up
_HANG_UP_SECONDS = 3.0
_FRAME_BYTES = 64 * 1024 * 1024
Event = Callable[[str, str, list[Any]], None]  # collection, event, arguments


class Realtime:
    """`run` does one coroutine on the link's thread, within a time limit."""

    def __init__(
        self, url: str, trust: ssl.SSLContext | None = None, seconds: float = 20.0, pulse: tuple[float, float] = PULSE
    ) -> None:
        self.url, self._tls, self._seconds = url, trust, seconds
        self._ping_seconds, self._dead_seconds = pulse
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="rocketchat", daemon=True)
        self._lock = threading.Lock()
        self._closed = False
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self._count = itertools.count(1)
        self._reading: asyncio.Task[None] | None = None
        self.token = self.user_id = ""
        self.clock = NetworkClock()
        self.cut: concurrent.futures.Future[None] = concurrent.futures.Future()

    # -- from any thread

    def run(self, work: Coroutine[Any, Any, Any], seconds: float = 60.0) -> Any:
        """Do it and return what came of it; Away when it takes too long."""
        with self._lock:
            if self._closed:
                work.close()
                raise Away("the link is closed")
            if not self._thread.is_alive():
                self._thread.start()
        doing = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return doing.result(seconds)
        except concurrent.futures.CancelledError:
            raise Away("the link was closed") from None
        except TimeoutError:
            doing.cancel()
            raise Away(f"no answer within {seconds:g} s") from None

    def close(self) -> None:
        """End everything, also what somebody waits for."""
        with self._lock:
            started, self._closed = self._thread.is_alive() and not self._closed, True
        if not self.cut.done():
            self.cut.set_result(None)
        if started:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop)
            self._thread.join(5)

    async def _close(self) -> None:
        await self.hang_up()
        if self._session is not None:
            await self._session.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        self._loop.call_later(0.05, self._loop.stop)

    # -- REST

    async def call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """Call `/api/v1/<path>`; a refusal is Rejected with the server's words, Busy, Away or Revoked."""
        status, answer = await self._ask(method, f"/api/v1/{path}", **how)
        if status == 401 and path != "me":
            await self.call("GET", "me")  # newer servers say 401 for a missing right too; only here it is the token
            raise Rejected(errors.words(answer) or "not allowed")
        if status == 401:
            raise Revoked("the server does not accept the token of the bot; make a new one")
        if status == 429:
            raise Busy(errors.seconds_of(answer), errors.words(answer))
        if status >= 500:
            raise away(f"the server answers {status}", answer.get("_after", ""))
        if status >= 300 or not answer.get("success", True):
            raise Rejected(errors.words(answer) or f"the server answers {status}")
        return answer

    async def fetch(self, path: str, most: int) -> bytes:
        """Read a file that somebody sent; at most so many bytes and one more."""
        try:
            async with self._http().get(self.url + path, headers=self._headers(), **self._common()) as reply:
                if reply.status >= 500:
                    raise Away(f"the server answers {reply.status}")
                if reply.status != 200:
                    raise Rejected(f"the server answers {reply.status}")
                return await _read(reply, most + 1)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Away(errors.why(error, self.url)) from error

    async def _ask(self, method: str, path: str, **how: Any) -> tuple[int, dict[str, Any]]:
        asked = datetime.now(UTC)
        try:
            async with self._http().request(
                method, self.url + path, headers=self._headers(), allow_redirects=False, **self._common(), **how
            ) as reply:
                self.clock.note(reply.headers.get("Date", ""), asked)
                text = await reply.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Away(errors.why(error, self.url)) from error
        try:
            answer = json.loads(text)
        except ValueError:
            answer = {}
        answer = answer if isinstance(answer, dict) else {}
        if reply.status == 429:
            answer["_reset"] = errors.reset(reply.headers, self.clock.now())
        if reply.status >= 500:
            answer["_after"] = reply.headers.get("Retry-After", "")
        if 300 <= reply.status < 400:
            answer["error"] = f"the server sends on to {reply.headers.get('Location')}; write that address as url"
        if reply.status == 200 and not answer:
            answer = {"success": False, "error": "this is no Rocket.Chat: check url"}
        return reply.status, answer

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(trust_env=True, timeout=aiohttp.ClientTimeout(total=self._seconds))
        return self._session

    def _common(self) -> dict[str, Any]:
        return {"ssl": self._tls} if self._tls else {}

    def _headers(self) -> dict[str, str]:
        return {"X-Auth-Token": self.token, "X-User-Id": self.user_id} if self.token and self.user_id else {}

    # -- the realtime API

    async def dial(self, event: Event) -> None:
        """Open the websocket and agree on the protocol; `event` is told what comes, on the link's thread."""
        await self.hang_up()
        if self._reading is not None:
            await asyncio.wait([self._reading], timeout=_HANG_UP_SECONDS)
        self.cut = concurrent.futures.Future()
        try:
            self._socket = await self._http().ws_connect(
                self.url + "/websocket",  # not wss: aiohttp would look for WSS_PROXY, which nobody sets
                max_msg_size=_FRAME_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=_HANG_UP_SECONDS),
                **self._common(),
            )
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Away(errors.why(error, self.url)) from error
        self._reading = asyncio.create_task(self._read(self._socket, event, self.cut))
        await self._answer("connected", {"msg": "connect", "version": "1", "support": ["1"]})

    async def method(self, name: str, *params: Any) -> Any:
        """Call a method of the realtime API; a refusal is a `Refusal`."""
        call = str(next(self._count))
        return await self._answer(call, {"msg": "method", "method": name, "id": call, "params": list(params)})

    async def subscribe(self, stream: str, event: str) -> None:
        """Hear the events of a stream from now on."""
        call = str(next(self._count))
        wanted = [event, {"useCollection": False, "args": []}]
        await self._answer(call, {"msg": "sub", "id": call, "name": stream, "params": wanted})

    async def hang_up(self) -> None:
        """Close the websocket, if there is one."""
        socket, self._socket = self._socket, None
        if socket is not None and not socket.closed:
            await socket.close()

    async def _answer(self, key: str, frame: dict[str, Any]) -> Any:
        waiting = self._answers[key] = asyncio.get_running_loop().create_future()
        try:
            await self._put(frame)
            async with asyncio.timeout(self._seconds):
                return await waiting
        except TimeoutError:
            raise Away("the realtime API does not answer") from None
        finally:
            self._answers.pop(key, None)

    async def _put(self, frame: dict[str, Any]) -> None:
        if self._socket is None or self._socket.closed:
            raise Away("the websocket is closed")
        try:
            await self._socket.send_str(json.dumps(frame))
        except (ConnectionError, aiohttp.ClientError) as error:
            raise Away(f"the websocket broke: {in_words(error)}") from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, event: Event, cut: Any) -> None:
        why = "the server closed the websocket"
        silent = 0.0
        try:
            while silent < self._dead_seconds:
                try:
                    message = await socket.receive(self._ping_seconds)
                except TimeoutError:
                    silent += self._ping_seconds
                    await self._put({"msg": "ping"})
                    continue
                silent = 0.0
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                await self._frame(message.data, event)
            else:
                why = f"the server has been silent for {self._dead_seconds:g} s"
        except Away as error:
            why = str(error)
        finally:
            self._lost(cut, why)
            await socket.close()

    def _lost(self, cut: Any, why: str) -> None:
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(Away(why))
        if not cut.done():
            cut.set_exception(Away(why))

    async def _frame(self, text: str, event: Event) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            log.warning("the server sent something that is no JSON")
            return
        kind = frame.get("msg")
        if kind == "ping":
            await self._put({"msg": "pong"} | ({"id": frame["id"]} if "id" in frame else {}))
        elif kind == "changed":
            fields = frame.get("fields") or {}
            self._tell(event, str(frame.get("collection")), str(fields.get("eventName")), fields.get("args") or [])
        else:
            self._settle(kind, frame)

    def _tell(self, event: Event, collection: str, name: str, args: list[Any]) -> None:
        try:
            event(collection, name, args)
        except Exception:  # one strange message must not make the bot deaf
            log.exception("an event of %s could not be read", collection)

    def _settle(self, kind: Any, frame: dict[str, Any]) -> None:
        """Hand an answer to the one who waits for it."""
        keys = {"connected": ["connected"], "failed": ["connected"], "ready": frame.get("subs") or []}
        for key in keys.get(str(kind), [str(frame.get("id"))] if kind in {"result", "nosub"} else []):
            waiting = self._answers.get(key)
            if waiting is None or waiting.done():
                continue
            if kind == "failed":
                waiting.set_exception(Away("the server speaks another version of the realtime API"))
            elif "error" in frame or kind == "nosub":
                waiting.set_exception(errors.Refusal(frame.get("error") or {}))
            else:
                waiting.set_result(frame.get("result"))


async def _read(reply: aiohttp.ClientResponse, most: int) -> bytes:
    parts, left = [], most
    while left > 0 and (part := await reply.content.read(left)):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
