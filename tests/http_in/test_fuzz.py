"""Thousands of calls that are wrong in every way that we know of: none is accepted, none costs anything that stays."""

import asyncio
import gc
import logging
import os
import re
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.sources import registry
from automation_bots.app.alerts import _receiver
from automation_bots.http_in.server import HttpServer
from automation_bots.store import Store
from tests.http_in.bad_requests import MOST, SOURCES, TOKEN, call
from tests.support.bounds import rounds
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
WANTED = {"traps": {"kind": "trap"}}


@pytest.fixture
def site(tmp_path):
    now = lambda: datetime.now(UTC)  # noqa: E731
    store = Store.open(tmp_path)
    intake = EventIntake(store.events, lambda event: "", lambda: None)
    receivers = []
    for name in SOURCES:
        table = {"kind": name, "token": TOKEN, "max_bytes": MOST, "per_minute": 100_000, **WANTED.get(name, {})}
        receivers.append(_receiver(registry.kind_of(name, table), registry.settings_of(name, table), intake, now))
    server = HttpServer("127.0.0.1", 0, receivers, now)
    server.start()
    logging.disable(logging.CRITICAL)  # what pytest keeps of the log is no growth of ours
    yield server, store
    logging.disable(logging.NOTSET)
    server.stop()
    store.close()


def answers(port, one):
    """Send it, and return the statuses that come back."""
    with socket.create_connection(("127.0.0.1", port)) as talk:
        talk.settimeout(60)
        try:
            talk.sendall(one.raw)
            if one.cut:
                talk.settimeout(0.02)
            said = b""
            while chunk := talk.recv(65_536):
                said += chunk
        except OSError:  # hung up on us, or we on them
            pass
        return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d\d\d)", said)]


def wrong(port, one):
    """What is wrong with the answers to it; None: it was refused, or not answered because it was cut."""
    found = answers(port, one)
    if all(400 <= status < 500 for status in found) and (found or one.cut):
        return None
    return one.kind, one.raw[:300], found


def held(server):
    """The tasks, open files, threads and objects that there are, once all connections are over."""
    wait(lambda: _tasks(server) <= 2, 60)
    gc.collect()
    files = len(list(Path("/proc/self/fd").iterdir()))
    return _tasks(server), files, threading.active_count(), len(gc.get_objects())


def _tasks(server):
    async def count():
        return len(asyncio.all_tasks())

    return asyncio.run_coroutine_threadsafe(count(), server._loop).result(60)


def test_no_bad_call_is_accepted_and_none_leaves_anything_behind(site):
    (server, store), seed, many = site, int(os.environ.get("CRASH_SEED") or 7), rounds(400, 10_000)

    def tried(numbers):
        return [
            found for found in pool.map(lambda n: wrong(server.port, call(Random(f"{seed} {n}"))), numbers) if found
        ]

    with ThreadPoolExecutor(8) as pool:
        first, before = tried(range(many // 2)), held(server)
        second, after = tried(range(many // 2, many)), held(server)
    assert first + second == [] and store.events.last() == 0
    assert not [status for status in server.answers if status < 400 or status >= 500]
    grown = tuple(now - then for now, then in zip(after, before, strict=True))
    assert all(more <= most for more, most in zip(grown, (1, 4, 1, 2_000), strict=True)), grown


def test_silent_connections_of_one_address_keep_out_neither_others_nor_the_next_for_long(site):
    server, _ = site
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(32)]
    assert wrong_token(server.port) == 429 and wrong_token(server.port, sender="127.0.0.2") == 401
    for one in silent:
        one.close()
    wait(lambda: wrong_token(server.port) == 401, 60)


def wrong_token(port, sender="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", port), source_address=(sender, 0)) as talk:
        talk.settimeout(60)
        talk.sendall(b"POST /hooks/zabbix HTTP/1.1\r\nHost: bot\r\nContent-Length: 0\r\n\r\n")
        return int(talk.recv(1_000).split()[1])
