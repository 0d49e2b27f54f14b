"""Takes the times of schedules as they come, and lets their commands be asked for; says what did not run, and why.

One thread for all of them, which sleeps until the record's next due time. All that matters is in the record.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, takewhile
from typing import Any, Protocol

from automation_bots.events import Bus, Event
from automation_bots.model import Answer, Mark, Occurrence, Place, Schedule, ScheduleState
from automation_bots.operations.own_commands import OWN
from automation_bots.policy.policy import Policy
from automation_bots.schedules import recurrence, text
from automation_bots.schedules.own_answers import OwnAnswers
from automation_bots.store.occurrences import Result, Taken
from automation_bots.store.schedules import ScheduleStore
from automation_bots.surface import Surface
from automation_bots.text.times import duration_text, moment_text
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_LONGEST_SECONDS = 60.0  # the wall clock may be set meanwhile
_AGAIN_SECONDS = 30.0  # after a place could not be told
_BROKEN_SECONDS = 10.0  # after a time could not be taken
_ON_TIME = timedelta(seconds=60)  # a start of the bot, or a busy machine
_ASKED_AT_ONCE = 50  # schedules about which approvers may have to be asked, before what is due is looked at again
_LOOKED_AGAIN = timedelta(minutes=2)  # whether approvers can be asked
_CLOCK = timedelta(seconds=60)  # set back by less is corrected, not set


class Run(Protocol):
    """Asks for what a schedule says, as its maker."""

    def __call__(self, schedule: Schedule, occurrence: Occurrence, when: datetime | None = None) -> Answer | None:
        """Return why not; None where there is a job for it."""


@dataclass(frozen=True, slots=True)
class ScheduleContext:
    """What the timer stands on."""

    store: ScheduleStore
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    run: Run
    own: OwnAnswers  # commands of the bot itself
    asks: Callable[[Schedule, Occurrence], timedelta | None]  # how long before it approvers may be asked, if they are
    looks: Callable[[Schedule], bool]  # whether it only looks, as its words are read now
    surface: Callable[[Place], Surface]
    admins: Callable[[Answer], None]
    bus: Bus
    devices: Callable[[Schedule], tuple[str, ...]]  # what its pattern means now, for who may hear of it
    failures: int = 5  # in a row, after which a schedule is paused
    ahead: timedelta = timedelta(hours=12)  # of a time approvers are asked about it


class ScheduleTimer:
    """The thread, and what it does about one schedule."""

    def __init__(self, context: ScheduleContext) -> None:
        self._context, self._store = context, context.store
        self._seen: datetime | None = None  # the clock of the last turn; a new life looks as after it was set back
        self._paged: set[Occurrence] = set()  # of which the admins have heard, whether or not the place could be told
        self._begun: set[int] = set()  # jobs of whose end nobody has looked what came of it
        self._asks_later: dict[tuple[int, datetime], datetime] = {}  # times of which it is too early to ask
        self._loop = Loop("schedules", self.round)

    def begin(self) -> None:
        """Tell what a kill has left, and begin."""
        for schedule, taken in self._store.lose():
            self._publish("missed", schedule, taken.occurrence, reason="the bot was killed before it began")
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop()
        self._context.own.stop()

    def ended(self, number: int) -> None:
        """A job has ended, perhaps one of a schedule."""
        if number in self._begun:
            self._begun.discard(number)
            self._loop.wake()

    def look(self) -> None:
        """Something has changed: look now."""
        self._loop.wake()

    def round(self) -> float:
        """Take what is due and tell what is to be told; return how long nothing will be."""
        now = self._context.now()
        self._clock(now)
        self._ask_again(now)
        self._settle()
        broken = [schedule for schedule in self._store.due(now) if not self._safely(self._take, schedule, now)]
        self._asks_later = {about: then for about, then in self._asks_later.items() if then > now}
        early = [one for one in self._store.asking(now + self._context.ahead)
                 if (one.number, one.due) not in self._asks_later]  # fmt: skip
        for schedule in early[:_ASKED_AT_ONCE]:
            if not self._safely(self._ask, schedule, now) and schedule.due:
                self._asks_later[schedule.number, schedule.due] = now + _LOOKED_AGAIN
        failed = self._tell()
        due = self._store.next_due()
        left = _LONGEST_SECONDS if due is None else (due - self._context.now()).total_seconds()
        if len(early) > _ASKED_AT_ONCE:
            left = 0.0
        least = _BROKEN_SECONDS if broken else 0.05
        return min(max(left, least), _AGAIN_SECONDS if failed else _LONGEST_SECONDS)

    def _clock(self, now: datetime) -> None:
        """A clock that was set back lets nothing come twice, nor wait for a time of the wrong clock; that is said."""
        if self._seen is None or now < self._seen - _CLOCK:
            for schedule in self._store.all():
                self._safely(self._retime, schedule, now)
        if self._seen is not None and now < self._seen - _CLOCK:
            back = duration_text(timedelta(seconds=round((self._seen - now).total_seconds())))
            log.warning("the clock went back by %s", back)
            said = f"The clock of this machine went back by {back}: no time of a schedule comes a second time."
            self._context.admins(Answer(said, hint="→ !schedules"))
        self._seen = now

    def _retime(self, schedule: Schedule, now: datetime) -> None:
        """Let the next time be the first one from now on that was not taken, where a later one is waited for."""
        then = schedule.due
        if schedule.state is not ScheduleState.ACTIVE or then is None or then <= now:
            return
        ahead = takewhile(lambda at: at < then, (due.at for due in recurrence.read(schedule.times).after(now)))
        if (first := next(ahead, None)) is not None:
            taken = self._store.taken_after(schedule.number, now)
            if (free := next((at for at in chain([first], ahead) if at not in taken), None)) is not None:
                self._store.rewind(schedule, free)

    def _safely(self, work: Callable[[Schedule, datetime], None], schedule: Schedule, now: datetime) -> bool:
        try:
            work(schedule, now)
        except Exception:  # of one schedule; all others come all the same
            log.exception("S%s: its time could not be taken; tried again", schedule.number)
            return False
        return True

    def _take(self, schedule: Schedule, now: datetime) -> None:
        if schedule.due is None:
            return
        times = recurrence.read(schedule.times)
        many, last = times.span(schedule.due, now)
        then = times.next(now)
        on_time = now - last <= _ON_TIME
        if not on_time and not self._context.looks(schedule):
            if self._store.miss(schedule, last, many, then, f"from {moment_text(schedule.due, times.zone)}"):
                self._publish("missed", schedule, Occurrence(schedule.number, last), times=many)
        elif self._store.take(schedule, last, then, missed=many - 1):
            log.info("S%s is due", schedule.number)
            self.start(schedule, Occurrence(schedule.number, last))

    def _ask(self, schedule: Schedule, now: datetime) -> None:
        """Let approvers be asked about the next time before it comes, so that nobody need be awake then."""
        at = schedule.due
        if at is None or at != schedule.asks or at <= now:
            return
        occurrence = Occurrence(schedule.number, at)
        wait = self._asks_in(schedule, occurrence, now)
        if wait is None:
            self._store.unasked(schedule)
        elif wait > timedelta(0):
            self._asks_later[schedule.number, at] = now + wait
        elif self._store.take(schedule, at, recurrence.read(schedule.times).next(at)):
            log.info("S%s: approvers are asked about %s", schedule.number, at)
            self.start(schedule, occurrence, at)

    def _ask_again(self, now: datetime) -> None:
        """Ask anew about what is void since something changed, while its time is still to come."""
        for schedule, taken in self._store.voided(now):
            active = schedule.state in {ScheduleState.ACTIVE, ScheduleState.OVER}
            if active and not self._refused(schedule)[1] and self._store.reopen(schedule, taken):
                log.info("S%s: #%s is void, and asked for again", schedule.number, taken.job)
                self.start(schedule, taken.occurrence, taken.occurrence.at)

    def _asks_in(self, schedule: Schedule, occurrence: Occurrence, now: datetime) -> timedelta | None:
        """In how long it may be asked; None: not before its time."""
        if self._refused(schedule)[1]:  # perhaps it is another by then
            return _LOOKED_AGAIN
        most = self._context.asks(schedule, occurrence)
        return None if most is None else max(occurrence.at - min(most, self._context.ahead) - now, timedelta(0))

    def start(self, schedule: Schedule, occurrence: Occurrence, when: datetime | None = None) -> str:
        """Let a time that was taken run; returns why it does not."""
        result, why = self._refused(schedule)
        if not why and schedule.operation in OWN:
            self._context.own.begin(schedule, occurrence, self._own_ended)
        elif not why and (answer := self._context.run(schedule, occurrence, when)) is not None:
            result, why = Result.REFUSED, answer.text.replace("\n", " ")
        if why:
            self._store.refuse(occurrence, result, why, at_most=self._context.failures)
            self._publish("refused", schedule, occurrence, reason=why)
        elif (job := self._store.runs(schedule.number)) is not None:
            self._begun.add(job)
        return why

    def _own_ended(self, what: str, schedule: Schedule, occurrence: Occurrence, why: str) -> None:
        if what == "began":
            self._begun |= {job for job in [self._store.job_of(occurrence)] if job}
            self._loop.wake()
            return
        more = {"reason": why} if why else {"job": None, "state": Result.DONE.value}
        self._publish(what, schedule, occurrence, **more)
        self._loop.wake()

    def _settle(self) -> None:
        for taken in self._store.settle(at_most=self._context.failures):
            if (schedule := self._store.find(taken.occurrence.schedule)) is not None:
                self._publish("ran", schedule, taken.occurrence, job=taken.job, state=taken.result)

    def _publish(self, what: str, schedule: Schedule, occurrence: Occurrence, **more: Any) -> None:
        """Let whoever follows events know: `bot/schedule/7/missed`, `refused` (with the reason) or `ran`."""
        about = {
            "schedule": schedule.number,
            "operation": schedule.operation,
            "person": schedule.person,
            "devices": self._context.devices(schedule),
            "room": schedule.place.room,
            "at": occurrence.at,
            **more,
        }
        self._context.bus.publish(Event("bot", f"bot/schedule/{schedule.number}/{what}", about))

    def _refused(self, schedule: Schedule) -> tuple[Result, str]:
        policy = self._context.policy()
        if policy.problem:
            return Result.SKIPPED, "the rules cannot be read, so nothing starts until they are mended"
        person = policy.person(schedule.caller)
        if person is None or person.name != schedule.person:
            return Result.ORPHANED, f"{schedule.person}, who made it, is no longer in the policy with that account"
        if self._store.runs(schedule.number) is not None or self._context.own.is_busy(schedule.number):
            return Result.SKIPPED, "the time before it has not ended"  # or waits to be approved, or for its hour
        return Result.OPEN, ""

    # -- telling

    def _tell(self) -> bool:
        """Tell the places what no job tells, of what was missed all in one message; whether one could not be told."""
        missed: dict[Place, list[tuple[Schedule, Taken]]] = defaultdict(list)
        failed = False
        for schedule, taken in self._store.untold():
            if self._context.own.is_busy(schedule.number) or self._store.is_told(taken.occurrence):
                continue  # its own thread tells, or has done so in this moment
            if taken.job is None and taken.result in {Result.MISSED, Result.LOST}:
                missed[schedule.place].append((schedule, taken))
            else:
                done = taken.job is None and taken.result == Result.DONE
                answer = text.answered(schedule, taken) if done else text.refused(schedule, taken)
                failed |= not self._say(schedule.place, answer, [(schedule, taken)])
                if taken.result == Result.ORPHANED and taken.occurrence not in self._paged:
                    self._paged.add(taken.occurrence)
                    self._context.admins(answer)
        for place, found in missed.items():
            failed |= not self._say(place, text.not_run(found), found)
        return failed

    def _say(self, place: Place, answer: Answer, found: list[tuple[Schedule, Taken]]) -> bool:
        first = found[0][1]
        mark = Mark(f"S{first.occurrence.schedule} {first.result} at {first.occurrence.at}", first.taken)
        try:
            self._context.surface(place).say(place, replace(answer, mark=mark))
        except Exception:  # whatever a network raises for one place, the others are told
            log.exception("%s could not be told: %s", place.room, answer.text)
            return False
        self._store.tell([taken.occurrence for _, taken in found])
        return True
