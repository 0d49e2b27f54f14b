"""The process that sweeps: reads plans from its standard input, one a line, and writes results as they come."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from automation_bots.sweep.engine import Sweep
from automation_bots.sweep.plan import plan_of, row_of

_BATCH = 1000
_EVERY = 0.05  # seconds between two batches, so that a few results need not wait for many
END = b"[]\n"


class Printer:
    """Writes batches without ever waiting for the reader: while it waits, answers would look slow or lost."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop, self._descriptor = loop, descriptor
        self._rows: list[Any] = []
        self._bytes = bytearray()
        self._writing = False
        os.set_blocking(descriptor, False)

    def add(self, row: Any) -> None:
        """Take one result, as it fits a line."""
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what there is."""
        if self._rows:
            self._bytes += json.dumps(self._rows, separators=(",", ":")).encode() + b"\n"
            self._rows = []
        self._write()

    def _write(self) -> None:
        try:
            while self._bytes:
                del self._bytes[: os.write(self._descriptor, self._bytes)]
        except BlockingIOError:
            if not self._writing:
                self._loop.add_writer(self._descriptor, self._write)
                self._writing = True
            return
        if self._writing:
            self._loop.remove_writer(self._descriptor)
            self._writing = False

    async def end(self) -> None:
        """Write the rest and the mark of the end."""
        self.flush()
        self._bytes += END
        self._write()
        while self._bytes:
            await asyncio.sleep(0.01)


async def sweep(line: bytes, descriptor: int = 1) -> None:
    """Run one plan."""
    plan, loop = plan_of(line), asyncio.get_running_loop()
    printer = Printer(loop, descriptor)
    ticking = asyncio.ensure_future(_regularly(printer.flush))
    try:
        async with asyncio.timeout(plan.seconds):
            await Sweep(plan, lambda found: printer.add(row_of(found, plan.hosts[found.number]))).run()
    except TimeoutError:
        pass  # who asked knows the time, and which hosts are left
    finally:
        ticking.cancel()
    await printer.end()


async def _regularly(do: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_EVERY)
        do()


def main() -> None:
    """Work until nobody asks any more."""
    try:
        gc.disable()  # tens of thousands of targets are no garbage, and looking them through takes time
        for line in sys.stdin.buffer:
            asyncio.run(sweep(line))
            gc.collect()
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    sys.stdout.flush()
    os._exit(0)  # a thread that waits for a name server would keep the process


if __name__ == "__main__":
    main()
