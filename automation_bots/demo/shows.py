"""What the simulated devices answer to `show …` and `dir`: state in, text out."""

from __future__ import annotations

import math
from collections.abc import Iterator
from ipaddress import ip_interface

from automation_bots.demo.switch import Interface, Switch

_UNITS = (("year", 365 * 86_400), ("week", 7 * 86_400), ("day", 86_400), ("hour", 3600), ("minute", 60))


def uptime(switch: Switch) -> str:
    """Say how long the device is up, in the words of IOS."""
    left, parts = max(0, int(switch.uptime)), []
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            parts.append(f"{count} {unit}{'' if count == 1 else 's'}")
    return f"{switch.running.hostname} uptime is {', '.join(parts) or '0 minutes'}"


def version(switch: Switch) -> str:
    """`show version`."""
    return f"""\
Cisco IOS Software, SIM Software (SIM-UNIVERSALK9-M), Version 15.7(3)M8, RELEASE SOFTWARE (fc1)
Simulated by Automation Bots for trying things out; nothing is switched here

ROM: Bootstrap program is simulated

{uptime(switch)}
System returned to ROM by reload
System image file is "flash:sim-universalk9.bin"

Cisco SIM-4 (simulated) processor with 524288K bytes of memory.
Processor board ID SIM{sum(switch.name.encode()):08}
4 Gigabit Ethernet interfaces

Configuration register is 0x2102"""


def clock(switch: Switch) -> str:
    """`show clock`."""
    now = switch.time
    return f"*{now:%H:%M:%S}.{now.microsecond // 1000:03} UTC {now:%a %b} {now.day} {now.year}"


def _states(switch: Switch, interface: Interface) -> tuple[str, str]:
    if interface.shutdown:
        return "administratively down", "down"
    return ("up", "up") if switch.line_up(interface) else ("down", "down")


def brief(switch: Switch) -> str:
    """`show ip interface brief`."""
    rows = ["Interface                  IP-Address      OK? Method Status                Protocol"]
    for interface in switch.running.interfaces.values():
        status, protocol = _states(switch, interface)
        address = str(interface.address.ip) if interface.address else "unassigned"
        method = "NVRAM " if interface.address else "unset "
        rows.append(f"{interface.name:<26} {address:<15} YES {method} {status:<21} {protocol}")
    return "\n".join(rows)


def descriptions(switch: Switch) -> str:
    """`show interfaces description`."""
    rows = ["Interface                      Status         Protocol Description"]
    for interface in switch.running.interfaces.values():
        status, protocol = _states(switch, interface)
        short = "admin down" if interface.shutdown else status
        name = interface.name.replace("GigabitEthernet", "Gi").replace("Loopback", "Lo").replace("Vlan", "Vl")
        rows.append(f"{name:<30} {short:<14} {protocol:<8} {interface.description}".rstrip())
    return "\n".join(rows)


def interface(switch: Switch, one: Interface) -> str:
    """`show interfaces X`; the counters grow with the uptime."""
    status, protocol = _states(switch, one)
    packets = int(max(0.0, switch.uptime) * (1 + len(one.description))) if protocol == "up" else 0
    lines = [
        f"{one.name} is {status}, line protocol is {protocol}",
        f"  Hardware is SIM Gigabit Ethernet, address is {_mac(switch, one)} (bia {_mac(switch, one)})",
        f"  Description: {one.description}" if one.description else "",
        f"  Internet address is {one.address}" if one.address else "",
        "  MTU 1500 bytes, BW 1000000 Kbit/sec, DLY 10 usec,",
        f"     {packets} packets input, {packets * 420} bytes, 0 no buffer",
        "     0 input errors, 0 CRC, 0 frame, 0 overrun, 0 ignored",
        f"     {packets * 2} packets output, {packets * 731} bytes, 0 underruns",
        "     0 output errors, 0 collisions, 0 interface resets",
    ]
    return "\n".join(line for line in lines if line)


def interfaces(switch: Switch) -> str:
    """`show interfaces`."""
    return "\n".join(interface(switch, one) for one in switch.running.interfaces.values())


def _mac(switch: Switch, one: Interface) -> str:
    digits = f"0200{sum(switch.name.encode()):04x}{sum(one.name.encode()):04x}"
    return f"{digits[:4]}.{digits[4:8]}.{digits[8:]}"


def config(switch: Switch) -> str:
    """`show running-config`."""
    running = switch.running
    blocks = ["version 15.7", f"hostname {running.hostname}"]
    blocks += ["\n".join(_block(one)) for one in running.interfaces.values()]
    blocks += ["\n".join(running.lines)] if running.lines else []
    text = "\n!\n".join([*blocks, "line vty 0 15\n login local\n transport input ssh", "end"])
    return f"Building configuration...\n\nCurrent configuration : {len(text)} bytes\n!\n{text}"


def _block(one: Interface) -> Iterator[str]:
    yield f"interface {one.name}"
    if one.description:
        yield f" description {one.description}"
    yield f" ip address {one.address.with_netmask.replace('/', ' ')}" if one.address else " no ip address"
    if one.shutdown:
        yield " shutdown"


def routes(switch: Switch) -> str:
    """`show ip route`: what is connected and up."""
    rows = ["Codes: L - local, C - connected, S - static", "", "Gateway of last resort is not set", ""]
    for one in switch.running.interfaces.values():
        if one.address and switch.line_up(one):
            rows.append(f"C        {one.address.network} is directly connected, {one.name}")
            rows.append(f"L        {one.address.ip}/32 is directly connected, {one.name}")
    return "\n".join(rows)


