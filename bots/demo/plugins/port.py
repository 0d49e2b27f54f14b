"""`!port`: whether a TCP port answers, seen from the bot; nothing is sent to it."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed

from automation_bots.model import Device


def port(devices: list[Device], number: int, wait_seconds: float = 3.0) -> Iterator[tuple[str, str, str] | str]:
    """Look whether a TCP port is open on devices.

    Example: !port 22 on web
    Example: !port 443 wait_seconds=1 on core1
    Risk: read

    :param number: the port, 1 to 65535
    :param wait_seconds: how long to wait for an answer
    """
    if not 1 <= number <= 65535:
        raise SystemExit(f"a port is 1–65535, got {number}")
    yield f"trying port {number} on {len(devices)} devices"
    with ThreadPoolExecutor(max_workers=32) as pool:
        tries = [pool.submit(_tried, device, number, wait_seconds) for device in devices]
        for done in as_completed(tries):
            yield done.result()


def _tried(device: Device, number: int, wait_seconds: float) -> tuple[str, str, str]:
    started = time.monotonic()
    try:
        with socket.create_connection((device.address, number), timeout=wait_seconds):
            return device.name, "ok", f"{number} is open, {(time.monotonic() - started) * 1000:.0f} ms"
    except ConnectionRefusedError:
        return device.name, "failed", f"{number} is closed"
    except TimeoutError:
        return device.name, "unreachable", f"{number}: no answer in {wait_seconds:g} s"
    except OSError as error:
        return device.name, "unreachable", f"{number}: {error.strerror}"
