"""Tells rooms what people want to hear of there: read from the record, one message at a time, folded when many come.

A watch stands at a row of the record. What comes behind it is said first and noted then: after a kill it is said again
where nobody knows whether it was said, and nothing is left out.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from automation_bots.errors import NoSuchJob
from automation_bots.model import Answer, Job, Mark, Person, Place, Risk, RoomWatch, State, WatchedChange
from automation_bots.policy.policy import Policy
from automation_bots.store import Store, Subject
from automation_bots.store.watches import Happening
from automation_bots.surface import Refusal, Surface, Waiting, log_unsaid
from automation_bots.threads.loop import Loop
from automation_bots.watches import text
from automation_bots.watches.text import News

log = logging.getLogger(__name__)
PACE_SECONDS = 10.0  # between two messages in a place
_LOOK_SECONDS = 1.0
_IDLE_SECONDS = 60.0  # while nobody wants to hear of anything
_AGAIN_SECONDS = 30.0  # after a place could not be told
_AT_ONCE = 500  # events that are looked at together
_NOTED = 1_000  # rows of the record without news, after which it is noted where a watch stands


@dataclass(frozen=True, slots=True)
class WatchContext:
    """What the telling stands on."""

    store: Store
    policy: Callable[[], Policy]
    sees: Callable[[Person, Job], bool]
    visible: Callable[[Person], Collection[str]]
    inside: Callable[[str], Collection[str] | None]  # the devices of a pattern; None: it means nothing
    asked_in: Callable[[Job], Collection[Place]]  # where approvers are asked about a job
    surface: Callable[[Place], Surface]
    admins: Callable[[Answer], None]
    clock: Callable[[], float] = time.monotonic


class Watcher:
    """One thread for all of them."""

    def __init__(self, context: WatchContext) -> None:
        self._context, self._store = context, context.store.watches
        self._rows: dict[int, int] = {}  # where each watch stands, where that is further than is noted
        self._known: dict[tuple[str, int], Job | WatchedChange | None] = {}  # what was read in this round
        self._ready: dict[Place, float] = {}  # when a place may be told again
        self.unheard: dict[Place, str] = {}  # places that do not take what is said, and why
        self._loop = Loop("watches", self.round)

    def start(self) -> None:
        """Go on where each watch was."""
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop()

    def look(self) -> None:
        """There is a new one."""
        self._loop.wake()

    def round(self) -> float:
        """Tell what is new; return how long to wait."""
        policy = self._context.policy()
        if policy.problem:  # nobody is known, so nobody hears; the same rows are read when it is mended
            return _LOOK_SECONDS
        self._leave(policy)
        places: dict[Place, list[RoomWatch]] = defaultdict(list)
        for watch in self._store.all():
            places[watch.place].append(watch)
        if not places:
            return _IDLE_SECONDS
        last, now = self._store.last(), self._context.clock()
        ready = {place: mine for place, mine in places.items() if self._ready.get(place, now) <= now}
        self._ready = {place: at for place, at in self._ready.items() if place in places and place not in ready}
        self._known.clear()
        more = [self._tell(place, mine, last) for place, mine in ready.items()]
        return 0.05 if any(more) else _LOOK_SECONDS

    # -- people who are gone

    def _leave(self, policy: Policy) -> None:
        """End the watches of those whom the policy no longer names, and tell the admins once."""
        gone = [watch for watch in self._store.all() if _owner(policy, watch) is None]
        why = "who made it is no longer in the policy with that account"
        ended = [watch for watch in gone if self._store.end(watch, why, Subject(watch.person, place=watch.place))]
        for person in sorted({watch.person for watch in ended}):
            mine = "; ".join(f"W{watch.number} ({watch.title})" for watch in ended if watch.person == person)
            said = f"{person} is no longer in the policy with that account, so what they watched ended: {mine}."
            self._context.admins(Answer(said, hint="→ who wants to hear of it types !watch there"))

    # -- one place

    def _tell(self, place: Place, watches: Sequence[RoomWatch], last: int) -> bool:
        """Tell a place what is new there; whether there may be more."""
        stands = {watch.number: max(watch.seq, self._rows.get(watch.number, 0)) for watch in watches}
        after = min(stands.values())
        if after >= last:
            return False
        found = self._store.happenings(after, last, _AT_ONCE)
        more = len(found) == _AT_ONCE
        last = found[-1].seq if more else last
        news = list(self._news(watches, stands, found))
        if news and not self._say(place, news, found):
            return False
        self._rows |= dict.fromkeys(stands, last)
        if news or any(last - watch.seq > _NOTED for watch in watches):
            self._store.told(stands, last)
        return more and not news

    def _news(
        self, watches: Sequence[RoomWatch], stands: Mapping[int, int], found: Sequence[Happening]
    ) -> Iterator[News]:
        policy = self._context.policy()
        for happening in found:
            if (about := self._about(happening)) is None:
                continue
            for watch in watches:
                if happening.seq > stands[watch.number] and self._wants(policy, watch, happening.kind, about):
                    yield News(watch, happening.kind, about)
                    break

    def _about(self, happening: Happening) -> Job | WatchedChange | None:
        key = (happening.kind, happening.number)
        if key not in self._known:
            self._known[key] = self._read(happening)
        return self._known[key]

    def _read(self, happening: Happening) -> Job | WatchedChange | None:
        if happening.kind == "change":
            return self._context.store.watched_changes.find(happening.number)
        try:
            return self._context.store.job(happening.number)
        except NoSuchJob:
            return None

    def _wants(self, policy: Policy, watch: RoomWatch, kind: str, about: Job | WatchedChange) -> bool:
        """Whether it is what was asked for, not told there anyway, and its owner may see it now."""
        if not fits(watch, kind, about) or is_told_there(watch, about.place) or not self._is_on(watch, about):
            return False
        person = _owner(policy, watch)
        if person is None:
            return False
        if isinstance(about, WatchedChange):
            visible = frozenset(self._context.visible(person))
            return about.person == person.name or visible.issuperset(about.devices)
        if kind == "approval" and any(is_told_there(watch, place) for place in self._context.asked_in(about)):
            return False
        return self._context.sees(person, about)

    def _is_on(self, watch: RoomWatch, about: Job | WatchedChange) -> bool:
        if not watch.pattern:
            return True
        inside = self._context.inside(watch.pattern)
        return inside is not None and not frozenset(inside).isdisjoint(about.devices)

    def _say(self, place: Place, news: Sequence[News], found: Sequence[Happening]) -> bool:
        """Say it; False: again later. What a place will never take is over."""
        answer, again = text.said(news), self._context.clock() + PACE_SECONDS
        try:
            surface = self._context.surface(place)
            shown = answer if surface.capabilities.buttons else answer.in_words()
            name = f"watch {news[0].watch.number}: {found[0].seq} to {found[-1].seq}"
            surface.say(place, replace(shown, mark=Mark(name, found[0].at)))
            self.unheard.pop(place, None)
        except Waiting:
            pass  # the network has it
        except Refusal as error:
            if place not in self.unheard:
                log.error("%s does not take what is watched there: %s", place.room, error)  # noqa: TRY400 - its own words
            self.unheard[place] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a network raises for one place, the others are told
            log_unsaid(log, error, "%s could not be told what is watched there; tried again", place.room)
            self._ready[place] = self._context.clock() + _AGAIN_SECONDS
            return False
        self._ready[place] = again
        return True


def fits(watch: RoomWatch, kind: str, about: Job | WatchedChange) -> bool:
    """Whether an event is of the kind that was asked for; previews and looks of monitors are none."""
    if isinstance(about, WatchedChange):
        return watch.about == "changes"
    if about.preview_of is not None or about.monitor is not None:
        return False
    if kind == "approval":
        return watch.about == "approvals" and about.state is State.WAITING
    if watch.about == "changes":
        return about.risk is Risk.CHANGE and not about.check
    return watch.about == "jobs" or (watch.about == "jobs failed" and about.state in text.FAILED)


def is_told_there(watch: RoomWatch, place: Place) -> bool:
    """Whether what happens to something that was asked for at a place is told where the watch is anyway."""
    here = watch.place
    same = (here.network, here.room) == (place.network, place.room)
    return same and (here.thread == place.thread or not here.thread or not place.thread)


def _owner(policy: Policy, watch: RoomWatch) -> Person | None:
    person = policy.person(watch.caller)
    return person if person is not None and person.name == watch.person else None
