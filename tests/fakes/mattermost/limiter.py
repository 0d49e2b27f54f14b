"""What stands before every call: the rate limit as configured, and the troubles that a test orders."""

from __future__ import annotations

import asyncio
import math
import time

from aiohttp import web


class Limiter:
    """Off by default, as the server's own."""

    def __init__(self):
        self.per_second, self.burst = 0.0, 0  # RateLimitSettings.PerSec and MaxBurst, by user
        self.busy_calls, self.busy_seconds = 0, 1  # answer 429 to so many calls
        self.broken_calls, self.broken_status = 0, 502  # answer as a proxy whose server is away
        self.broken_seconds = 0  # of its Retry-After
        self.hang_seconds = 0.0  # answer late
        self.late_seconds = 0.0  # do it, and answer late
        self.late: dict[str, float] = {}  # the same for the next call of that path
        self.only: set[str] = set()  # whom these troubles meet; everybody when empty
        self.away_for: set[str] = set()  # for whom the server is not to be reached
        self._full: dict[str, float] = {}  # until when the bucket of a user is used up

    async def answer(self, user: str) -> web.Response | None:
        """Refuse, or let it pass."""
        if user in self.away_for:
            return _bad_gateway(502)
        troubled = await self._trouble(user)
        return troubled if troubled is not None or not self.per_second else self._bucket(user)

    async def _trouble(self, user: str) -> web.Response | None:
        if self.only and user not in self.only:
            return None
        if self.hang_seconds:
            await asyncio.sleep(self.hang_seconds)
        if self.busy_calls > 0:
            self.busy_calls -= 1
            return _limited(self.burst + 1, self.busy_seconds, self.busy_seconds)
        if self.broken_calls > 0:
            self.broken_calls -= 1
            return _bad_gateway(self.broken_status, self.broken_seconds)
        return None

    def _bucket(self, user: str) -> web.Response | None:
        now, step = time.monotonic(), 1 / self.per_second
        used = max(self._full.get(user, now), now) + step
        if used - now > (self.burst + 1) * step + 1e-9:
            return _limited(self.burst + 1, math.ceil(used - now - (self.burst + 1) * step), math.ceil(used - now))
        self._full[user] = used
        return None


def _bad_gateway(status: int, seconds: int = 0) -> web.Response:
    headers = {"Retry-After": str(seconds)} if seconds else {}
    return web.Response(text="<html>Bad Gateway</html>", status=status, content_type="text/html", headers=headers)


def _limited(limit: int, retry_after: int, reset: int) -> web.Response:
    headers = {"Retry-After": str(retry_after), "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0",
               "X-RateLimit-Reset": str(reset)}  # fmt: skip
    return web.Response(text="limit exceeded\n", status=429, headers=headers)
