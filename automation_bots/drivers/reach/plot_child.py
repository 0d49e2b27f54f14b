"""Draws latency by group or over time, from JSON on standard input to PNG on standard output; a program of its own."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

_ROWS = 40  # more groups would be too small to read
_BLUE, _RED = "#3b6ea5", "#c0392b"
# Of Okabe and Ito: told apart by everybody; each line has a dash of its own besides.
_LINES = (("#0072b2", "-"), ("#e69f00", "--"), ("#009e73", "-."), ("#cc79a7", ":"), ("#56b4e9", (0, (5, 1))),
          ("#000000", (0, (1, 1))))  # fmt: skip
_BAD = "#d55e00"
_GROUND, _NOTHING, _INK = "#fbfbfb", "#e3e3e3", "#222222"  # a card that reads on dark and light


def drawn(wanted: dict[str, Any]) -> bytes:
    """Return the PNG of what is wanted."""
    if wanted["kind"] == "groups":
        return _groups(wanted["groups"])
    return _lines(wanted) if len(wanted["rows"]) <= len(_LINES) else _heat(wanted)


def _groups(by_group: dict[str, list[float]]) -> bytes:
    """The groups with the highest median are on top."""
    from matplotlib.cbook import boxplot_stats  # the large import, here only

    stats = [{**boxplot_stats(times, whis=(5, 95))[0], "label": name} for name, times in by_group.items()]
    stats = sorted(stats, key=lambda one: one["med"])[-_ROWS:]
    worst = [max(by_group[one["label"]]) for one in stats]
    labels = [f"{one['label']} ({len(by_group[one['label']]):,})" for one in stats]
    figure, axes = _figure(8, 1.4 + 0.34 * len(stats))
    _boxes(axes, stats, worst)
    # A group's name is never a formula, whatever it is called.
    axes.set_yticks(range(1, len(stats) + 1), labels, parse_math=False)
    _words(axes)
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=110, layout="constrained", facecolor=_GROUND)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_facecolor(_GROUND)
    axes.tick_params(colors=_INK, labelsize=8)
    return figure, axes


def _png(figure: Any) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


# -- over time


def _lines(wanted: dict[str, Any]) -> bytes:
    """A line for each target, with the range of each moment; what was lost as marks and shade."""
    figure, axes = _figure(9, 4.2)
    times = _times(wanted)
    for row, (colour, dash) in zip(wanted["rows"], _LINES, strict=False):
        _line(axes, times, row, colour, dash)
    known = [ms for row in wanted["rows"] for ms in row["most"] if ms]
    axes.set_ylim(bottom=0, top=1.08 * max(known, default=1.0))
    axes.set_ylabel("milliseconds", fontsize=9, color=_INK)
    axes.grid(visible=True, alpha=0.3)
    # Under the picture, where it hides nothing; a name is never a formula.
    legend = figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    _time_axis(axes, wanted)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return _png(figure)


def _line(axes: Any, times: list[Any], row: dict[str, Any], colour: str, dash: Any) -> None:
    nan = float("nan")
    mean, least, most = ([nan if ms is None else ms for ms in row[name]] for name in ("mean", "least", "most"))
    marker = "o" if sum(ms == ms for ms in mean) <= 2 else ""
    axes.plot(times, mean, color=colour, linestyle=dash, linewidth=1.6, marker=marker, markersize=4, label=row["name"])
    axes.fill_between(times, least, most, color=colour, alpha=0.15, linewidth=0)
    step = times[1] - times[0] if len(times) > 1 else None
    for at, lost in zip(times, row["lost"], strict=True):
        if lost and step:
            axes.axvspan(at - step / 2, at + step / 2, color=_BAD, alpha=0.12 + 0.28 * lost, linewidth=0)
    bad = [at for at, lost in zip(times, row["lost"], strict=True) if lost]
    if bad:
        axes.plot(bad, [0] * len(bad), linestyle="", marker="x", markersize=6, color=colour, clip_on=False, zorder=5)


def _heat(wanted: dict[str, Any]) -> bytes:
    """A row for each target, a column for each moment: latency as colour, what was lost in a colour of its own."""
    rows = wanted["rows"]
    figure, axes = _figure(9, 1.5 + 0.21 * len(rows))
    begin, end = (_dates().date2num(at) for at in (_times(wanted)[0], _times(wanted)[-1]))
    half = (end - begin) / max(1, len(wanted["times"]) - 1) / 2 or 1 / 86_400
    extent = (begin - half, end + half, len(rows) - 0.5, -0.5)
    common = {"aspect": "auto", "interpolation": "nearest", "extent": extent}
    _latencies(figure, axes, rows, common)
    _losses(axes, rows, _times(wanted), common)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8, parse_math=False)
    _time_axis(axes, wanted)
    _heat_legend(figure, wanted["bad"])
    return _png(figure)


def _latencies(figure: Any, axes: Any, rows: list[Any], common: dict[str, Any]) -> None:
    import numpy
    from matplotlib.colors import ListedColormap, LogNorm

    mean = numpy.array([[numpy.nan if ms is None else max(ms, 0.001) for ms in row["mean"]] for row in rows])
    axes.imshow(numpy.ones(mean.shape), cmap=ListedColormap([_NOTHING]), **common)
    known = mean[numpy.isfinite(mean)]
    if not known.size:
        return
    low, high = float(known.min()), float(known.max())
    norm = LogNorm(low, high if high > low * 1.01 else low * 10)
    shown = axes.imshow(numpy.ma.masked_invalid(mean), cmap="cividis", norm=norm, **common)
    bar = figure.colorbar(shown, ax=axes, pad=0.01, aspect=40, format="%g")
    bar.set_label("milliseconds", fontsize=8, color=_INK)
    bar.ax.tick_params(labelsize=7, colors=_INK)
    bar.ax.minorticks_off()


def _losses(axes: Any, rows: list[Any], times: list[Any], common: dict[str, Any]) -> None:
    """Half or more of a moment fills it; less is a mark."""
    import numpy
    from matplotlib.colors import ListedColormap

    lost = numpy.array([[0.0 if one is None else one for one in row["lost"]] for row in rows])
    axes.imshow(numpy.ma.masked_less(lost, 0.5), cmap=ListedColormap([_BAD]), **common)
    some = numpy.argwhere((lost > 0) & (lost < 0.5))
    axes.plot([times[at] for _, at in some], [row for row, _ in some], "x", markersize=3.5, color=_BAD)


def _heat_legend(figure: Any, bad: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    some = Line2D([], [], linestyle="", marker="x", markersize=5, color=_BAD)
    handles = [Patch(color=_BAD), some, Patch(color=_NOTHING)]
    figure.legend(handles, [f"{bad}", f"some {bad}", "not looked at"], loc="outside lower center", ncols=3, fontsize=8,
                  frameon=False)  # fmt: skip


def _times(wanted: dict[str, Any]) -> list[Any]:
    from datetime import UTC, datetime

    return [datetime.fromtimestamp(at, UTC) for at in wanted["times"]]


def _dates() -> Any:
    from matplotlib import dates

    return dates


def _time_axis(axes: Any, wanted: dict[str, Any]) -> None:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(wanted["zone"])
    locator = _dates().AutoDateLocator(tz=zone, maxticks=9)
    axes.xaxis_date(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(_dates().ConciseDateFormatter(locator, tz=zone))
    axes.xaxis.get_offset_text().set_fontsize(8)
    axes.set_xlabel(wanted["zone"], fontsize=8, color=_INK)
    axes.set_title(wanted["title"], fontsize=10, color=_INK, parse_math=False, loc="left")


def _boxes(axes: Any, stats: list[dict[str, Any]], worst: list[float]) -> None:
    places = list(range(1, len(stats) + 1))
    axes.bxp(
        stats,
        positions=places,
        orientation="horizontal",
        showfliers=False,
        patch_artist=True,
        widths=0.55,
        boxprops={"facecolor": "#cfe0f0", "edgecolor": _BLUE},
        whiskerprops={"color": _BLUE},
        capprops={"color": _BLUE},
        medianprops={"color": _BLUE, "linewidth": 2},
    )
    axes.plot(worst, places, linestyle="", marker="o", markersize=4, color=_RED, label="worst")


def _words(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("milliseconds (box: middle half, line: median, whiskers: 5–95 %)", fontsize=9)
    axes.set_title("Latency by group (answers)", fontsize=11)
    axes.grid(visible=True, axis="x", which="both", alpha=0.3)
    axes.legend(loc="lower right", fontsize=8)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


if __name__ == "__main__":
    sys.stdout.buffer.write(drawn(json.load(sys.stdin)))
