"""Benchmarks: each is a module here with `run() -> list[Figure]`; `make bench NAME=<name>`."""
