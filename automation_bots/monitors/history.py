"""Looks packed into few bytes, and what many of them come to. Pure.

A figure is a latency in ms, or what else a target measures in its own unit, to a fortieth of a percent; a time is kept
to a tenth of a second: four bytes a look, ten for five minutes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

RAW, FINE, COARSE = 0, 1, 2  # looks; figures of five minutes; figures of an hour
RAW_SECONDS, FINE_SECONDS, COARSE_SECONDS = 300, 300, 3_600  # what a chunk of looks, and a figure of each, is about
CHUNK_SECONDS = {RAW: RAW_SECONDS, FINE: 3_600, COARSE: 86_400}  # what a row holds
KEPT_SECONDS = {RAW: 86_400, FINE: 30 * 86_400, COARSE: 365 * 86_400}

_LOST, _BLIND = 0, 65_535  # codes that are no latency
_LEAST = 0.001  # what is smaller is nothing
_STEPS = 3_000  # codes for each e-fold: from a thousandth to three millions
_LOOK = struct.Struct("<HH")
_FIGURE = struct.Struct("<HHHHH")


@dataclass(frozen=True, slots=True)
class Kept:
    """One look as it was kept: `value` is None when nothing answered; `blind`: it could not be looked at."""

    at: float
    value: float | None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """What looks of a time come to: how many, how many of them lost, the figures of the others."""

    at: int
    looks: int
    lost: int
    least: float
    mean: float
    most: float


def _code(value: float) -> int:
    return min(_BLIND - 1, max(1, 1 + round(_STEPS * math.log(max(value, _LEAST) / _LEAST))))


def _value(code: int) -> float:
    return _LEAST * math.exp((code - 1) / _STEPS) if code > 1 else 0.0


def packed(start: int, at: float, value: float | None, *, blind: bool = False) -> bytes:
    """Write one look of the chunk that begins at `start`."""
    code = _BLIND if blind else _LOST if value is None else _code(value)
    return _LOOK.pack(min(65_535, max(0, round((at - start) * 10))), code)


def looks(start: int, data: bytes) -> Iterator[Kept]:
    """Read a chunk of looks; a torn end is left out."""
    for offset, code in _LOOK.iter_unpack(data[: len(data) // _LOOK.size * _LOOK.size]):
        at = start + offset / 10
        yield Kept(at, None, blind=True) if code == _BLIND else Kept(at, None if code == _LOST else _value(code))


def figure(at: int, found: Iterable[Kept]) -> Figure:
    """Sum looks up; those that saw nothing do not count."""
    known = [one for one in found if not one.blind]
    values = [one.value for one in known if one.value is not None]
    mean = sum(values) / len(values) if values else 0.0
    return Figure(at, len(known), len(known) - len(values), min(values, default=0.0), mean, max(values, default=0.0))


def joined(at: int, found: Sequence[Figure]) -> Figure:
    """Sum figures up."""
    answered = [(one.looks - one.lost, one) for one in found if one.looks > one.lost]
    count = sum(weight for weight, _ in answered)
    mean = sum(weight * one.mean for weight, one in answered) / count if count else 0.0
    least, most = (pick((getattr(one, name) for _, one in answered), default=0.0) for pick, name in
                   ((min, "least"), (max, "most")))  # fmt: skip
    return Figure(at, sum(one.looks for one in found), sum(one.lost for one in found), least, mean, most)


def packed_figures(found: Sequence[Figure]) -> bytes:
    """Write figures that follow each other."""
    return b"".join(
        _FIGURE.pack(min(one.looks, 65_535), min(one.lost, 65_535),
                     *(_code(value) if one.looks > one.lost else _LOST for value in (one.least, one.mean, one.most)))
        for one in found
    )  # fmt: skip


def figures(start: int, step: int, data: bytes) -> Iterator[Figure]:
    """Read figures that follow each other; those without a look are left out."""
    whole = data[: len(data) // _FIGURE.size * _FIGURE.size]
    for number, (count, lost, *codes) in enumerate(_FIGURE.iter_unpack(whole)):
        if count:
            yield Figure(start + number * step, count, lost, *(_value(code) if code else 0.0 for code in codes))


def hour(start: int, chunks: Sequence[tuple[int, bytes]]) -> bytes:
    """The figures of five minutes each of an hour, of its chunks of looks."""
    by_start = dict(chunks)
    return packed_figures(
        [figure(at, looks(at, by_start.get(at, b""))) for at in range(start, start + CHUNK_SECONDS[FINE], FINE_SECONDS)]
    )


def day(start: int, chunks: Sequence[tuple[int, bytes]]) -> bytes:
    """The figures of an hour each of a day, of its chunks of five-minute figures."""
    by_start = dict(chunks)
    hours = range(start, start + CHUNK_SECONDS[COARSE], COARSE_SECONDS)
    return packed_figures([joined(at, list(figures(at, FINE_SECONDS, by_start.get(at, b"")))) for at in hours])
