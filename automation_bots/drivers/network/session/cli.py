"""One device's command line, from a thread of the process: by netmiko, or by our own reader where that is enough."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from automation_bots.drivers.network.messages import DeviceRequest
from automation_bots.drivers.network.session import connection as ssh
from automation_bots.drivers.network.session.fast_line import FastLine
from automation_bots.drivers.network.session.prompt_reader import DIALECTS, NoPrompt, Reader


class Cli:
    """Opens command lines of one device; each is a login of its own. What goes wrong is a Problem."""

    def __init__(
        self, work: DeviceRequest, loop: asyncio.AbstractEventLoop, keep: Callable[[str], None], limit: int
    ) -> None:
        self.work = work
        self.keep = keep  # the configuration that is about to be replaced; it returns when it is written down
        self._loop = loop
        self._limit = limit  # characters of an answer

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Give netmiko's connection, in enable mode."""
        from automation_bots.drivers.network.session import netmiko_cli  # netmiko is large, and not always needed

        with self._closing() as stack:
            bridge = self._wait(netmiko_cli.bridged(self.work, stack, self._loop))
            yield netmiko_cli.prepared(self.work, bridge)

    @contextlib.contextmanager
    def line(self) -> Iterator[Any]:
        """Give a command line to configure line by line: our own reader's, or netmiko's where it finds no prompt."""
        with self._closing() as stack:
            reader = self._wait(self._reader(stack))
            if reader is not None:
                yield FastLine(reader, self._wait)
                return
        from automation_bots.drivers.network.session.netmiko_line import NetmikoLine

        with self.opened() as connection:
            yield NetmikoLine(connection, self.work.platform)

    def log_in(self) -> None:
        """Log in and out again; a Problem says why that does not work."""
        with self._closing() as stack:
            if self._wait(self._reader(stack)) is None:
                with self.opened():
                    pass

    async def _reader(self, stack: contextlib.AsyncExitStack) -> Reader | None:
        if self.work.platform not in DIALECTS:
            return None
        async with contextlib.AsyncExitStack() as mine:
            connection = await mine.enter_async_context(ssh.connected(self.work))
            reader = Reader(self.work, connection, self._limit)
            try:
                await reader.open()
            except NoPrompt:
                return None
            stack.push_async_exit(mine.pop_all())
        return reader

    @contextlib.contextmanager
    def _closing(self) -> Iterator[contextlib.AsyncExitStack]:
        stack = contextlib.AsyncExitStack()
        try:
            yield stack
        finally:
            with contextlib.suppress(Exception):
                self._wait(stack.aclose())

    def _wait(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()
