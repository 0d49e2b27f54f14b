"""OpenSSH servers with settings of their own beside the lab's usual one, and what leads to them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.fakes.sshd import ADDRESSES, Sshd

_CONFIG = """\
ListenAddress {address}:{port}
HostKey {private}/host_ed25519
PidFile none
AuthorizedKeysFile {home}/keys
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
{more}
"""


@contextlib.contextmanager
def sshd_with(lab: Sshd, folder: Path, more: str, *, host: str = ADDRESSES[0]) -> Iterator[int]:
    """Give the port of one more server for the lab's users, with lines of your own in its configuration."""
    config, log = folder / "sshd_config", folder / "sshd.log"
    port = lab.port
    for _ in range(20):
        port = port + 1 if port < 60_000 else 20_000
        text = _CONFIG.format(address=host, port=port, private=lab.folder.absolute(), home=lab.home, more=more)
        config.write_text(text)
        log.write_text("")
        process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(config), "-E", str(log)])
        if _is_up(process, log):
            break
    else:
        raise RuntimeError(f"sshd does not start: {log.read_text()[-500:]}")
    try:
        with lab.known_hosts.open("a") as known:
            known.write(f"[{host}]:{port} {(lab.folder / 'host_ed25519.pub').read_text()}")
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _is_up(process: subprocess.Popen, log: Path) -> bool:
    end = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < end:
        if "Server listening on" in log.read_text():
            return True
        time.sleep(0.02)
    process.kill()
    process.wait()
    return False


def keygen(*arguments: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *arguments], check=True, capture_output=True, timeout=30)


@contextlib.contextmanager
def agent(*keys: Path) -> Iterator[str]:
    """Give the socket of an ssh-agent that holds these keys."""
    if not shutil.which("ssh-agent"):
        raise RuntimeError("the tests need ssh-agent: apt-get install openssh-client")
    printed = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    found = dict(line.split(";")[0].split("=", 1) for line in printed.splitlines() if "=" in line)
    try:
        for key in keys:
            environment = {**os.environ, "SSH_AUTH_SOCK": found["SSH_AUTH_SOCK"]}
            subprocess.run(["ssh-add", "-q", str(key)], check=True, env=environment, capture_output=True)
        yield found["SSH_AUTH_SOCK"]
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), signal.SIGTERM)
