"""LibreNMS's API transport: the variables of its templates, as JSON or a line each. By its documentation, not a server.

It writes values into the body as they are, so that a quote breaks JSON: of lines, the last one, `msg`, takes the rest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources import json_body
from automation_bots.alerts.sources.source import MAX_FIELDS, HttpKind, HttpSettings, texts
from automation_bots.errors import BadPayload

KIND = "librenms"
_LINE = re.compile(r"\s*([A-Za-z_]\w{0,40})\s*=(.*)")
_LONG = "msg"
_NOTHING = re.compile(r"\{\{.*\}\}")  # a variable that LibreNMS did not know
_TEST = "000"
_ABOUT = ("hostname", "sysName", "display", "ip")
_PHASES: Mapping[str, Phase] = MappingProxyType({
    "0": Phase.RESOLVED,
    "1": Phase.FIRING,
    "2": Phase.UPDATED,
    "3": Phase.FIRING,  # worse
    "4": Phase.FIRING,  # better
    "5": Phase.FIRING,  # changed
})  # fmt: skip


class LibrenmsSettings(HttpSettings):
    """[events.sources.<name>] with kind = "librenms"."""


def read(body: bytes, _headers: Mapping[str, str], settings: LibrenmsSettings, now: datetime) -> list[ReportedEvent]:
    """Read one call: one rule on one device."""
    found = {name: text for name, text in _values(body).items() if text and not _NOTHING.fullmatch(text)}
    if _TEST in {found.get("id"), found.get("uid"), found.get("alert_id")}:
        return [_event(found, settings, now, Phase.SINGLE)]
    phase = _PHASES.get(found.get("state", ""))
    if phase is None:
        raise BadPayload("state is none of 0 to 5; does the body of the transport have a line state={{ $state }} ?")
    return [_event(found, settings, now, phase)]


def _event(found: Mapping[str, str], settings: LibrenmsSettings, now: datetime, phase: Phase) -> ReportedEvent:
    acknowledged = phase is Phase.UPDATED
    return ReportedEvent(
        source=settings.name,
        kind=KIND,
        what=found.get("name") or found.get("title") or "alert",
        at=now,
        phase=phase,
        # With a recovery it says that all is well, which is not how bad it was.
        severity=Severity.UNKNOWN if phase is Phase.RESOLVED else settings.severity(found.get("severity", "")),
        about=settings.about(found, *_ABOUT),
        text=found.get(_LONG) or found.get("title", ""),
        fingerprint="" if phase is Phase.SINGLE else _fingerprint(found),
        fields={name: text for name, text in found.items() if name != _LONG},
        done="acknowledged" if acknowledged else "",
        note=found.get("alert_notes", "") if acknowledged else "",
    )


def _fingerprint(found: Mapping[str, str]) -> str:
    """The rule and the device: LibreNMS has no number for one life of an alert."""
    rule, device = found.get("rule_id") or found.get("name"), found.get("device_id") or found.get("hostname")
    if not rule or not device:
        raise BadPayload("the body of the transport needs rule_id (or name) and device_id (or hostname)")
    return f"{rule}@{device}"


def _values(body: bytes) -> Mapping[str, str]:
    if body.lstrip().startswith(b"{") and not body.lstrip().startswith(b"{{"):
        return texts(json_body.table(body))
    return _lines(body)


def _lines(body: bytes) -> Mapping[str, str]:
    found: dict[str, str] = {}
    lines = body.decode("utf-8", "replace").splitlines()
    for number, line in enumerate(lines):
        named = _LINE.fullmatch(line)
        if named is None or len(found) >= MAX_FIELDS:
            continue
        found[named[1]] = named[2].strip()
        if named[1] == _LONG:
            found[_LONG] = "\n".join([named[2], *lines[number + 1 :]]).strip()
            break
    return texts(found)


SOURCE = HttpKind(KIND, LibrenmsSettings, read)
