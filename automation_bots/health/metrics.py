"""The bot's figures for Prometheus: counted from the record, so that they say what an auditor would count."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from automation_bots import __version__
from automation_bots.errors import StoreError
from automation_bots.health.health import GOING, Facts, Health, Heard, PeerFigures, Watched
from automation_bots.store import AuditKind, AuditRow

log = logging.getLogger(__name__)
_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0, 3600.0)  # seconds of a job
_PREFIX = "automation_bots"
_TARGETS = 5_000  # of monitors, with series of their own


class Metrics:
    """A collector: looks when Prometheus asks, and keeps nothing but what it has counted in the record."""

    def __init__(self, health: Health, now: Callable[[], datetime]) -> None:
        self._health, self._now = health, now
        self._last = health.store.last_audit()
        self._kinds: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._started: dict[int, datetime] = {}
        self._seconds: dict[str, list[float]] = {}  # operation -> the buckets' counts, then the sum

    def serve(self, address: str, port: int) -> Callable[[], None]:
        """Listen; returns what ends it."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        server, thread = start_http_server(port, address, registry)
        log.info("metrics on http://%s:%d/metrics", address, server.server_port)

        def stop() -> None:
            server.shutdown()
            server.server_close()
            thread.join(5)

        return stop

    def collect(self) -> Iterator[Metric]:
        """Give all figures (the collector protocol of prometheus_client)."""
        try:
            self._count()
        except StoreError as error:
            log.warning("metrics: the record cannot be read now: %s", error)
        yield from self._now_figures(self._health.look(self._now()))
        yield from self._watched(self._health.watched())
        if (peers := self._health.peers()) is not None:
            yield from self._peers(peers)
        yield from self._heard(self._health.heard())
        yield self._counter("records", "Entries of the record since the start", "kind", self._kinds)
        yield self._counter("outcomes", "Outcomes of devices of ended jobs since the start", "status", self._statuses)
        yield self._counter("log_messages", "Warnings and errors in the log", "level", self._health.recent.counts)
        yield self._histogram()

    def _count(self) -> None:
        while rows := self._health.store.audit_after(self._last):
            for row in rows:
                self._take(row)
            self._last = rows[-1].seq

    def _take(self, row: AuditRow) -> None:
        self._kinds[row.kind] += 1
        if row.kind == AuditKind.STARTED and row.job is not None:
            self._started[row.job] = row.at
        if row.kind not in {AuditKind.ENDED, AuditKind.INTERRUPTED}:
            return
        self._statuses.update({str(status): int(count) for status, count in row.body.get("counts", {}).items()})
        began = self._started.pop(row.job or 0, None)
        if began is not None:
            self._observe(row.operation, (row.at - began).total_seconds())

    def _observe(self, operation: str, seconds: float) -> None:
        name = operation if operation in self._health.live.catalog.operations else "other"
        counts = self._seconds.setdefault(name, [0.0] * (len(_BUCKETS) + 2))
        for place, bound in enumerate((*_BUCKETS, float("inf"))):
            counts[place] += seconds <= bound
        counts[-1] += seconds

    def _now_figures(self, facts: Facts) -> Iterator[Metric]:
        yield self._gauge("info", "The version", 1, ("version", __version__))
        yield self._gauge("up_seconds", "Seconds since the start", facts.up_seconds)
        yield self._gauge("chat_connected", "1 when the chat network is there", float(not facts.link))
        waiting, failed, _ = facts.undelivered
        yield self._gauge("chat_posts_waiting", "Posts that the chat network has not taken yet", waiting)
        yield self._gauge("chat_posts_failed", "Posts since the start that were never said", failed)
        jobs = {"running": facts.running, "waiting": facts.waiting}
        yield self._gauges("jobs", "Jobs that run or wait", "state", jobs)
        yield self._gauge("workers", "Jobs that may run at once", facts.at_most)
        yield self._gauge("oldest_waiting_seconds", "Age of the oldest waiting job", facts.oldest_waiting_seconds)
        yield self._gauges("driver_jobs", "Running jobs by driver", "driver", facts.in_use)
        schedules = {state: facts.schedules.get(state, 0) for state in GOING}
        yield self._gauges("schedules", "Schedules by their state", "state", schedules)
        yield self._gauge("devices", "Devices of the inventory", facts.devices)
        yield self._gauge("operations", "Operations of the catalog", facts.operations)
        yield self._gauge("file_problems", "Broken files of the bot", len(facts.problems))
        yield self._gauge("held_devices", "Devices held by interrupted changes", len(facts.held))
        yield self._gauge("record_answers", "1 when the record can be read", float(not facts.record))
        if facts.record_bytes is not None:
            yield self._gauge("record_bytes", "Size of the record's files", facts.record_bytes)
        yield self._gauge("disk_free_bytes", "Free space for the data folder", facts.disk_free_bytes)

    def _watched(self, watched: Watched) -> Iterator[Metric]:
        """What monitors saw; each target by itself, as far as that is not too much for anybody."""
        yield self._gauge("monitors", "Monitors that go on", watched.running)
        states = GaugeMetricFamily(f"{_PREFIX}_monitor_targets", "What monitors look at", labels=["state"])
        for state, count in watched.states.items():
            states.add_metric([state], count)
        yield states
        looks = CounterMetricFamily(f"{_PREFIX}_monitor_looks", "Looks of monitors since the start")
        looks.add_metric([], watched.looks)
        yield looks
        late = "How late the slowest hundredth of the last looks left"
        yield self._gauge("monitor_late_p99_seconds", late, watched.late_p99_seconds)
        yield self._gauge("monitor_network_lost", "1 while the bot itself reaches nothing", float(watched.lost))
        labels = ["monitor", "target"]
        up = GaugeMetricFamily(f"{_PREFIX}_monitor_up", "1 when a target is as it should be", labels=labels)
        took = GaugeMetricFamily(f"{_PREFIX}_monitor_latency_seconds", "The latency of a target now", labels=labels)
        other = GaugeMetricFamily(
            f"{_PREFIX}_monitor_value", "What else a target measures now", labels=[*labels, "unit"]
        )
        for monitor, target, well, value, unit in watched.targets[:_TARGETS]:
            up.add_metric([monitor, target], float(well))
            if value is not None and unit == "ms":
                took.add_metric([monitor, target], value / 1000)
            elif value is not None:
                other.add_metric([monitor, target, unit], value)
        yield from (up, took, other)

    def _peers(self, found: PeerFigures) -> Iterator[Metric]:
        """Other bots."""
        yield self._gauges("peer_here", "1 while another bot can be asked", "bot", found.here)
        yield self._gauge("peer_queue_answers", "1 while the queue between bots answers", float(not found.problem))
        for name, help_, value in (
            ("sent", "Requests to other bots", found.sent),
            ("taken", "Requests of them", found.taken),
        ):
            family = CounterMetricFamily(f"{_PREFIX}_peer_requests_{name}", f"{help_} since the start")
            family.add_metric([], value)
            yield family
        refused = Counter(dict(found.refused))
        yield self._counter("peer_refused", "Messages between bots that were refused", "why", refused)

    def _heard(self, heard: Heard) -> Iterator[Metric]:
        """What happened elsewhere."""
        yield self._counter("events", "Events heard since the start, repeats included", "source", Counter(heard.events))
        yield self._gauges("alerts", "Alerts that go on, by severity", "severity", heard.alerts)
        yield self._gauge("events_unfollowed", "Events that rules have not looked at yet", heard.unfollowed)
        calls = Counter({str(status): count for status, count in heard.calls.items()})
        yield self._counter("http_calls", "Calls by HTTP since the start", "status", calls)

    def _gauge(self, name: str, help_: str, value: float, label: tuple[str, str] | None = None) -> Metric:
        family = GaugeMetricFamily(f"{_PREFIX}_{name}", help_, labels=[label[0]] if label else None)
        family.add_metric([label[1]] if label else [], value)
        return family

    def _gauges(self, name: str, help_: str, label: str, values: Mapping[str, float]) -> Metric:
        family = GaugeMetricFamily(f"{_PREFIX}_{name}", help_, labels=[label])
        for value, number in values.items():
            family.add_metric([value], number)
        return family

    def _counter(self, name: str, help_: str, label: str, counts: Counter[str]) -> Metric:
        family = CounterMetricFamily(f"{_PREFIX}_{name}", help_, labels=[label])
        for value, count in sorted(counts.items()):
            family.add_metric([value], count)
        return family

    def _histogram(self) -> Metric:
        family = HistogramMetricFamily(f"{_PREFIX}_job_seconds", "How long jobs ran", labels=["operation"])
        names = [*map(str, _BUCKETS), "+Inf"]
        for operation, counts in sorted(self._seconds.items()):
            buckets: list[Any] = list(zip(names, counts[:-1], strict=True))
            family.add_metric([operation], buckets, counts[-1])
        return family
