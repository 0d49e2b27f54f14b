"""Looks up what the names of devices mean, beside the bot: a name server that does not answer keeps nobody waiting."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

from automation_bots.inventory import same_device
from automation_bots.inventory.inventory import Inventory
from automation_bots.threads.loop import Loop

_AT_ONCE = 8
_PASS_SECONDS = 60.0  # that one look at all names may take
_EVERY_SECONDS = 300.0


def looked_up(name: str) -> tuple[str, ...]:
    """Ask the machine's own resolver; nothing for a name that it does not know."""
    try:
        return tuple({same_device.host(str(found[4][0])) for found in socket.getaddrinfo(name, None)})
    except (OSError, UnicodeError):
        return ()


class Addresses:
    """A thread that looks the names up again and again, and lets the inventory know."""

    def __init__(
        self,
        inventory: Inventory,
        learned: Callable[[], object] = lambda: None,
        look: Callable[[str], tuple[str, ...]] = looked_up,
    ) -> None:
        self._inventory, self._learned, self._look = inventory, learned, look
        self._threads: list[threading.Thread] = []
        self._loop = Loop("addresses", self._pass)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def wake(self) -> None:
        """The inventory is another one."""
        self._loop.wake()

    def stop(self) -> None:
        """End; a look that hangs ends with the program."""
        self._loop.stop(0)

    def look(self, seconds: float = _PASS_SECONDS) -> None:
        """Look up every name once, for so long at most; what was not answered in time is not known yet."""
        names = iter(self._inventory.names_to_look_up())
        found: dict[str, tuple[str, ...]] = {}
        taking = threading.Lock()
        self._threads = [
            threading.Thread(target=self._some, args=(names, taking, found), name="address", daemon=True)
            for _ in range(_AT_ONCE)
        ]
        for thread in self._threads:
            thread.start()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
        self._inventory.learn(dict(found))

    def _some(self, names: Iterator[str], taking: threading.Lock, found: dict[str, tuple[str, ...]]) -> None:
        while True:
            with taking:
                name = next(names, "")
            if not name:
                return
            if addresses := self._look(name):
                found[name] = addresses

    def _pass(self) -> float:
        if not any(thread.is_alive() for thread in self._threads):  # else the last look still hangs
            self.look()
            self._learned()
        return _EVERY_SECONDS
