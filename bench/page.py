"""Writes docs/performance.md and its pictures from the figures of this run, and older ones beside.

All figures stand in docs/performance/figures.json, a line each, so that one bench can be run again alone.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.folders import ROOT

Row = Mapping[str, Any]
FOLDER = ROOT / "docs/performance"
TITLES = {
    "reach": "Sweeps: `!reach` beside fping",
    "here": "A command on the bot's own machine",
    "playbook": "A playbook beside ansible-playbook",
    "ssh": "SSH fan-out beside a bare asyncssh program",
    "show": "`!show` beside nornir",
    "config": "`!config` beside other tools",
    "salt": "Salt beside its own command",
    "ack": "From a command to its first words",
    "policy": "A decision of the gate: 500 people, 10,000 devices",
    "start": "From the start of a bot to its first answer",
    "chat": "100 commands in a second, on each chat network",
    "load": "2,000 commands a minute",
    "monitor": "Monitors",
}
SERIES = {  # of bench/growth.py: what grows, what is measured
    "devices": ("devices in the inventory", {"cold": "first start ever (s)", "warm": "start (s)"}),
    "jobs": ("jobs in the record", {"jobs": "!jobs (ms)", "audit": "!audit of a person (ms)"}),
    "people": ("people in policy.yml", {"one": "a decision on one device (ms)", "all": "on 10,000 devices (ms)"}),
    "rules": ("rules in policy.yml", {"one": "a decision on one device (ms)", "all": "on 10,000 devices (ms)"}),
}
HEAD = """# How fast it is
Written by `make bench`, which runs everything, or `make bench NAME=reach`, which renews one part; the figures are in
[figures.json](performance/figures.json). Where another program does the same work, both were run in turns on the same
machine, and **only the ratio can be compared**: seconds and milliseconds are those of one machine ({machine}), and of
the other work that it had then. A bar is what a part has to keep under; where it was missed, the table says so.
"""
SHOWN = {
    "an answer to a ping crosses from process to process as two numbers":
        "test_an_answer_to_the_one_ping_takes_little_room",
    "the last time the same was asked is read from one job":
        "test_many_devices_are_found_again_in_the_last_job_alone_and_what_is_new_in_none",
    "sixty thousand devices are summed up": "test_sixty_thousand_devices_are_summed_up_soon",
    "no command waits for rules that were read anew":
        "test_what_rules_mean_is_known_before_the_first_command_after_a_reload_asks",
    "a start loads what all need": "test_what_only_some_commands_need_is_loaded_by_them_alone",
    "Ansible is in memory, and its settings count all the same":
        "test_the_settings_beside_a_playbook_count_and_others_have_a_server_of_their_own",
}  # fmt: skip


def write(found: Iterable[Figure], today: date) -> None:
    """Take in new figures; write the page and the pictures anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / "figures.json"
    known = {row["name"]: row for row in map(json.loads, file.read_text().splitlines())} if file.exists() else {}
    load = round(os.getloadavg()[1], 1)  # of the last five minutes, the bench itself among it
    known |= {figure.name: {**figure.row(), "day": today.isoformat(), "load": load} for figure in found}
    rows = sorted(known.values(), key=lambda row: _place(row["name"]))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (ROOT / "docs/performance.md").write_text(page(rows, _machine()))
    for name in SERIES:
        if lines := series(rows, name):
            _draw(name, lines, FOLDER / f"{name}.svg")


def page(rows: Sequence[Row], machine: str) -> str:
    """The whole text."""
    parts = [HEAD.format(machine=machine)]
    for part, group in groupby(rows, key=lambda row: row["name"].partition(".")[0]):
        if part in TITLES:
            parts.append(_table(TITLES[part], list(group)))
    if grown := [_grown(name, lines) for name in SERIES if (lines := series(rows, name))]:
        parts.append("## How cost grows\n" + "\n".join(grown) + _when(row for row in rows if "growth." in row["name"]))
    return "\n".join([*parts, _shown()])


def _shown() -> str:
    rows = "".join(f"| {what} | `{test}` |\n" for what, test in SHOWN.items())
    return f"## Shown by\n| what keeps it fast | test |\n|---|---|\n{rows}"


def series(rows: Iterable[Row], name: str) -> dict[str, list[tuple[int, float]]]:
    """Of one thing that grows: what is measured → (how many, how much) from small to large."""
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        growth, _, rest = row["name"].partition(".")
        what, _, rest = rest.partition(".")
        if (growth, what) == ("growth", name):
            many, _, label = rest.partition(".")
            found.setdefault(label, []).append((int(many), row["value"]))
    return {label: sorted(points) for label, points in found.items()}


def _place(name: str) -> tuple[int, str, list[tuple[int, int | str]]]:
    """In the order of the titles; numbers inside names count as numbers."""
    part = name.partition(".")[0]
    words = [(0, int(word)) if word.isdigit() else (1, word) for word in name.split(".")]
    return (list(TITLES).index(part) if part in TITLES else len(TITLES), part, words)  # type: ignore[return-value]


def _table(title: str, rows: Sequence[Row]) -> str:
    lines = [f"## {title}", "| figure | measured | bar | |", "|---|---|---|---|"]
    for row in rows:
        bar = "" if row["bar"] is None else f"≤ {row['bar']:g}"
        holds = {None: "", True: "holds", False: "**missed**"}[row["holds"]]
        lines.append(f"| {row['name']} | {_number(row['value'])} {row['unit']} | {bar} | {holds} |")
    return "\n".join([*lines, _when(rows)])


def _when(rows: Iterable[Row]) -> str:
    day, load = max((row["day"], row["load"]) for row in rows)
    return f"\nMeasured on {day}, with a load of {load:.0f}.\n"


def _grown(name: str, lines: Mapping[str, Sequence[tuple[int, float]]]) -> str:
    title, labels = SERIES[name]
    sizes = [many for many, _ in next(iter(lines.values()))]
    head = f"| {title} | " + " | ".join(f"{many:,}" for many in sizes) + " |"
    said = [f"| {labels[label]} | " + " | ".join(_number(value) for _, value in lines[label]) + " |"
            for label in labels if label in lines]  # fmt: skip
    picture = f"\n![How cost grows with {title}](performance/{name}.svg)\n"
    return "\n".join([head, "|---" * (len(sizes) + 1) + "|", *said, picture])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> str:
    return f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


def _draw(name: str, lines: Mapping[str, Sequence[tuple[int, float]]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"], mpl.rcParams["svg.hashsalt"] = "none", "automation-bots"  # small, and the same again
    from matplotlib import pyplot

    title, labels = SERIES[name]
    figure, axes = pyplot.subplots(figsize=(5, 2.6), layout="constrained")
    for label, points in lines.items():
        axes.plot(*zip(*points, strict=True), marker="o", label=labels[label])
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(title)
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
