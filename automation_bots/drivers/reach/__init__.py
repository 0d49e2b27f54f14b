"""Reachability: ping, reach and tcp, for one device or tens of thousands."""
