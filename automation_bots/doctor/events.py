"""What should hear of events: whether its ports are open, and which devices have fallen silent."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automation_bots import render
from automation_bots.alerts.sources.source import HttpSettings
from automation_bots.alerts.sources.syslog.source import SyslogSettings, noted
from automation_bots.alerts.sources.traps.source import TrapSettings
from automation_bots.app import alerts
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import record
from automation_bots.text.times import duration_text

Line = tuple[str, str]
_SILENT = timedelta(days=1)
_SHOWN = 10
_TRAPS = 162
_LISTENS = {"tcp": "0A", "udp": "07"}  # states of /proc/net


def look(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Look at every source of bot.toml that hears by itself, and at the port of those that call."""
    found = alerts.read(bot_folder, resolved=False)
    running, http = record.running(bot_folder.data) is not None, bot_folder.settings.http
    if http.port and any(isinstance(one, HttpSettings) for one in found.values()):
        yield _port("http", "tcp", http.port, running=running)
    for source in found.values():
        if isinstance(source, SyslogSettings):
            yield from _syslog(source, bot_folder.data, running=running)
            unknown = sorted({name for name in source.devices.values() if name not in live.inventory.names})
            if unknown:
                yield (
                    "WRONG",
                    f"events of {source.name}: devices names {', '.join(unknown)}, which the inventory has not",
                )
        elif isinstance(source, TrapSettings) and listens("udp", _TRAPS) is False:
            yield (
                "NOTE",
                f"events of {source.name}: nothing listens on udp port {_TRAPS}. Does snmptrapd run here?"
                " deploy/snmptrapd has its files",
            )


def _syslog(source: SyslogSettings, data: Path, *, running: bool) -> Iterator[Line]:
    what = f"events of {source.name}"
    for kind, port in (("udp", source.udp), ("tcp", source.tcp)):
        if port:
            yield _port(what, kind, port, running=running)
    if ipaddress.ip_address(source.address).is_loopback and not source.relays:
        yield (
            "NOTE",
            f"{what}: only programs of this machine reach {source.address}; for devices write an address of it,"
            ' or address = "0.0.0.0"',
        )
    yield from _heard(what, noted(data, source.name), datetime.now(UTC))


def _port(what: str, kind: str, port: int, *, running: bool) -> Line:
    open_ = listens(kind, port)
    if open_ is None:
        return "NOTE", f"{what}: whether {kind} port {port} is open cannot be seen on this system"
    if running:
        missing = f"{what}: nothing listens on {kind} port {port} although the bot runs. Its log says why"
        return ("ok", f"{what}: {kind} port {port} is open") if open_ else ("WRONG", missing)
    if open_:
        return "WRONG", f"{what}: another program listens on {kind} port {port}. End it, or choose another port"
    return "ok", f"{what}: {kind} port {port} is free"


def _heard(what: str, heard: dict[str, datetime], now: datetime) -> Iterator[Line]:
    if not heard:
        yield "NOTE", f"{what}: no device was heard yet"
        return
    last = max(heard, key=lambda device: heard[device])
    yield "ok", f"{what}: {render.many(len(heard), 'device')} heard, {last} {_ago(now - heard[last])} ago"
    silent = sorted((device for device, at in heard.items() if now - at > _SILENT), key=lambda device: heard[device])
    if silent:
        some = ", ".join(f"{device} ({_ago(now - heard[device])})" for device in silent[:_SHOWN])
        more = f" and {len(silent) - _SHOWN} more" if len(silent) > _SHOWN else ""
        yield "NOTE", f"{what}: not heard for more than a day: {some}{more}"


def _ago(length: timedelta) -> str:
    seconds = max(0, int(length.total_seconds()))
    unit = next((unit for unit in (86_400, 3_600, 60) if seconds >= 2 * unit), 1)
    return duration_text(timedelta(seconds=seconds // unit * unit))


def listens(kind: str, port: int) -> bool | None:
    """Whether some program of this machine listens on a port; None: that cannot be seen here."""
    found = None
    for version in ("", "6"):
        try:
            lines = Path(f"/proc/net/{kind}{version}").read_text().splitlines()[1:]
        except OSError:
            continue
        found = found or any(_is_open(line.split(), kind, port) for line in lines)
    return found


def _is_open(columns: list[str], kind: str, port: int) -> bool:
    return int(columns[1].rpartition(":")[2], 16) == port and columns[3] == _LISTENS[kind]
