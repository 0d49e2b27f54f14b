"""A real Kerberos of our own: MIT's KDC on loopback, with one service and its keytab, and people who log in."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / ".venv" / "kerberos"  # the Python side of it, which is built against the system's Kerberos
REALM = "LAB.TEST"
_TOOLS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
# No DNS: neither where the KDC is nor what a host is called is asked of anybody.
_CLIENT = """[libdefaults]
 default_realm = {realm}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {realm} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 .lab.test = {realm}
"""
_SERVER = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {realm} = {{
  database_name = {folder}/principals
  key_stash_file = {folder}/stash
  acl_file = {folder}/acl
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
"""


def _missing() -> str:
    tools = [name for name in _TOOLS if not shutil.which(name, path=_PATH)]
    if tools:
        return f"needs a Kerberos server, {', '.join(tools)}: apt install krb5-kdc krb5-admin-server krb5-user"
    if not (PACKAGES / ".done").exists():
        return "needs the packages in .venv/kerberos: apt install libkrb5-dev gcc python3-dev, then tools/setup test"
    return ""


class Kdc:
    """`with Kdc(folder, service="HTTP/win1.lab.test") as kdc:`; each person logs in with `kinit`."""

    missing = _missing()

    def __init__(self, folder: Path, *, service: str) -> None:
        self.folder = folder
        self.keytab = folder / "service.keytab"
        self._service = service
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Kdc:
        self.folder.mkdir(mode=0o700)
        self._port = _free_port()
        for name, text in (("krb5.conf", _CLIENT), ("kdc.conf", _SERVER)):
            values = {"realm": REALM, "port": self._port, "folder": self.folder}
            (self.folder / name).write_text(text.format(**values))
        self._tool("kdb5_util", "create", "-s", "-r", REALM, "-P", secrets.token_urlsafe(12))
        self._admin(f"addprinc -randkey {self._service}")
        self._admin(f"ktadd -k {self.keytab} {self._service}")
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(10)
            self._process = None

    def environment(self, tickets: str = "nobody") -> dict[str, str]:
        """What a program needs that is to log in with the tickets of one person, or to accept them."""
        return {
            **os.environ,
            "PATH": _PATH,
            "PYTHONPATH": os.pathsep.join([str(PACKAGES), *filter(None, sys.path)]),
            "KRB5_CONFIG": str(self.folder / "krb5.conf"),
            "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf"),
            "KRB5_KTNAME": str(self.keytab),
            "KRB5CCNAME": f"FILE:{self.folder}/tickets-{tickets}",
        }

    def add(self, person: str, password: str) -> None:
        """Make a person known."""
        self._admin(f"addprinc -pw {password} {person}")

    def log_in(self, person: str, password: str, *more: str) -> dict[str, str]:
        """Get that person a ticket; return the environment that finds it."""
        environment = self.environment(person)
        argv = ["kinit", *more, f"{person}@{REALM}"]
        subprocess.run(argv, input=f"{password}\n".encode(), env=environment, check=True, capture_output=True)
        return environment

    def _start(self) -> None:
        argv = ["krb5kdc", "-n", "-P", str(self.folder / "pid")]
        self._process = subprocess.Popen(argv, env=self.environment(), start_new_session=True)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)
            else:
                return

    def _admin(self, query: str) -> None:
        self._tool("kadmin.local", "-r", REALM, "-q", query)

    def _tool(self, *argv: str) -> None:
        subprocess.run(argv, env=self.environment(), check=True, capture_output=True, timeout=30)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
