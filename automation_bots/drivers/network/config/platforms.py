"""How each platform takes a change: a candidate with commit-confirm where it has one, else line by line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from automation_bots.drivers.network.config import candidates, line_by_line
from automation_bots.drivers.network.config.contract import CommandLine, ConfigMethod
from automation_bots.drivers.network.messages import DeviceRequest, Problem
from automation_bots.drivers.network.session.cli import Cli

_LINES = ("cisco_ios", "cisco_xe", "cisco_nxos", "frr")
_CANDIDATES: dict[str, Callable[[CommandLine], ConfigMethod]] = {
    "juniper_junos": candidates.Junos,
    "cisco_xr": candidates.IosXr,
    "vyos": candidates.Vyos,
}
_SESSIONS = ("arista_eos",)  # of whose driver of NAPALM it is known what it needs of a command line
KNOWN = tuple(sorted((*_LINES, *_SESSIONS, *_CANDIDATES)))


def only_waits(work: DeviceRequest) -> bool:
    """Whether a change needs no library that polls: its thread waits for the process's loop."""
    return work.platform in KNOWN and not work.napalm and not work.values.get("expect")


@contextlib.contextmanager
def opened(cli: Cli) -> Iterator[ConfigMethod]:
    """Log in, and give the way of a device; a Problem for one that cannot be configured."""
    work = cli.work
    if work.napalm:
        from automation_bots.drivers.network.config import napalm_candidate  # and with it NAPALM

        with cli.opened() as connection:
            yield napalm_candidate.Candidate(work, napalm_candidate.Careful(connection, work.platform))
    elif work.platform in KNOWN:
        with cli.line() as line:
            yield _way_of(work, line)
    else:
        raise Problem(
            f"!config knows no way to configure {work.platform}; it knows {', '.join(KNOWN)}, "
            "and any platform with a NAPALM driver (napalm_driver: in the inventory)"
        )


def _way_of(work: DeviceRequest, line: CommandLine) -> ConfigMethod:
    if work.platform in _CANDIDATES:
        return _CANDIDATES[work.platform](line)
    if work.platform in _LINES:
        return line_by_line.LineByLine(line, work.platform)
    from automation_bots.drivers.network.config import napalm_candidate  # and with it NAPALM

    return napalm_candidate.Candidate(work, napalm_candidate.OnLine(line, work.platform))


def running_config(work: DeviceRequest, connection: Any) -> str:
    """Return the running configuration of a device that need not be one that can be configured."""
    from automation_bots.drivers.network.session.netmiko_line import NetmikoLine

    return line_by_line.LineByLine(NetmikoLine(connection, work.platform), work.platform).running()
