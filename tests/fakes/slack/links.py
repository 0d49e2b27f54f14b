"""Socket Mode: connections, envelopes with their acknowledgement, and delivery again without it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.fakes.slack.workspace import Refused, Workspace

_EVENT_SCOPES = {"reaction_added": "reactions:read", "app_mention": "app_mentions:read"}
_TRIES = 4


@dataclass
class Delivery:
    """Something on its way to the app."""

    kind: str  # events_api, interactive, slash_commands
    payload: dict[str, Any]
    replies: bool = False  # whether an acknowledgement may carry an answer
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    answer: Any = None
    attempts: int = 0


class Links:
    """All open connections; events go to one of them, in turn, as Slack's do."""

    def __init__(self, space: Workspace, notice: Callable[[], None]) -> None:
        self.space, self._notice = space, notice
        self.open: list[web.WebSocketResponse] = []
        self.ack_seconds = 3.0
        self.waiting: dict[str, Delivery] = {}  # by envelope
        self.delivered: list[Delivery] = []
        self.deaf = False  # acknowledgements get lost
        self._tickets: dict[str, float] = {}
        self._turn = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # -- opening

    def ticket(self) -> str:
        """Make the ticket of a connection: good once, for thirty seconds."""
        if not self.space.socket_mode:
            raise Refused("not_allowed_token_type")
        if len(self.open) >= 10:
            raise Refused("too_many_websockets")
        ticket = uuid.uuid4().hex
        self._tickets[ticket] = time.monotonic() + 30
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection, from hello to its end."""
        until = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if until < time.monotonic():
            return web.Response(status=400, text="invalid ticket")
        link = web.WebSocketResponse(heartbeat=30)
        await link.prepare(request)
        self.open.append(link)
        await link.send_json(self._hello())
        self._notice()
        try:
            async for message in link:
                if message.type is WSMsgType.TEXT:
                    self._acknowledge(message.data)
        finally:
            with contextlib.suppress(ValueError):
                self.open.remove(link)
            self._notice()
        return link

    def _hello(self) -> dict[str, Any]:
        debug = {"host": "applink-lab", "build_number": 1, "approximate_connection_time": 18060}
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "debug_info": debug,
            "connection_info": {"app_id": self.space.app},
        }

    def _acknowledge(self, text: str) -> None:
        answer = json.loads(text)
        delivery = self.waiting.pop(answer["envelope_id"], None)
        if delivery is None or self.deaf:
            return
        payload = answer.get("payload")
        delivery.answer = payload if delivery.replies else None
        delivery.acknowledged.set()
        self._notice()

    # -- delivering

    def event(self, event: dict[str, Any]) -> None:
        """Tell the app of an event, where it has the scope for it and belongs to the conversation."""
        if self._may_hear(event):
            payload = {
                "token": "lab-verification",
                "team_id": self.space.team,
                "api_app_id": self.space.app,
                "event": event,
                "type": "event_callback",
                "event_id": "Ev" + uuid.uuid4().hex[:10].upper(),
                "event_time": int(self.space.now()),
                "is_ext_shared_channel": False,
                "authorizations": [{"team_id": self.space.team, "user_id": self.space.me, "is_bot": True}],
            }
            self.send(Delivery("events_api", payload))

    def _may_hear(self, event: dict[str, Any]) -> bool:
        if event["type"] in {"user_change", "team_join", "channel_rename", "member_joined_channel"}:
            return True
        channel = self.space.channels[event["item"]["channel"] if "item" in event else event["channel"]]
        scope = _EVENT_SCOPES.get(event["type"], channel.history_scope)
        return self.space.me in channel.members and scope in self.space.scopes

    def send(self, delivery: Delivery) -> None:
        """Deliver, and again while nobody acknowledges."""
        self.delivered.append(delivery)
        task = asyncio.get_running_loop().create_task(self._until_acknowledged(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _until_acknowledged(self, delivery: Delivery) -> None:
        tries = _TRIES if delivery.kind == "events_api" else 1  # what a person waits for is not tried again
        for attempt in range(tries):
            await self.once(delivery, attempt)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(delivery.acknowledged.wait(), self.ack_seconds)
                return

    async def once(self, delivery: Delivery, attempt: int = 0) -> None:
        """Send it to the connection whose turn it is."""
        envelope = str(uuid.uuid4())
        body = {"envelope_id": envelope, "type": delivery.kind, "payload": delivery.payload}
        body["accepts_response_payload"] = delivery.replies
        if delivery.kind == "events_api":
            body |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        self.waiting[envelope] = delivery
        delivery.attempts += 1
        alive = [link for link in self.open if not link.closed]
        if alive:
            self._turn += 1
            with contextlib.suppress(ConnectionError):
                await alive[self._turn % len(alive)].send_json(body)

    # -- ending

    async def disconnect(self, reason: str) -> None:
        """Announce the end of every connection ("warning"), or end it as well."""
        for link in list(self.open):
            with contextlib.suppress(ConnectionError):
                await link.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-lab"}})

    async def close(self, *, hard: bool = False) -> None:
        """End every connection: with a frame that says so, or as a cable that is pulled."""
        for link in list(self.open):
            if hard and link._req is not None and link._req.transport is not None:
                link._req.transport.abort()
            else:
                await link.close(code=1000)

    async def stop(self) -> None:
        """End all that still tries to deliver."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.close()
