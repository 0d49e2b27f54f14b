"""Mattermost's websocket: events in order, and a connection that was cut goes on where it ended."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from automation_bots.chat.client import Away
from automation_bots.chat.mattermost.rest import API
from automation_bots.chat.mattermost.settings import MattermostSettings
from automation_bots.errors import in_words

log = logging.getLogger(__name__)
_HEARTBEAT_SECONDS = 20.0
_QUIET_SECONDS = 2.0  # a connection that is resumed without a missed event says nothing but the answer to a ping
_MESSAGE_BYTES = 16 * 1024 * 1024
Handle = Callable[[str, dict[str, Any]], None]


class Loop:
    """One thread with an event loop, for the websocket and for clicks."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mattermost", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        """Do it in there; Away when it takes too long."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise Away("the server does not answer in time") from None

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        if not self._thread.is_alive():
            self._loop.close()


class Socket:
    """The event stream of one account; the library's own cannot resume, so what was said during a cut was lost to it.

    The token stands in the header of the handshake, since a connection that is authenticated later is never resumed.
    """

    def __init__(self, settings: MattermostSettings, handle: Handle) -> None:
        self._settings, self._handle = settings, handle
        self._url = f"{settings.url}{API}/websocket"  # not wss: aiohttp would look for WSS_PROXY, which nobody sets
        self._id, self._next = "", 0  # of the connection, and of the event that comes next
        self._session: aiohttp.ClientSession | None = None
        self._reader: asyncio.Task[None] | None = None
        self._begun: asyncio.Future[bool] | None = None
        self.ended = threading.Event()
        self.why = ""
        self.heartbeat_seconds = _HEARTBEAT_SECONDS  # and half of it until the line counts as dead

    async def open(self) -> bool:
        """Connect; say whether the stream goes on without a gap. Raises Away."""
        await self.close()
        self.ended.clear()
        query = {"connection_id": self._id, "sequence_number": str(self._next)} if self._id else {}
        headers = {"Authorization": f"Bearer {self._settings.token}"}
        self._session = aiohttp.ClientSession(trust_env=True)
        try:
            ws = await self._session.ws_connect(
                self._url, params=query, headers=headers, heartbeat=self.heartbeat_seconds, ssl=self._settings.trust,
                max_msg_size=_MESSAGE_BYTES, timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            )  # fmt: skip
        except (aiohttp.ClientError, OSError) as error:
            await self.close()
            raise Away(f"no websocket: {in_words(error)}") from error
        self._begun = asyncio.get_running_loop().create_future()
        self._reader = asyncio.create_task(self._read(ws))
        await ws.send_json({"seq": 1, "action": "ping"})
        return await self._begun

    async def close(self) -> None:
        """Leave; what comes next stays known."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
            self._reader = None
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        why = "the connection was cut"
        try:
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(message.data))
        except (Away, aiohttp.ClientError, OSError, ValueError) as error:
            why = in_words(error)
        finally:
            self.why = why
            if self._begun is not None and not self._begun.done():
                self._begun.set_exception(Away(why))
            self.ended.set()
            await ws.close()

    def _take(self, frame: dict[str, Any]) -> None:
        if "seq_reply" in frame:
            if frame.get("status") != "OK":
                raise Away("the websocket does not accept the token")
            if self._id:  # resumed; a hello that contradicts it comes soon
                asyncio.get_running_loop().call_later(_QUIET_SECONDS, self._begin, True)  # noqa: FBT003
            return
        if frame["event"] == "hello":
            self._greeted(frame)
        elif frame["seq"] != self._next:
            raise Away(f"event {self._next} is missing")  # asked for by connecting again
        self._next = frame["seq"] + 1
        self._begin(resumed=frame["event"] != "hello")
        try:
            self._handle(frame["event"], frame["data"])
        except Exception:  # one strange event must not cut the stream
            log.exception("an event of the kind %s could not be read", frame["event"])

    def _greeted(self, frame: dict[str, Any]) -> None:
        """A new stream: what was said since the old one ended has to be read."""
        self._id = frame["data"]["connection_id"]
        if self._begun is not None and self._begun.done() and self._begun.result():
            self._next = frame["seq"] + 1
            self._id = ""
            raise Away("the old connection is not known any more")

    def _begin(self, resumed: bool) -> None:  # noqa: FBT001
        if self._begun is not None and not self._begun.done():
            self._begun.set_result(resumed)
