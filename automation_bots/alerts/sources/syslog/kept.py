"""Which messages are kept: a busy router says thousands an hour, and few of them are news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from automation_bots.alerts.event import Severity
from automation_bots.alerts.sources.syslog.line import Line

LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
_SEVERITIES = (*[Severity.CRITICAL] * 3, Severity.HIGH, Severity.WARNING, *[Severity.INFO] * 3)

# What matters although devices call it a notice: neighbours and links, who changed something, who restarted.
MATTERS = (
    "*LINK-*-UPDOWN", "LINEPROTO-*-UPDOWN", "ETHPORT-*-IF_DOWN_*", "ETHPORT-*-IF_UP", "IFNET-*-IF_STATE",
    "IFNET-*-*_UPDOWN", "SNMP_TRAP_LINK_*", "*BGP-*-ADJCHANGE*", "ADJCHANGE",
    "RPD_BGP_NEIGHBOR_STATE_CHANGED", "*OSPF*-*-ADJCHG",
    "*ISIS-*-ADJCHANGE", "CLNS-*-ADJCHANGE", "HSRP-*-STATECHANGE", "VRRP-*-STATECHANGE", "BFD-*-STATE_CHANGE",
    "SYS-*-CONFIG_I", "SYS-*-RESTART", "SYS-*-RELOAD", "VSHD-*-VSHD_SYSLOG_CONFIG_I", "MGBL-CONFIG-*-DB_COMMIT",
    "UI_COMMIT", "REDUNDANCY-*", "STACKMGR-*-SWITCH_*", "STACKMGR-*-MASTER_*",
)  # fmt: skip


# What firewalls call a warning and say thousands of times an hour: packets that they did not let through.
NOISE = ("ASA-4-106023", "FTD-4-106023", "ASA-4-313005", "FTD-4-313005")


@dataclass(frozen=True, slots=True)
class Kept:
    """Worse than or as bad as a level, or of a name that matters; never of a name that is left out."""

    level: int = LEVELS.index("warning")
    names: Sequence[str] = MATTERS
    never: Sequence[str] = NOISE

    def keeps(self, line: Line) -> bool:
        """Whether a message is news; of one that says nothing of how bad it is nobody can say, so it is kept."""
        if _named(line, self.never):
            return False
        return line.severity is None or line.severity <= self.level or _named(line, self.names)


def severity(line: Line) -> Severity:
    """How bad a message calls itself."""
    return Severity.UNKNOWN if line.severity is None else _SEVERITIES[line.severity]


def _named(line: Line, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(line.what, pattern) for pattern in patterns)
