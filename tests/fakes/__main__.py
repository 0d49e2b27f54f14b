"""`make lab`: the servers, routers and devices of the tests, with a bot folder to talk to them; ends with Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.fakenos import FakeNos
from tests.fakes.frr import Frr
from tests.fakes.salt import Salt
from tests.fakes.sshd import Sshd
from tests.fakes.winrm import PASSWORD, Winrm

ROOT = Path(__file__).resolve().parents[2]
_BOT = """# Written by `make lab`; gone stale when the lab has ended.
name = "lab"
backend = "Text"
welcome = ["The lab: web1, web2, db1 over OpenSSH. Try:  !uptime on web   !who on all   !run id on db1",
           "Routers r1, r2 (FRR), switches sw1 to sw10 (FakeNOS), and win1, a WinRM server of the tests.",
           "Try:  !bgp on routers   !show version on switches   !service status w3svc on win1",
           "They are Salt minions too:  !salt web* test.ping   !grains all role   !minions"]

[drivers.salt]
url = "{url}"
user = "opsbot"
password = "file:salt-password"
eauth = "file"
"""
_POLICY = """people:
  admin: {text: "@admin", groups: [admins]}
rules:
  - {name: admins may do everything, who: admins, may: [everything]}
"""


def inventory(sshd: Sshd) -> str:
    """Return an inventory of three of the server's addresses: two by key, one by password where there is one."""
    web1, web2, db1, _ = sshd.addresses
    login = f"ansible_port: {sshd.port}, ansible_user: {sshd.user}"
    key = f"ansible_ssh_private_key_file: {sshd.key_file.resolve()}"
    password = f"ansible_password: {sshd.password}" if sshd.password else key
    return (
        f"all:\n  vars: {{{login}}}\n  children:\n    web:\n      hosts:\n"
        f"        web1: {{ansible_host: {web1}, {key}}}\n        web2: {{ansible_host: {web2}, {key}}}\n"
        f"    db:\n      hosts:\n        db1: {{driver: [salt, ssh], ansible_host: {db1}, {password}}}\n"
    )


Hosts = dict[str, dict[str, Any]]


def network(frr: Frr | None, switches: FakeNos | None, windows: Winrm) -> dict[str, Hosts]:
    """Return hosts and their variables by group; what cannot run here is not among them."""
    groups: dict[str, Hosts] = {"windows": {"win1": {**windows.variables(), "ansible_password": PASSWORD}}}
    if frr:
        login = {"driver": "network", "platform": "frr", "ansible_user": frr.user, "ansible_password": frr.password}
        groups["routers"] = {
            it.name: {**login, "ansible_host": it.address, "ansible_port": it.port} for it in frr.routers
        }
    if switches:
        login = {"driver": "network", "platform": "cisco_ios", "ansible_host": "127.0.0.1", "ansible_become": True,
                 "ansible_user": switches.user, "ansible_password": switches.password}  # fmt: skip
        groups["switches"] = {f"sw{n}": {**login, "ansible_port": p} for n, p in enumerate(switches.ports, 1)}
    return groups


def _lines(groups: dict[str, Hosts]) -> str:
    """The inventory as one line a host, to be read and copied."""
    lines = ["all:", "  children:"]
    for group, hosts in groups.items():
        lines += [f"    {group}:", "      hosts:", *(f"        {name}: {json.dumps(it)}" for name, it in hosts.items())]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Ctrl-C reaches whatever is started here only through us, or each would print its own traceback."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _devices(stack: contextlib.ExitStack, folder: Path) -> tuple[str, str, list[str]]:
    """Start routers, switches and a Windows; return their inventory, their host keys and what is missing."""
    missing = [
        f"No routers: {Frr.missing}." if Frr.missing else "",
        f"No switches: {FakeNos.missing}." if FakeNos.missing else "",
    ]
    with _no_interrupt():
        frr = None if Frr.missing else stack.enter_context(Frr())
        switches = None if FakeNos.missing else stack.enter_context(FakeNos(10))
        windows = stack.enter_context(Winrm(folder / "winrm"))
    known = "".join(lab.known_hosts.read_text() for lab in (frr, switches) if lab)
    return _lines(network(frr, switches, windows)), known, [text for text in missing if text]


def main() -> int:
    """Start, say how to use it, wait for Ctrl-C, take everything away."""
    folder = ROOT / "data" / "lab"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Sshd(folder) as sshd, Salt() as salt, contextlib.ExitStack() as stack:
        devices, known, missing = _devices(stack, folder)
        bot = folder / "bot"
        (bot / "inventory").mkdir(parents=True, exist_ok=True)
        (bot / "bot.toml").write_text(_BOT.format(url=salt.url))
        (bot / "salt-password").touch(0o600)
        (bot / "salt-password").write_text(salt.password)
        (bot / "policy.yml").write_text(_POLICY)
        (bot / "inventory" / "hosts.yml").write_text(inventory(sshd))
        (bot / "inventory" / "devices.yml").touch(0o600)
        (bot / "inventory" / "devices.yml").write_text(devices)
        (bot / "known_hosts").write_text(sshd.known_hosts.read_text() + known)
        sys.stdout.write(
            f"OpenSSH on {', '.join(sshd.addresses)} port {sshd.port}. {sshd.missing}\nsalt-api at {salt.url}.\n"
        )
        sys.stdout.write("\n".join([*missing, "The other devices (data/lab/bot/inventory/devices.yml):", devices, ""]))
        sys.stdout.write("In another terminal:  make run BOT=data/lab/bot\nCtrl-C ends the lab.\n")
        sys.stdout.flush()
        try:
            signal.pause()
        except KeyboardInterrupt:
            for again in (signal.SIGINT, signal.SIGTERM):
                signal.signal(again, signal.SIG_IGN)  # a second Ctrl-C must not leave users and servers behind
    return 0


if __name__ == "__main__":
    sys.exit(main())
