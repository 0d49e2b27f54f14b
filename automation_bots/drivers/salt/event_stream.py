"""Salt's event stream, kept open by a thread of its own: what the master tells goes to the bot's event bus."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import requests

from automation_bots.drivers.salt.api import SaltApi, Session
from automation_bots.errors import DriverError
from automation_bots.events import Bus, Event

log = logging.getLogger(__name__)
_WAITS = (0.5, 1, 2, 5, 10, 30)  # seconds before each new try
_SILENT = 600.0  # seconds without any event after which the stream is opened anew
_LONGEST = 4_000_000  # bytes of one event; a longer one is left out


class Stream:
    """Follows /events once it is started; `connected` says whether it hears now, `breaks` how often it was cut off."""

    def __init__(self, api: SaltApi, bus: Bus) -> None:
        self._api, self._bus = api, bus
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._heard = threading.Event()
        self._response: requests.Response | None = None
        self.breaks = 0
        self.problem = ""

    @property
    def connected(self) -> bool:
        """Whether the master's events arrive now."""
        return self._heard.is_set()

    def start(self) -> None:
        """Begin; doing so again does nothing."""
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._follow, name="salt-events", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until it is connected; return whether it is."""
        return self._heard.wait(seconds)

    def stop(self) -> None:
        """End it and its thread."""
        self._stopping.set()
        with self._lock:
            thread, response = self._thread, self._response
        if response is not None:
            _abort(response)
        if thread is not None:
            thread.join(5)

    def _follow(self) -> None:
        failures, refused = 0, ""
        while not self._stopping.is_set():
            try:
                with self._api.session() as session:
                    refused = self._once(session, refused)
                failures = 0
            except DriverError as error:
                failures += 1
                self._say(str(error))
            except Exception as error:  # whatever breaks the line, it is opened again
                failures += 1
                log.debug("salt events broke off", exc_info=True)
                self._say(f"the event stream broke: {type(error).__name__}")
            self._lost()
            self._stopping.wait(_WAITS[min(failures, len(_WAITS) - 1)])

    def _once(self, session: Session, refused: str) -> str:
        """Follow one connection to its end; return the token if Salt did not take it."""
        token = session.token(refused)
        with session.stream(token, _SILENT) as response:
            if response.status_code == 401:
                return token
            if response.status_code != 200:
                raise DriverError(f"salt-api refuses the event stream (status {response.status_code})")
            with self._lock:
                self._response = response
            if self._stopping.is_set():
                return ""
            self.problem = ""
            for event in parsed(response.iter_content(chunk_size=None)):
                self._heard.set()
                if event is not None:
                    self._bus.publish(event)
        return ""

    def _lost(self) -> None:
        with self._lock:
            self._response = None
        if self._heard.is_set():
            self._heard.clear()
            self.breaks += 1

    def _say(self, problem: str) -> None:
        if problem != self.problem and not self._stopping.is_set():
            log.warning("salt events: %s; trying again", problem)
        self.problem = problem


def parsed(chunks: Iterable[bytes]) -> Iterator[Event | None]:
    """Read server-sent events; None for the first line, which says only that the stream is open."""
    rest = b""
    for chunk in chunks:
        rest += chunk.replace(b"\r\n", b"\n")
        if rest.startswith(b"retry:") and b"\n" in rest:
            rest = rest.partition(b"\n")[2]
            yield None
        *whole, rest = rest.split(b"\n\n")
        if len(rest) > _LONGEST:
            rest = b""
        yield from filter(None, map(_event, whole))


def _event(block: bytes) -> Event | None:
    lines = dict(line.partition(":")[::2] for line in block.decode("utf-8", "replace").splitlines())
    try:
        found = json.loads(lines.get("data", ""))
        tag, data = str(found["tag"]), found["data"]
    except (ValueError, KeyError, TypeError):
        return None
    known: Mapping[str, Any] = data if isinstance(data, dict) else {}
    return Event("salt", tag, known)


def _abort(response: requests.Response) -> None:
    try:
        response.raw.shutdown()  # wakes the thread that reads; to close it from here would wait for that thread
    except (OSError, ValueError, AttributeError):
        log.debug("the event stream was closed already")
