"""What the machine itself takes at the same moments: a process of its own that makes two durable commits when asked.

An acceptance is two commits and some Python; under load both wait for the disk and for a processor, whoever asks.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path


class Floor:
    """`ask` never waits; `close` gives the milliseconds of all."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "bench.floor", str(folder / "floor.db")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self) -> None:
        self._process.stdin.write(f"{time.perf_counter()}\n")
        self._process.stdin.flush()

    def close(self) -> list[float]:
        printed, _ = self._process.communicate(timeout=60)
        return [float(word) for word in printed.split()]


def main(file: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE rows (text TEXT)")
    spent = []
    for asked in sys.stdin:
        for _ in range(2):
            connection.execute("INSERT INTO rows VALUES (?)", ("x" * 500,))
        spent.append((time.perf_counter() - float(asked)) * 1000)  # Linux has one such clock for all processes
    print(*spent)


if __name__ == "__main__":
    main(sys.argv[1])
