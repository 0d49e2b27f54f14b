"""The process that talks to the network devices of one job at a time: it can hang or die by itself.

It gets one JSON line on stdin (secrets included, so that they stand in no argument, environment or file), and sends
batches of what it found as JSON lines on a pipe of its own; each batch is answered with one byte.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automation_bots.drivers.network.session.open_sessions import OpenSessions

IDLE_SECONDS = 300
DONE = b"\n"  # the answer to a batch; anything else: what a change replaces could not be written down
_STOP = object()


class Channel:
    """Sends what was found, as much as is there in one batch."""

    def __init__(self, fd: int, limit: int) -> None:
        self._fd, self._limit = fd, limit
        self._found: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._written: dict[str, queue.SimpleQueue[bool]] = {}
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def tell(self, device: str, found: Mapping[str, Any]) -> None:
        """Take one device's outcome."""
        self._found.put({"device": device, **found})

    def keep(self, device: str, before: str) -> bool:
        """Have the bot write down what a change is about to replace; return whether it has."""
        answer = self._written[device] = queue.SimpleQueue()
        self._found.put({"device": device, "before": before, "text": before})
        return answer.get()

    def close(self) -> None:
        """Wait until all is sent."""
        self._found.put(_STOP)
        self._thread.join()

    def _send(self) -> None:
        item = self._found.get()
        while item is not _STOP:
            batch, size = [], 0
            while item is not _STOP:
                batch.append(item)
                size += len(item["text"]) + sum(len(str(kept)) for kept in item.get("kept", {}).values())
                if size > self._limit or self._found.empty():
                    break
                item = self._found.get()
            self._line({"kind": "found", "items": batch})
            if item is not _STOP:
                item = self._found.get()
        self._line({"kind": "end"})

    def _line(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(self._fd, line) :]
        answer = os.read(0, 1)
        if not answer:
            os._exit(1)  # the bot is gone: nobody would hear the rest
        for item in message.get("items", ()):
            if "before" in item:
                self._written[item["device"]].put(answer == DONE)


async def main() -> None:
    """Do the work of each request on stdin, one after the other; imports and logins are there for the next one."""
    prepared = None
    while True:
        request = json.loads(await _first_line())
        sys.path += [path for path in request["paths"] if path not in sys.path]
        prepared = prepared or _prepared(request)
        channel = Channel(request["fd"], request["limit"])
        await _all(request, channel, prepared)
        channel.close()


@dataclass(frozen=True, slots=True)
class Prepared:
    """What stays from one request to the next."""

    sessions: OpenSessions
    threads: ThreadPoolExecutor  # of netmiko and NAPALM
    waiting: ThreadPoolExecutor  # of changes that need neither


def _prepared(request: Mapping[str, Any]) -> Prepared:
    """What stays from one request to the next: threads, and open command lines."""
    from automation_bots.drivers.network.session.open_sessions import OpenSessions

    # Threads of their own: the loop, for which they wait, needs those of its own to log in and to look names up.
    threads = ThreadPoolExecutor(request["threads"], thread_name_prefix="device")
    waiting = ThreadPoolExecutor(request["parallel"], thread_name_prefix="change")
    return Prepared(OpenSessions(request["keep_seconds"], request["parallel"]), threads, waiting)


async def _first_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        ready = await _readable(IDLE_SECONDS)
        data = os.read(0, 65_536) if ready else b""  # not by a buffered reader: answers follow the line
        if not data:
            os._exit(0)  # the bot is gone, or needs no process
        line += data
    return bytes(line)


async def _readable(seconds: float) -> bool:
    """Wait for something on stdin, while open command lines are looked after."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(0, ready.set)
    try:
        await asyncio.wait_for(ready.wait(), seconds)
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(0)
    return True


async def _with_the_bot(parent: int) -> None:
    """End when the bot ends. The kernel's own way ends with the thread that started us, which is one job's."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    os._exit(1)


async def _all(request: Mapping[str, Any], channel: Channel, prepared: Prepared) -> None:
    from automation_bots.drivers.network.child_run import DeviceRun
    from automation_bots.drivers.network.messages import DeviceRequest

    stopping = threading.Event()
    # A change is brought to its end, or back, even without the bot.
    watch = None if request["graceful"] else asyncio.create_task(_with_the_bot(request["parent"]))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, _stop, stopping, request["graceful"])
    lanes = DeviceRun(
        (request["limit"], request["config_limit"]),
        stopping,
        asyncio.Semaphore(request["parallel"]),
        prepared.threads,
        prepared.waiting,
        prepared.sessions,
        channel.keep,
    )

    async def one(values: Mapping[str, Any]) -> None:
        work = DeviceRequest.read(values)
        found = await lanes.run(work)
        channel.tell(work.device, asdict(found))

    await asyncio.gather(*(one(values) for values in request["work"]))
    loop.remove_signal_handler(signal.SIGTERM)
    if watch:
        watch.cancel()


def _stop(stopping: threading.Event, graceful: bool) -> None:  # noqa: FBT001 - called by the loop
    """A change goes back before it ends; whatever only reads ends at once."""
    stopping.set()
    if not graceful:
        os._exit(1)


if __name__ == "__main__":
    asyncio.run(main())
