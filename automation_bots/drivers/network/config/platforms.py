"""How each platform takes a change: a candidate with commit-confirm where it has one, else line by line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from automation_bots.drivers.network.config import line_by_line
from automation_bots.drivers.network.config.contract import ConfigMethod
from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.session.cli import Cli

_LINES = ("cisco_ios", "cisco_xe", "cisco_nxos", "frr")
_SESSIONS = ("arista_eos",)  # of whose driver of NAPALM it is known what it needs of a command line


def only_waits(work: DeviceRequest) -> bool:
    """Whether a change needs no library that polls: its thread waits for the process's loop."""
    return work.platform in (*_LINES, *_SESSIONS) and not work.napalm and not work.values.get("expect")


@contextlib.contextmanager
def opened(cli: Cli) -> Iterator[ConfigMethod]:
    """Log in, and give the way of a device; a Problem for one that cannot be configured."""
    work = cli.work
    if work.platform in _LINES and not work.napalm:
        with cli.line() as line:
            yield line_by_line.LineByLine(line, work.platform)
    elif work.platform in _SESSIONS and not work.napalm:
        from automation_bots.drivers.network.config import napalm_candidate  # and with it NAPALM

        with cli.line() as line:
            yield napalm_candidate.Candidate(work, napalm_candidate.OnLine(line, work.platform))
    else:
        with cli.opened() as connection:
            yield _way_of(work, connection)


def _way_of(work: DeviceRequest, connection: Any) -> ConfigMethod:
    from automation_bots.drivers.network.config import junos_iosxr, napalm_candidate  # and with them netmiko and NAPALM

    if work.napalm:
        return napalm_candidate.Candidate(work, napalm_candidate.Careful(connection, work.platform))
    if work.platform == "juniper_junos":
        return junos_iosxr.Junos(connection)
    if work.platform == "cisco_xr":
        return junos_iosxr.IosXr(connection)
    known = ", ".join(sorted((*_LINES, *_SESSIONS, "cisco_xr", "juniper_junos")))
    raise Problem(
        f"!config knows no way to configure {work.platform}; it knows {known}, "
        "and any platform with a NAPALM driver (napalm_driver: in the inventory)"
    )


def running_config(work: DeviceRequest, connection: Any) -> str:
    """Return the running configuration of a device that need not be one that can be configured."""
    from automation_bots.drivers.network.config import junos_iosxr
    from automation_bots.drivers.network.session.netmiko_line import NetmikoLine

    if work.platform == "juniper_junos":
        return junos_iosxr.Junos(connection).running()
    return line_by_line.LineByLine(NetmikoLine(connection, work.platform), work.platform).running()
