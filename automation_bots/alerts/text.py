"""What a room reads of alerts. Pure; what strangers wrote stands in one line, and calls nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from automation_bots.alerts.event import Alert, Finding, Phase, ReportedEvent, Severity, StoredEvent
from automation_bots.model import Answer, Button, one_line
from automation_bots.text.times import elapsed, moment_text
from automation_bots.text.together import together

FIRING, OVER = "▲", "■"
_WHAT, _TEXT, _NOTE = 60, 160, 120  # characters
_KINDS = 3
_SILENT = timedelta(days=1)  # after which a list says that nobody has told of an alert any more
_LINES = 5  # of a message about many
Groups = Callable[[Iterable[str]], Mapping[str, Sequence[str]]]  # the devices of each site and group


def name(alert: Alert) -> str:
    """What it is: `core1: BGPDown: BGP session to 192.0.2.7 is down`."""
    what, text = one_line(alert.what, _WHAT), _first_line(alert.text)
    where = alert.device or ("" if alert.about in text else one_line(alert.about, 60))
    said = [part for part in (where, what) if part]
    if text and text.lower() != what.lower():
        said.append(text.removeprefix(f"{where}: ") if where else text)
    return ": ".join(said)


def one(alert: Alert, zone: str, now: datetime, left_out: str = "") -> Answer:
    """The one message of an alert, as it is now."""
    if not alert.firing:
        return Answer(
            f"{OVER} A{alert.number} {name(alert)} · over after {_lasted(alert, now)}{_people(alert, zone, now)}"
        )
    since = moment_text(alert.started, zone, now)
    severity = "" if alert.severity is Severity.UNKNOWN else f"{alert.severity.value}, "
    line = f"{FIRING} A{alert.number} {name(alert)} · {severity}since {since}, {alert.source}"
    return Answer(f"{line}{_people(alert, zone, now)}", hint=left_out, buttons=_buttons(alert))


def many(alerts: Sequence[Alert], zone: str, now: datetime, groups: Groups) -> Answer:
    """One message for alerts of one moment: how many, where, the worst of them."""
    going = [alert for alert in alerts if alert.firing]
    first = min(alerts, key=lambda alert: alert.number)
    span = moment_text(min(alert.heard for alert in alerts), zone, now)
    where = together(
        [alert.device for alert in alerts if alert.device], groups([alert.device for alert in alerts if alert.device])
    )
    explained = f" ({', '.join(where)})" if where else ""
    mark = FIRING if going else OVER
    over = len(alerts) - len(going)
    state = "all over" if not going else f"{over:,} over" if over else ""
    head = " · ".join(
        part
        for part in (
            f"{mark} {len(alerts):,} alert{'' if len(alerts) == 1 else 's'} since {span}{explained}",
            kinds(alerts),
            state,
        )
        if part
    )
    shown = sorted(going, key=worst_first)[:_LINES]
    lines = [f"A{alert.number} {one_line(name(alert), 120)}" for alert in shown]
    if len(going) > len(shown):
        lines.append(f"… and {len(going) - len(shown):,} more")
    return Answer(head, "\n".join(lines), f"→ !alerts A{first.number}")


def kinds(alerts: Iterable[Alert]) -> str:
    """What they are, the most frequent first: `Storm 480, DiskFull 20`."""
    found = Counter(one_line(alert.what, 40) for alert in alerts).most_common()
    said = [f"{what} {count:,}" for what, count in found[:_KINDS]]
    left = len(found) - _KINDS
    return ", ".join([*said, "one more kind" if left == 1 else f"{left} more kinds"] if left > 0 else said)


def worst_first(alert: Alert) -> tuple[int, int]:
    """The order in which alerts are listed."""
    return list(Severity).index(alert.severity), -alert.number


def row(alert: Alert, zone: str, now: datetime) -> tuple[str, ...]:
    """One line of `!alerts`."""
    mark = FIRING if alert.firing else OVER
    when = f"since {moment_text(alert.started, zone, now)}" if alert.firing else f"over after {_lasted(alert, now)}"
    severity = alert.severity.value if alert.severity is not Severity.UNKNOWN else ""
    where = alert.device or one_line(alert.about, 40) or "-"
    text = _first_line(alert.text)
    what = one_line(alert.what, 40) + (f": {one_line(text, 80)}" if text and text != alert.what else "")
    silent = now - alert.last
    quiet = f" · not heard of for {elapsed(silent.total_seconds())}" if alert.firing and silent > _SILENT else ""
    return mark, f"A{alert.number}", where, severity, when, alert.source, what + quiet + _people(alert, zone, now)


def event_row(stored: StoredEvent, zone: str, now: datetime) -> tuple[str, ...]:
    """One line of `!events`."""
    event = stored.event
    about = event.device or one_line(event.about, 40) or "-"
    belongs = f"A{stored.alert}" if stored.alert else ""
    return (
        str(stored.number), moment_text(event.at, zone, now), event.source, about, said_of(event), belongs,
        one_line(f"{event.what}: {_first_line(event.text)}" if event.text else event.what, 100),
    )  # fmt: skip


def said_of(event: ReportedEvent) -> str:
    """What an event says of the state: its phase, or what somebody did."""
    if event.phase is Phase.UPDATED:
        return f"{one_line(event.done, 30)} by {one_line(event.by, 40)}" if event.by else one_line(event.done, 30)
    if event.phase is not Phase.SINGLE:
        return event.phase.value
    return event.severity.value if event.severity is not Severity.UNKNOWN else ""


def event(stored: StoredEvent, found: Sequence[Finding], alert: Alert | None, zone: str, now: datetime) -> Answer:
    """All of one event, and what everybody who looked at it said."""
    what = stored.event
    about = what.device or (f"{one_line(what.about, 60)} (no device of the inventory)" if what.about else "no device")
    head = f"Event {stored.number}: {one_line(what.what, _WHAT)} · {about} · {what.source} ({what.kind})"
    facts = [("heard", moment_text(what.at, zone, now)), ("says", said_of(what)), ("text", one_line(what.text, 400))]
    if what.note:
        facts.append(("note", one_line(what.note, 300)))
    if alert is not None:
        state = "goes on" if alert.firing else f"over after {_lasted(alert, now)}"
        facts.append(("alert", f"A{alert.number}, {state}, reported {alert.reports:,} times"))
    if what.origin:
        facts.append(("started by", ", ".join(one_line(rule, 60) for rule in what.origin)))
    facts += [(f". {one_line(key, 40)}", one_line(text, 120)) for key, text in sorted(what.fields.items())]
    facts += [(f"→ {one_line(one.by, 60)}", one_line(one.said, 300)) for one in found]
    width = max(len(key) for key, _ in facts)
    block = "\n".join(f"{key.ljust(width)}  {text}" for key, text in facts if text)
    silent = "" if found else "No rule looked at it."
    return Answer(head, block, silent)


def life(alert: Alert, events: Sequence[StoredEvent], zone: str, now: datetime) -> Answer:
    """One alert with all that was heard of it."""
    shown = one(alert, zone, now)
    times = f"first {moment_text(alert.heard, zone, now)}, last {moment_text(alert.last, zone, now)}"
    facts = [("reported", f"{alert.reports:,} times, {times}; repeats change nothing")]
    facts += [(f". {one_line(key, 40)}", one_line(text, 120)) for key, text in sorted(alert.fields.items())]
    for stored in events:
        note = f": {one_line(stored.event.note, 120)}" if stored.event.note else ""
        when = moment_text(stored.event.at, zone, now)
        facts.append((f"event {stored.number}", f"{when}  {said_of(stored.event)}{note}"))
    width = max(len(key) for key, _ in facts)
    hint = f"→ !event {events[0].number}" if events else ""
    return Answer(
        shown.text, "\n".join(f"{key.ljust(width)}  {text}" for key, text in facts), hint, buttons=shown.buttons
    )


def _first_line(text: str) -> str:
    return one_line(next((line for line in text.splitlines() if line.strip()), ""), _TEXT)


def _lasted(alert: Alert, now: datetime) -> str:
    return elapsed(((alert.ended or now) - alert.started).total_seconds())


def _people(alert: Alert, zone: str, now: datetime) -> str:
    """What people said of it."""
    said = ""
    if alert.acknowledged:
        said += f" · {one_line(alert.acknowledged, _NOTE)}"
    if alert.comment:
        said += f" · {one_line(alert.comment, _NOTE)}"
    if alert.muted is not None and alert.muted > now:
        said += f" · muted until {moment_text(alert.muted, zone, now)} ({one_line(alert.muted_why, _NOTE)})"
    return said


def _buttons(alert: Alert) -> tuple[Button, ...]:
    ack = () if alert.acknowledged else (Button("Ack", f"ack A{alert.number}"),)
    return (*ack, Button("Mute 1 h", f"mute A{alert.number} 1h"))
