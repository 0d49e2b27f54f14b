"""What an event makes of the alert that it belongs to: the same reports in any order, and twice, end the same. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from automation_bots.model import Alert, Phase, ReportedEvent, Severity

AGAIN = timedelta(minutes=10)  # what is still reported so long after its end fires again; before, it is a late repeat
_KNOWN = frozenset(
    {"acknowledged", "unacknowledged", "silenced", "unsilenced", "commented"}
)  # what an alert keeps; told twice, no news


def begun(event: ReportedEvent) -> Alert:
    """A life, by the first that is heard of it."""
    ended, closed = (event.ended or event.at, event.at) if event.phase is Phase.RESOLVED else (None, None)
    alert = Alert(
        0, event.source, event.kind, event.fingerprint, event.started or event.at, event.what, event.at, event.at,
        event.severity, ended, closed, event.device, event.about, event.text, dict(event.fields),
    )  # fmt: skip
    return _noted(alert, event)


def grown(alert: Alert, event: ReportedEvent) -> tuple[Alert, bool]:
    """Return it after one more report, and whether that is news or only a repeat."""
    heard = replace(alert, reports=alert.reports + 1, last=max(alert.last, event.at))
    if event.phase is Phase.UPDATED:
        then = _noted(_said(heard, event), event)
        return _told(alert, then, news=event.done not in _KNOWN or _by_people(then) != _by_people(alert))
    if event.phase is Phase.RESOLVED:
        return _told(alert, _over(heard, event))
    if alert.ended is None:
        return _told(alert, _said(heard, event))
    if flaps(alert, event):
        return _told(alert, replace(_said(heard, event), ended=None, closed=None))
    if event.at - (alert.closed or alert.ended) < AGAIN:
        return heard, False
    return _told(alert, replace(_said(heard, event), ended=None, closed=None, acknowledged=""))


def flaps(alert: Alert, event: ReportedEvent) -> bool:
    """Whether something is down again soon after it came back, of a sender who says things as they happen.

    Traps and syslog name no begin, so nothing of theirs is a late repeat: a link that flaps is one alert, one message.
    """
    if event.started is not None or event.phase is not Phase.FIRING or alert.closed is None:
        return False
    return alert.closed < event.at < alert.closed + AGAIN


def moved(alert: Alert, event: ReportedEvent) -> bool:
    """Whether an event is of this life although it names an earlier begin: a sender that joins what two others told.

    So does Alertmanager behind a pair of Prometheus. What ended before this life began is of another one.
    """
    if event.started is None or event.started >= alert.started:
        return False
    if event.phase is Phase.RESOLVED:
        return event.ended is not None and event.ended > alert.started
    return alert.started - event.started < AGAIN


def settled(lives: Iterable[Alert]) -> list[Alert]:
    """Those of one fingerprint that cannot go on: a later one began, or an earlier one is known to have ended later."""
    ordered = sorted(lives, key=lambda one: one.started)
    found = [
        replace(one, ended=after.started, closed=after.heard, revision=one.revision + 1)
        for one, after in pairwise(ordered)
        if one.ended is None
    ]
    last, ends = ordered[-1], [one for one in ordered[:-1] if one.ended is not None]
    if last.ended is None and (over := next((one for one in ends if one.ended and one.ended > last.started), None)):
        found.append(replace(last, ended=over.ended, closed=over.closed, revision=last.revision + 1))
    return found


def _over(alert: Alert, event: ReportedEvent) -> Alert:
    """The earliest end that is heard of stands."""
    if alert.ended is not None:
        return replace(alert, ended=min(alert.ended, event.ended or alert.ended))
    return replace(_said(alert, event), ended=event.ended or event.at, closed=event.at)


def _said(alert: Alert, event: ReportedEvent) -> Alert:
    """What is said of it now counts; what is left out stays as it was."""
    severity = alert.severity if event.severity is Severity.UNKNOWN else event.severity
    return replace(
        alert,
        severity=severity,
        device=event.device or alert.device,
        about=event.about or alert.about,
        what=event.what or alert.what,
        text=event.text or alert.text,
        fields={**alert.fields, **event.fields} if event.phase is Phase.UPDATED else dict(event.fields),
    )


def _noted(alert: Alert, event: ReportedEvent) -> Alert:
    """What people did about it."""
    if event.phase is not Phase.UPDATED or event.done not in _KNOWN:
        return alert
    said = f"{event.by or event.source}: {event.note}" if event.note else event.by or event.source
    if event.done == "commented":
        return replace(alert, comment=said)
    if event.done in {"acknowledged", "unacknowledged"}:
        return replace(alert, acknowledged=said if event.done == "acknowledged" else "")
    return replace(alert, muted=event.until, muted_why=said if event.until else "")


def _by_people(alert: Alert) -> tuple[object, ...]:
    return alert.acknowledged, alert.muted, alert.muted_why, alert.comment


def _told(before: Alert, after: Alert, *, news: bool = False) -> tuple[Alert, bool]:
    """Count a revision where the message would be another; news is what a rule may act on."""
    news = news or (before.ended is None) is not (after.ended is None) or before.severity is not after.severity
    other = news or (before.text, before.what, before.device) != (after.text, after.what, after.device)
    return replace(after, revision=after.revision + 1) if other else after, news
