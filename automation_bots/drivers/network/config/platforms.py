"""How each platform takes a change: a candidate with commit-confirm where it has one, else line by line."""

from __future__ import annotations

from typing import Any

from automation_bots.drivers.network.config import junos_iosxr, line_by_line, napalm_candidate
from automation_bots.drivers.network.config.contract import ConfigMethod
from automation_bots.drivers.network.messages import DeviceRequest, Problem

_LINES = ("cisco_ios", "cisco_xe", "cisco_nxos", "frr")


def way_of(work: DeviceRequest, connection: Any) -> ConfigMethod:
    """Return the way of a device; a Problem for one that cannot be configured."""
    if work.napalm or work.platform == "arista_eos":
        return napalm_candidate.Candidate(work, connection)
    if work.platform == "juniper_junos":
        return junos_iosxr.Junos(connection)
    if work.platform == "cisco_xr":
        return junos_iosxr.IosXr(connection)
    if work.platform in _LINES:
        return line_by_line.LineByLine(connection, work.platform)
    known = ", ".join(sorted((*_LINES, "arista_eos", "cisco_xr", "juniper_junos")))
    raise Problem(
        f"!config knows no way to configure {work.platform}; it knows {known}, "
        "and any platform with a NAPALM driver (napalm_driver: in the inventory)"
    )


def running_config(work: DeviceRequest, connection: Any) -> str:
    """Return the running configuration of a device that need not be one that can be configured."""
    if work.platform == "juniper_junos":
        return junos_iosxr.Junos(connection).running()
    return line_by_line.LineByLine(connection, work.platform).running()
