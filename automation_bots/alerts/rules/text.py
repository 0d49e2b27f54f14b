"""Rules read aloud, and what they say about events. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from automation_bots.alerts.event import Finding, StoredEvent
from automation_bots.alerts.rules.rule import Counting, Do, Rule, Throttle, When
from automation_bots.model import one_line
from automation_bots.store.rules import RuleAction
from automation_bots.text.times import duration_text

_SHOWN = 160  # characters of an event's text
_SIGNS = {"firing": "▲", "resolved": "■"}


def line(stored: StoredEvent) -> str:
    """An event in one line."""
    event = stored.event
    number = f"A{stored.alert} " if stored.alert else f"event {stored.number} " if stored.number else ""
    who, text = event.device or event.about, one_line(event.text, _SHOWN)
    what = event.what if event.what not in text else ""
    said = ": ".join(filter(None, [f"{who} {what}".strip() if who not in text else what, text]))
    said = one_line(said, _SHOWN)
    bad = f" · {event.severity}" if event.severity != "unknown" else ""
    return f"{_SIGNS.get(event.phase, '·')} {number}{said}{bad}, {event.source}"


def title(rule: str) -> str:
    """How a rule is named."""
    return f"rule “{rule}”"


def begins(rule: str) -> str:
    """The same where a sentence begins."""
    return f"R{title(rule)[1:]}"


# -- read aloud


def aloud(rule: Rule) -> list[tuple[str, str]]:
    """A rule as the sentence that somebody would say: rows of a word and what follows it."""
    rows = [("when" if number == 0 else "or", _when(when)) for number, when in enumerate(rule.when)]
    rows += [("unless", _when(when)) for when in rule.unless]
    if rule.throttle:
        rows.append((rule.throttle.counting.value, _throttle(rule.throttle)))
    rows += list(_do(rule.do, rule.robot))
    rows.append(("at most", f"{rule.rate[0]} times in {_seconds(rule.rate[1])}"))
    return rows


def _when(when: When) -> str:
    return ", ".join(_conditions(when)) or "anything happens"


def _conditions(when: When) -> Iterator[str]:
    said = (
        (_or((*when.source, *when.kind)), "{} tells it"),
        (_or(when.what), "it is {}"),
        (when.severity_text, "severity is {}"),
        (_or(when.text), "it says {}"),
        (_or(when.about), "it is about {}"),
        (_or(when.done), "somebody {} it"),
        (_or(when.by), "by {}"),
        *((_or(globs), f"{name} is {{}}") for name, globs in when.fields.items()),
        (when.on, "on {}"),
        (_or(window.text for window in when.time), "at {}"),
        (_or(when.phase), "it is {}"),
    )
    return (form.replace("{}", words) for words, form in said if words)


def _or(words: Iterable[str]) -> str:
    return " or ".join(words)


def _throttle(throttle: Throttle) -> str:
    by = f" by {', '.join(throttle.by)}" if throttle.by else ""
    times = f"{throttle.threshold} times within " if throttle.counting is Counting.ACCUMULATE_WITHIN else ""
    return f"{times}{duration_text(throttle.within)}{by}"


def _do(do: Do, robot: str) -> Iterator[tuple[str, str]]:
    if do.post:
        calls = f", calling {', '.join(do.mention)}" if do.mention else ""
        yield "post", f"in {', '.join(do.post)}{calls}"
    if do.propose:
        yield "propose", f"{do.propose} in {do.room}, as whoever clicks"
    if do.run:
        yield "run", f"{do.run} in {do.room}, as the robot {robot}"
    for step in do.escalate:
        room = f" in {step.room}" if step.room else ""
        yield "escalate", f"after {duration_text(step.after)} to {', '.join(step.to)}{room}, unless somebody acts"


def _seconds(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))


def does(do: Do) -> str:
    """What a rule does, in a few words."""
    found = [f"posts in {', '.join(do.post)}"] if do.post else []
    found += [f"proposes {do.propose}"] if do.propose else []
    found += [f"runs {do.run}"] if do.run else []
    return ", ".join(found)


def outcome(action: RuleAction) -> str:
    """What came of something that a rule did."""
    job = f" #{action.job}" if action.job else ""
    said = f": {action.text}" if action.text and action.text != f"#{action.job}" else ""
    return one_line(f"{action.what}{job} {action.state}{said}", 200)


def outcomes(actions: Iterable[RuleAction]) -> list[Finding]:
    """The same beside what the rules said of an event."""
    return [Finding(action.event, title(action.rule), outcome(action)) for action in actions]
