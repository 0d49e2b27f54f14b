"""Who is on call, as policy.yml or a calendar file says: whom a page goes to at a moment. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from automation_bots.model import Person, one_line
from automation_bots.text.times import weekday

ON_CALL = "oncall"  # the word for it in rules
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of a calendar: somebody's turn, by the words of its title."""

    begin: datetime
    end: datetime
    title: str


@dataclass(frozen=True, slots=True)
class Turns:
    """People who take weeks in turn; the first one's begins at `since`."""

    people: tuple[str, ...]
    since: datetime  # as the clocks of the zone show it
    zone: str

    def turn(self, moment: datetime) -> tuple[str, datetime]:
        """Whose week it is, and until when."""
        wall = moment.astimezone(ZoneInfo(self.zone)).replace(tzinfo=None)
        week = (wall - self.since) // _WEEK
        until = (self.since + (week + 1) * _WEEK).replace(tzinfo=ZoneInfo(self.zone))
        return self.people[week % len(self.people)], until


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on call until when; where nobody is, why."""

    people: tuple[str, ...]
    until: datetime | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rota:
    """One line of `oncall`: always the same, in turns, or by a calendar."""

    name: str
    text: str  # as it is written
    always: str = ""  # a person or a group
    turns: Turns | None = None
    entries: tuple[Entry, ...] = ()
    problem: str = ""  # why its calendar cannot be read

    def planned(self, moment: datetime, people: Mapping[str, Person]) -> Turn:
        """Who has it by the plan."""
        if self.always:
            return Turn(_members(self.always, people), why=f"{self.always} is nobody of the policy")
        if self.turns:
            person, until = self.turns.turn(moment)
            return Turn(_members(person, people), until, f"{person} is nobody of the policy")
        if self.problem:
            return Turn((), why=self.problem)
        return _by_calendar(self.entries, moment, people)

    def names(self, people: Mapping[str, Person]) -> frozenset[str]:
        """Everybody whose turn it may be, and who may take somebody else's."""
        said = [self.always, *(self.turns.people if self.turns else ())]
        found = {name for one in said for name in _members(one, people)}
        titles = {entry.title for entry in self.entries}
        return frozenset(found.union(*(_named(title, people) for title in titles)))


def _members(said: str, people: Mapping[str, Person]) -> tuple[str, ...]:
    if said in people:
        return (said,)
    return tuple(sorted(name for name, person in people.items() if said and said in person.groups))


def _by_calendar(entries: Collection[Entry], moment: datetime, people: Mapping[str, Person]) -> Turn:
    going = [entry for entry in entries if entry.begin <= moment < entry.end]
    names = sorted({name for entry in going for name in _named(entry.title, people)})
    if names:
        return Turn(tuple(names), min(entry.end for entry in going))
    if not going:
        return Turn((), why="the calendar has nothing for now")
    said = " and ".join(f"“{one_line(entry.title, 40)}”" for entry in going)
    return Turn((), min(entry.end for entry in going), f"the calendar says {said}, which names nobody of the policy")


def _named(title: str, people: Mapping[str, Person]) -> set[str]:
    """The people whom a title names: by name, or by an id such as an address, as words of it."""
    words = {word.casefold() for word in re.findall(r"[\w.@+-]+", title)}
    words |= {word.strip(".-") for word in words}
    return {name for name, person in people.items()
            if {name.casefold(), *(id_.casefold() for id_ in person.ids.values())} & words}  # fmt: skip


def turns(people: Collection[str], since: str, change: str, zone: str) -> Turns:
    """Read `since: 2026-11-30` and `change: Mon 09:00`; a ValueError says what is wrong."""
    try:
        begin = date.fromisoformat(since)
    except ValueError:
        raise ValueError(
            f"since: {one_line(since, 30)!r} is no date; write the first one's first day, 2026-11-30"
        ) from None
    found = re.fullmatch(r"(?:([A-Za-z]{3,9}) )?(\d\d?):(\d\d)", change)
    if not found or int(found[2]) > 23 or int(found[3]) > 59 or (found[1] and weekday(found[1].lower()) < 0):
        raise ValueError(f"change: {one_line(change, 30)!r} is no time of a week; write Mon 09:00")
    if found[1] and weekday(found[1].lower()) != begin.weekday():
        raise ValueError(f"since {since} is no {found[1]}, on which the turns change")
    return Turns(tuple(people), datetime.combine(begin, time(int(found[2]), int(found[3]))), zone)
