"""A real DNS server (NSD) for tests, on loopback, with a small zone, its reverse, and one that is broken."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

_SOA = "$TTL 300\n@ SOA ns1.lab.test. admin.lab.test. 1 3600 600 86400 60\n@ NS ns1.lab.test.\n"
_ZONES = {
    "lab.test": "ns1 A 127.0.0.1\n@ MX 10 mail\nwww 60 A 192.0.2.1\nwww AAAA 2001:db8::1\nalias CNAME www\n"
    'text TXT "hello world"\n_sip._tcp SRV 1 2 5060 www\n',
    "2.0.192.in-addr.arpa": "1 PTR www.lab.test.\n",
    "8.b.d.0.1.0.0.2.ip6.arpa": f"1{'.0' * 23} PTR www.lab.test.\n",
}
_CONFIG = """\
server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/pid"
  xfrdfile: "{folder}/xfrd"
  zonelistfile: "{folder}/zones"
  xfrdir: "{folder}"
  server-count: 1
remote-control:
  control-enable: no
"""
_ZONE = 'zone:\n  name: {name}\n  zonefile: "{name}.zone"\n'


class Nameserver:
    """`with Nameserver(folder) as server:` answers at `server.address`; broken.test has no zone file: SERVFAIL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.address = f"127.0.0.1#{self.port}"

    def __enter__(self) -> Nameserver:
        names = [*_ZONES, "broken.test"]
        for name, records in _ZONES.items():
            (self.folder / f"{name}.zone").write_text(f"$ORIGIN {name}.\n{_SOA}{records}")
        config = self.folder / "nsd.conf"
        zones = "".join(_ZONE.format(name=name) for name in names)
        config.write_text(_CONFIG.format(port=self.port, folder=self.folder) + zones)
        log = (self.folder / "log").open("wb")
        with log:
            self._process = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", config], stdout=log, stderr=log)
        self._wait()
        return self

    def _wait(self) -> None:
        end = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    self._process.kill()
                    raise RuntimeError(f"nsd does not answer: {(self.folder / 'log').read_text()}") from None
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
