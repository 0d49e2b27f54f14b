"""Whether an event is what a rule speaks of, and if not, which condition fails in which words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from fnmatch import fnmatchcase

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.rules.rule import FRESH, Rule, When
from automation_bots.model import one_line

Inside = Callable[[str], frozenset[str] | None]  # the devices of a pattern; None: it means nothing

_LOOKED_AT = 20_000  # characters of a text
_SHOWN = 60


def failed(rule: Rule, event: ReportedEvent, now: datetime, inside: Inside) -> tuple[tuple[str, str], ...]:
    """Every condition that fails: its key and what is so instead; of several `when` those of the closest one."""
    found = min((tuple(_lacks(when, event, now, inside)) for when in rule.when), key=len, default=())
    if found:
        return found
    if any(not tuple(_lacks(unless, event, now, inside, phases=False)) for unless in rule.unless):
        return (("unless", "what the rule leaves out is so"),)
    return ()


def asks_for(rule: Rule, event: ReportedEvent, now: datetime, inside: Inside) -> bool:
    """Whether a rule speaks of this event by its source or kind; one for all events asks for none of the bot's own."""
    return any((when.source or when.kind) and not tuple(_lacks(when, event, now, inside)) for when in rule.when)


def _lacks(
    when: When, event: ReportedEvent, now: datetime, inside: Inside, *, phases: bool = True
) -> Iterator[tuple[str, str]]:
    for key in ("source", "kind", "what", "about", "text", "done", "by"):
        globs = getattr(when, key)
        if globs and not _fits(said := getattr(event, key), globs):
            yield key, f"{_quoted(said)} is not {_or(globs)}"
    for name, globs in when.fields.items():
        if not _fits(event.fields.get(name), globs):
            yield f"fields.{name}", f"{_quoted(event.fields.get(name))} is not {_or(globs)}"
    if when.on and (why := _elsewhere(when.on, event, inside)):
        yield "on", why
    if when.time and not any(window.contains(now) for window in when.time):
        yield "time", f"not within {_or(window.text for window in when.time)}"
    yield from _state(when, event, FRESH if phases else ())


def _state(when: When, event: ReportedEvent, usual: tuple[Phase, ...]) -> Iterator[tuple[str, str]]:
    if when.severity and event.severity not in when.severity:
        unsure = ": how bad it is, its source does not say" if event.severity is Severity.UNKNOWN else ""
        yield "severity", f"{event.severity} is not {when.severity_text}{unsure}"
    if (wanted := when.phase or usual) and event.phase not in wanted:
        yield "phase", f"{event.phase} is not {_or(wanted)}"


def _elsewhere(pattern: str, event: ReportedEvent, inside: Inside) -> str:
    """Why an event is not about a device of a pattern; empty when it is."""
    devices = inside(pattern)
    if devices is None:
        return f"{pattern} means no device or group of the inventory"
    if not event.device:
        about = f" ({_quoted(event.about)})" if event.about else ""
        return f"which device it is about{about} the inventory does not say"
    return "" if event.device in devices else f"{event.device} is not in {pattern}"


def _fits(said: str | None, globs: Iterable[str]) -> bool:
    """Compare without capitals; what is not there fits only `absent`, and nothing else does."""
    if said is None:
        return "absent" in globs
    text = said[:_LOOKED_AT].casefold()
    # Brackets stand for themselves: texts of alerts are full of them, and nobody thinks of sets of letters.
    return any(fnmatchcase(text, glob.casefold().replace("[", "[[]")) for glob in globs)


def _quoted(said: str | None) -> str:
    return "nothing" if said is None else f"“{one_line(said, _SHOWN)}”"


def _or(globs: Iterable[str]) -> str:
    return " or ".join(globs)
