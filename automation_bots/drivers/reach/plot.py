"""Pictures, drawn in a process of their own: matplotlib is large, slow to import, and not for a program that stays."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from automation_bots.errors import DriverError, in_words
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import run
from automation_bots.processes.own import inherited

_CHILD = Path(__file__).with_name("plot_child.py")
_ENVIRONMENT = "HOME|LANG|LC_.*|TMPDIR|XDG_.*|MPL.*|FONTCONFIG_.*|PYTHONPATH"
_SECONDS = 60.0  # the very first picture on a machine looks for fonts


def latency(by_group: Mapping[str, Sequence[float]]) -> bytes:
    """Return a PNG: for each group its median, the middle half, 5–95 % and the worst, in milliseconds."""
    wanted = {one_line(name, 40): _finite(times) for name, times in by_group.items()}
    wanted = {name: times for name, times in wanted.items() if times}
    if not wanted:
        raise DriverError("there is nothing to draw: no device answered")
    return drawn({"kind": "groups", "groups": wanted})


def _finite(times: Sequence[float]) -> list[float]:
    return [max(float(time), 0.001) for time in times if math.isfinite(time)]  # the scale is logarithmic


def drawn(wanted: Mapping[str, Any]) -> bytes:
    """Return the PNG of what is wanted, as the child reads it; DriverError where it cannot be drawn."""
    data = json.dumps(wanted).encode()
    # -P: the other modules of this folder are not to be taken for libraries of the same name.
    program = Program(command=(sys.executable, "-P", str(_CHILD)), environment=inherited(_ENVIRONMENT))
    try:
        ended = run(program, data, seconds=_SECONDS)
    except OSError as error:
        raise DriverError(f"the picture could not be drawn: {in_words(error)}") from error
    if ended.code == 0:
        return ended.out
    if "No module named 'matplotlib'" in ended.last_line:
        raise DriverError("pictures need matplotlib, which is not installed here; try: pip install matplotlib")
    raise DriverError(f"the picture could not be drawn: {one_line(ended.last_line)}")
