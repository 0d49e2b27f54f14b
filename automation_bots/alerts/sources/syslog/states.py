"""Messages that say that something went down or came back: what they are about, so that both are one alert. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources.syslog.line import Line


@dataclass(frozen=True, slots=True)
class State:
    """What a message says of one thing of its device."""

    of: str  # link:GigabitEthernet0/3
    what: str
    phase: Phase
    severity: Severity


@dataclass(frozen=True, slots=True)
class _Form:
    """How messages of one name are read; `up` tells by the words found whether it is back, None for neither."""

    names: str
    text: re.Pattern[str]
    what: str
    severity: Severity
    up: Callable[[re.Match[str]], bool | None]


def _says(found: re.Match[str]) -> bool | None:
    return {"up": True, "down": False}.get(found["state"].lower())


def _cleared(found: re.Match[str]) -> bool | None:
    return found["alarm"] == "cleared"


def _full(found: re.Match[str]) -> bool | None:
    """Of neighbours whose only good state is the last one: what it was before says whether something was lost."""
    before, now = found["before"].lower(), found["now"].lower()
    if now in _LAST:
        return True
    return False if before in _LAST else None


_LAST = ("full", "established", "2way")
_INTERFACE = r"[Ii]nterface (?P<key>[\w./:-]+)"
_FORMS = (
    _Form("*LINK-*-UPDOWN|LINEPROTO-*-UPDOWN|INTERFACE_VLAN-*-UPDOWN",
          re.compile(_INTERFACE + r".{0,200}?, changed state to (?P<state>up|down)", re.IGNORECASE),
          "link", Severity.WARNING, _says),
    _Form("ETHPORT-*-IF_UP", re.compile(_INTERFACE + " is (?P<state>up)"), "link", Severity.WARNING, _says),
    _Form("ETHPORT-*-IF_DOWN_*", re.compile(_INTERFACE + " is (?P<state>down)"), "link", Severity.WARNING, _says),
    _Form("IFNET-*-*", re.compile(_INTERFACE + r" has turned into (?P<state>\w+) state"), "link", Severity.WARNING,
          _says),
    _Form("IFNET-*-*_UPDOWN", re.compile(_INTERFACE + " changed to (?P<state>up|down)"), "link", Severity.WARNING,
          _says),
    _Form("SNMP_TRAP_LINK_*", re.compile(r"ifOperStatus (?P<state>\w+).*ifName (?P<key>[\w./:-]+)"), "link",
          Severity.WARNING, _says),
    _Form("*BGP-*-ADJCHANGE*|ADJCHANGE", re.compile(r"neighbor (?P<key>[\w.:]+).*? (?P<state>[Uu]p|[Dd]own)\b"), "BGP",
          Severity.HIGH, _says),
    _Form("*BGP-*-ADJCHANGE", re.compile(r"peer (?P<key>[\w.:]+).* old state (?P<before>\w+).* new state (?P<now>\w+)"),
          "BGP", Severity.HIGH, _full),
    _Form("RPD_BGP_NEIGHBOR_STATE_CHANGED",
          re.compile(r"BGP peer (?P<key>[\w.:]+) .*from (?P<before>\w+) to (?P<now>\w+)"), "BGP", Severity.HIGH, _full),
    _Form("*OSPF*-*-ADJCHG",
          re.compile(r"N(?:br|eighbor) (?P<key>[\w.:]+ on [\w./:-]+) from (?P<before>\w+) to (?P<now>\w+)"), "OSPF",
          Severity.HIGH, _full),
    _Form("ISIS-*-ISIS_ADJCHG",
          re.compile(r"SystemID (?P<key>[\w.]+ on [\w./:-]+) to (?P<state>UP|DOWN)"), "IS-IS", Severity.HIGH, _says),
    _Form("alarmd", re.compile(r"Alarm (?P<alarm>set|cleared): .*reason=(?P<key>.+)"), "alarm", Severity.HIGH,
          _cleared),
    _Form("craftd", re.compile(r"alarm (?P<alarm>set|cleared), (?P<key>.+)"), "alarm", Severity.HIGH, _cleared),
    _Form("*ISIS-*-ADJCHANGE|CLNS-*-ADJCHANGE",
          re.compile(r"[Aa]djacency to (?P<key>\S+ \([^)]{1,60}\)).*? (?P<state>Up|Down)\b"), "IS-IS", Severity.HIGH,
          _says),
)  # fmt: skip


def state(line: Line) -> State | None:
    """Say what a message means for something that can be down; None for one that tells of no state.

    SINGLE: it goes from one state in which it is not up to another, which is no news.
    """
    for form in _FORMS:
        if not any(fnmatchcase(line.what, name) for name in form.names.split("|")):
            continue
        if found := form.text.search(line.text[:400]):
            up = form.up(found)
            phase = Phase.SINGLE if up is None else Phase.RESOLVED if up else Phase.FIRING
            what = f"{form.what} {found['key']}"
            return State(
                f"{form.what}:{found['key']}", what if form.what == "alarm" else f"{what} down", phase, form.severity
            )
    return None
