"""One message of syslog as a value: what a device says of itself in it is never trusted for more than its text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automation_bots.model import NOTHING


@dataclass(frozen=True, slots=True)
class Line:
    """What was understood of a message; all of it is the sender's."""

    text: str
    severity: int | None = None  # 0 emergency … 7 debug: the message's own word, else its priority's
    facility: int | None = None
    hosts: tuple[str, ...] = ()  # what it calls its sender: a relay's word first, the device's own last
    program: str = ""
    mnemonic: str = ""  # LINK-3-UPDOWN, RPD_BGP_NEIGHBOR_STATE_CHANGED
    clock: str = ""  # the sender's time as written: often without a year, a zone, or a clock that was ever set
    fields: Mapping[str, str] = field(default_factory=lambda: NOTHING)

    @property
    def what(self) -> str:
        """What the message is called."""
        return self.mnemonic or self.program or "syslog"
