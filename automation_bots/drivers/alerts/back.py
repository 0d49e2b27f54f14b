"""The contract of every server that can be told something about its own alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from automation_bots.errors import DriverError
from automation_bots.model import Alert, one_line

_NOTE = 1_000  # characters; Zabbix takes 2,048 with what stands behind it


class Deed(StrEnum):
    """What somebody does about an alert."""

    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    COMMENT = "comment"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants done about an alert. Servers know the bot alone, so that the person is named in the text."""

    deed: Deed
    alert: Alert
    person: str
    job: int  # in the record, where it stands who that is
    note: str = ""
    until: datetime | None = None  # of SILENCE

    @property
    def signed(self) -> str:
        """The note with who says it, and the number of the record."""
        by = f"({self.person}, from chat, #{self.job})"
        return f"{one_line(self.note, _NOTE)} {by}" if self.note else f"{self.deed} {by}"


class Back(Protocol):
    """One server; it raises DriverError for what was not done, and `Unsure` for what nobody knows of."""

    @property
    def called(self) -> str:
        """What people call it: Zabbix, Alertmanager."""

    def tell(self, wish: Wish) -> str:
        """Do it there, and say what came of it; empty where it has no such thing, so that it counts here alone."""

    def trouble(self) -> str:
        """Why nothing can be told there; empty when it can. Nothing is changed by asking."""


class Unsure(DriverError):
    """It was sent, and what became of it is not known."""