def route(switch: Switch, destination: str) -> str:
    """`show ip route X`."""
    try:
        wanted = ip_interface(destination).ip
    except ValueError:
        return "% Unrecognized host or address"
    for one in switch.running.interfaces.values():
        if one.address and wanted in one.address.network and switch.line_up(one):
            return f"""\
Routing entry for {one.address.network}
  Known via "connected", distance 0, metric 0 (connected, via interface)
  Routing Descriptor Blocks:
  * directly connected, via {one.name}
      Route metric is 0, traffic share count is 1"""
    return "% Network not in table"


def _seen(switch: Switch) -> Iterator[tuple[Interface, Interface, Switch]]:
    """Each cable that works: the interface here, the one there, and its switch."""
    for here, (other, there) in switch.wires.items():
        one = switch.running.interfaces[here]
        if switch.line_up(one):
            yield one, other.running.interfaces[there], other


def arp(switch: Switch) -> str:
    """`show ip arp`."""
    rows = ["Protocol  Address          Age (min)  Hardware Addr   Type   Interface"]
    own = ((one, one, switch, "-") for one in switch.running.interfaces.values() if one.address)
    others = ((here, there, other, "12") for here, there, other in _seen(switch) if there.address)
    for here, there, whose, age in (*own, *others):
        address = there.address.ip if there.address else ""
        rows.append(f"Internet  {address!s:<15}  {age:>9}  {_mac(whose, there)}  ARPA   {here.name}")
    return "\n".join(rows)


def macs(switch: Switch) -> str:
    """`show mac address-table`."""
    rows = ["          Mac Address Table", "-" * 43, "", "Vlan    Mac Address       Type        Ports", "-" * 43]
    for here, there, other in _seen(switch):
        rows.append(f"  10    {_mac(other, there)}    DYNAMIC     {here.name.replace('GigabitEthernet', 'Gi')}")
    return "\n".join([*rows, f"Total Mac Addresses for this criterion: {len(rows) - 5}"])


def bgp(_switch: Switch) -> str:
    """`show ip bgp summary`: these switches have none."""
    return "% BGP not active"


def neighbors(switch: Switch) -> str:
    """`show lldp neighbors`."""
    rows = [
        "Capability codes:",
        "    (R) Router, (B) Bridge, (T) Telephone, (C) DOCSIS Cable Device",
        "",
        "Device ID           Local Intf     Hold-time  Capability      Port ID",
    ]
    found = 0
    for here, (other, there) in switch.wires.items():
        if switch.line_up(switch.running.interfaces[here]):
            found += 1
            local, remote = (name.replace("GigabitEthernet", "Gi") for name in (here, there))
            rows.append(f"{other.running.hostname:<19} {local:<14} 120        B,R             {remote}")
    return "\n".join([*rows, "", f"Total entries displayed: {found}"])


def users(switch: Switch) -> str:
    """`show users`."""
    rows = ["    Line       User       Host(s)              Idle       Location"]
    for line, (user, address) in enumerate(switch.users):
        rows.append(f"{'*' if line == len(switch.users) - 1 else ' '} {line + 2:>2} vty {line}   {user:<10} idle                 00:00:00 {address}")  # fmt: skip # noqa: E501 - one row of a table
    return "\n".join(rows)


def _load(switch: Switch) -> int:
    return 6 + round(4 * math.sin(switch.now() / 60 + len(switch.name)))


def cpu(switch: Switch) -> str:
    """`show processes cpu`."""
    load = _load(switch)
    return f"""\
CPU utilization for five seconds: {load}%/0%; one minute: {load - 1}%; five minutes: 6%
 PID Runtime(ms)     Invoked      uSecs   5Sec   1Min   5Min TTY Process
   1 {int(switch.uptime):>11} {int(switch.uptime) * 3:>11}        333  1.10%  1.02%  1.00%   0 SIM Forwarding
   2 {int(switch.uptime) // 2:>11} {int(switch.uptime):>11}        500  0.40%  0.38%  0.35%   0 LLDP Protocol"""


def memory(switch: Switch) -> str:
    """`show processes memory`."""
    used = 150_000_000 + 1_000_000 * _load(switch)
    return f"""\
Processor Pool Total:  402653184 Used:  {used} Free:  {402653184 - used}

 PID TTY  Allocated      Freed    Holding    Getbufs    Retbufs Process
   1   0    8211332    1204428    7006904          0          0 SIM Forwarding
   2   0     412004      88120     323884          0          0 LLDP Protocol"""


def logging(switch: Switch) -> str:
    """`show logging`."""
    head = f"Syslog logging: enabled ({len(switch.log)} messages logged)\n\nLog Buffer (8192 bytes):\n"
    return "\n".join([head, *switch.log])


def flash(_switch: Switch) -> str:
    """`dir flash:`."""
    return """\
Directory of flash:/

    1  -rw-   107847824  Jan 10 2026 09:14:02 +00:00  sim-universalk9.bin
    2  -rw-        4096  Jan 10 2026 09:20:44 +00:00  vlan.dat

255594496 bytes total (147742576 bytes free)"""


def file_systems(_switch: Switch) -> str:
    """`show file systems`."""
    return """\
File Systems:

       Size(b)       Free(b)      Type  Flags  Prefixes
*    255594496     147742576     flash     rw   flash:
        262144        254210     nvram     rw   nvram:"""
