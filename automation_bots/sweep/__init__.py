"""Probes thousands of addresses at once from one process: ICMP and TCP. Knows no devices; standard library only."""
