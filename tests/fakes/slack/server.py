"""The server in a thread of its own, and what tests do to it: people who type, faults, a look at the rooms."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from aiohttp import web

from tests.fakes.slack.http import Front
from tests.fakes.slack.links import Links
from tests.fakes.slack.methods import Api
from tests.fakes.slack.people import People
from tests.fakes.slack.workspace import Workspace


class SlackLab(People):
    """One workspace with its server. Methods may be called from any thread."""

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.space = Workspace(scopes)
        self._changed = threading.Condition()
        self.links = Links(self.space, self._notice)
        self.api = Api(self.space, self._told, lambda: self.host)
        self.front = Front(self.api, self.links, self._notice)
        self.fronts = self.front.apps
        self.port, self.name = 0, "127.0.0.1"  # of the host, as the app is told
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slack-lab", daemon=True)
        self._runner: web.AppRunner | None = None

    # -- life

    def __enter__(self) -> SlackLab:
        self._thread.start()
        self.up()
        return self

    def __exit__(self, *_exception: object) -> None:
        for front in self.fronts:
            self.do(front.links.stop())
        self.down()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def up(self) -> None:
        """Listen, on the port that was used before where there was one."""
        self.do(self._listen())

    async def _listen(self) -> None:
        self._runner = web.AppRunner(self.front.application(), shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]

    def down(self) -> None:
        """Go away: connections end, and nobody listens."""
        if self._runner is not None:
            for front in self.fronts:
                self.do(front.links.close())
            self.do(self._runner.cleanup())
            self._runner = None

    @property
    def host(self) -> str:
        """Where the server is."""
        return f"http://{self.name}:{self.port}"

    @property
    def url(self) -> str:
        """The base of the Web API."""
        return f"{self.host}/api/"

    def do(self, work: Any) -> Any:
        """Run something in the server's loop, and wait for it."""

        async def called() -> Any:
            return work()

        coroutine = called() if callable(work) else work
        result = asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)
        self._notice()
        return result

    def install(self, name: str) -> Workspace:
        """Install another app; what it returns has its tokens and its member's id."""
        space = self.do(lambda: self.space.other_app(name))
        front = Front(Api(space, self._told, lambda: self.host), Links(space, self._notice), self._notice)
        self.fronts.append(front)
        return space

    # -- looking

    def _told(self, event: dict[str, Any]) -> None:
        for front in self.fronts:
            front.links.event(event)

    def _notice(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, look: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Wait until a look at the server finds something, and return that."""
        with self._changed:
            found = self._changed.wait_for(look, seconds)
        assert found, f"not seen within {seconds:g} s; calls: {[name for name, _ in self.calls][-20:]}"
        return found

    @property
    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        """Every call so far, with its arguments."""
        return self.front.calls

    # -- faults

    def busy(self, method: str, seconds: int = 1, times: int = 1) -> None:
        """Answer 429 the next times."""
        self.front.faults.setdefault(method, []).extend([(429, seconds)] * times)

    def broken(self, method: str, status: int = 503, times: int = 1, seconds: int = 0) -> None:
        """Answer 5xx the next times, with a Retry-After where seconds are given."""
        self.front.faults.setdefault(method, []).extend([(status, seconds)] * times)

    def limit(self, method: str, calls: int, seconds: float) -> None:
        """Allow so many calls of a method in so many seconds per conversation; more get 429."""
        self.front.limits[method] = (calls, seconds)

    def revoke(self, error: str = "token_revoked") -> None:
        """Make every call fail from now on, and cut the connections."""
        self.space.revoked = error
        self.cut()

    def cut(self, *, hard: bool = True) -> None:
        """Cut every connection."""
        self.do(self.links.close(hard=hard))

    def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew; a connection that is refreshed ends soon."""
        self.do(self.links.disconnect(reason))

    def replay(self, number: int = -1) -> None:
        """Deliver once more what was delivered before."""
        self.do(self.links.once(self.links.delivered[number], 1))
