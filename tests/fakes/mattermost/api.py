"""The routes of /api/v4: who asks, what, and the answer or refusal of the real server."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from email.utils import formatdate
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from tests.fakes.mattermost import shapes
from tests.fakes.mattermost.clicks import Clicks
from tests.fakes.mattermost.hub import Hub
from tests.fakes.mattermost.limiter import Limiter
from tests.fakes.mattermost.posts import Posts
from tests.fakes.mattermost.routes import ROUTES
from tests.fakes.mattermost.shapes import Refused, bad_body, denied
from tests.fakes.mattermost.world import World

OK = {"status": "OK"}
MAX_FILE = 1_000_000  # of the test server, to see what one too large does


class Api:
    """One server's state behind HTTP."""

    def __init__(self):
        self.world = World()
        self.hub = Hub(self.world)
        self.posts = Posts(self.world)
        self.clicks = Clicks(self.posts)
        self.limiter = Limiter()
        self.calls: list[tuple[str, str, str]] = []  # (who, method, path)
        self.allowed_internal = {"127.0.0.1"}  # AllowedUntrustedInternalConnections

    def application(self) -> web.Application:
        made = web.Application(client_max_size=MAX_FILE * 4)
        made.router.add_get("/api/v4/websocket", self._websocket)
        for method, path, name in ROUTES:
            made.router.add_route(method, f"/api/v4{path}", self._route(getattr(self, name), name))
        made.router.add_route("*", "/{rest:.*}", self._missing)
        return made

    def _late(self, me: str, request: web.Request) -> float:
        key = f"{request.method} {request.path}"
        return self.limiter.late.pop(key, 0.0) if me in self.limiter.only else 0.0

    def _route(self, action, name: str):
        async def serve(request: web.Request) -> web.StreamResponse:
            me = self.world.user_of(request)
            self.calls.append((self.world.users[me]["username"] if me else "", request.method, request.path))
            if (limited := await self.limiter.answer(me)) is not None:
                return limited
            try:
                _must_be_known(me, name)
                answer = await action(me, request)
            except Refused as refusal:
                answer = _json(refusal.body(), refusal.status)
            await asyncio.sleep(self.limiter.late_seconds + self._late(me, request))
            answer.headers["X-Version-Id"] = shapes.VERSION
            answer.headers["Date"] = formatdate(shapes.now() / 1000, usegmt=True)
            return answer

        return serve

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        if self.world.user_of(request) in self.limiter.away_for:
            return web.Response(text="<html>Bad Gateway</html>", status=502, content_type="text/html")
        return await self.hub.serve(request)

    async def _missing(self, request: web.Request) -> web.Response:
        self.calls.append(("", request.method, request.path))
        return _json(Refused(404, "api.context.404.app_error").body(), 404)

    # -- accounts and teams

    async def system_ping(self, _me, _request):
        return _json({"AndroidLatestVersion": "", "AndroidMinVersion": "", "IosLatestVersion": "",
                      "IosMinVersion": "", "status": "OK"})  # fmt: skip

    async def create_user(self, _me, request):
        return _json(self.world.create_user(await request.json()), 201)

    async def login(self, _me, request):
        user, token = self.world.login(await request.json())
        return _json(user, headers={"Token": token})

    async def logout(self, _me, request):
        self.world.tokens.pop(request.headers["Authorization"].partition(" ")[2], None)
        return _json(OK)

    async def create_bot(self, me, request):
        return _json(self.world.create_bot(me, await request.json()), 201)

    async def create_token(self, me, request):
        return _json(self.world.create_token(me, request.match_info["user"], await request.json()))

    async def list_tokens(self, me, request):
        user = request.match_info["user"]
        if user not in (me, "me") and not self.world.is_admin(me):
            raise denied()
        mine = [one for one in self.world.access.values() if one["user_id"] == user]
        return _json([{key: value for key, value in one.items() if key != "token"} for one in mine])

    async def revoke_token(self, me, request):
        if not self.world.is_admin(me):
            raise denied()
        self.world.revoke((await request.json())["token_id"])
        return _json(OK)

    async def get_user(self, me, request):
        return _json(self.world.user(me, request.match_info["user"]))

    async def patch_user(self, me, request):
        return _json(self.world.patch_user(me, request.match_info["user"], await request.json()))

    async def user_by_name(self, me, request):
        for user in self.world.users.values():
            if user["username"] == request.match_info["name"]:
                return _json(shapes.of_others(user))
        raise Refused(404, "app.user.get_by_username.app_error")

    async def users_by_ids(self, me, request):
        wanted = await request.json()
        return _json([shapes.of_others(self.world.users[id_]) for id_ in wanted if id_ in self.world.users])

    async def create_team(self, me, request):
        return _json(self.world.create_team(me, await request.json()), 201)

    async def join_team(self, me, request):
        if not self.world.is_admin(me):
            raise denied()
        return _json(self.world.join_team(request.match_info["team"], (await request.json())["user_id"]), 201)

    async def my_teams(self, me, _request):
        return _json(self.world.teams_of(me))

    # -- channels

    async def create_channel(self, me, request):
        return _json(self.world.create_channel(me, await request.json()), 201)

    async def my_channels(self, me, request):
        return _json(self.world.channels_of(me, request.match_info["team"]))

    async def direct(self, me, request):
        return _json(self.world.direct(me, await request.json()), 201)

    async def group(self, me, request):
        return _json(self.world.group(me, await request.json()), 201)

    async def get_channel(self, me, request):
        return _json(self.world.channel(me, request.match_info["channel"]))

    async def channel_by_name(self, me, request):
        return _json(self.world.channel_by_name(me, request.match_info["team"], request.match_info["name"]))

    async def channel_members(self, me, request):
        self.world.channel(me, request.match_info["channel"])
        return _json([one for _, one in sorted(self.world.members(request.match_info["channel"]).items())])

    async def channel_member(self, me, request):
        user = request.match_info["user"].replace("me", me) if request.match_info["user"] == "me" else ""
        found = self.world.members(request.match_info["channel"]).get(user or request.match_info["user"])
        if found is None:
            raise Refused(404, "app.channel.get_member.missing.app_error")
        return _json(found)

    async def add_member(self, me, request):
        body = await request.json()
        return _json(self.world.add_member(me, request.match_info["channel"], body["user_id"]), 201)

    async def remove_member(self, me, request):
        self.world.remove_member(me, request.match_info["channel"], request.match_info["user"])
        return _json(OK)

    # -- posts

    async def create_post(self, me, request):
        return _json(self.posts.create(me, await request.json()), 201)

    async def ephemeral(self, me, request):
        if not self.world.is_admin(me):
            raise denied()
        return _json(self.posts.seen(shapes.post(me, "", "", type_="system_ephemeral", props={})), 201)

    async def get_post(self, me, request):
        post = self.posts.get(me, request.match_info["post"])
        return _json(
            self.posts.seen(post, reply_count=None if post["root_id"] else len(self.posts.replies(post["id"])))
        )

    async def patch_post(self, me, request):
        return _json(self.posts.patch(me, request.match_info["post"], await request.json()))

    async def delete_post(self, me, request):
        self.posts.delete(me, request.match_info["post"])
        return _json(OK)

    async def thread(self, me, request):
        return _json(self.posts.thread(me, request.match_info["post"]))

    async def channel_posts(self, me, request):
        try:
            numbers = {key: int(request.query.get(key, default)) for key, default in _PAGING.items()}
        except ValueError:
            raise Refused(400, "api.context.invalid_url_param.app_error") from None
        return _json(self.posts.listed(me, request.match_info["channel"], **numbers))

    async def react(self, me, request):
        return _json(self.posts.react(me, await request.json()))

    async def unreact(self, me, request):
        self.posts.unreact(me, *(request.match_info[key] for key in ("user", "post", "emoji")))
        return _json(OK)

    async def post_reactions(self, me, request):
        post = self.posts.get(me, request.match_info["post"])
        return _json(self.posts.reactions.get(post["id"], []))

    async def action(self, me, request):
        """A click: the integration is asked, and its answer changes the post."""
        action, call = self.clicks.action(me, request.match_info["post"], request.match_info["action"])
        answer = await self._integration(action["integration"]["url"], call)
        if answer.get("update"):
            self.clicks.updated(call["post_id"], answer["update"])
        if text := answer.get("ephemeral_text"):
            shown = shapes.post(me, call["channel_id"], text, type_="system_ephemeral", props={})
            self.world.publish("ephemeral_message", {"post": _dump(shown)}, user=me)
        return _json({**OK, "trigger_id": shapes.new_id()})

    async def _integration(self, url: str, call: dict) -> dict:
        failed = Refused(400, "api.post.do_action.action_integration.app_error")
        host = urlsplit(url).hostname or ""
        if _private(host) and host not in self.allowed_internal:
            raise failed
        try:
            timeout = aiohttp.ClientTimeout(total=5)
            async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=call) as answer:
                if answer.status != 200:
                    raise failed
                return await answer.json(content_type=None)
        except (aiohttp.ClientError, ValueError, TimeoutError):
            raise failed from None

    async def dialog(self, _me, request):
        self.clicks.dialog(await request.json())
        return _json(OK)

    # -- files

    async def upload(self, me, request):
        if not request.content_type.startswith("multipart/"):
            name, channel = request.query.get("filename"), request.query.get("channel_id")
            if not name or not channel:
                raise bad_body()
            given = [(name, request.content_type, await request.read())]
        else:
            form = await request.post()
            channel = str(form.get("channel_id", ""))
            given = [(one.filename, one.content_type, one.file.read()) for one in form.getall("files", ())]
        if not given or not channel:
            raise bad_body()
        if any(len(content) > MAX_FILE for *_, content in given):
            raise Refused(413, "api.file.upload_file.too_large_detailed.app_error")
        made = [self.posts.upload(me, channel, name, content, _mime(mime)) for name, mime, content in given]
        return _json({"file_infos": made, "client_ids": []}, 201)

    async def download(self, me, request):
        info, content = self.posts.file(me, request.match_info["file"])
        headers = {"Content-Type": info["mime_type"], "Content-Disposition": f'attachment;filename="{info["name"]}"'}
        return web.Response(body=content, headers=headers)

    async def file_info(self, me, request):
        return _json(self.posts.file(me, request.match_info["file"])[0])


def _must_be_known(me: str, name: str) -> None:
    if not me and name not in ("create_user", "login", "system_ping"):
        raise Refused(401, "api.context.session_expired.app_error")


_PAGING = {"since": 0, "page": 0, "per_page": 60}


def _dump(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json(value, status: int = 200, headers: dict | None = None) -> web.Response:
    body = _dump(value).encode()
    return web.Response(body=body, status=status, headers={"Content-Type": "application/json", **(headers or {})})


def _mime(given: str) -> str:
    return "text/plain; charset=utf-8" if given in ("text/plain", "") else given


def _private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost"
