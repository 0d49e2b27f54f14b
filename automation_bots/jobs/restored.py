"""What was pending in a record that was restored: nothing of it goes on until a person says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

WAITS = "waits: the record was restored from a backup, so it may have run already → !continue <n>"


class RestoredRequests:
    """Jobs that wait for a word since the record was restored; the record knows them, this is its copy in memory."""

    def __init__(self, numbers: Iterable[int] = ()) -> None:
        self._waits: Mapping[int, str] = dict.fromkeys(sorted(numbers), WAITS)  # swapped as a whole

    def __contains__(self, number: object) -> bool:
        return number in self._waits

    @property
    def waits(self) -> Mapping[int, str]:
        """Why each of them does not start."""
        return self._waits

    def let_go(self, number: int) -> None:
        """Somebody has decided about one of them."""
        self._waits = {other: why for other, why in self._waits.items() if other != number}
