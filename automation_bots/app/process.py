"""The process around the bot: its heap, and its end, which a signal asks for and nothing that goes wrong prevents.

Python runs a signal's handler in the main thread, between two steps of it. A signal that comes just before that thread
begins to wait in the system is seen only when the wait is over, which for a terminal or a socket may be never; and an
exception that a handler raises inside a destructor is thrown away. So a thread of its own hears of every signal through
the wakeup descriptor (docs of Python's `signal.set_wakeup_fd`) and knocks again until the end has begun.
"""

from __future__ import annotations

import ctypes
import faulthandler
import math
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import Protocol

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_KNOCK_SECONDS = 3.0  # an end that has not begun by then was lost on its way
_LONGEST_SECONDS = 45.0  # more than the grace for running work and the time to cancel it
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_HEAPS = 2
_KNOCK = signal.SIGUSR1  # Errbot would open a Python shell on it


def share_heaps() -> None:
    """Let all threads share two heaps; call it before there are any. Another libc stays as it is.

    glibc gives every few threads one of their own, and each keeps what it once needed.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _HEAPS)


class Ending(Protocol):
    """What is to end."""

    @property
    def started(self) -> bool:
        """Whether there is anything to be ended in peace."""

    @property
    def stopping(self) -> bool:
        """Whether the end has begun."""

    def hurry(self) -> None:
        """End the grace for running work."""


class Leaving:
    """Handles the signals of a process; made in its main thread."""

    def __init__(self, knock_seconds: float = _KNOCK_SECONDS, longest_seconds: float = _LONGEST_SECONDS) -> None:
        self._knock_seconds, self._longest_seconds = knock_seconds, longest_seconds
        self._bot: Ending | None = None
        self._asked = 0
        self._raised_at = -math.inf
        self._main = threading.main_thread().ident or 0
        self._read, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        faulthandler.enable(sys.__stderr__ or sys.stderr)  # SIGABRT of a watchdog shows all threads
        for number in SIGNALS:
            # `nohup`, and `&` in a script, ask not to be ended by the terminal
            if number is signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *_: self._leave())
        signal.signal(_KNOCK, lambda *_: self._leave() if self._asked else None)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()

    def of(self, bot: Ending) -> None:
        """Say what is to be ended; until then a signal ends the process at once."""
        self._bot = bot

    def _leave(self) -> None:
        """End in peace; in the main thread."""
        if self._bot is None or not self._bot.started:
            sys.exit(0)
        if not self._bot.stopping and time.monotonic() - self._raised_at >= self._knock_seconds:
            self._raised_at = time.monotonic()
            raise KeyboardInterrupt

    def _listen(self) -> None:
        """Count the signals: the first one ends, a second one means no more grace for what runs."""
        while True:
            wait = self._knock_seconds if self._asked and not self._begun else None
            if not select.select([self._read], [], [], wait)[0]:
                signal.pthread_kill(self._main, _KNOCK)
                continue
            for number in os.read(self._read, 64):
                if number in SIGNALS:
                    self._counted()

    def _counted(self) -> None:
        self._asked += 1
        if self._asked == 1:
            # Whatever hangs, the process ends, and its log says where each thread was.
            faulthandler.dump_traceback_later(self._longest_seconds, exit=True, file=sys.__stderr__ or sys.stderr)
        elif self._bot is not None:
            self._bot.hurry()

    @property
    def _begun(self) -> bool:
        return self._bot is not None and self._bot.stopping
