"""Learns which operation answers words that were no command: what the same person ran there in the next minutes."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime, timedelta

from automation_bots.config.live import LiveConfig
from automation_bots.errors import StoreError
from automation_bots.model import Caller, Job, Place, State, Status
from automation_bots.operations.catalog import RUN, SSH
from automation_bots.store import Store
from automation_bots.suggestions import learnt

log = logging.getLogger(__name__)
_WITHIN = timedelta(minutes=5)
_WAITING, _EACH = 500, 3  # places of people whose words wait, and words of each
_WELL = frozenset({Status.OK.value, Status.CHANGED.value})
_ANYTHING = frozenset({RUN.name, SSH.name})  # which say nothing of what was meant
_Key = tuple[str, str, str, str]


class Learning:
    """What waits is in memory alone, already without names and secrets."""

    def __init__(
        self, live: LiveConfig, store: Store, clear: Callable[[str], str], now: Callable[[], datetime]
    ) -> None:
        self._live, self._store, self._clear, self._now = live, store, clear, now
        self._lock = threading.Lock()
        self._waiting: OrderedDict[_Key, list[tuple[str, datetime]]] = OrderedDict()

    def missed(self, caller: Caller, place: Place, typed: str) -> None:
        """Somebody typed what is no command, or asked."""
        groups = self._live.inventory.groups
        names = {name.lower() for name in (*groups.get("all", ()), *groups)}
        if not (text := learnt.kept(typed, names, self._clear)):
            return
        with self._lock:
            told = self._waiting.setdefault(_key(caller, place), [])
            self._waiting.move_to_end(_key(caller, place))
            told[:] = [*(one for one in told if one[0] != text), (text, self._now())][-_EACH:]
            while len(self._waiting) > _WAITING:
                self._waiting.popitem(last=False)

    def ended(self, number: int) -> None:
        """A job ended: where it went well, its operation answers what its person typed shortly before."""
        if not self._waiting:
            return
        try:
            self._learn(self._store.job(number))
        except StoreError as error:
            log.warning("what was typed before #%s could not be learnt: %s", number, error)

    def _learn(self, job: Job) -> None:
        if not _is_typed(job) or job.created is None or job.operation in _ANYTHING:
            return
        with self._lock:
            told = self._waiting.get(_key(job.caller, job.place), [])
            near = [one for one in told if timedelta() <= job.created - one[1] <= _WITHIN]
            told[:] = [one for one in told if one not in near]
        operation = self._live.catalog.find(job.operation)
        if operation is None or any(parameter.secret for parameter in operation.parameters):
            return  # its secret may be among the words
        for text, _ in near:
            self._store.questions.learn(text, job.operation, job.person)


def _is_typed(job: Job) -> bool:
    """Whether somebody typed it, and all went well."""
    asked = job.occurrence is None and job.cause is None and job.monitor is None
    return asked and job.state is State.DONE and set(job.counts) <= _WELL


def _key(caller: Caller, place: Place) -> _Key:
    return caller.network, caller.id, place.network, place.room
