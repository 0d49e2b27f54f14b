"""`make lab`: the real SSH servers and the Salt of the tests, with a bot folder to talk to them; ends with Ctrl-C."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.lab.salt import Salt
from tests.lab.sshd import Sshd

ROOT = Path(__file__).resolve().parents[2]
_BOT = """# Written by `make lab`; gone stale when the lab has ended.
name = "lab"
backend = "Text"
welcome = ["The lab: web1, web2, db1 over OpenSSH. Try:  !uptime on web   !who on all   !run id on db1",
           "All are minions of Salt too. Try:  !salt web* test.ping   !grains all role   !minions   !uptime on db1"]

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


def main() -> int:
    """Start, say how to use it, wait for Ctrl-C, take everything away."""
    folder = ROOT / "data" / "lab"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Sshd(folder) as sshd, Salt() as salt:
        bot = folder / "bot"
        (bot / "inventory").mkdir(parents=True, exist_ok=True)
        (bot / "bot.toml").write_text(_BOT.format(url=salt.url))
        (bot / "salt-password").touch(0o600)
        (bot / "salt-password").write_text(salt.password)
        (bot / "policy.yml").write_text(_POLICY)
        (bot / "inventory" / "hosts.yml").write_text(inventory(sshd))
        (bot / "known_hosts").write_text(sshd.known_hosts.read_text())
        sys.stdout.write(
            f"OpenSSH on {', '.join(sshd.addresses)} port {sshd.port}. {sshd.missing}\nsalt-api at {salt.url}.\n"
        )
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
