"""Zabbix's webhook, as `deploy/zabbix/automation-bot.yaml` sends it: problems, recoveries, updates, its own troubles.

All values are texts. A macro without a value arrives as its own name, and means that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import Field

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources import json_body
from automation_bots.alerts.sources.source import MAX_FIELDS, HttpKind, HttpSettings, ServerUrl, as_text
from automation_bots.drivers.alerts.back import Back
from automation_bots.drivers.alerts.http import Server
from automation_bots.drivers.alerts.zabbix import ZabbixBack
from automation_bots.errors import BadPayload

KIND = "zabbix"
_MACRO = re.compile(r"\{[$#]?[A-Z][A-Z0-9_.:]*\}|\*UNKNOWN\*")
_NUMBER = re.compile(r"\d{1,20}")
_PROBLEM, _UPDATE = "1", "1"
_DISCOVERY, _REGISTRATION, _INTERNAL = "1", "2", "3"
_SEVERITIES = (Severity.UNKNOWN, Severity.INFO, Severity.WARNING, Severity.WARNING, Severity.HIGH, Severity.CRITICAL)
# What Zabbix calls somebody whose name the bot's own user may not see there.
_NOBODY = frozenset({"Inaccessible user"})
_DONE = (  # the first word that its list of actions has
    ("unacknowledged", "unacknowledged"),
    ("acknowledged", "acknowledged"),
    ("unsuppressed", "unsilenced"),
    ("suppressed", "silenced"),
    ("closed", "closed"),
    ("commented", "commented"),
)
_LOCAL = "%Y.%m.%d %H:%M:%S"
_AGE = re.compile(r"(\d{1,9})\s*([dhms])")
_SUPPRESSED = re.compile(r"suppressed until (\S+) (\d\d:\d\d:\d\d)")
_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_QUARTER = timedelta(minutes=15)  # all offsets of time zones are multiples of it
_FARTHEST, _OLDEST = timedelta(hours=15), timedelta(days=36_500)
_SENDER = ("event_source", "event_id", "host", "host_name", "host_ip", "host_dns", "host_groups", "severity", "opdata",
           "trigger_id", "trigger_url", "service_name", "discovery_ip", "discovery_dns", "discovery_status", "to",
           "update_action")  # fmt: skip
_ABOUT = ("host", "host_name", "host_dns", "host_ip", "discovery_dns", "discovery_ip", "service_name")


class ZabbixSettings(HttpSettings):
    """[events.sources.<name>] with kind = "zabbix"; url and api_token where the bot may acknowledge and close there."""

    url: ServerUrl = ""
    api_token: str = ""
    ca: str = ""
    poll_seconds: float = Field(60, ge=5, le=3_600)  # between two looks at what it could not tell


def back(settings: ZabbixSettings, path: Callable[[str], Path]) -> Back | None:
    """Its API, where the settings say how."""
    if not settings.url or not settings.api_token:
        return None
    return ZabbixBack(Server(settings.url, settings.api_token, ca=path(settings.ca) if settings.ca else None))


def read(body: bytes, _headers: Mapping[str, str], settings: ZabbixSettings, now: datetime) -> list[ReportedEvent]:
    """Read one call: a change of one problem, or something that has no state."""
    call = _Call(json_body.table(body), settings, now)
    if not _NUMBER.fullmatch(call.value("event_id")):
        return [call.tried()]
    if call.value("event_source") in {_DISCOVERY, _REGISTRATION}:
        return [call.event(call.heading, severity=Severity.INFO)]
    return call.of_problem()


class _Call:
    """What one call says."""

    def __init__(self, found: Mapping[str, Any], settings: ZabbixSettings, now: datetime) -> None:
        self._found, self._settings, self._now = found, settings, now

    def value(self, name: str) -> str:
        """Return a value; empty where it is missing, or a macro that has none."""
        found = self._found.get(name)
        text = as_text(found).strip() if isinstance(found, str | int | float) else ""
        return "" if _MACRO.fullmatch(text) else text

    @property
    def heading(self) -> str:
        """The name of the problem, or else what the message is about."""
        return self.value("name") or self.value("subject") or "event"

    def tried(self) -> ReportedEvent:
        """The button Test of the media type sends macros as they stand: shown as what it is. Else it is no event."""
        if "{EVENT.ID}" not in str(self._found.get("event_id", "")):
            raise BadPayload("event_id is no number; is the media type that of deploy/zabbix/automation-bot.yaml?")
        return self.event("test of the media type", severity=Severity.INFO)

    def of_problem(self) -> list[ReportedEvent]:
        """A problem that began, is over, or that somebody did something about; of one that is over, that too."""
        goes_on, updated = self._goes_on(), self.value("event_update_status") == _UPDATE
        over = self._of_life(Phase.RESOLVED, ended=self._ended())
        if not updated:
            return [self._of_life(Phase.FIRING) if goes_on else over]
        done, note = self._done(), self.value("update_message")
        until = self._until() if done == "silenced" else None
        told = self._of_life(Phase.UPDATED, by=self._by(), done=done, note=note, until=until)
        return [told] if goes_on else [over, told]

    def _goes_on(self) -> bool:
        value = self.value("event_value")
        if value not in {"0", "1"}:
            raise BadPayload("event_value is neither 1 (a problem) nor 0 (a recovery)")
        return value == _PROBLEM

    def _of_life(self, phase: Phase, **more: Any) -> ReportedEvent:
        """An event of a problem: its number in Zabbix is of this one life."""
        event = self.event(
            self.heading, phase=phase, severity=self._severity(), fingerprint=self.value("event_id"),
            started=self._started(), **more,
        )  # fmt: skip
        return event if phase is Phase.FIRING else replace(event, text="")  # what is wrong stays what it was

    def event(self, what: str, **more: Any) -> ReportedEvent:
        """An event with all that is known of whom it is about."""
        fields = self._fields()
        text = " · ".join(filter(None, (self.value("message"), self.value("opdata"))))
        return ReportedEvent(
            source=self._settings.name, kind=KIND, what=what, at=self._now,
            about=self._settings.about(fields, *_ABOUT), text=text, fields=fields, **more,
        )  # fmt: skip

    def _severity(self) -> Severity:
        if self.value("event_source") == _INTERNAL:
            return Severity.WARNING
        number = self.value("nseverity")  # the words may be other ones there, in any language
        usual = _SEVERITIES[int(number)] if number in set("012345") else Severity.UNKNOWN
        return self._settings.severity(self.value("severity"), usual)

    def _fields(self) -> dict[str, str]:
        """Its tags by their names, and what it says of the host; a tag that is called so gives way."""
        told = {name: text for name in _SENDER if (text := self.value(name))}
        tags: dict[str, str] = {}
        for tag, value in self._tags():
            tags[tag] = f"{tags[tag]}, {value}" if tags.get(tag) else value
        return {**dict(list(tags.items())[: MAX_FIELDS - len(told)]), **told}

    def _tags(self) -> list[tuple[str, str]]:
        """JSON in a text: a list of names with values. What is no such thing is no tag."""
        try:
            found = json_body.value(self.value("tags").encode("utf-8", "replace") or b"[]")
        except BadPayload:
            return []
        listed = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
        return [(name, as_text(one.get("value"))) for one in listed if (name := as_text(one.get("tag")))]

    # -- who did what

    def _by(self) -> str:
        name = " ".join(self.value("update_user").split())
        name = name.removeprefix("(").removesuffix(")") if name.startswith("(") else name  # a user without a name
        return "" if name in _NOBODY else name

    def _done(self) -> str:
        action = self.value("update_action")
        words = set(re.findall(r"[a-z]+", action))
        return next((done for word, done in _DONE if word in words), action)

    # -- when

    def _started(self) -> datetime | None:
        """When it began: to the second the same in every message of one life, whatever time zone it is written in."""
        if exact := json_body.moment(self.value("timestamp")):
            return exact
        local = _local(self.value("date"), self.value("time"))
        return local - self._offset(local) if local else None

    def _ended(self) -> datetime | None:
        local, began = _local(self.value("recovery_date"), self.value("recovery_time")), self._began()
        return local - self._offset(began) if local and began else None

    def _until(self) -> datetime | None:
        """Until when it is suppressed; None where that has no end."""
        found, began = _SUPPRESSED.search(self.value("update_action")), self._began()
        local = _local(found[1], found[2]) if found else None
        return local - self._offset(began) if local and began else None

    def _began(self) -> datetime | None:
        return _local(self.value("date"), self.value("time"))

    def _offset(self, began: datetime) -> timedelta:
        """How far its clock is from UTC: its age, which has no time zone, says when it began, as its clock does."""
        age = _age(self.value("age"))
        offset = round((began - (self._now - age)) / _QUARTER) * _QUARTER if age is not None else timedelta(0)
        return offset if abs(offset) < _FARTHEST else timedelta(0)


def _local(date: str, time: str) -> datetime | None:
    """A time as Zabbix writes it, as if it were in UTC."""
    try:
        found = datetime.strptime(f"{date} {time}", _LOCAL).replace(tzinfo=UTC)
    except ValueError:
        return None
    return found if found.year in json_body.YEARS else None


def _age(text: str) -> timedelta | None:
    """Read `2d 3h 1m`."""
    parts = _AGE.findall(text)
    found = timedelta(seconds=sum(int(number) * _UNITS[unit] for number, unit in parts[:4]))
    return found if parts and found < _OLDEST else None


SOURCE = HttpKind(KIND, ZabbixSettings, read, back)
