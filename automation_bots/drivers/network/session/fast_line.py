"""A command line that our own reader holds, for whoever changes a configuration in a thread of the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from automation_bots.drivers.network.session.prompt_reader import Reader
from automation_bots.drivers.network.session.typed_line import Steps, T


class FastLine:
    """Whole exchanges are handed to the loop at once: what is said between threads costs more than what is typed."""

    def __init__(self, reader: Reader, wait: Callable[[Any], Any]) -> None:
        self._reader, self._wait = reader, wait

    @property
    def hint(self) -> str:
        """Why it may refuse what others may ask."""
        return self._reader.hint

    def ask(self, command: str) -> str:
        """Send one line and return its answer."""
        return str(self._wait(self._reader.ask(command)))

    def run(self, steps: Steps[T]) -> T:
        """Type what comes out, and give back what the device prints."""
        return cast("T", self._wait(self._reader.run(steps)))

    def save(self) -> None:
        """Save for the next start."""
        self._wait(self._reader.save())
