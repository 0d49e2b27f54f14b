"""Lets rooms see alerts: one message a life, edited; what comes in a storm shares one. Stands on the record alone.

Whatever is not shown yet is told, however often the bot was killed: nothing but the pace is in memory.
"""

from __future__ import annotations

import json
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from automation_bots.alerts import text
from automation_bots.alerts.event import Alert
from automation_bots.alerts.pace import QUIET_SECONDS, Pace
from automation_bots.model import Answer, Mark, Place
from automation_bots.store.alerts import AlertStore
from automation_bots.surface import MessageRef, Refusal, Surface, Waiting, log_unsaid
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0
_TOGETHER_SECONDS = 0.1
_AT_ONCE = 2_000  # alerts looked at in one turn
_REFUSED_KEPT = 500  # alerts that wait for a room that does not take them
_EDITS = 20  # in one turn, so that a storm's end is no flood of edits
_SHARED_EDIT_SECONDS = 2.0
_OVER = "over"
_SAID = "-"  # stands for a message without a reference, or one that the room will never get


@dataclass(frozen=True, slots=True)
class TellerContext:
    """What it stands on."""

    store: AlertStore
    surface: Callable[[Place], Surface]
    room: Callable[[str], Place | None]  # of a source; None: its alerts are told nowhere
    zone: Callable[[], str]
    now: Callable[[], datetime]
    groups: text.Groups
    clock: Callable[[], float] = time.monotonic


class AlertTeller:
    """One loop for all rooms."""

    def __init__(self, context: TellerContext) -> None:
        self._context = context
        self._paces: dict[Place, Pace] = defaultdict(Pace)
        self._shared: dict[int, float] = {}  # when a shared message was edited last
        self._refused: dict[Place, str] = {}  # rooms that do not take them, and why
        self._loop = Loop("alerts", self._turn, QUIET_SECONDS)

    def start(self) -> None:
        """Begin with what an earlier life of the bot could not say."""
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop()

    @property
    def problem(self) -> str:
        """Why rooms do not get their alerts; empty when all do."""
        return "; ".join(f"alerts cannot be told in {place.room}: {why}" for place, why in list(self._refused.items()))

    def heard(self) -> None:
        """Something may be to tell."""
        self._loop.wake()

    def _turn(self) -> float:
        time.sleep(_TOGETHER_SECONDS)  # what comes meanwhile is looked at with it
        return self.round()

    def round(self) -> float:
        """Tell what is due; return how long nothing is."""
        untold = self._context.store.untold(_AT_ONCE)
        rooms: dict[Place | None, list[Alert]] = defaultdict(list)
        for alert in untold:
            rooms[self._context.room(alert.source)].append(alert)
        self._keep(_as_shown(alert, _SAID) for alert in rooms.pop(None, ()))
        left = [self._room(place, found) for place, found in rooms.items() if place is not None]
        if len(untold) == _AT_ONCE:
            left.append(0.0)
        return max(0.1, min(left, default=_IDLE_SECONDS))

    def _room(self, place: Place, untold: Sequence[Alert]) -> float:
        """Tell one room; a room that is away keeps no other waiting."""
        try:
            wait = self._told(self._context.surface(place), place, untold)
        except Waiting:
            return 1.0  # the network has it; asked for again, it says where it stands
        except Refusal as error:
            if place not in self._refused:
                log.error("alerts cannot be told in %s: %s", place.room, error)  # noqa: TRY400 - the network's own words
            self._refused[place] = str(error)
            self._keep(_as_shown(alert, alert.message or _SAID) for alert in untold[:-_REFUSED_KEPT])
            return _IDLE_SECONDS
        except OSError as error:
            log_unsaid(log, error, "alerts could not be told in %s; tried again", place.room)
            return 5.0
        self._refused.pop(place, None)
        return wait

    def _told(self, surface: Surface, place: Place, untold: Sequence[Alert]) -> float:
        now = self._context.now()
        self._keep(replace(alert, message="", fold=0) for alert in untold if alert.message and _fires_again(alert))
        new = [alert for alert in untold if not alert.message]
        self._keep(_as_shown(alert, _SAID) for alert in new if _ended_unheard(alert))
        fresh = [alert for alert in new if not _ended_unheard(alert) and not _is_muted(alert, now)]
        known = [alert for alert in untold if alert.message and not _fires_again(alert)]
        waits = [self._fresh(surface, place, fresh)] if fresh else []
        if known:
            waits.append(
                self._edited(surface, known) if surface.capabilities.edits else self._anew(surface, place, known)
            )
        waits += [0.1] * any(alert.message and _fires_again(alert) for alert in untold)
        return min(waits, default=_IDLE_SECONDS)

    # -- alerts that have no message yet

    def _fresh(self, surface: Surface, place: Place, alerts: Sequence[Alert]) -> float:
        pace, clock = self._paces[place], self._context.clock()
        if not pace.settled(len(alerts), clock):
            return QUIET_SECONDS
        shared = self._context.store.find(fold) if (fold := pace.shared(clock)) else None
        if shared is not None and surface.capabilities.edits:
            pace.add(shared.number, clock)
            pace.told()
            self._keep(replace(alert, fold=shared.number, message=shared.message) for alert in alerts)
            return _SHARED_EDIT_SECONDS
        return self._said(surface, place, alerts)

    def _said(self, surface: Surface, place: Place, alerts: Sequence[Alert]) -> float:
        """Post a few each by itself; of more one message, as long as the minute has one left."""
        pace, clock = self._paces[place], self._context.clock()
        if len(alerts) < pace.left(clock) or len(alerts) == pace.left(clock) == 1:
            for alert in alerts:
                message = _say(surface, place, _once(self._one(alert), alert))
                pace.posted(self._context.clock())
                self._keep([_as_shown(alert, message)])
        elif pace.left(clock) and not pace.paused(clock):
            fold = alerts[0].number
            message = _say(surface, place, _once(self._many(alerts), alerts[0]))
            pace.posted(clock)
            pace.add(fold, clock)
            self._shared[fold] = clock
            self._keep(replace(_as_shown(alert, message), fold=fold) for alert in alerts)
        else:
            return 1.0
        pace.told()
        return _IDLE_SECONDS

    # -- alerts whose message shows what is no longer so

    def _edited(self, surface: Surface, alerts: Sequence[Alert]) -> float:
        own = [alert for alert in alerts if not alert.fold]
        for alert in own[:_EDITS]:
            _edit(surface, alert.message, self._one(alert))
            self._keep([_as_shown(alert, alert.message)])
        waits = [self._edited_together(surface, fold) for fold in sorted({alert.fold for alert in alerts} - {0})]
        return min([*waits, 1.0 if len(own) > _EDITS else _IDLE_SECONDS])

    def _edited_together(self, surface: Surface, fold: int) -> float:
        clock = self._context.clock()
        if (wait := self._shared.get(fold, 0.0) + _SHARED_EDIT_SECONDS - clock) > 0 and fold in self._shared:
            return wait
        self._shared[fold] = clock
        alerts = self._context.store.folded(fold)
        _edit(surface, alerts[0].message, self._many(alerts))
        self._keep(_as_shown(alert, alert.message) for alert in alerts if alert.told < alert.revision)
        if not any(alert.firing for alert in alerts):
            self._shared.pop(fold)
        return _IDLE_SECONDS

    def _anew(self, surface: Surface, place: Place, alerts: Sequence[Alert]) -> float:
        """Where no message can be edited, only that something is over, or again, is worth another one."""
        now = self._context.now()
        other = [alert for alert in alerts if alert.shown != _state(alert) and not _is_muted(alert, now)]
        numbers = {alert.number for alert in other}
        self._keep(_as_shown(alert, alert.message) for alert in alerts if alert.number not in numbers)
        return self._said(surface, place, other) if other else _IDLE_SECONDS

    # -- parts

    def _one(self, alert: Alert) -> Answer:
        return text.one(alert, self._context.zone(), self._context.now())

    def _many(self, alerts: Sequence[Alert]) -> Answer:
        return text.many(alerts, self._context.zone(), self._context.now(), self._context.groups)

    def _keep(self, shown: Iterable[Alert]) -> None:
        if found := list(shown):
            self._context.store.told(found)


