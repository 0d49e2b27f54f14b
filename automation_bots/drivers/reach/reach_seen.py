"""What a sweep saw of one device: the value that the driver, the summary and the picture share."""

from __future__ import annotations

from dataclasses import dataclass

from automation_bots.model import Status


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether one device answered, how often, how fast, and why not."""

    device: str
    status: Status
    address: str  # what was probed; empty when the name does not resolve
    sent: int
    received: int
    times_ms: tuple[float, ...]  # one for each answer, in the order of the tries
    ports: tuple[tuple[int, str], ...] = ()  # (TCP port, open / refused / no answer …)
    reason: str = ""  # why it is not OK: "name does not resolve", "no answer", "no route" …
