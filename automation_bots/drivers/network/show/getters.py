"""The questions behind `!facts`, `!interfaces`, `!bgp` …: NAPALM's getters, and FRR's own JSON, in the same columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.session import napalm_open
from automation_bots.drivers.network.session import netmiko_cli as command_line
from automation_bots.drivers.network.session.cli import Cli
from automation_bots.drivers.network.show import getters_cli
from automation_bots.text.times import elapsed

COUNTERS = ("interface", "in_errors", "out_errors", "in_drops", "out_drops", "in_bytes", "out_bytes", "speed")
HEADERS: dict[str, tuple[str, ...]] = {
    "facts": ("hostname", "vendor", "model", "version", "serial", "uptime"),
    "interfaces": ("interface", "up", "enabled", "speed", "mac", "description"),
    "counters": COUNTERS,
    "bgp": ("vrf", "neighbor", "as", "state", "uptime", "received", "sent", "description"),
    "lldp": ("interface", "neighbor", "port"),
    "mac": ("vlan", "mac", "interface", "static"),
    "arp": ("interface", "ip", "mac"),
    "route": ("prefix", "protocol", "via", "interface", "active"),
}
Row = tuple[str, ...]


def rows(cli: Cli, getter: str, target: str = "") -> tuple[Row, ...]:
    """Ask one device; the rows have the columns of `HEADERS`."""
    if cli.work.platform == "frr":
        return tuple(_by_name(tuple(_FRR[getter](cli, target))))
    if cli.work.platform in getters_cli.OWN and not cli.work.napalm:
        return tuple(_by_name(getters_cli.rows(cli, getter, target)))
    with cli.opened() as connection:
        driver = napalm_open.driver_on(cli.work, connection)
        try:
            return tuple(_by_name(tuple(_READ[getter](driver, target))))
        except NotImplementedError as error:
            raise Problem(f"NAPALM cannot ask {cli.work.platform} for {getter}; try !show") from error


def _by_name(found: tuple[Row, ...]) -> list[Row]:
    return sorted(found)


def _seconds(value: Any) -> str:
    """How long something has been up; what is unknown (negative) is empty."""
    total = int(float(value or 0))
    return elapsed(total) if total > 0 else ""


def _yes(value: Any) -> str:
    return "yes" if value else "no"


# -- NAPALM


def _facts(driver: Any, _target: str) -> Iterator[Row]:
    found = driver.get_facts()
    names = ("hostname", "vendor", "model", "os_version", "serial_number")
    yield (*(str(found.get(name, "")) for name in names), _seconds(found.get("uptime")))


def _interfaces(driver: Any, _target: str) -> Iterator[Row]:
    for name, it in driver.get_interfaces().items():
        speed = f"{it['speed']:g}M" if it.get("speed", 0) and it["speed"] > 0 else ""
        yield name, _yes(it["is_up"]), _yes(it["is_enabled"]), speed, it["mac_address"], it["description"]


_COUNTED = ("rx_errors", "tx_errors", "rx_discards", "tx_discards", "rx_octets", "tx_octets")


def counters_of(driver: Any, _target: str) -> Iterator[Row]:
    """Read what interfaces counted; NAPALM's -1, and what is not there, is a dash."""
    speeds = {name: float(it.get("speed") or 0) for name, it in driver.get_interfaces().items()}
    for name, it in driver.get_interfaces_counters().items():
        # What NX-OS does not count on its management port NAPALM gives as 0, which nobody has counted.
        known = _COUNTED[-2:] if name.startswith("mgmt") else _COUNTED
        counts = (it.get(one, -1) if one in known else -1 for one in _COUNTED)
        speed = f"{speeds[name]:.15g}M" if speeds.get(name, 0) > 0 else "-"
        yield name, *("-" if one is None or one < 0 else str(one) for one in counts), speed


def _bgp(driver: Any, _target: str) -> Iterator[Row]:
    for vrf, found in driver.get_bgp_neighbors().items():
        for address, peer in found["peers"].items():
            counts = peer["address_family"].values()
            received, sent = (sum(max(0, c.get(key, 0)) for c in counts) for key in _PREFIXES)
            state = "Established" if peer["is_up"] else "down" if peer["is_enabled"] else "shut"
            yield (vrf, address, str(peer["remote_as"]), state, _seconds(peer["uptime"]), str(received), str(sent),
                   peer.get("description", ""))  # fmt: skip


