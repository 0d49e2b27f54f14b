"""The questions beside ping: traceroute, mtu and dns."""
