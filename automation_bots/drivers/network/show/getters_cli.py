"""The same questions on Junos and IOS XR by their command lines, since NAPALM opens connections of its own there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session import netmiko_cli as command_line
from automation_bots.drivers.network.session.cli import Cli

Row = tuple[str, ...]
Say = Callable[[str], str]  # a command, and what the device prints


def rows(cli: Cli, getter: str, target: str) -> tuple[Row, ...]:
    """Ask a device of one of the platforms in `OWN`, in one session."""

    def ask(command: str) -> str:
        with command_line.said():
            return str(connection.send_command(command))

    with cli.opened() as connection:
        return tuple(OWN[cli.work.platform][getter](ask, target))


# -- Junos: `| display json` has the elements of its XML; a value is [{"data": "…"}]


def _junos(ask: Say, command: str) -> Any:
    text = ask(f"{command} | display json")
    try:
        return json.loads(text)
    except ValueError as error:
        first = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
        raise Problem(f"{command} gave no JSON: {first}") from error


def _each(found: Any, name: str) -> Iterator[Mapping[str, Any]]:
    """Find the elements of a name, however deep: members of a virtual chassis answer each by itself."""
    for item in found if isinstance(found, list) else [found]:
        for key, value in item.items() if isinstance(item, dict) else ():
            yield from (each for each in value if isinstance(each, dict)) if key == name else _each(value, name)


def _of(element: Mapping[str, Any], *names: str) -> str:
    """The value of the first of these that is there."""
    for name in names:
        if found := element.get(name):
            return str(found[0].get("data") or "").strip()
    return ""


def _yes(text: str, word: str = "up") -> str:
    return "yes" if text == word else "no"


def _junos_facts(ask: Say, _target: str) -> Iterator[Row]:
    serials = [_of(it, "serial-number") for it in _each(_junos(ask, "show chassis hardware"), "chassis")]
    for number, it in enumerate(_each(_junos(ask, "show version"), "software-information")):
        serial = serials[number] if number < len(serials) else ""
        yield _of(it, "host-name"), "Juniper", _of(it, "product-model"), _of(it, "junos-version"), serial, ""


def _junos_interfaces(ask: Say, _target: str) -> Iterator[Row]:
    for it in _each(_junos(ask, "show interfaces"), "physical-interface"):
        up, enabled = _yes(_of(it, "oper-status")), _yes(_of(it, "admin-status"))
        mac = _of(it, "current-physical-address")
        yield _of(it, "name"), up, enabled, _of(it, "speed"), mac, _of(it, "description")


_JUNOS_COUNTED = (("input-error-list", "input-errors"), ("output-error-list", "output-errors"),
                  ("input-error-list", "input-drops"), ("output-error-list", "output-drops"),
                  ("traffic-statistics", "input-bytes"), ("traffic-statistics", "output-bytes"))  # fmt: skip


def _junos_counters(ask: Say, _target: str) -> Iterator[Row]:
    for it in _each(_junos(ask, "show interfaces extensive"), "physical-interface"):
        counts = (_of((it.get(part) or [{}])[0], name) or "-" for part, name in _JUNOS_COUNTED)
        yield _of(it, "name"), *counts, _speed(_of(it, "speed"))


def _speed(text: str) -> str:
    """`1000mbps`, `10Gbps` and `1000000 Kbit` in one unit; a dash where it is no number."""
    found = re.fullmatch(r"(\d+) ?([kmg])(?:bps|bit(?:/sec)?)", text.lower())
    return f"{int(found[1]) * {'k': 1e-3, 'm': 1.0, 'g': 1e3}[found[2]]:.15g}M" if found and int(found[1]) else "-"


def _junos_bgp(ask: Say, _target: str) -> Iterator[Row]:
    up = {_of(it, "peer-address"): _of(it, "elapsed-time") for it in _each(_junos(ask, "show bgp summary"), "bgp-peer")}
    for it in _each(_junos(ask, "show bgp neighbor"), "bgp-peer"):
        ribs = list(_each(it, "bgp-rib"))
        counts = (str(sum(int(_of(rib, name) or 0) for rib in ribs))
                  for name in ("received-prefix-count", "advertised-prefix-count"))  # fmt: skip
        address = _of(it, "peer-address").partition("+")[0]  # address+port
        vrf = _of(it, "peer-cfg-rti", "peer-fwd-rti").replace("master", "default") or "default"
        yield (vrf, address, _of(it, "peer-as"), _of(it, "peer-state"), up.get(address, ""), *counts,
               _of(it, "description"))  # fmt: skip


def _junos_lldp(ask: Say, _target: str) -> Iterator[Row]:
    for it in _each(_junos(ask, "show lldp neighbors"), "lldp-neighbor-information"):
        port = _of(it, "lldp-remote-port-id", "lldp-remote-port-description")
        yield _of(it, "lldp-local-port-id", "lldp-local-interface"), _of(it, "lldp-remote-system-name"), port


def _junos_mac(ask: Say, _target: str) -> Iterator[Row]:
    for it in _each(_junos(ask, "show ethernet-switching table"), "l2ng-mac-entry"):
        static = "yes" if "S" in _of(it, "l2ng-l2-mac-flags").split(",") else "no"
        yield (_of(it, "l2ng-l2-mac-vlan-name"), _of(it, "l2ng-l2-mac-address"),
               _of(it, "l2ng-l2-mac-logical-interface"), static)  # fmt: skip


def _junos_arp(ask: Say, _target: str) -> Iterator[Row]:
    for it in _each(_junos(ask, "show arp no-resolve"), "arp-table-entry"):
        yield _of(it, "interface-name"), _of(it, "ip-address"), _of(it, "mac-address")


def _junos_route(ask: Say, target: str) -> Iterator[Row]:
    for route in _each(_junos(ask, f"show route {target}"), "rt"):
        for entry in _each(route, "rt-entry"):
            active = _yes(_of(entry, "active-tag"), "*")
            for hop in _each(entry, "nh"):
                via = _of(hop, "to") or "directly connected"
                yield (_of(route, "rt-destination"), _of(entry, "protocol-name").lower(), via,
                       _of(hop, "via", "nh-local-interface"), active)  # fmt: skip


# -- IOS XR: text, read line by line

_XR_INTERFACE = re.compile(
    r"^(?P<name>\S+) is (?P<state>up|down|administratively down).*?, line protocol is \S+.*(?P<rest>(?:\n[ \t].*)*)",
    re.MULTILINE,
)
_XR_PEER = re.compile(
    r"^(?P<address>[0-9a-fA-F.:]+)\s+\d+\s+(?P<asn>[\d.]+)\s+\d+\s+\d+\s+\d+\s+\d+\s+\d+\s+(?P<uptime>\S+)\s+(?P<state>\S+)",
    re.MULTILINE,
)
_XR_LLDP = re.compile(r"^(?P<host>\S+)\s+(?P<mine>[A-Z]\S*\d)\s+\d+\s+\S+\s+(?P<port>\S+)\s*$", re.MULTILINE)
_XR_ARP = re.compile(r"^(?P<ip>\d+(?:\.\d+){3})\s+\S+\s+(?P<mac>[0-9a-f.]{14})\s+\S+\s+\S+\s+(?P<on>\S+)", re.MULTILINE)
_XR_HOP = re.compile(
    r"^\s+(?:directly connected, via (?P<direct>\S+)"
    r"|(?P<via>[\da-fA-F.:]+)(?=,|\s*$)(?:, from \S+)?(?:, via (?P<on>\S+))?)",
    re.MULTILINE,
)

_XR_CARD = re.compile(r"^(\S+/CPU\d+)\s.*\bIOS XR RUN\b", re.MULTILINE)
_XR_MAC = re.compile(r"^\d+\s+\S+\s+(\S+)\s+([0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4})\b", re.MULTILINE)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found[1].strip() if found else ""


def _xr_facts(ask: Say, _target: str) -> Iterator[Row]:
    text = ask("show version")
    host = _found(r"^(\S+) uptime is", text)
    model = _found(r"^cisco (.+?) (?:\(.*\)|Series)? ?(?:processor|with)", text.lower())
    yield host, "Cisco", model, _found(r"Version\s*:?\s+([\w.]+)", text), "", _found(r"uptime is (.+)$", text)


def _xr_interfaces(ask: Say, _target: str) -> Iterator[Row]:
    for it in _XR_INTERFACE.finditer(ask("show interfaces")):
        rest = it["rest"]
        enabled = "no" if it["state"].startswith("admin") else "yes"
        mac = _found(r"address is ([0-9a-f.]{14})", rest)
        speed, text = _found(r"BW (\d+ \S+?)(?:\s|$)", rest), _found(r"^\s+Description: (.*)", rest)
        yield it["name"], _yes(it["state"]), enabled, speed, mac, text


_XR_COUNTED = (r"(\d+) input errors", r"(\d+) output errors", r"(\d+) total input drops", r"(\d+) total output drops",
               r"packets input, (\d+) bytes", r"packets output, (\d+) bytes")  # fmt: skip


def _xr_counters(ask: Say, _target: str) -> Iterator[Row]:
    for it in _XR_INTERFACE.finditer(ask("show interfaces")):
        counts = (_found(pattern, it["rest"]) or "-" for pattern in _XR_COUNTED)
        yield it["name"], *counts, _speed(_found(r"BW (\d+ \S+?)(?:\s|$)", it["rest"]))


def _xr_bgp(ask: Say, _target: str) -> Iterator[Row]:
    for it in _XR_PEER.finditer(ask("show bgp summary")):
        up = it["state"].isdecimal()
        received = it["state"] if up else "0"
        yield "default", it["address"], it["asn"], "Established" if up else it["state"], it["uptime"], received, "", ""


def _xr_lldp(ask: Say, _target: str) -> Iterator[Row]:
    for it in _XR_LLDP.finditer(ask("show lldp neighbors")):
        yield it["mine"], it["host"], it["port"]


def _xr_arp(ask: Say, _target: str) -> Iterator[Row]:
    for it in _XR_ARP.finditer(ask("show arp")):
        yield it["on"], it["ip"], it["mac"]


def _xr_route(ask: Say, target: str) -> Iterator[Row]:
    text = ask(f"show route {target}")
    prefix, _, hops = text.partition("Routing Descriptor Blocks")
    for it in _XR_HOP.finditer(hops):
        yield (_found(r"Routing entry for (\S+)", prefix), _found(r'Known via "(\w+)', prefix),
               it["via"] or "directly connected", it["on"] or it["direct"] or "", "yes")  # fmt: skip


def _xr_mac(ask: Say, _target: str) -> Iterator[Row]:
    """Ask each card, since each keeps what it learned itself."""
    cards = _XR_CARD.findall(ask("show platform"))
    said = [ask(f"show l2vpn mac-learning mac all location {card}") for card in cards]
    found = {it.groups() for text in said for it in _XR_MAC.finditer(text)}
    refused = [error for text in said if (error := judge.refusal(text, "cisco_xr"))]
    if not cards or (refused and not found):
        raise Problem(f"IOS XR tells no MAC addresses: {refused[0] if refused else 'it names no card that runs'}")
    yield from (("", mac, interface, "no") for interface, mac in found)


Ask = Callable[[Say, str], Iterator[Row]]
OWN: Mapping[str, Mapping[str, Ask]] = {
    "juniper_junos": {
        "facts": _junos_facts,
        "interfaces": _junos_interfaces,
        "counters": _junos_counters,
        "bgp": _junos_bgp,
        "lldp": _junos_lldp,
        "mac": _junos_mac,
        "arp": _junos_arp,
        "route": _junos_route,
    },
    "cisco_xr": {
        "facts": _xr_facts,
        "interfaces": _xr_interfaces,
        "counters": _xr_counters,
        "bgp": _xr_bgp,
        "lldp": _xr_lldp,
        "mac": _xr_mac,
        "arp": _xr_arp,
        "route": _xr_route,
    },
}
