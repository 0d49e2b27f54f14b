"""What every driver must hold, for commands that are Python functions."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from automation_bots.drivers.python.driver import Python
from automation_bots.model import Device, Operation
from automation_bots.operations.functions import load
from tests.drivers.contract import DriverContract, Lab
from tests.drivers.network.test_frr import processes_with

pytestmark = pytest.mark.slow
LIMIT = 20_000
HELLO = '''def hello(devices: list[str]):
    """Say hello. Risk: read"""
    said = {"bad1": ("failed", "disk full"), "gone1": ("unreachable", "no route")}
    for name in devices:
        yield name, *said.get(name, ("ok", "hello"))
'''
SLOW = '''def slow(devices: list[str]):
    """Take a minute. Risk: change"""
    import subprocess
    subprocess.run(["sleep", {seconds!r}])
'''
LOUD = '''def loud(devices: list[str]):
    """Print a lot. Risk: read"""
    for name in devices:
        yield name, "ok", "x" * 60_000
'''
TOUCH = '''def touch(devices: list[str], check: bool):
    """Leave a trace. Risk: change"""
    if not check:
        open({trace!r}, "w").close()
'''


class TestContract(DriverContract):
    @pytest.fixture
    def lab(self, tmp_path: Path) -> Lab:
        def operation(name: str, text: str) -> Operation:
            path = tmp_path / f"{name}.py"
            path.write_text(text)
            return load(path)

        trace = tmp_path / "trace"
        sleep = f"61.{time.monotonic_ns() % 1_000_000:06}"  # of this test alone: other runs may be under way
        return Lab(
            driver=Python(output_limit=LIMIT),
            good=tuple(Device(f"web{number}") for number in (1, 2, 3)),
            broken=Device("bad1"),
            unreachable=Device("gone1"),
            hello=operation("hello", HELLO),
            slow=operation("slow", SLOW.format(seconds=sleep)),
            loud=operation("loud", LOUD),
            touch=operation("touch", TOUCH.format(trace=str(trace))),
            touched=trace.exists,
            still_running=lambda: processes_with(f"sleep {sleep}"),
            output_limit=LIMIT,
        )
