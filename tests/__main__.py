"""`make test`: all tests beside each other, what failed once more alone, and an end that says which was which."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FAILED = ROOT / ".pytest_cache/v/cache/lastfailed"
SOME_FAILED = 1  # pytest's code for it; every other one means that the run itself went wrong
WAITING_WORKERS = 3  # besides one a processor, for files whose tests wait more than they work
MOST_SHAKY = 3  # that many may fail beside others and pass alone; more are no accident


def main(words: list[str]) -> int:
    """Run the tests that `words` name, or all; return the exit code."""
    FAILED.unlink(missing_ok=True)  # of another run
    code = _pytest("-n", str(len(os.sched_getaffinity(0)) + WAITING_WORKERS), *words)
    first = _failed()
    if code != SOME_FAILED or not first:
        return code
    print(f"\n{len(first)} failed beside others and run once more, alone:", *first, sep="\n  ", flush=True)
    code = _pytest("--last-failed", "--last-failed-no-failures", "none", *words)
    said, code = verdict(first, _failed(), code)
    print(said)
    return code


def verdict(first: list[str], second: list[str], code: int) -> tuple[str, int]:
    """What stands at the end of two runs, from what failed in each and the second one's code; and the code of all."""
    if code:
        return f"Failed alone as well: {', '.join(second) or 'the second run did not end well'}.", code
    listed = "".join(f"\n  {nodeid}" for nodeid in first)
    if len(first) <= MOST_SHAKY:
        return f"Failed beside others and passed alone ({len(first)}, at most {MOST_SHAKY} may):{listed}", 0
    return f"Failed beside others and passed alone: {len(first)}, and more than {MOST_SHAKY} fail the run:{listed}", 1


def _failed() -> list[str]:
    return sorted(json.loads(FAILED.read_text())) if FAILED.exists() else []


def _pytest(*words: str) -> int:
    # Each worker and each process that a test starts would compile all sources anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *words], cwd=ROOT, env=environment, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
