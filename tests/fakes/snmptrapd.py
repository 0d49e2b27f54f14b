"""The system's snmptrapd with the configuration of `deploy/`, on a port of loopback; and snmptrap, which calls it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = shutil.which("snmptrapd", path="/usr/sbin:/sbin:/usr/bin")
ENGINE, USER, AUTH, PRIVACY = "0x8000000001020304", "trapuser", "authentic-pass", "privacy-pass"


class Snmptrapd:
    """Runs while the block does, and hands its traps to `url`."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        if not PROGRAM or not shutil.which("snmptrap"):
            pytest.skip("needs Net-SNMP: apt install snmp snmptrapd curl")
        self._folder = folder
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        deploy = ROOT / "deploy" / "snmptrapd"
        curl = (deploy / "automation-bots.curl").read_text()
        curl = curl.replace("http://127.0.0.1:8080/hooks/traps", url).replace("Bearer TOKEN", f"Bearer {token}")
        (folder / "automation-bots.curl").write_text(curl)
        conf = (deploy / "snmptrapd.conf").read_text().replace("/etc/snmp/", f"{folder}/")
        conf = conf.replace("COMMUNITY 10.0.0.0/8", "testing 127.0.0.0/8")
        conf += f'createUser -e {ENGINE} {USER} SHA "{AUTH}" AES "{PRIVACY}"\nauthUser execute {USER} priv\n'
        (folder / "snmptrapd.conf").write_text(conf)
        self._environment = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(folder / "state")}

    def __enter__(self) -> Snmptrapd:
        options = ["-On", "-Lf", str(self._folder / "log"), "-f", "-C", "-c", str(self._folder / "snmptrapd.conf")]
        self._process = subprocess.Popen(
            [PROGRAM, *options, "-p", str(self._folder / "pid"), f"udp:127.0.0.1:{self.port}"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 60
        while not (self._folder / "pid").exists() or "NET-SNMP" not in (self._folder / "log").read_text():
            if time.monotonic() > end or self._process.poll() is not None:
                raise TimeoutError("snmptrapd does not listen")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def sends(
        self,
        name: str,
        *values: str,
        program: str = "snmptrap",
        by: tuple[str, ...] = ("-v", "2c", "-c", "testing"),
        version_1: tuple[str, ...] = (),
    ) -> None:
        """Send a trap: its number, then number, kind and value of each variable; version 1: agent, kinds and uptime."""
        head = (name, *version_1) if version_1 else ("", name)
        called = [program, *by, f"127.0.0.1:{self.port}", *head, *values]
        subprocess.run(called, env=self._environment, check=True, timeout=60, capture_output=True)


VERSION_3 = ("-v", "3", "-e", ENGINE, "-u", USER, "-l", "authPriv", "-a", "SHA", "-A", AUTH, "-x", "AES", "-X", PRIVACY)
