"""What a look measured beside how it was judged: figures of a target and of its parts, with their unit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automation_bots.model import NOTHING

MS, RATE, PER_MINUTE, PERCENT, SIZE = "ms", "Mbit/s", "a minute", "%", "GB"


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of one look; the parts are interfaces, or the rows of a table."""

    unit: str = ""  # empty: nothing that has a figure
    whole: float | None = None
    parts: Mapping[str, float] = field(default_factory=lambda: NOTHING)


NONE = Measured()


def value(figure: float | None, unit: str) -> str:
    """A figure with as many digits as anybody wants, and its unit."""
    if figure is None:
        return ""
    if unit == MS:
        return f"{figure:.1f} ms" if figure < 10 else f"{figure:.0f} ms"
    if unit == RATE:
        return bits(figure * 1e6)
    return f"{figure:.3g} {unit}".rstrip()


def bits(rate: float) -> str:
    """A rate as people say it: `912.3Mbit/s`."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if rate >= size:
            return f"{rate / size:.4g}{unit}bit/s"
    return f"{rate:.4g}bit/s"
