"""Devices closed to changes by people: freezes (for everybody) and locks (for all but their owner). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from automation_bots.model import one_line
from automation_bots.text.times import moment_text

ALL = "*"  # in place of a device: every one, also those that come later


class BlockKind(StrEnum):
    """How devices are closed."""

    FREEZE = "freeze"
    LOCK = "lock"


DONE = {BlockKind.FREEZE: "frozen", BlockKind.LOCK: "locked"}


@dataclass(frozen=True, slots=True)
class ChangeBlock:
    """One freeze or lock: what somebody closed at once. Times are aware."""

    kind: BlockKind
    person: str
    reason: str
    devices: frozenset[str]  # {ALL}: every one
    at: datetime
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Return whether its time is not over."""
        return self.until is None or now < self.until

    def by(self, all_names: Callable[[Iterable[str]], frozenset[str]]) -> ChangeBlock:
        """Return it for every name that its devices have."""
        names = all_names(self.devices)
        return self if len(names) == len(self.devices) else replace(self, devices=names)

    def hits(self, devices: Iterable[str]) -> list[str]:
        """Return which of the devices it closes, sorted."""
        return sorted(device for device in devices if ALL in self.devices or device in self.devices)


def blocking(
    change_blocks: Sequence[ChangeBlock], devices: frozenset[str], person: str, now: datetime
) -> list[ChangeBlock]:
    """Return the blocks that keep a person from changing these devices now; no device: those of all."""
    return [
        block
        for block in change_blocks
        if block.holds(now)
        and not (block.kind is BlockKind.LOCK and block.person == person)
        and (ALL in block.devices or not block.devices.isdisjoint(devices))
    ]


def sentence(block: ChangeBlock, zone: str) -> str:
    """Who closed it, why and until when: what follows the names of the devices."""
    until = f" until {moment_text(block.until, zone)}" if block.until else ""
    why = f": {one_line(block.reason, 200)}" if block.reason else ""
    return f"{DONE[block.kind]} by {block.person}{until}{why}"
