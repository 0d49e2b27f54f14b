"""Calls of Alertmanager taken and judged by a whole bot, beside an aiohttp server that only commits them to SQLite.

How long from a call to its message, and what a storm takes in memory.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from bench.bots import chat
from bench.figures import Figure, quantile
from bench.folders import workspace
from tests.support.chatbot import ChatBot, Surface, wait

CALLERS, CALLS = 4, 1_500  # in all
STORM = 10_000
DEVICES, RULES = 1_000, 20
SOURCES, EACH = 40, 3  # calls for the time to a message: few a room, since a room gets five a minute
TOKEN = "bench-token-0123456789"
POLICY = {"people": {"ana": {"test": "ana", "groups": ["admins"]}},
          "rules": [{"name": "all", "who": "admins", "may": ["everything"]}]}  # fmt: skip


def run() -> list[Figure]:
    """Everything."""
    with workspace() as folder:
        _write(folder / "bot", port := _free_port())
        surface = _Clocked()
        with chat(folder / "bot", surface) as bot:
            figures = _rates(bot, port)
            figures += _latency(port, surface)
            figures += _storm(bot, port)
    return figures


class _Clocked(Surface):
    """Knows when each text was said."""

    def __init__(self) -> None:
        super().__init__()
        self.at: list[tuple[float, str]] = []

    def say(self, place: Any, answer: Any) -> Any:
        self.at.append((time.monotonic(), str(answer)))
        return super().say(place, answer)


def _write(folder: Path, port: int) -> None:
    (folder / "inventory").mkdir(parents=True)
    hosts = {f"sw{number}": {} for number in range(DEVICES)}
    (folder / "inventory" / "hosts.yml").write_text(json.dumps({"all": {"vars": {"driver": "fake"}, "hosts": hosts}}))
    (folder / "policy.yml").write_text(json.dumps(POLICY))
    when = [{"what": f"Nothing{number}", "severity": "critical"} for number in range(RULES)]
    rules = [{"name": f"rule {n}", "when": condition, "do": {"post": "ops"}} for n, condition in enumerate(when)]
    (folder / "rules.yml").write_text(json.dumps(rules))
    sources = "".join(
        f'[events.sources.s{n}]\nkind = "alertmanager"\ntoken = "file:token"\nroom = "room{n}"\nper_minute = 100000\n'
        for n in range(SOURCES + 1)
    )
    (folder / "bot.toml").write_text(f'name = "bench"\nbackend = "Test"\n[http]\nport = {port}\n{sources}')
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _body(names: list[str]) -> bytes:
    """A call with an alert of each name, as Alertmanager writes it."""
    begun = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    alerts = [
        {"status": "firing", "fingerprint": name, "startsAt": begun, "endsAt": "0001-01-01T00:00:00Z",
         "labels": {"alertname": "Storm", "device": f"sw{hash(name) % DEVICES}", "severity": "warning", "job": "node"},
         "annotations": {"summary": f"{name} lost its uplink", "runbook_url": "https://wiki.corp.example/uplink"}}
        for name in names
    ]  # fmt: skip
    body = {
        "receiver": "bot",
        "status": "firing",
        "alerts": alerts,
        "groupLabels": {},
        "groupKey": "{}",
        "version": "4",
    }
    return json.dumps({**body, "truncatedAlerts": 0}).encode()


def _line(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=120)


def _post(line: http.client.HTTPConnection, source: str, body: bytes) -> float:
    """Call once; the seconds until the answer."""
    begun = time.monotonic()
    line.request("POST", f"/hooks/{source}", body, {"Authorization": f"Bearer {TOKEN}"})
    answer = line.getresponse()
    answer.read()
    if answer.status != 202:
        raise RuntimeError(f"{answer.status} for a call")
    return time.monotonic() - begun


def _called(port: int, life: str) -> tuple[float, list[float]]:
    """All calls, by several callers at once: the seconds of all, and of each."""
    took: list[float] = []

    def call(caller: int) -> None:
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for number in range(CALLS // CALLERS):
            took.append(_post(line, "s0", _body([f"{life}-{caller}-{number}"])))
        line.close()

    callers = [threading.Thread(target=call, args=(number,)) for number in range(CALLERS)]
    begun = time.monotonic()
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    return time.monotonic() - begun, took


def _rates(bot: ChatBot, port: int) -> list[Figure]:
    _called(port, "warm")
    wait(lambda: not bot.automation.alerts.intake.waiting(), 120)
    begun = time.monotonic()
    seconds, took = _called(port, "run")
    wait(lambda: not bot.automation.alerts.intake.waiting(), 120)
    judged = time.monotonic() - begun
    with _bare(bot.folder) as other:
        bare, _ = _called(other, "bare")
    return [
        Figure("events.taken", CALLS / seconds, "calls a second"),
        Figure("events.taken_p99", quantile(took, 0.99), "s", 0.5),
        Figure("events.judged", CALLS / judged, f"events a second by {RULES} rules"),
        Figure("events.one", 1000 * judged / CALLS, "ms an event, taken and judged", 10),
        Figure("events.bare", seconds / bare, "times a server that only commits bodies", 6),
    ]


def _keeping(folder: Path) -> web.Application:
    """What reads JSON, commits it as a row, and answers 202."""
    lock, record = threading.Lock(), sqlite3.connect(folder / "bare.db", check_same_thread=False)
    record.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE bodies (body TEXT)")

    def keep(body: bytes) -> None:
        with lock, record:
            record.execute("INSERT INTO bodies VALUES (?)", (json.dumps(json.loads(body)),))

    async def answer(request: web.Request) -> web.Response:
        await asyncio.get_running_loop().run_in_executor(None, keep, await request.read())
        return web.Response(status=202)

    application = web.Application()
    application.router.add_post("/{path:.*}", answer)
    return application


@contextmanager
def _bare(folder: Path) -> Iterator[int]:
    """Run it; its port."""
    ready, ports, loop = threading.Event(), list[int](), asyncio.new_event_loop()

    async def serve() -> None:
        runner = web.AppRunner(_keeping(folder), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.append(runner.addresses[0][1])
        ready.set()

    def run_() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run_, daemon=True)
    thread.start()
    ready.wait(10)
    yield ports[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


def _latency(port: int, surface: _Clocked) -> list[Figure]:
    """From the call to the message, one alert at a time."""
    line, samples = http.client.HTTPConnection("127.0.0.1", port, timeout=60), []
    for number in range(EACH):
        for source in range(1, SOURCES + 1):
            name = f"late-{number}-{source}"
            begun = time.monotonic()
            _post(line, f"s{source}", _body([name]))
            wait(lambda name=name: any(name in text for _, text in surface.at[-20:]), 30)
            samples.append(next(at for at, text in reversed(surface.at) if name in text) - begun)
    line.close()
    return [
        Figure("events.message_p50", quantile(samples, 0.5), "s from the call"),
        Figure("events.message_p99", quantile(samples, 0.99), "s from the call", 2.0),
    ]


def _storm(bot: ChatBot, port: int) -> list[Figure]:
    """Many alerts in one call, and their end."""
    before = _memory()
    said = len(bot.surface.said) - len(bot.surface.edited)
    names = [f"storm-{number}" for number in range(STORM)]
    took, begun = _post(_line(port), "s1", _body(names)), time.monotonic()
    store = bot.automation.store.alerts
    wait(lambda: not store.untold(1), 120)
    told = time.monotonic() - begun
    _post(_line(port), "s1", _body(names).replace(b'"status": "firing"', b'"status": "resolved"'))
    wait(lambda: not store.untold(1), 120)
    return [
        Figure(f"events.storm_{STORM}", took, "s for the call", 20),
        Figure("events.storm_told", told, "s until the message counts all", 60),
        Figure("events.storm_messages", len(bot.surface.said) - len(bot.surface.edited) - said, "messages", 5),
        Figure("events.storm_memory", (_memory() - before) / 1e6, "MB more", 200),
    ]


def _memory() -> int:
    """The memory of this process, with that of the bot in it."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
