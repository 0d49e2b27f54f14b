"""What an event fills the holes of a rule's words with. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from automation_bots.alerts.event import StoredEvent
from automation_bots.model import one_line
from automation_bots.text import holes
from automation_bots.text.nearest import did_you_mean, nearest

PLAIN = ("device", "about", "what", "text", "severity", "source", "kind", "phase", "event", "alert")
OF_SENDER = "fields."
_LONGEST = 2_000  # characters of a value


def check(text: str) -> None:
    """Refuse holes that no event has; a ValueError says what was perhaps meant."""
    for name in holes.names(text):
        if name not in PLAIN and not (name.startswith(OF_SENDER) and len(name) > len(OF_SENDER)):
            meant = did_you_mean(nearest(name, PLAIN), f"Write {', '.join(f'{{{one}}}' for one in PLAIN)} or "
                                 "{fields.<name>}.")  # fmt: skip
            raise ValueError(f"an event has no {{{name}}}.{meant}")


def value(stored: StoredEvent, name: str) -> str:
    """What an event has for a hole, in one line; empty where it has nothing."""
    event = stored.event
    if name.startswith(OF_SENDER):
        return one_line(str(event.fields.get(name[len(OF_SENDER) :], "")), _LONGEST)
    if name in {"event", "alert"}:
        number = stored.number if name == "event" else stored.alert
        return "" if number is None else str(number)
    return one_line(str(getattr(event, name)), _LONGEST)


def values(stored: StoredEvent, *texts: str) -> Mapping[str, str]:
    """What an event has for all holes of some texts."""
    return {name: value(stored, name) for text in texts for name in holes.names(text)}


def filled(text: str, found: Mapping[str, str]) -> str:
    """A text to read, with the values in it; never a command."""
    return holes.fill(text, lambda name: found.get(name, "") or "?")
