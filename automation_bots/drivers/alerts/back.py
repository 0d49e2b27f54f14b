"""What somebody does about an alert, and the contract of a server that can be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from automation_bots.errors import DriverError
from automation_bots.model import Alert, one_line

ACKNOWLEDGE, UNACKNOWLEDGE, COMMENT = "acknowledge", "unacknowledge", "comment"
SILENCE, UNSILENCE, CLOSE = "silence", "unsilence", "close"
_NOTE = 1_000  # characters; Zabbix takes 2,048 with what stands behind it


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person does about an alert. Servers know the bot alone, so that the person is named in the text."""

    what: str  # one of the words above
    person: str
    note: str = ""
    until: datetime | None = None  # of a silence
    audit: int = 0  # the job, in whose record stands who that is

    @property
    def signed(self) -> str:
        """The note with who says it, and the number in the record."""
        return f"{one_line(self.note, _NOTE) or self.what} ({self.person}, from chat, #{self.audit})"


class Back(Protocol):
    """One server that told of alerts. It raises DriverError for what was not done, `Unsure` where nobody knows."""

    @property
    def does(self) -> frozenset[str]:
        """The deeds that it knows; others count here alone."""

    def tell(self, alert: Alert, deed: Deed) -> str:
        """Do it there, in a thread that may wait; return what came of it in a few words."""

    def trouble(self) -> str:
        """Why nothing can be told there; empty when it can. Nothing is changed by asking."""


class Unsure(DriverError):
    """It was sent, and what became of it is not known."""
