"""Any JSON: JMESPath expressions of bot.toml say where in a body what stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import field_validator, model_validator

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources import json_body
from automation_bots.alerts.sources.source import HttpKind, HttpSettings, as_text, texts
from automation_bots.config.strict import Strict
from automation_bots.errors import BadPayload

KIND = "json"
_MOST = 5_000  # events of one call
_EXPRESSIONS = ("each", "what", "text", "severity", "state", "fingerprint", "started", "ended", "fields")


class MapSettings(Strict):
    """[events.sources.<name>.map]: where in a body what stands, each a JMESPath expression, of one event but `each`."""

    what: str  # its name
    each: str = ""  # the list of events; empty: the body is one
    text: str = ""
    about: str = ""  # what the sender calls the device
    severity: str = ""
    state: str = ""  # empty: events without a state
    firing: tuple[str, ...] = ()  # values of state; empty: all that are not of `resolved`
    resolved: tuple[str, ...] = ()
    fingerprint: str = ""  # what an alert is known by
    started: str = ""
    ended: str = ""
    fields: str = ""  # a table; empty: the plain values of the event itself

    @field_validator(*_EXPRESSIONS, "about")
    @classmethod
    def _readable(cls, value: str) -> str:
        try:
            if value:
                jmespath.compile(value)
        except JMESPathError as error:
            raise ValueError(f"{value!r} is no JMESPath expression: {str(error).splitlines()[0]}") from error
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.state and not (self.resolved and self.fingerprint):
            raise ValueError("with state, resolved = [its values when it is over] and fingerprint are needed too")
        if (self.firing or self.resolved) and not self.state:
            raise ValueError("firing and resolved are values of state, which is missing")
        return self


class JsonSettings(HttpSettings):
    """[events.sources.<name>] with kind = "json"."""

    map: MapSettings


def read(body: bytes, _headers: Mapping[str, str], settings: JsonSettings, now: datetime) -> list[ReportedEvent]:
    """Read one call; a value of state that is in neither list is nothing to tell."""
    found, each = json_body.value(body), settings.map.each
    events = _search(each, found) if each else [found]
    if not isinstance(events, list):
        raise BadPayload(f"each ({each}) finds no list in the body")
    if len(events) > _MOST:
        raise BadPayload(f"{len(events):,} events in one call are more than {_MOST:,}")
    return [event for one in events if (event := _event(one, settings, now)) is not None]


def _event(found: Any, settings: JsonSettings, now: datetime) -> ReportedEvent | None:
    where = settings.map
    state = _text(where.state, found)
    phase = _phase(state, where)
    if phase is None:
        return None
    what, fingerprint = _text(where.what, found), _text(where.fingerprint, found) if state else ""
    if not what:
        raise BadPayload(f"what ({where.what}) finds nothing in an event")
    if state and not fingerprint:
        raise BadPayload(
            f"fingerprint ({where.fingerprint}) finds nothing in an event, so alerts could not be told apart"
        )
    fields = texts(_search(where.fields, found) if where.fields else found)
    return ReportedEvent(
        source=settings.name,
        kind=KIND,
        what=what,
        at=now,
        phase=phase,
        severity=settings.severity(_text(where.severity, found)) if where.severity else Severity.UNKNOWN,
        about=_text(where.about, found) or settings.about(fields),
        text=_text(where.text, found),
        fingerprint=fingerprint,
        started=json_body.moment(_search(where.started, found)) if where.started else None,
        ended=json_body.moment(_search(where.ended, found)) if where.ended and phase is Phase.RESOLVED else None,
        fields=fields,
    )


def _phase(state: str, where: MapSettings) -> Phase | None:
    """What a value of state means; None: nothing."""
    if not state:
        return Phase.SINGLE
    said = state.lower()
    if said in {value.lower() for value in where.resolved}:
        return Phase.RESOLVED
    wanted = {value.lower() for value in where.firing}
    return Phase.FIRING if not wanted or said in wanted else None


def _text(expression: str, found: Any) -> str:
    value = _search(expression, found) if expression else None
    return as_text(value) if isinstance(value, str | int | float) else ""


def _search(expression: str, found: Any) -> Any:
    try:
        return jmespath.search(expression, found)
    except (JMESPathError, RecursionError) as error:  # a function was given another type than it takes
        raise BadPayload(f"{expression} cannot be used on this body") from error


SOURCE = HttpKind(KIND, JsonSettings, read)
