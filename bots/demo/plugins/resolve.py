"""`!resolve`: what a name means to the machine of the bot, its hosts file included (`!dns` asks DNS servers)."""

import ipaddress
import socket
from typing import Literal

FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


def resolve(name: str, family: Literal["any", "ipv4", "ipv6"] = "any") -> str:
    """Look up the addresses of a name, or the name of an address.

    Example: !resolve example.com
    Example: !resolve example.com family=ipv6
    Example: !resolve 192.0.2.10
    Risk: read
    Time limit: 30 s

    :param name: a host name, or an IPv4 or IPv6 address
    :param family: which addresses to look for
    """
    try:
        return _reverse(str(ipaddress.ip_address(name)))
    except ValueError:
        return _forward(name, family)


def _forward(name: str, family: str) -> str:
    try:
        found = socket.getaddrinfo(name, None, FAMILIES[family], socket.SOCK_STREAM)
    except OSError as error:
        raise SystemExit(f"{name}: {error.strerror}") from None
    addresses = sorted({str(address[0]) for *_, address in found})
    return f"{name}: {', '.join(addresses)}"


def _reverse(address: str) -> str:
    try:
        name, aliases, _ = socket.gethostbyaddr(address)
    except OSError as error:
        raise SystemExit(f"{address}: {error.strerror}") from None
    return f"{address}: {', '.join([name, *aliases])}"
