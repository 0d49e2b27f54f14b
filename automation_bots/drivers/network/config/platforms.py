"""How each platform takes a change: a candidate with commit-confirm where it has one, else line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.messages import DeviceRequest, Problem


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """The lines of a change: to be added, or to be all that there is (`replace`)."""

    tree: plans.Tree
    replace: bool = False

    @property
    def text(self) -> str:
        """The lines as a configuration shows them."""
        return config_lines.indented(self.tree) + "\n"


class ConfigMethod(Protocol):
    """One platform's way to change a configuration and to take it back, over one connection."""

    def running(self) -> str:
        """Return the running configuration."""

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Return what would change; nothing stays behind on the device."""

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Make it effective; where it can, the device itself goes back after so long. A Problem quotes a refusal."""

    def confirm(self, *, save: bool) -> None:
        """Keep the change; with `save` also over a restart."""

    def undo(self, before: str) -> str:
        """Go back; return what still differs from before."""


_LINES = ("cisco_ios", "cisco_xe", "cisco_nxos", "frr")


def way_of(work: DeviceRequest, connection: Any) -> ConfigMethod:
    """Return the way of a device; a Problem for one that cannot be configured."""
    from automation_bots.drivers.network.config import junos_iosxr, line_by_line, napalm_candidate

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
    from automation_bots.drivers.network.config import junos_iosxr, line_by_line

    if work.platform == "juniper_junos":
        return junos_iosxr.Junos(connection).running()
    return line_by_line.LineByLine(connection, work.platform).running()
