"""One command over SSH on 500 slow devices, from the message in chat to the stored outcomes, against two scripts.

The devices are threads of a small C program on libssh (`sshfarm.c`), which leaves the machine to what is measured.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.bots import chat
from bench.figures import Figure
from bench.folders import ROOT, workspace
from bench.playbook import Ended
from tests.support.chatbot import ChatBot, wait

DEVICES = 500
LOGIN_MS, ANSWER_MS = 300, 50
ROUNDS = 5
SINGLES = 21
KEEP_SECONDS = 15
IDLE_SECONDS = 6
THREADS = (20, 50, 100)
HERE = Path(__file__).resolve().parent
NORNIR = ("nornir==3.6.0", "nornir-netmiko==1.0.1", "netmiko==4.8.0")
TOML = f"""name = "bench"
backend = "Test"
[drivers.ssh]
parallel = {DEVICES}
keep_seconds = {KEEP_SECONDS}
key_files = ["client"]
agent = false
"""
POLICY = "people:\n  ana: {test: ana, groups: [admins]}\nrules:\n  - {name: all, who: admins, may: [everything]}\n"


def run() -> list[Figure]:
    with workspace() as folder, farm(folder) as port, chat(_written(folder, port)) as bot:
        return [*_nornir(folder, port), *_fan_out(bot, folder, port)]


@contextlib.contextmanager
def farm(folder: Path) -> Iterator[int]:
    """Give the port of the devices."""
    for needed in ("gcc", "ssh-keygen"):
        if not shutil.which(needed):
            raise SystemExit(f"bench ssh needs {needed}: apt-get install gcc libssh-dev openssh-client")
    program = folder / "sshfarm"
    subprocess.run(["gcc", "-O2", "-o", program, HERE / "sshfarm.c", "-lssh", "-lpthread"], check=True)
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1024)
        fd = listening.fileno()
        command = [program, str(fd), folder / "host", str(LOGIN_MS), str(ANSWER_MS)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(fd,)) as process:
            assert process.stdout.readline() == b"ready\n"
            yield listening.getsockname()[1]
            process.stdin.close()


def _written(folder: Path, port: int) -> Path:
    bot_folder = folder / "bot"
    names = [f"d{number}" for number in range(DEVICES)]
    kind, key, *_ = (folder / "host.pub").read_text().split()
    variables = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "bench"}
    inventory = {"all": {"vars": variables, "children": {"farm": {"hosts": {name: {} for name in names}}}}}
    files = {
        "bot.toml": TOML,
        "policy.yml": POLICY,
        "inventory/hosts.json": json.dumps(inventory),
        "playbooks/verbs/version.yml": "help: Version\nrisk: read\nlinux: [show, version]\n",
        "known_hosts": f"[127.0.0.1]:{port} {kind} {key}\n",
        "client": (folder / "client").read_text(),
    }
    for name, text in files.items():
        (bot_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (bot_folder / name).write_text(text)
    (bot_folder / "client").chmod(0o600)
    return bot_folder


def _fan_out(bot: ChatBot, folder: Path, port: int) -> Iterator[Figure]:
    ended = Ended(bot)
    cold = _asked(bot, ended, "!version on d0")
    bare, bare_again, bare_one = [], [], []
    first, again, one = [], [], []
    idle = 0.0
    for _ in range(ROUNDS):
        found = _script("ssh_bare.py", port, bot.folder / "known_hosts", folder / "client", DEVICES, DEVICES)
        for samples, value in zip((bare, bare_again, bare_one), found, strict=True):
            samples.append(value)
        _forget(bot)
        first.append(_asked(bot, ended, "!version on farm"))
        again.append(_asked(bot, ended, "!version on farm"))
        _check(bot)
        one += [_asked(bot, ended, "!version on d0") for _ in range(SINGLES // ROUNDS)]
        idle = max(idle, _idle(bot))
    above = [(seconds - median(bare_one)) * 1000 for seconds in one]
    yield Figure("ssh.cold.one", cold, "s")
    yield Figure("ssh.bare", median(bare), "s")
    yield Figure("ssh.bot", median(first), "s")
    yield Figure("ssh.ratio.bare", median(first) / median(bare), "x", 1.5)
    yield Figure("ssh.bare.again", median(bare_again), "s")
    yield Figure("ssh.bot.again", median(again), "s")
    yield Figure("ssh.again.part", median(again) / median(first), "of the first", round(1 / 3, 3))
    yield Figure("ssh.kept.cpu", idle * 100, "% of a core", 1.0)
    yield Figure("ssh.one.above", median(above), "ms", 30)
    if NORNIR_BEST:
        yield Figure("ssh.part.nornir", median(first) / NORNIR_BEST[0], "of nornir", round(1 / 3, 3))


def _asked(bot: ChatBot, ended: Ended, text: str) -> float:
    """Say it; seconds until the outcomes are stored and the job has ended."""
    number = bot.jobs[0].number + 1 if bot.jobs else 1
    began = time.perf_counter()
    bot.say(text)
    ended.wait(number)
    return time.perf_counter() - began


def _check(bot: ChatBot) -> None:
    job = bot.jobs[0]
    assert job.counts == {"ok": DEVICES}, job.counts


def _forget(bot: ChatBot) -> None:
    """Wait until the bot has closed what it kept open."""
    wait(lambda: _open_files(_pid(bot)) < 20, KEEP_SECONDS + 10)


def _idle(bot: ChatBot) -> float:
    """Which part of a processor the process with all open connections takes while nobody asks for anything."""
    time.sleep(1)
    pid = _pid(bot)
    before = _spent(pid)
    assert _open_files(pid) > DEVICES, "the connections are not open"
    time.sleep(IDLE_SECONDS)
    return (_spent(pid) - before) / IDLE_SECONDS


def _pid(bot: ChatBot) -> int:
    """The bot's SSH process."""
    drivers = bot.automation.dispatcher._context.drivers  # noqa: SLF001 - nobody else has to know
    return drivers["ssh"].behind.worker.pid


def _open_files(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _spent(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def _script(name: str, *arguments: object, python: str = sys.executable) -> list[float]:
    command = [python, str(HERE / name), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300)
    return [float(word) for word in done.stdout.split()]


NORNIR_BEST: list[float] = []


def _nornir(folder: Path, port: int) -> Iterator[Figure]:
    python = _environment()
    for threads in THREADS:
        seconds = _script("ssh_nornir.py", port, folder / "client", DEVICES, threads, python=python)[0]
        NORNIR_BEST[:] = [min([seconds, *NORNIR_BEST])]
        yield Figure(f"ssh.nornir.{threads}", seconds, "s")


def _environment() -> str:
    """An environment with nornir and netmiko, made once."""
    bot_folder = ROOT / "data" / "bench-nornir"
    python = bot_folder / "bin" / "python"
    if not (bot_folder / ".ready").exists():
        venv.create(bot_folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *NORNIR], check=True)
        (bot_folder / ".ready").touch()
    return str(python)
