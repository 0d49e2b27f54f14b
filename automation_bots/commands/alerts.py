"""Answers about what happens elsewhere: events, alerts, why nothing happened; acknowledged and kept quiet."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from automation_bots import render
from automation_bots.alerts import text
from automation_bots.alerts.rules import text as rules_text
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.drivers.alerts.back import ACKNOWLEDGE, SILENCE, UNACKNOWLEDGE, UNSILENCE
from automation_bots.errors import BadCommand
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Alert, Answer, Person, Place, StoredEvent, one_line
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject
from automation_bots.text import times

NUMBER = re.compile(r"[aA](\d{1,15})")
_ROWS = 40
_LOOKED_AT = 5_000  # of the newest, for a list of what one may see
_FIRING = 50_000  # alerts that go on
_EVENTS_OF_ALERT = 20


def _nobody(_source: str, _deed: str) -> bool:
    return False


class AlertCommands:
    """One method a command. A person sees alerts of devices one sees; those of no device where they are told, or as
    an admin.
    """  # fmt: skip

    def __init__(
        self,
        context: CommandContext,
        room: Callable[[str], Place | None],
        changed: Callable[[], None],
        sources: Collection[str] = (),
        told: Callable[[str, str], bool] = _nobody,  # whether the server of a source hears of a deed
    ) -> None:
        self._sources = sources
        self._context, self._room, self._changed, self._told = context, room, changed, told
        self._events, self._alerts, self._rules = context.store.events, context.store.alerts, context.store.rules

    # -- looked at

    def alerts(self, ask: CommandCall) -> Answer:
        """What is wrong now, the worst first; of devices, of a source, or all that shared a message."""
        person, words = self._context.person(ask), list(ask.words)
        everything = bool(words) and words[0].lower() == "all"
        words = words[1:] if everything else words
        found = self._wanted(ask, person, words, everything=everything)
        if not found:
            where = f" for {one_line(' '.join(words), 60)}" if words else ""
            return Answer(f"No alert goes on{where}." if not everything else f"No alert{where}.", hint="→ !alerts all")
        found.sort(key=lambda alert: (not alert.firing, *text.worst_first(alert)))
        now, zone = self._context.now(), self._context.live.policy.zone(person)
        most = len(found) if ask.whole else _ROWS
        rows = [text.row(alert, zone, now) for alert in found[:most]]
        going = sum(alert.firing for alert in found)
        over = f", {len(found) - going:,} over" if len(found) > going else ""
        more = f"\n… and {len(found) - most:,} more" if len(found) > most else ""
        head = (
            f"{going:,} alert{'s' if going != 1 else ''} go{'es' if going == 1 else ''} on{over} ({text.kinds(found)}):"
        )
        if everything and not words and len(found) == _LOOKED_AT:
            head = f"Of the newest {_LOOKED_AT:,}: {head}"
        return Answer(head, render.table(rows, limit=_FIRING) + more, "→ !event A<n> · !ack A<n> · !mute A<n> 1h")

    def _wanted(self, ask: CommandCall, person: Person, words: Sequence[str], *, everything: bool) -> list[Alert]:
        if words and (number := NUMBER.fullmatch(words[0])):
            alert = self._alert(ask, int(number[1]))
            listed = self._alerts.folded(alert.fold) if alert.fold else [alert]
            return self._seen(ask, person, listed)
        every = self._alerts.latest(_LOOKED_AT) if everything else self._alerts.firing(_FIRING)
        seen = self._seen(ask, person, every)
        if not words:
            return seen
        if words[0] in self._sources or any(alert.source == words[0] for alert in every):
            return [alert for alert in seen if alert.source == words[0]]
        devices = self._context.pipeline.expand(person, ",".join(words))
        return [alert for alert in seen if alert.device in devices]

    def events(self, ask: CommandCall) -> Answer | None:
        """What was heard last; of devices, of a source, of an alert. `follow` is an operation of its own."""
        person, words = self._context.person(ask), ask.words
        if words and words[0].lower() == "follow":
            said = TypedCommand(ask.caller, ask.place, "events-follow", " ".join(words[1:]))
            return self._context.pipeline.submit(said)
        found = self._heard(ask, person, words)
        if not found:
            return Answer("No event was heard." if not words else "No event of that was heard.", hint="→ !alerts")
        now, zone, most = self._context.now(), self._context.live.policy.zone(person), ask.most(_ROWS)
        rows = [text.event_row(stored, zone, now) for stored in found[:most]]
        more = "\n… and older ones" if len(found) > most else ""
        return Answer("The last events:", render.table(rows) + more, "→ !event <n> · !alerts")

    def _heard(self, ask: CommandCall, person: Person, words: Sequence[str]) -> list[StoredEvent]:
        if words and (number := NUMBER.fullmatch(words[0])):
            return self._events.latest(_LOOKED_AT, alert=self._alert(ask, int(number[1])).number)
        visible, latest = self._visible(ask, person), self._events.latest(_LOOKED_AT)
        seen = [stored for stored in latest if visible(stored.event.device, stored.event.source)]
        if not words:
            return seen
        if words[0] in self._sources or any(stored.event.source == words[0] for stored in latest):
            return [stored for stored in seen if stored.event.source == words[0]]
        devices = self._context.pipeline.expand(person, ",".join(words))
        return [stored for stored in seen if stored.event.device in devices]

    def event(self, ask: CommandCall) -> Answer:
        """One event with what everybody who looked at it said, or one alert with its events."""
        person, word = self._context.person(ask), ask.words[0] if ask.words else ""
        now, zone = self._context.now(), self._context.live.policy.zone(person)
        if number := NUMBER.fullmatch(word):
            alert = self._alert(ask, int(number[1]))
            return text.life(alert, self._events.latest(_EVENTS_OF_ALERT, alert=alert.number), zone, now)
        if not re.fullmatch(r"\d{1,15}", word):
            raise BadCommand("Which one? → !event 812 · !event A12 for all of an alert · !events")
        stored = self.event_for(ask, int(word))
        of = self._alerts.find(stored.alert) if stored.alert else None
        found = self._events.findings(stored.number) + rules_text.outcomes(self._rules.of_event(stored.number))
        return text.event(stored, found, of, zone, now)

    # -- said about one

    def acknowledge(self, ask: CommandCall) -> Answer | None:
        """Say that somebody looks after it; with `off`, that nobody does any more. What leaves the chat is a job."""
        person, alert = self._context.person(ask), self.named(ask)
        note = one_line(" ".join(ask.words[1:]).strip('"'), 200)
        if note.lower() == "off":
            return self._unacknowledge(ask, person, alert)
        if self._told(alert.source, ACKNOWLEDGE):
            return self._context.pipeline.submit(TypedCommand(ask.caller, ask.place, "ack-alert", ask.line))
        said = f'{person.name}: "{note}"' if note else f"{person.name} has it"
        self._change(ask, person, alert, lambda one: replace(one, acknowledged=said), {"acknowledged": note or "yes"})
        over = "" if alert.firing else " It is over already."
        return Answer(f"A{alert.number} is acknowledged ({said}).{over}")

    def _unacknowledge(self, ask: CommandCall, person: Person, alert: Alert) -> Answer | None:
        if not alert.acknowledged:
            return Answer(f"A{alert.number} is not acknowledged.")
        if self._told(alert.source, UNACKNOWLEDGE):
            return self._context.pipeline.submit(TypedCommand(ask.caller, ask.place, "unack-alert", ask.words[0]))
        self._change(ask, person, alert, lambda one: replace(one, acknowledged=""), {"acknowledged": "no longer"})
        return Answer(f"A{alert.number} is no longer acknowledged.")

    def mute(self, ask: CommandCall) -> Answer | None:
        """Tell nothing more of one alert for a time; with `off`, all of it again. What leaves the chat is a job."""
        usage = "→ !mute A<n> <time> [reason], such as !mute A12 2h line card · !mute A<n> off"
        person, alert, now = self._context.person(ask), self.named(ask), self._context.now()
        zone = self._context.live.policy.zone(person)
        if len(ask.words) < 2:
            raise BadCommand(usage)
        if ask.words[1].lower() == "off":
            return TRIED if ask.trial else self._unmute(ask, person, alert)
        if self._told(alert.source, SILENCE) and not ask.trial:
            return self._context.pipeline.submit(TypedCommand(ask.caller, ask.place, "silence", ask.line))
        try:
            said = ask.words[2:] if ask.words[1].lower() == "until" else ask.words[1:]
            until, words = times.leading(said, now, zone)
        except ValueError as error:
            raise BadCommand(f"{error}. {usage}") from error
        if ask.trial:
            return TRIED
        note = one_line(" ".join(words).strip('"'), 200)
        why = f"{person.name}: {note}" if note else person.name
        facts = {"muted": until, "reason": note}
        self._change(ask, person, alert, lambda one: replace(one, muted=until, muted_why=why), facts)
        return Answer(f"A{alert.number} is muted until {times.moment_text(until, zone, now)} ({why}).")

    def _unmute(self, ask: CommandCall, person: Person, alert: Alert) -> Answer | None:
        if self._told(alert.source, UNSILENCE):
            return self._context.pipeline.submit(TypedCommand(ask.caller, ask.place, "unsilence", ask.words[0]))
        self._change(ask, person, alert, lambda one: replace(one, muted=None, muted_why=""), {"muted": "no longer"})
        return Answer(f"A{alert.number} is no longer muted.")

    def _change(
        self, ask: CommandCall, person: Person, alert: Alert, then: Callable[[Alert], Alert], facts: dict[str, object]
    ) -> None:
        by = Subject(person.name, ask.caller, ask.place, "alerts", (alert.device,) if alert.device else ())
        try:
            self._alerts.change(alert.number, then, by, facts)
        except LookupError:
            raise BadCommand(f"A{alert.number} is no longer kept.") from None
        self._changed()

    # -- which one

    def event_for(self, ask: CommandCall, number: int, *, alert: bool = False) -> StoredEvent:
        """An event, or the last one of an alert, as far as one may see it."""
        found = self._events.latest(1, alert=self._alert(ask, number).number) if alert else [self._events.find(number)]
        stored = next(iter(found), None)
        seen = self._visible(ask, self._context.person(ask))
        if stored is None or not seen(stored.event.device, stored.event.source):
            what = f"event of A{number}" if alert else f"event {number}"
            raise BadCommand(f"There is no {what}, or it is no longer kept. → !events")
        return stored

    def named(self, ask: CommandCall) -> Alert:
        """The alert that the first word names, as far as one may see it."""
        number = NUMBER.fullmatch(ask.words[0]) if ask.words else None
        if number is None:
            raise BadCommand("Which alert? → !ack A12 · !alerts")
        return self._alert(ask, int(number[1]))

    def _alert(self, ask: CommandCall, number: int) -> Alert:
        person, alert = self._context.person(ask), self._alerts.find(number)
        if alert is None or not self._visible(ask, person)(alert.device, alert.source):
            raise BadCommand(f"There is no alert A{number}, or it is no longer kept. → !alerts")
        return alert

    def _seen(self, ask: CommandCall, person: Person, alerts: Sequence[Alert]) -> list[Alert]:
        visible = self._visible(ask, person)
        return [alert for alert in alerts if visible(alert.device, alert.source)]

    def _visible(self, ask: CommandCall, person: Person) -> Callable[[str, str], bool]:
        """Return whether one may see what is about a device (empty: about none) and comes from a source."""
        devices, admin = gate.visible(self._context.live.scope, person), ADMINS in person.groups
        here = (ask.place.network, ask.place.room)

        def visible(device: str, source: str) -> bool:
            if device and device in self._context.live.inventory.state:
                return device in devices
            room = self._room(source)
            return admin or (room is not None and (room.network, room.room) == here and not ask.place.direct)

        return visible
