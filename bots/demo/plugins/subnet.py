"""`!subnet`: the calculator that every network engineer looks for."""

import ipaddress

SHOWN = 64


def subnet(network: str, split: int = 0) -> str:
    """Calculate an IPv4 or IPv6 network, or split it into smaller ones.

    Example: !subnet 10.1.2.3/22
    Example: !subnet 10.1.0.0/22 split=24
    Example: !subnet 2001:db8::/48
    Risk: read

    Args:
        network: address and prefix length (10.1.2.3/22) or mask (10.1.2.3/255.255.252.0)
        split: the prefix length of the parts
    """
    try:
        net = ipaddress.ip_network(network, strict=False)
    except ValueError as error:
        raise SystemExit(f"{error}; write for example 10.1.2.0/24") from None
    return _parts(net, split) if split else _described(net)


def _described(net: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    lines = [f"{net}: {net.num_addresses:,} addresses"]
    if net.version == 4:
        lines += [f"mask       {net.netmask}", f"wildcard   {net.hostmask}", f"broadcast  {net.broadcast_address}"]
    # point-to-point networks (/31 and /127, RFC 3021 and 6164) and single addresses have no address to leave out
    tight = net.num_addresses <= 2
    last = net[-1] if tight or net.version == 6 else net[-2]
    lines += [f"first      {net[0] if tight else net[1]}", f"last       {last}"]
    return "\n".join(lines)


def _parts(net: ipaddress.IPv4Network | ipaddress.IPv6Network, length: int) -> str:
    if not net.prefixlen <= length <= net.max_prefixlen:
        raise SystemExit(f"split must be {net.prefixlen}–{net.max_prefixlen} for {net}, got {length}")
    count = 2 ** (length - net.prefixlen)
    lines = [f"{net}: {count:,} networks of /{length}"]
    lines += [str(part) for part, _ in zip(net.subnets(new_prefix=length), range(SHOWN), strict=False)]
    return "\n".join(lines if count <= SHOWN else [*lines, f"… and {count - SHOWN:,} more"])
