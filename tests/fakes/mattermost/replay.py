"""Says the captured calls of a real server's clients to a server, and lists what it answers otherwise."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.fakes.mattermost.likeness import Likeness
from tests.fakes.mattermost.server import Server

CAPTURE = Path(__file__).with_name("capture-9.8.jsonl")
_RESUME = re.compile(r"sequence_number=(\d+)")


def captured() -> list[dict]:
    return [json.loads(line) for line in CAPTURE.read_text("utf-8").splitlines()]


_EDIT = re.compile(r'"id":"(\w{26})".*"message":"(e\d+)"')


class Stream:
    """One websocket of a client, and what came through it."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse):
        self.ws, self.expected, self.frames = ws, [], []
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.ws:
            self.frames.append(json.loads(message.data))

    async def settled(self) -> None:
        """Wait for as many frames as were captured."""
        for _ in range(200):
            if len(self.frames) >= len(self.expected):
                return
            await asyncio.sleep(0.01)


class Replay:
    """Goes through the capture line by line."""

    def __init__(self, server: Server):
        self.server, self.like = server, Likeness()
        self.tokens = {"bad": "nosuchtoken", "none": ""}
        self.streams: dict[str, Stream] = {}
        self.query: dict[str, str] = {}
        self.last_id = ""
        self.clicks: list[tuple[str, dict]] = []
        self.expected_clicks: list[tuple[str, dict]] = []
        self.revoke: list[str] = []
        self.at_once: dict[int, tuple] = {}
        self.many = False

    @property
    def differences(self) -> list[str]:
        return self.like.differences

    async def run(self, entries: list[dict]) -> None:
        self.server.api.world.user_ids = [e["reply"].get("user_id") or e["reply"]["id"] for e in entries
                                          if e.get("path") in ("/users", "/bots")]  # fmt: skip
        async with aiohttp.ClientSession() as self.http:
            await self._listen()
            for number, entry in enumerate(entries):
                self.like.where = f"line {number + 1}"
                await getattr(self, f"_{entry['kind']}")(entry)
            self.like.same(len(self.expected_clicks), len(self.clicks), "clicks")
            await self.site.cleanup()

    # -- REST

    async def _rest(self, entry: dict) -> None:
        if entry["note"] == "rate limit":
            status, headers, reply = self.at_once[entry["status"]]
        else:
            status, headers, reply = await self._call(entry)
        self.like.same(entry["status"], status, "status")
        self.like.same(entry["headers"], headers, "headers")
        self.like.same(entry["reply"], reply, "reply")
        self._learn(entry, headers, reply)
        if len(self.expected_clicks) == len(self.clicks):
            self.like.same(self.expected_clicks, self.clicks, "clicks")

    async def _call(self, entry: dict) -> tuple:
        token = "wrong" if entry["note"] == "bad token" else self.tokens.get(entry["as"], "")
        arguments: dict = {"headers": {"Authorization": f"Bearer {token}"} if token else {}}
        body = self.like.put_in(entry["body"], self.address)
        if body == "multipart":
            arguments["data"] = self._file()
        elif body is not None:
            if body == {"token_id": "<token>"}:
                body = {"token_id": self.revoke.pop(0)}
            arguments["json"] = _grown(body)
        url = f"{self.server.url}/api/v4{self.like.put_in(entry['path'])}"
        async with self.http.request(entry["method"], url, **arguments) as answer:
            return answer.status, _headers(answer, entry["headers"]), await _reply(answer)

    def _file(self) -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("channel_id", self.like.put_in("7isu8in6y7dqucn6nkmwc31jgr"))
        form.add_field("files", b"x" * 5000, filename="output.txt", content_type="text/plain")
        return form

    def _learn(self, entry: dict, headers: dict, reply) -> None:
        """Keep the tokens, of which the capture has none."""
        if "Token" in headers:
            self.tokens[entry["as"]] = headers["Token"]
        if entry["path"].endswith("/tokens"):
            if entry["method"] == "POST":
                self.tokens["opsbot"] = reply["token"]
            else:
                self.revoke = [one["id"] for one in reply]

    # -- what was done to the server

    async def _note(self, entry: dict) -> None:
        text = entry["text"]
        if "unknown connection_id" in text:
            self.query = {"connection_id": "x" * 26, "sequence_number": "1"}
        elif found := _RESUME.search(text):
            self.query = {"connection_id": self.last_id, "sequence_number": found.group(1)}
        elif text.startswith("abrupt cut"):
            await self._post_many()
        elif text.startswith("second run"):
            user = self.like.put_in("mtg7memfw7ryxjjd4suzxhs63e")
            made = await self._post_as("admin", f"/users/{user}/tokens", {"description": "lab2"})
            self.tokens["opsbot"] = made["token"]
        elif text.startswith("server stopped"):
            await asyncio.to_thread(self.server.stop)
        elif text.startswith("rate limit"):
            await self._flood()
        if text.startswith("server started"):
            await asyncio.to_thread(self.server.start)

    async def _post_as(self, who: str, path: str, body: dict) -> dict:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        async with self.http.post(f"{self.server.url}/api/v4{path}", json=body, headers=headers) as answer:
            return await answer.json()

    async def _post_many(self) -> None:
        channel = self.like.put_in("7isu8in6y7dqucn6nkmwc31jgr")
        for number in range(150):
            await self._post_as("alice", "/posts", {"channel_id": channel, "message": f"many {number}"})
        self.query, self.many = {"connection_id": self.last_id, "sequence_number": "8"}, True

    async def _edit_like(self, frame: dict) -> None:
        """Fifty edits of one post were captured as frames only."""
        if frame.get("event") == "post_edited" and (found := _EDIT.search(frame["data"]["post"])):
            headers = {"Authorization": f"Bearer {self.tokens['opsbot']}"}
            url = f"{self.server.url}/api/v4/posts/{self.like.put_in(found.group(1))}/patch"
            async with self.http.put(url, json={"message": found.group(2)}, headers=headers) as answer:
                self.like.same(200, answer.status)

    async def _flood(self) -> None:
        limiter = self.server.api.limiter
        limiter.per_second, limiter.burst = 5, 10
        call = {"note": "", "as": "admin", "body": None, "path": "/users/me", "method": "GET", "headers": _KEPT}
        for answer in await asyncio.gather(*(self._call(call) for _ in range(30))):
            self.at_once.setdefault(answer[0], answer)

    async def _listen(self) -> None:
        """The address that a click on a button reaches."""

        async def act(request: web.Request) -> web.Response:
            self.clicks.append((request.path, await request.json()))
            return web.json_response({"update": {"message": "approved by alice"}})

        application = web.Application()
        application.router.add_post("/act", act)
        self.site = web.AppRunner(application)
        await self.site.setup()
        await web.TCPSite(self.site, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self.site.addresses[0][1]}"

    async def _integration(self, entry: dict) -> None:
        self.expected_clicks.append((entry["path"], entry["body"]))

    # -- websockets

    async def _ws(self, entry: dict) -> None:
        who = entry["as"]
        if entry["dir"] == "closed":
            await self._closed(who, entry["code"])
        elif entry["dir"] == "out":
            stream = await self._open(who, {})
            frame = {**entry["frame"], "data": {"token": self.tokens.get("opsbot" if who == "burst" else who)}}
            await stream.ws.send_str(json.dumps(frame))
        else:
            if who not in self.streams:
                await self._open(who, {"Authorization": f"Bearer {self.tokens[who]}"})
            self.streams[who].expected.append(entry["frame"])
            await self._edit_like(entry["frame"])
            if entry["frame"].get("event") in ("hello", "status_change"):
                await self.streams[who].settled()

    async def _open(self, who: str, headers: dict) -> Stream:
        url = f"{self.server.url}/api/v4/websocket"
        ws = await self.http.ws_connect(url, params=self.query, headers=headers)
        self.query = {}
        self.streams[who] = Stream(ws)
        return self.streams[who]

    async def _closed(self, who: str, code: int | None) -> None:
        if who not in self.streams:
            await self._open(who, {"Authorization": "Bearer nosuchtoken"} if who == "bad" else {})
        stream = self.streams.pop(who)
        await stream.settled()
        if code is None:
            await stream.ws.close()
        elif who not in ("bad", "none"):
            await asyncio.to_thread(self.server.cut)
        await asyncio.wait_for(stream.reader, 10)
        self.like.same(code, None if code is None else int(stream.ws.close_code), "close code")
        got = stream.frames[: len(stream.expected)] if self.many else stream.frames
        self.like.same(stream.expected, got, f"frames of {who}")
        self.last_id = next((f["data"]["connection_id"] for f in got if f.get("event") == "hello"), self.last_id)
        self.many = False
        await self._gone()

    async def _gone(self) -> None:
        while await asyncio.to_thread(self.server.sockets, "opsbot"):
            await asyncio.sleep(0.01)


_KEPT = {"Content-Type": "", "X-Version-Id": ""}


def _headers(answer: aiohttp.ClientResponse, expected: dict) -> dict:
    left_out = {"Content-Length", "Date", "Server", "Content-Disposition"}
    if isinstance(expected, dict) and "X-Version-Id" not in expected:
        left_out.add("X-Version-Id")
    return {key: value for key, value in answer.headers.items() if key not in left_out}


async def _reply(answer: aiohttp.ClientResponse):
    if answer.content_type == "application/json":
        return await answer.json()
    content = await answer.read()
    return content.decode() if answer.status == 429 else f"<{len(content)} bytes>"


def _grown(body):
    """What the capture shortens."""
    if isinstance(body, dict) and body.get("message") == "<16384 x>":
        return {**body, "message": "x" * 16384}
    return body
