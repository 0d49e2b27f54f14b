"""What sources are given in tests: an intake that keeps a list, and devices by address."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from automation_bots.alerts.sources.source import ListenContext
from automation_bots.errors import StoreError
from tests.support.chatbot import wait

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


class Intake:
    """Keeps what it is brought; while `away` it is as a record that is."""

    def __init__(self):
        self.events, self.away = [], False

    def take(self, events):
        if self.away:
            raise StoreError("away")
        self.events += events

    def has(self, count):
        wait(lambda: len(self.events) >= count, 60, lambda: f"heard only {self.events}")
        return self.events


def context(intake, devices, folder):
    return ListenContext(intake, lambda: NOW, lambda name: devices.get(name, ""), folder)


def free_port():
    with socket.socket() as one, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(one.getsockname())
        return one.getsockname()[1]
