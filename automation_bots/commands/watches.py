"""Answers about what people want to hear of in a room: begun, listed, ended."""

from __future__ import annotations

from automation_bots import render
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Person, Place, RoomWatch
from automation_bots.policy.peers import bot_of
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject
from automation_bots.watches import words
from automation_bots.watches.watcher import Watcher

_MOST = 20  # of one person


class WatchCommands:
    """One method a command; each returns what to say."""

    def __init__(self, context: CommandContext, watcher: Watcher) -> None:
        self._context, self._watcher, self._store = context, watcher, context.store.watches

    def watch(self, ask: CommandCall) -> Answer:
        """Begin one here; without words, list them."""
        person = self._context.person(ask)
        if not ask.words:
            return self.watches(ask)
        about, pattern = words.read(ask.line)
        if bot_of(ask.place.network):
            raise BadCommand(
                "Only rooms of its own network hear of what a bot is to watch: type it to that bot itself."
            )
        if pattern:
            self._context.pipeline.expand(person, pattern)  # a wrong one is told now
        watch = RoomWatch(0, person.name, ask.caller, ask.around, about, pattern)
        mine = [one for one in self._store.all() if one.person == person.name]
        same = next((one for one in mine if (one.place, one.title) == (watch.place, watch.title)), None)
        if same:
            return Answer(f"W{same.number} tells that here already.", hint=f"→ !unwatch {same.number}")
        if len(mine) >= _MOST:
            raise BadCommand(f"You have {len(mine)} watches, and more are not to be. → !watches · !unwatch <n>")
        if ask.trial:
            return TRIED
        made = self._store.add(watch)
        self._watcher.look()
        said = f"W{made.number}: I tell here of {_of_what(made)}, as far as {person.name} may see it"
        return Answer(f"{said}; what is asked for here is told anyway.", hint=f"→ !unwatch {made.number} · !watches")

    def watches(self, ask: CommandCall) -> Answer:
        """One's own, those of this room, all for admins."""
        person = self._context.person(ask)
        seen = [one for one in self._store.all() if self._sees(person, ask, one)]
        if not seen:
            return Answer("Nothing is watched here, and nothing by you.", hint=words.USAGE)
        rows = [self._row(one, ask) for one in seen]
        return Answer(f"{render.many(len(rows), 'watch').replace('watchs', 'watches')}:", render.table(rows),
                      "→ !unwatch <n>")  # fmt: skip

    def unwatch(self, ask: CommandCall) -> Answer:
        """End one."""
        person = self._context.person(ask)
        number = words.number(ask.words[0]) if len(ask.words) == 1 else None
        if number is None:
            raise BadCommand("Which one? → !unwatch <n> · !watches")
        watch = next((one for one in self._store.all() if one.number == number), None)
        if watch is None or not self._sees(person, ask, watch):
            raise BadCommand(f"There is no watch W{number}. → !watches")
        if watch.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: {watch.person} or an admin ends W{number}.")
        if ask.trial:
            return TRIED
        self._store.end(watch, f"{person.name} ended it", Subject(person.name, ask.caller, ask.place, "unwatch"))
        return Answer(f"W{number} ended: {watch.title}.", hint=f"→ !watch {watch.title}")

    def _sees(self, person: Person, ask: CommandCall, watch: RoomWatch) -> bool:
        return watch.person == person.name or ADMINS in person.groups or _is_in(ask.place, watch.place)

    def _row(self, watch: RoomWatch, ask: CommandCall) -> tuple[str, ...]:
        place = watch.place
        here = "here" if _is_in(ask.place, place) else render.place_name(place, self._context.live.places)
        direct = f"direct messages of {watch.person}" if place.direct and here != "here" else here
        why = self._watcher.unheard.get(place, "")
        return (f"W{watch.number}", watch.title, watch.person, direct, f"not taken there: {why}" if why else "")


def _is_in(here: Place, there: Place) -> bool:
    return (here.network, here.room) == (there.network, there.room)


def _of_what(watch: RoomWatch) -> str:
    on = f" on {watch.pattern}" if watch.pattern else ""
    texts = {"jobs": f"jobs{on} that end", "jobs failed": f"jobs{on} that fail", "changes": f"changes{on} that end",
             "approvals": f"requests{on} that wait for approval"}  # fmt: skip
    return texts[watch.about]
