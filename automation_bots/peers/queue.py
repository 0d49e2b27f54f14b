"""What carries messages between bots; a database that all reach does, and a broker can."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from automation_bots.store.peer_queue import Delivery, Sign


class Queue(Protocol):
    """One bot's end. Every method may raise a StoreError while it is away. Nothing it gives is trusted."""

    where: str

    def put(self, reader: str, body: str) -> str:
        """Send; returns what the message is withdrawn by."""

    def withdraw(self, delivery: str) -> bool:
        """Take a message back; False when its reader has it, or nobody can say."""

    def take(self, reader: str, longest: int, known: Collection[str] = ()) -> list[Delivery]:
        """Return what is there for a reader and not known yet, in its order; each comes again until it is done."""

    def done(self, deliveries: list[str]) -> None:
        """Let messages go."""

    def beat(self, bot: str, card: str) -> None:
        """Give a sign of life."""

    def leave(self, bot: str) -> None:
        """Say that a bot ends."""

    def signs(self) -> Mapping[str, Sign]:
        """The last sign of life of each bot."""

    def forget(self) -> int:
        """Forget what nobody took for long."""

    def close(self) -> None:
        """End."""
