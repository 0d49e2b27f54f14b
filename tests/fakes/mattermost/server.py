"""The test server in a thread of its own: start, stop and start again on its port, cut, with or without TLS."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from tests.fakes import certificates
from tests.fakes.mattermost.api import Api


class Server:
    """Use as a context manager. `tls` is a folder for a private authority and the server's certificate of it."""

    def __init__(self, tls: Path | None = None):
        self.api, self.port, self._runner = Api(), 0, None
        self.ca_file = str(tls / "ca.pem") if tls else ""
        self._context = _context(tls) if tls else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Server:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def start(self) -> None:
        self._wait(self._start())

    def stop(self) -> None:
        """As a server that is stopped: connections break at once, accounts and posts stay."""
        self._wait(self._stop())

    def do(self, action: Callable, *args):
        """Run something inside the server's own thread."""

        async def run():
            return action(*args)

        return self._wait(run())

    def cut(self) -> None:
        """Break the websockets."""
        self.do(self.api.hub.cut)

    def sockets(self, name: str) -> int:
        """How many websockets this account has open."""
        users, open_ = self.api.world.users, self.do(lambda: list(self.api.hub.sockets))
        return sum(users.get(one.user_id, {}).get("username") == name for one in open_)

    def _wait(self, task):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(20)

    async def _start(self) -> None:
        self._runner = web.AppRunner(self.api.application(), shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self._context, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        if self._runner is not None:
            self.api.hub.forget()
            await self._runner.cleanup()
            await asyncio.sleep(0)  # what was broken off comes to its end
            self._runner = None


def _context(folder: Path) -> ssl.SSLContext:
    certificates.make(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server.key")
    return context
