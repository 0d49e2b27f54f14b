"""Names to addresses, many at once; a name that is none is told apart from name servers that do not answer."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from automation_bots.sweep.packets import V4, V6
from automation_bots.sweep.plan import NO_NAME, NO_NAME_SERVER

_AT_ONCE = 64
_GIVE_UP = 32  # so many names in a row without a name server that answers: the others are not asked for
_SILENT = {socket.EAI_AGAIN, socket.EAI_FAIL, getattr(socket, "EAI_SYSTEM", socket.EAI_FAIL)}

Found = tuple[int, str]  # family, address


def literal(host: str) -> Found | None:
    """Return the family of what is an address already."""
    try:  # tens of thousands come through here
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        pass
    else:
        return V4, host
    if ":" in host:
        with contextlib.suppress(ValueError):
            ipaddress.IPv6Address(host)
            return V6, host
    return None


def look_up(name: str) -> Found | str:
    """Return the best address of a name, or why there is none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(name, None, type=socket.SOCK_DGRAM)[0]
    except socket.gaierror as error:
        return NO_NAME_SERVER if error.errno in _SILENT else NO_NAME
    except (UnicodeError, ValueError):
        return NO_NAME
    except OSError:
        return NO_NAME_SERVER
    return int(family), str(address[0])


class Names:
    """Looks names up in threads, and says each as it is known."""

    def __init__(self, known: Callable[[int, Found | str], None], look: Callable[[str], Found | str] = look_up) -> None:
        self._known, self._look = known, look
        self._silent = 0  # in a row
        self._answered = False

    async def resolve(self, names: Iterable[tuple[int, str]]) -> None:
        """Look all up."""
        waiting = deque(names)
        if not waiting:
            return
        with_threads = ThreadPoolExecutor(min(_AT_ONCE, len(waiting)), "name")
        try:
            await asyncio.gather(*(self._some(waiting, with_threads) for _ in range(min(_AT_ONCE, len(waiting)))))
        finally:
            with_threads.shutdown(wait=False, cancel_futures=True)

    async def _some(self, waiting: deque[tuple[int, str]], threads: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        while waiting:
            number, name = waiting.popleft()
            if self._silent >= _GIVE_UP and not self._answered:
                self._known(number, NO_NAME_SERVER)
                continue
            found = await loop.run_in_executor(threads, partial(self._look, name))
            self._silent = self._silent + 1 if found == NO_NAME_SERVER else 0
            self._answered = self._answered or found != NO_NAME_SERVER
            self._known(number, found)
