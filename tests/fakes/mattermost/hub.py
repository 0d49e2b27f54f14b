"""Websocket connections: frames in order, and the resumption of a connection that was cut."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque

from aiohttp import web

from tests.fakes.mattermost import shapes

KEPT = 384  # frames that a cut connection can still get


class Connection:
    """One client's stream of events; outlives its socket, so that it can be resumed."""

    def __init__(self, user_id: str):
        self.id, self.user_id, self.next_seq = shapes.new_id(), user_id, 0
        self.frames: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self.socket: Socket | None = None

    def send(self, frame: dict) -> None:
        text = json.dumps({**frame, "seq": self.next_seq}, ensure_ascii=False)
        self.frames.append((self.next_seq, text))
        self.next_seq += 1
        if self.socket is not None:
            self.socket.put(text)

    def has(self, seq: int) -> bool:
        return seq == self.next_seq or any(number == seq for number, _ in self.frames)


class Socket:
    """One websocket: a queue before it keeps the order."""

    def __init__(self, request: web.Request):
        self.request, self.user_id, self.connection = request, "", None
        self.ws = web.WebSocketResponse(max_msg_size=8192)
        self._out: asyncio.Queue[str] = asyncio.Queue()

    def put(self, text: str) -> None:
        self._out.put_nowait(text)

    async def write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await self.ws.send_str(await self._out.get())

    def abort(self) -> None:
        """Close as the real server and broken networks do: no close frame, code 1006."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Hub:
    """All connections."""

    def __init__(self, world):
        self.world, self.connections = world, {}
        self.sockets: set[Socket] = set()
        self.challenge_seconds = 5.0
        world.publish = self.publish

    def publish(
        self, event: str, data: dict, *, user: str = "", channel: str = "", team: str = "", extra=None, mentioned=()
    ):
        """Send an event to one person, or to all in a channel; each learns of a mention only when it is the own one."""
        broadcast = {"omit_users": None, "user_id": user, "channel_id": channel, "team_id": team,
                     "connection_id": "", "omit_connection_id": "", **(extra or {})}  # fmt: skip
        for connection in list(self.connections.values()):
            if user == connection.user_id or (not user and connection.user_id in self.world.members(channel)):
                own = {"mentions": json.dumps([connection.user_id])} if connection.user_id in mentioned else {}
                connection.send({"event": event, "data": {**data, **own}, "broadcast": broadcast})

    def _status(self, user_id: str, status: str) -> None:
        self.publish("status_change", {"status": status, "user_id": user_id}, user=user_id)

    def _online(self, user_id: str) -> bool:
        return any(one.socket is not None and one.user_id == user_id for one in self.connections.values())

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = Socket(request)
        await socket.ws.prepare(request)
        self.sockets.add(socket)
        writer = asyncio.create_task(socket.write())
        if user_id := self.world.user_of(request):
            self._open(socket, user_id, request.query)
        guard = asyncio.get_running_loop().call_later(self.challenge_seconds, self._expire, socket)
        try:
            async for message in socket.ws:
                self._heard(socket, json.loads(message.data))
        finally:
            guard.cancel()
            writer.cancel()
            self._closed(socket)
        return socket.ws

    def _expire(self, socket: Socket) -> None:
        if not socket.user_id:
            socket.abort()

    def _open(self, socket: Socket, user_id: str, query) -> None:
        """Attach a socket; a known connection id with a number that is still kept goes on where it was cut."""
        was_online = self._online(user_id)
        socket.user_id = user_id
        old = self.connections.get(query.get("connection_id", ""))
        seq = int(query.get("sequence_number") or -1)
        if old is not None and old.user_id == user_id and old.has(seq):
            connection = old
            if old.socket is not None:
                old.socket.abort()
            for number, text in old.frames:
                if number >= seq:
                    socket.put(text)
            connection.socket = socket
        else:
            connection = Connection(user_id)
            connection.socket = socket
            self.connections[connection.id] = connection
            hello = {"connection_id": connection.id, "server_version": shapes.VERSION}
            broadcast = {"omit_users": None, "user_id": user_id, "channel_id": "", "team_id": "", "connection_id": "",
                         "omit_connection_id": ""}  # fmt: skip
            connection.send({"event": "hello", "data": hello, "broadcast": broadcast})
        socket.connection = connection
        if not was_online:
            asyncio.get_running_loop().call_soon(self._status, user_id, "online")  # after the answer to a challenge

    def _heard(self, socket: Socket, frame: dict) -> None:
        seq, action = frame.get("seq"), frame.get("action")
        if action == "authentication_challenge" and not socket.user_id:
            user_id = self.world.tokens.get(frame["data"].get("token", ""))
            if user_id:  # a bad one gets no answer; the connection is closed later
                self._open(socket, user_id, {})
                socket.put(json.dumps({"status": "OK", "seq_reply": seq}))
        elif not socket.user_id:
            socket.put(json.dumps(_failed(seq, "api.web_socket_router.not_authenticated.app_error", 401)))
        elif action == "ping":
            data = {"node_id": "", "server_time": shapes.now(), "text": "pong", "version": shapes.VERSION}
            socket.put(json.dumps({"status": "OK", "data": data, "seq_reply": seq}))
        elif action == "user_typing":
            data = {"parent_id": frame["data"].get("parent_id", ""), "user_id": socket.user_id}
            self.publish("typing", data, channel=frame["data"]["channel_id"])
            socket.put(json.dumps({"status": "OK", "seq_reply": seq}))
        else:
            socket.put(json.dumps(_failed(seq, "api.web_socket_router.bad_action.app_error", 400)))

    def _closed(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        if socket.connection is not None and socket.connection.socket is socket:
            socket.connection.socket = None
            if not self._online(socket.user_id):
                self._status(socket.user_id, "offline")

    def cut(self) -> None:
        """Break every websocket, as a proxy or a cable does."""
        for socket in list(self.sockets):
            socket.abort()

    def forget(self) -> None:
        """What a restart of the server does to connections."""
        self.cut()
        self.connections.clear()


def _failed(seq, id_: str, status: int) -> dict:
    error = {"id": id_, "message": id_, "detailed_error": "", "status_code": status}
    return {"status": "FAIL", "error": error, "seq_reply": seq}