_PREFIXES = ("received_prefixes", "sent_prefixes")


def _lldp(driver: Any, _target: str) -> Iterator[Row]:
    for name, found in driver.get_lldp_neighbors().items():
        for other in found:
            yield name, other["hostname"], other["port"]


def _mac(driver: Any, _target: str) -> Iterator[Row]:
    for it in driver.get_mac_address_table():
        yield str(it["vlan"]), it["mac"], it["interface"], _yes(it["static"])


def _arp(driver: Any, _target: str) -> Iterator[Row]:
    for it in driver.get_arp_table():
        yield it["interface"], it["ip"], it["mac"]


def _route(driver: Any, target: str) -> Iterator[Row]:
    for prefix, found in driver.get_route_to(destination=target).items():
        for it in found:
            yield prefix, it["protocol"], it["next_hop"], it["outgoing_interface"], _yes(it["current_active"])


Ask = Callable[[Any, str], Iterator[Row]]
_READ: Mapping[str, Ask] = {
    "facts": _facts,
    "interfaces": _interfaces,
    "counters": counters_of,
    "bgp": _bgp,
    "lldp": _lldp,
    "mac": _mac,
    "arp": _arp,
    "route": _route,
}


# -- FRR: vtysh answers in JSON


def _asked(cli: Cli, command: str) -> Any:
    with cli.opened() as connection, command_line.said():
        text = connection.send_command(command)
    try:
        return json.loads(text)
    except ValueError as error:
        first = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
        raise Problem(f"{command} gave no JSON: {first}") from error


def _frr_facts(cli: Cli, _target: str) -> Iterator[Row]:
    with cli.opened() as connection, command_line.said():
        text = connection.send_command("show version")
        host = connection.base_prompt
    first = text.split("\n", 1)[0].split()
    yield host, "FRRouting", "FRR", first[1] if len(first) > 1 else "", "", ""


def _frr_interfaces(cli: Cli, _target: str) -> Iterator[Row]:
    for name, it in _asked(cli, "show interface json").items():
        up, enabled = it.get("operationalStatus") == "up", it.get("administrativeStatus") == "up"
        speed = f"{it['speed']}M" if it.get("speed") and it["speed"] < 4_000_000_000 else ""
        yield name, _yes(up), _yes(enabled), speed, it.get("hardwareAddress", ""), it.get("description", "")


def _frr_bgp(cli: Cli, _target: str) -> Iterator[Row]:
    yield from bgp_of(_asked(cli, "show bgp vrf all summary json"))


def bgp_of(found: Mapping[str, Any]) -> Iterator[Row]:
    """Read FRR's summary of all VRFs and address families."""
    for vrf, families in found.items():
        for family in families.values():
            if not isinstance(family, dict):
                continue
            for address, peer in family.get("peers", {}).items():
                uptime = _seconds(peer.get("peerUptimeMsec", 0) / 1000)
                counts = str(peer.get("pfxRcd", 0)), str(peer.get("pfxSnt", 0))
                yield vrf, address, str(peer["remoteAs"]), peer["state"], uptime, *counts, peer.get("desc", "")


def _frr_without(what: str) -> Ask:
    def ask(_cli: Cli, _target: str) -> Iterator[Row]:
        raise Problem(f"FRR has no {what}; the machine it runs on may have it")

    return ask


def _frr_route(cli: Cli, target: str) -> Iterator[Row]:
    for prefix, found in _asked(cli, f"show ip route {target} json").items():
        for it in found:
            for hop in it.get("nexthops", []):
                via = hop.get("ip", "directly connected")
                yield prefix, it["protocol"], via, hop.get("interfaceName", ""), _yes(it.get("selected"))


_FRR: Mapping[str, Ask] = {
    "facts": _frr_facts,
    "interfaces": _frr_interfaces,
    "counters": _frr_without("counters of interfaces"),
    "bgp": _frr_bgp,
    "lldp": _frr_without("LLDP"),
    "mac": _frr_without("MAC table"),
    "arp": _frr_without("ARP table"),
    "route": _frr_route,
}