def _once(answer: Answer, alert: Alert) -> Answer:
    """Let it stand there once, also when the bot is killed before it knows that it does."""
    return replace(answer, mark=Mark(f"alert {alert.number} of {alert.heard} after {alert.told}", alert.heard))


def _as_shown(alert: Alert, message: str) -> Alert:
    return replace(alert, message=message, told=alert.revision, shown=_state(alert))


def _state(alert: Alert) -> str:
    return "firing" if alert.firing else _OVER


def _ended_unheard(alert: Alert) -> bool:
    """Whether its end was the first that was heard of it: its sender kept it back, and no room waits for it."""
    return alert.closed is not None and alert.closed <= alert.heard


def _fires_again(alert: Alert) -> bool:
    """Whether it was told to be over: that it fires again is worth another message."""
    return alert.firing and alert.shown == _OVER


def _is_muted(alert: Alert, now: datetime) -> bool:
    return alert.muted is not None and alert.muted > now


def _say(surface: Surface, place: Place, answer: Answer) -> str:
    """Post it; what a network cannot take at all, whatever it raises, keeps nothing else from being told."""
    try:
        ref = surface.say(place, answer)
    except (OSError, Refusal):
        raise  # it is away, or says no
    except Exception:  # of one message; whoever asks for alerts sees them all the same
        log.exception("alerts could not be told in %s, and are not tried again: %s", place.room, answer.text)
        return _SAID
    return json.dumps(asdict(ref)) if ref is not None else _SAID


def _edit(surface: Surface, message: str, answer: Answer) -> None:
    """Let a message show this; the same holds."""
    if (ref := _ref(message)) is None:
        return
    try:
        surface.edit(ref, answer)
    except (OSError, Refusal):
        raise  # it is away, or says no
    except Exception:  # of one message; whoever asks for alerts sees them all the same
        log.exception("a message about alerts could not be edited, and is not tried again: %s", answer.text)


def _ref(message: str) -> MessageRef | None:
    if message in {"", _SAID}:
        return None
    data = json.loads(message)
    return MessageRef(Place(**data["place"]), data["id"])
