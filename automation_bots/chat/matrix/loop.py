"""One asyncio loop in a thread of its own, asked from other threads with a time limit."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from automation_bots.chat.client import Away
from automation_bots.errors import in_words

T = TypeVar("T")


class Loop:
    """Begins with its first use, ends with `close`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def run(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Do it there and wait for it; Away when it takes longer."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("the loop would wait for itself")
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        try:
            return future.result(seconds)
        except concurrent.futures.TimeoutError as error:
            if future.done():  # the work itself says so
                raise Away(f"no answer in time: {in_words(error)}") from error
            future.cancel()
            raise Away(f"no answer in {seconds:g} s") from error
        except concurrent.futures.CancelledError as error:
            raise Away("the link is being closed") from error

    def begin(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Let it go on there."""
        return asyncio.run_coroutine_threadsafe(work, self._running())

    def close(self) -> None:
        """End all that goes on there, and the thread."""
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_end_all(), loop)
        thread.join(10)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_turn, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return self._loop


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


async def _end_all() -> None:
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not me]
    for task in others:
        task.cancel()
    await asyncio.wait(others, timeout=5) if others else None
    loop.call_soon(loop.stop)
