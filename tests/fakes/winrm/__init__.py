"""A WinRM server of the tests' own, written from MS-WSMV, with a small stand-in for PowerShell behind it.

It is not Windows: it proves the protocol, logins, quoting and error paths, and nothing about real cmdlets.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

USER, PASSWORD = "bot", "grün & 'leise' $x"


class Winrm:
    """One server process; everything it keeps is below `folder`."""

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        auth: tuple[str, ...] = ("basic", "ntlm", "certificate"),
        environment: Mapping[str, str] = MappingProxyType({}),
        **config: Any,
    ) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(folder) if tls else None
        self.config = {"user": USER, "password": PASSWORD, "auth": list(auth), "state": str(folder), **config}
        if self.authority:
            self.config["tls"] = self.authority.server
        self.port = 0
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Winrm:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **self._environment}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("server.py")), json.dumps(self.config)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the WinRM server did not start; its words are above")
        self.port = int(line)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End the server and everything that runs in its shells."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process.stdout.close()
            self._process = None

    def die(self) -> None:
        """End at once, as when the power fails."""
        self._process.kill()
        self._process.wait(10)

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://127.0.0.1:{self.port}/wsman"

    def asked(self, what: str = "") -> list[dict[str, Any]]:
        """What the server was asked, in order."""
        log = self.folder / "log.jsonl"
        entries = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return [entry for entry in entries if not what or entry["what"] == what]

    def running(self) -> list[str]:
        """What the PowerShells are busy with at this moment."""
        found = [path for path in (self.folder / "running").glob("*") if Path(f"/proc/{path.name}").exists()]
        return [path.read_text() for path in found]

    def variables(self, **more: Any) -> dict[str, Any]:
        """The inventory variables of a device behind this server."""
        known = {"ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": self.port,
                 "ansible_user": USER, "ansible_winrm_transport": "ntlm",
                 "ansible_winrm_scheme": "https" if self.authority else "http"}  # fmt: skip
        if self.authority:
            known["ansible_winrm_ca_trust_path"] = str(self.authority.ca)
        return {**known, **more}


class Authority:
    """A private CA with a server certificate for 127.0.0.1 and a client certificate."""

    def __init__(self, folder: Path) -> None:
        self._key, self._name = ec.generate_private_key(ec.SECP256R1()), _named("Lab CA")
        certificate = self._signed(self._name, self._key, ca=True)
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(_pem(certificate))
        server, client = self._issue(folder, "server", "127.0.0.1"), self._issue(folder, "client", USER)
        self.server = {"cert": str(server[0]), "key": str(server[1]), "client_ca": str(self.ca)}
        self.client = client

    def _issue(self, folder: Path, name: str, common_name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(_named(common_name), key)
        cert, private = folder / f"{name}.pem", folder / f"{name}.key"
        cert.write_bytes(_pem(certificate))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cert, private

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool = False) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        usage = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=2))
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        if not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        return builder.sign(self._key, hashes.SHA256())


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
