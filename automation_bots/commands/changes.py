"""Answers about work on devices that is watched: begun, ended, looked at."""

from __future__ import annotations

import re
from dataclasses import replace

from automation_bots import render
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.commands.monitors import MonitorCommands
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Person, WatchedChange, one_line
from automation_bots.monitors import comparison
from automation_bots.monitors.changes import Changes
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject

_USAGE = "→ !change start <devices> [reason] · !change end · !change"
_SHOWN = 10
_MOST = 200  # devices: each is read six times


class ChangeCommands:
    """The method of the one command; it returns what to say."""

    def __init__(self, context: CommandContext, changes: Changes, monitors: MonitorCommands) -> None:
        self._context, self._changes, self._monitors = context, changes, monitors

    def change(self, ask: CommandCall) -> Answer | None:
        """Begin, end, or look."""
        person, words = self._context.person(ask), ask.words
        first = words[0].lower() if words else ""
        if first == "start":
            return self._start(ask, person, words[1:])
        if first == "end":
            return self._end(ask, person, words[1] if len(words) > 1 else "")
        if not words:
            return self._list(person)
        change = self._of(person, first)
        if len(words) == 3 and words[1].lower() == "diff":
            return self._diff(change, words[2])
        if change.ended:
            return self._changes.report(change)
        return Answer(self._line(change), hint=f"→ !change end {change.number} · !monitor {change.monitor}")

    def _start(self, ask: CommandCall, person: Person, words: list[str]) -> Answer:
        if not words:
            raise BadCommand(f"On which devices? {_USAGE}")
        devices = self._context.pipeline.expand(person, words[0])
        if len(devices) > _MOST:
            raise BadCommand(f"{one_line(words[0], 40)} is {len(devices)} devices; {_MOST} at most are compared.")
        reason = one_line(" ".join(words[1:]).strip("\"'"), 300)
        title = f"ping {one_line(words[0], 60)}"
        watched = replace(ask, line=f"{title} every 5s")
        begun = self._monitors.begun(watched)
        if isinstance(begun, Answer):
            return begun
        change = WatchedChange(0, person.name, ask.caller, ask.place, words[0], devices, reason)
        made = self._changes.begin(replace(change, monitor=begun.number))
        return Answer(f"C{made.number} looks at {render.names(devices)} as they are, and watches from now on.")

    def _end(self, ask: CommandCall, person: Person, word: str) -> Answer:
        mine = [one for one in self._context.store.watched_changes.open() if one.person == person.name]
        if not word and len(mine) != 1:
            raise BadCommand(
                f"Which one? You have {render.many(len(mine), 'change')} open. → !change · !change end <n>"
            )
        change = self._of(person, word) if word else mine[0]
        if change.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: {change.person} or an admin ends C{change.number}.")
        if change.ended:
            return Answer(f"C{change.number} has ended. → !change {change.number}")
        if ask.trial:
            return TRIED
        by = Subject(person.name, ask.caller, ask.place, "change", change.devices).brief()
        if why := self._changes.finish(change, by):
            return Answer(why)
        return Answer(f"C{change.number} looks at {render.names(change.devices)} again.")

    @staticmethod
    def _diff(change: WatchedChange, device: str) -> Answer:
        """What is other in the configuration of one device."""
        found = change.after.get(device, {}).get(comparison.CONFIG, {})
        if "text" not in found:
            why = found.get("why") or "no configuration of it was compared"
            return Answer(f"C{change.number} {one_line(device, 60)}: I cannot say, {why}.")
        text = found["text"].strip("\n")
        return Answer(f"C{change.number} {device}: {'what is other now' if text else 'nothing is other'}", text)

    def _list(self, person: Person) -> Answer:
        seen = [one for one in self._context.store.watched_changes.latest(50) if self._sees(person, one)][:_SHOWN]
        if not seen:
            return Answer("No change was watched yet.", hint=_USAGE)
        return Answer("Changes, latest first:", "\n".join(map(self._line, seen)), "→ !change <n> · !change end")

    def _line(self, change: WatchedChange) -> str:
        now, zone = self._context.now(), self._context.live.policy.timezone
        what = comparison.measured(change.before) if change.before else "being looked at"
        when = (
            f"ended {render.age(change.ended, now, zone)}"
            if change.ended
            else f"began {render.age(change.began, now, zone)}"
        )
        why = f" · {change.reason}" if change.reason else ""
        return f"C{change.number} {when} · {render.names(change.devices)} · {change.person}{why} · {what}"

    def _of(self, person: Person, word: str) -> WatchedChange:
        found = re.fullmatch(r"[cC]?(\d{1,15})", word)
        change = self._context.store.watched_changes.find(int(found[1])) if found else None
        if found is None:
            raise BadCommand(f"{one_line(word, 40)!r} is no change. {_USAGE}")
        if change is None or not self._sees(person, change):
            raise BadCommand(f"There is no change C{int(found[1])}. → !change")
        return change

    def _sees(self, person: Person, change: WatchedChange) -> bool:
        if change.person == person.name or ADMINS in person.groups:
            return True
        return gate.visible(self._context.live.scope, person).issuperset(change.devices)
