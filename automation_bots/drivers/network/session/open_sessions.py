"""Command lines that stay open for the next read, one a device; a change logs in anew. In the network process."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from automation_bots.drivers.network.messages import DeviceRequest
from automation_bots.drivers.network.session import connection as ssh
from automation_bots.drivers.network.session import prompt_reader

_BETWEEN_SECONDS = 0.001  # devices think about the first logins while the later ones begin


@dataclass(slots=True, eq=False)
class Line:
    """One open command line, and what closes it."""

    work: DeviceRequest
    reader: prompt_reader.Reader
    stack: contextlib.AsyncExitStack

    def serves(self, work: DeviceRequest) -> bool:
        """Whether it was opened as this work would open it: same account, same secrets, same trusted keys."""
        return (self.work.login, self.work.platform) == (work.login, work.platform)


class OpenSessions:
    """All open command lines of this process; `most` at once, the unused that was used longest ago goes first."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._lines: dict[str, Line] = {}
        self._used = 0
        self._closing: set[asyncio.Task[None]] = set()
        self._next_login = 0.0

    async def take(self, work: DeviceRequest, limit: int) -> Line:
        """Return a command line at its prompt; one that was kept is tried before it is used."""
        self._used += 1
        try:
            line = self._lines.pop(work.device, None)
            if line is not None:
                if line.serves(work) and await line.reader.again(work, limit):
                    return line
                await line.stack.aclose()
            return await self._opened(work, limit)
        except BaseException:
            self._used -= 1
            raise

    def give(self, line: Line) -> None:
        """Take one back that is at its prompt."""
        self._used -= 1
        if self._seconds <= 0:
            self._close(line)
            return
        self._lines[line.work.device] = line
        self._make_room()
        asyncio.get_running_loop().call_later(self._seconds, self._expire, line)

    async def spoil(self, line: Line) -> None:
        """Close one of which nobody knows where it stands."""
        self._used -= 1
        await line.stack.aclose()

    async def drop(self, device: str) -> None:
        """Free the session that is kept, for somebody who logs in by another way."""
        if (line := self._lines.pop(device, None)) is not None:
            await line.stack.aclose()

    async def _opened(self, work: DeviceRequest, limit: int) -> Line:
        self._make_room()
        await self._turn()
        async with contextlib.AsyncExitStack() as stack:
            connection = await stack.enter_async_context(ssh.connected(work))
            reader = prompt_reader.Reader(work, connection, limit)
            await reader.open()
            return Line(work, reader, stack.pop_all())

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_login)
        self._next_login = at + _BETWEEN_SECONDS
        await asyncio.sleep(at - now)

    def _make_room(self) -> None:
        while self._lines and self._used + len(self._lines) > self._most:
            self._close(self._lines.pop(next(iter(self._lines))))

    def _expire(self, line: Line) -> None:
        """Close it, unless it was used again meanwhile: then a later call does."""
        if self._lines.get(line.work.device) is line and line.reader.idle_seconds >= self._seconds - 0.1:
            del self._lines[line.work.device]
            self._close(line)

    def _close(self, line: Line) -> None:
        task = asyncio.ensure_future(line.stack.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
