"""Turns between people in Errbot's thread pool: who floods the bot waits for the own commands, nobody else does.

Commands of one conversation are handled one after the other, so that their answers come in the order of the questions.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

log = logging.getLogger(__name__)
AT_ONCE = 3  # commands of one person being handled; with the pool's 20 threads nobody fills it alone
_PATIENCE_SECONDS = 5.0  # a command that takes longer does not keep the next ones of its conversation back
_Call = tuple[Callable[..., Any], Sequence[Any], Mapping[str, Any]]


class FairPool:
    """Stands in front of a thread pool, which it is in everything else."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[_Call]] = defaultdict(deque)
        self._lines: dict[str, deque[_Call]] = {}  # of conversations in which a command is being handled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def apply_async(self, function: Callable[..., Any], args: Sequence[Any] = (), kwds: Mapping[str, Any] = {}) -> Any:
        """Hand a call to the pool when it is its turn."""
        call, lane = (function, args, kwds), _lane(args, kwds)
        if not lane:
            return self._enter(call)
        with self._lock:
            line = self._lines.get(lane)
            if line is not None:
                line.append(call)
                return None
            line = self._lines[lane] = deque()
        return self._in_line(lane, line, call)

    def _in_line(self, lane: str, line: deque[_Call], call: _Call) -> Any:
        """Handle one call of a conversation, then let the next one go."""
        function, args, kwds = call
        passed = threading.Lock()  # the turn is given on once: at the end, or when patience is over

        def give_on() -> None:
            if passed.acquire(blocking=False):
                self._give_on(lane, line)

        def run(*args: Any, **kwds: Any) -> None:
            timer = threading.Timer(_PATIENCE_SECONDS, give_on)
            timer.daemon = True
            timer.start()
            try:
                function(*args, **kwds)
            finally:
                timer.cancel()
                give_on()

        return self._enter((run, args, kwds))

    def _give_on(self, lane: str, line: deque[_Call]) -> None:
        with self._lock:
            if not line:
                self._lines.pop(lane, None)
                return
            following = line.popleft()
        self._in_line(lane, line, following)

    def _enter(self, call: _Call) -> Any:
        """Hand a call to the pool when it is its person's turn."""
        who = _person(call[1], call[2])
        with self._lock:
            if self._busy[who] >= AT_ONCE:
                self._waiting[who].append(call)
                return None
            self._busy[who] += 1
        return self._pool.apply_async(self._run, (who, call))

    def _run(self, who: str, call: _Call | None) -> None:
        while call is not None:
            function, args, kwds = call
            try:
                function(*args, **kwds)
            except Exception:  # whatever a plugin's own code raises, the next command is run
                log.exception("a command failed outside of its plugin")
            call = self._next(who)
            if call is not None and self._handed_on(who, call):
                return

    def _next(self, who: str) -> _Call | None:
        with self._lock:
            if self._waiting[who]:
                return self._waiting[who].popleft()
            del self._waiting[who]
            self._busy[who] -= 1
            if not self._busy[who]:
                del self._busy[who]
            return None

    def _handed_on(self, who: str, call: _Call) -> bool:
        """Put it at the end of the pool's line; False when Errbot has closed the pool, and it has to be done here."""
        try:
            self._pool.apply_async(self._run, (who, call))
        except ValueError:
            return False
        return True


def _lane(args: Sequence[Any], kwds: Mapping[str, Any]) -> str:
    """The conversation of the message that a call is about, where the backend names it."""
    message = kwds.get("msg") or (args[1] if len(args) > 1 else None)
    extras = getattr(message, "extras", None) or {}
    return str(extras.get("lane") or "")


def _person(args: Sequence[Any], kwds: Mapping[str, Any]) -> str:
    """Who sent the message that a call is about; Errbot gives it by name, ours as the second argument."""
    message = kwds.get("msg") or (args[1] if len(args) > 1 else None)
    sender = getattr(message, "frm", None)
    return str(getattr(sender, "aclattr", None) or getattr(sender, "person", sender))


def in_lanes(bot: Any) -> None:
    """Put the lanes before the bot's pool; again, when Errbot has made a new one."""
    if not isinstance(bot.thread_pool, FairPool):
        bot.thread_pool = FairPool(bot.thread_pool)
