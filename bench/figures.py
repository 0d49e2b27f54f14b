"""What a benchmark finds: a figure, the bar it has to keep under, and how figures are made of many samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; without a bar it is only there to compare with."""

    name: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def holds(self) -> bool | None:
        return None if self.bar is None else self.value <= self.bar

    def row(self) -> dict[str, Any]:
        value = round(self.value, 3)
        return {"name": self.name, "value": value, "unit": self.unit, "bar": self.bar, "holds": self.holds}

    def __str__(self) -> str:
        verdict = {
            None: "",
            True: f"  (bar {self.bar:g}: holds)" if self.bar else "",
            False: f"  (bar {self.bar}: MISSED)",
        }
        return f"{self.name:<28} {self.value:10.3f} {self.unit}{verdict[self.holds]}"


def quantile(samples: Sequence[float], part: float) -> float:
    """The sample below which that part of all lies (nearest rank)."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How much longer ours takes, by the medians of interleaved samples."""
    return median(ours) / median(theirs)
