"""Draws latency by group, or figures over time: JSON on standard input, PNG on standard output; its own program."""

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
_TOLD = (({"down"}, "v", "#d55e00"), ({"up"}, "^", "#009e73"), ({"degraded", "flapping"}, "D", "#cc79a7"),
         ({"unknown"}, "s", "#555555"))  # fmt: skip
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
    known = [figure for row in wanted["rows"] for figure in row["most"] if figure]
    top = 1.08 * max(known, default=1.0)
    axes.set_ylim(bottom=0, top=top)
    _events(axes, [(_moment(one["at"]), top, one["state"]) for one in wanted["events"]])
    axes.set_ylabel(wanted["unit"], fontsize=9, color=_INK)
    axes.grid(visible=True, alpha=0.3)
    # Under the picture, where it hides nothing; a name is never a formula.
    handles = [*axes.get_legend_handles_labels()[0], *_told_legend(wanted["events"])]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
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
    _figures(figure, axes, wanted, common)
    _losses(axes, rows, _times(wanted), common)
    places = {row["name"]: number for number, row in enumerate(rows)}
    _events(axes, [(_moment(one["at"]), places.get(one["row"], -0.5), one["state"]) for one in wanted["events"]])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=8, parse_math=False)
    _time_axis(axes, wanted)
    _heat_legend(figure, wanted)
    return _png(figure)


def _events(axes: Any, events: list[tuple[Any, float, str]]) -> None:
    """What was told, where it happened: each state has a shape, so that colours are not needed."""
    for states, marker, colour in _TOLD:
        at = [(moment, place) for moment, place, state in events if state in states]
        if at:
            axes.plot(*zip(*at, strict=True), linestyle="", marker=marker, markersize=7, color=colour,
                      markeredgecolor=_GROUND, markeredgewidth=0.8, clip_on=False, zorder=6)  # fmt: skip


def _told_legend(events: list[Any]) -> list[Any]:
    from matplotlib.lines import Line2D

    seen = {one["state"] for one in events}
    return [Line2D([], [], linestyle="", marker=marker, color=colour, label=" or ".join(sorted(states & seen)))
            for states, marker, colour in _TOLD if states & seen]  # fmt: skip


def _figures(figure: Any, axes: Any, wanted: dict[str, Any], common: dict[str, Any]) -> None:
    import numpy
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    rows = wanted["rows"]
    mean = numpy.array([[numpy.nan if one is None else one for one in row["mean"]] for row in rows])
    axes.imshow(numpy.ones(mean.shape), cmap=ListedColormap([_NOTHING]), **common)
    known = mean[numpy.isfinite(mean)]
    if not known.size:
        return
    low, high = float(known.min()), float(known.max())
    above = known[known > 0]
    if wanted["unit"] == "%":
        norm = Normalize(0, 100)
    elif above.size:  # nothing at all is as dark as the least
        least = max(float(above.min()), high / 10_000)
        norm = LogNorm(least, high if high > least * 1.01 else least * 10, clip=True)
        mean = numpy.maximum(mean, least)
    else:
        norm = Normalize(low, 1)
    shown = axes.imshow(numpy.ma.masked_invalid(mean), cmap="cividis", norm=norm, **common)
    bar = figure.colorbar(shown, ax=axes, pad=0.01, aspect=40)
    spread = numpy.geomspace if isinstance(norm, LogNorm) else numpy.linspace
    ticks = spread(float(norm.vmin or 0.0), float(norm.vmax or 1.0), 6)
    bar.set_ticks(ticks, labels=[f"{tick:.3g}" for tick in ticks])
    bar.set_label(wanted["unit"], fontsize=8, color=_INK)
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


def _heat_legend(figure: Any, wanted: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    some = Line2D([], [], linestyle="", marker="x", markersize=5, color=_BAD)
    bad, told = wanted["bad"], _told_legend(wanted["events"])
    lost = any(one for row in wanted["rows"] for one in row["lost"])
    named = [(Patch(color=_BAD), bad), (some, f"some {bad}")] if lost else []
    named += [(Patch(color=_NOTHING), "not looked at"), *((one, one.get_label()) for one in told)]
    figure.legend(*zip(*named, strict=True), loc="outside lower center", ncols=6, fontsize=8, frameon=False)


def _times(wanted: dict[str, Any]) -> list[Any]:
    return [_moment(at) for at in wanted["times"]]


def _moment(at: float) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC)


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
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
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
