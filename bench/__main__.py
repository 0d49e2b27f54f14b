"""`python -m bench [name …]`: run benchmarks, all without a name, into docs/performance.md; the last line is JSON."""

from __future__ import annotations

import importlib
import json
import signal
import sys
from datetime import UTC, datetime

from bench import page
from bench.figures import Figure

NAMES = (
    "policy",
    "ack",
    "playbook",
    "start",
    "reach",
    "ssh",
    "chat",
    "show",
    "config",
    "salt",
    "load",
    "redact",
    "monitor",
    "monitor_web",
    "syslog",
    "events",
    "growth",
    "suggest",
)


def main(names: list[str]) -> int:
    if unknown := [name for name in names if name not in NAMES]:
        sys.stderr.write(f"No benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}.\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and users of the lab go away then too
    found: list[Figure] = []
    for name in names or NAMES:
        figures = importlib.import_module(f"bench.{name}").run()
        for figure in figures:
            print(figure, flush=True)
        found += figures
    page.write(found, datetime.now(UTC).date())
    print(json.dumps([figure.row() for figure in found]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
