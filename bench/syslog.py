"""syslog: how many messages a second are heard, read and judged; what is lost and what a storm costs in memory."""

from __future__ import annotations

import resource
import socket
import threading
import time
from datetime import UTC, datetime

from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.sources.source import ListenContext
from automation_bots.alerts.sources.syslog.parse import parse
from automation_bots.alerts.sources.syslog.source import SyslogSettings, SyslogSource
from automation_bots.store import Store
from bench.figures import Figure
from bench.folders import workspace
from tests.alerts.sources.heard import free_port

MESSAGES, SENDERS, PACE = 60_000, 20, 6_000  # of so many devices; a second
USUAL = (
    b"<190>%d: *Nov 30 19:00:01.123: %%SEC-6-IPACCESSLOGP: list 177 denied udp 10.0.0.1(53) -> 10.0.0.2(156), 1 packet"
)
NEWS = b"<187>%d: *Nov 30 19:00:01.123: %%LINK-3-UPDOWN: Interface Gi0/%d, changed state to %s"


def run() -> list[Figure]:
    reading = _reading()
    with workspace() as folder:
        store = Store.open(folder)
        intake = EventIntake(store.events, lambda event: event.device, lambda: None)
        devices = {f"127.0.0.{n + 1}": f"core{n}" for n in range(SENDERS)}
        context = ListenContext(intake, lambda: datetime.now(UTC), lambda name: devices.get(name, ""), folder)
        port = free_port()
        source = SyslogSource(SyslogSettings(name="sl", kind="syslog", udp=port, per_second=10_000), context)
        source.start()
        before, begun, used = _memory(), time.monotonic(), time.process_time()
        sender = threading.Thread(target=_flood, args=(port,))
        sender.start()
        sender.join()
        while source.feed.waiting or source.listener.lost + source.feed.taken < MESSAGES:
            if time.monotonic() - begun > 120:
                break
            time.sleep(0.01)
        seconds, spent = time.monotonic() - begun, time.process_time() - used
        source.stop()
        alerts, events = len(store.alerts.latest(9_999)), store.events.last()
        store.close()
    return [
        Figure("one message is read", reading * 1_000_000, "µs"),
        Figure("messages heard", source.feed.taken / seconds, "/s, as fast as they were sent"),
        Figure("of a core, the sender's part included", 100 * spent / seconds, "%"),
        Figure("lost", source.listener.lost, f"of {MESSAGES:,}", MESSAGES // 100),
        Figure("alerts of them, events kept", alerts, f"and {events:,}"),
        Figure("memory that a storm costs", _memory() - before, "MB", 64),
    ]


def _reading() -> float:
    message = USUAL % 1
    begun = time.thread_time()
    for _ in range(20_000):
        parse(message)
    return (time.thread_time() - begun) / 20_000


def _flood(port: int) -> None:
    devices = []
    for number in range(SENDERS):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind((f"127.0.0.{number + 1}", 0))
        devices.append(made)
    begun = time.monotonic()
    for number in range(MESSAGES):
        news = NEWS % (number, number // 100 % 40, b"up" if number // 4_000 % 2 else b"down")
        devices[number % SENDERS].sendto(news if number % 100 < 2 else USUAL % number, ("127.0.0.1", port))
        if not number % 60 and (ahead := number / PACE - (time.monotonic() - begun)) > 0:
            time.sleep(ahead)
    for made in devices:
        made.close()


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
