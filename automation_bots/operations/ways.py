"""Whether an operation has a way on a device at all: a command for its platform, a driver that reaches it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation_bots.model import POSIX, Device, Operation
from automation_bots.operations.verbs import Verb


def has_way(operation: Operation, device: Device, values: Mapping[str, Any] | None = None) -> bool:
    """Say whether something could be done there; of an operation that nothing is known of, it could."""
    if not _reached(operation.driver_on(device), device):
        return False
    if not isinstance(operation.body, Verb):
        return True
    by_question = operation.body.getter() and operation.driver_on(device) == "network"
    return bool(by_question) or operation.body.speaks(device.platform, values)


def _reached(driver: str, device: Device) -> bool:
    """Whether one of the drivers that know their platforms reaches a device; others may reach any."""
    if driver == "powershell":
        return device.platform == "windows"
    if driver == "network":
        return device.platform not in POSIX | {"windows"}
    if driver == "ssh":
        return device.platform != "windows"
    if driver == "salt":
        drivers = device.variables.get("driver")
        return "salt" in (drivers if isinstance(drivers, list | tuple) else (drivers,))
    return True
