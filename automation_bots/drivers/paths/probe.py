"""What a look at one device is: its address in, what was found out; lines to show on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from automation_bots.model import Status

Tell = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one device."""

    status: Status
    summary: str
    output: str = ""


class Look(Protocol):
    """One question to one address; None when it was stopped."""

    def __call__(self, address: str, tell: Tell) -> Finding | None:
        """Ask, telling the lines that are known so far."""
