"""A bot process on a 10,000-host inventory, from its cache and without one: the first answer, memory, patterns."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from automation_bots.inventory.inventory import Inventory
from bench.figures import Figure, ratio
from bench.folders import HELLO, HOSTS, ROOT, big_inventory, workspace

ROUNDS, MEASURED_AT_REST, REST_SECONDS = 7, 3, 5
COLD_ROUNDS, COLD = 3, {10_000: 4, 50_000: 10}  # hosts: seconds until the first answer where no cache is
PATTERNS = (
    "all",
    "web",
    "web17*",
    "site7:&edge:!edge1007",
    "all:!site1:!site2:!site3",
    "web[0:500]",
    "~(web|db)[0-9]+5$",
    "w*1,d*2,c*3,e*4,*5,*6,*7,*8",  # as many wildcards as a pattern may have
    ",".join(f"web{4 * number}" for number in range(200)),
)
POLICY = """people:
  ana: {text: "@admin", groups: [admins]}
rules:
  - {name: all, who: admins, may: [everything]}
"""


def run() -> list[Figure]:
    with workspace() as folder:
        write(folder)
        seconds(folder, "!whoami", "You are ana")  # reads the inventory through Ansible, and fills the cache
        answer, job, ansible = [], [], []
        for _ in range(ROUNDS):
            answer.append(seconds(folder, "!whoami", "You are ana"))
            job.append(seconds(folder, "!hello you", "#[0-9]+ hello you"))
            ansible.append(timed(lambda: _ansible_inventory(folder)))
        memory = [_megabytes_at_rest(folder) for _ in range(MEASURED_AT_REST)]
        slowest = _slowest_pattern(folder)
        cold = [_cold(folder / f"cold{hosts}", hosts) for hosts in COLD]
    return [
        *cold,
        Figure("start.first_answer", median(answer), "s", 3),
        Figure("start.first_answer.max", max(answer), "s", 3),
        Figure("start.first_job_accepted", median(job), "s", 3),
        Figure("start.ansible_inventory", median(ansible), "s"),
        Figure("start.to_ansible_inventory", ratio(answer, ansible), "x"),
        Figure("start.memory_at_rest", max(memory), "MB", 150),
        Figure("start.expand_slowest", slowest, "ms", 50),
    ]


def _cold(folder: Path, hosts: int) -> Figure:
    """Until the first answer of a bot that has never read this inventory."""
    write(folder, hosts)
    return Figure(f"start.cold.{hosts}", seconds_cold(folder), "s", COLD[hosts])


def seconds_cold(folder: Path) -> float:
    """The median of several first starts."""
    spent = []
    for _ in range(COLD_ROUNDS):
        shutil.rmtree(folder / "data", ignore_errors=True)
        spent.append(seconds(folder, "!whoami", "You are ana"))
    return median(spent)


def write(folder: Path, hosts: int = HOSTS) -> None:
    """A bot with so many devices."""
    files = {
        "bot.toml": 'name = "bench"\nbackend = "Text"\n',
        "policy.yml": POLICY,
        "inventory/hosts.yml": big_inventory(hosts),
        "plugins/hello.py": HELLO,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@contextmanager
def _bot(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A real bot process in a pipe; it ends with its input."""
    command = [sys.executable, "-m", "automation_bots.cli.main", "run", str(folder)]
    environment = {**os.environ, "AUTOMATION_BOTS_DATA": str(folder / "data")}
    with (
        (folder / "errors").open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
        ) as process,
    ):  # fmt: skip
        yield process
        process.stdin.close()
        process.wait(30)


def _ask(process: subprocess.Popen[str], line: str, pattern: str) -> None:
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    for said in process.stdout:
        if re.search(pattern, said):
            return
    raise AssertionError(f"the bot ended without an answer to {line}")


def seconds(folder: Path, line: str, pattern: str) -> float:
    """From the start of a bot to such an answer."""
    started = time.perf_counter()
    with _bot(folder) as process:
        _ask(process, line, pattern)
        return time.perf_counter() - started


def timed(work: Callable[[], object]) -> float:
    """The seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _ansible_inventory(folder: Path) -> None:
    program = Path(sys.executable).with_name("ansible-inventory")
    subprocess.run([program, "-i", folder / "inventory", "--list"], check=True, capture_output=True)


def _megabytes_at_rest(folder: Path) -> float:
    """Resident memory of the bot and all its children; what they share counts twice."""
    with _bot(folder) as process:
        _ask(process, "!whoami", "You are ana")
        time.sleep(REST_SECONDS)
        return sum(_resident(pid) for pid in _family(process.pid)) / 1024


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _resident(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])


def _slowest_pattern(folder: Path) -> float:
    """The median of the slowest pattern, in milliseconds."""
    inventory = Inventory((folder / "inventory",), folder / "data" / "bench" / "cache")
    inventory.load()
    assert len(inventory.names) == HOSTS
    return max(median(timed(lambda p=p: inventory.expand(p)) for _ in range(9)) for p in PATTERNS) * 1000
