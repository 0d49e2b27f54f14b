"""Draws latency by group, from JSON on standard input to PNG on standard output; a program of its own."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

_ROWS = 40  # more groups would be too small to read
_BLUE, _RED = "#3b6ea5", "#c0392b"


def drawn(by_group: dict[str, list[float]]) -> bytes:
    """Return the PNG; the groups with the highest median are on top."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # the large import, here only
    from matplotlib.cbook import boxplot_stats
    from matplotlib.figure import Figure

    stats = [{**boxplot_stats(times, whis=(5, 95))[0], "label": name} for name, times in by_group.items()]
    stats = sorted(stats, key=lambda one: one["med"])[-_ROWS:]
    worst = [max(by_group[one["label"]]) for one in stats]
    labels = [f"{one['label']} ({len(by_group[one['label']]):,})" for one in stats]
    figure = Figure(figsize=(8, 1.4 + 0.34 * len(stats)), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    _boxes(axes, stats, worst)
    # A group's name is never a formula, whatever it is called.
    axes.set_yticks(range(1, len(stats) + 1), labels, parse_math=False)
    _words(axes)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue()


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
