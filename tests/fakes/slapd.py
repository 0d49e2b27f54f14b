"""A real OpenLDAP server of our own: its own folder and configuration, on loopback, with TLS."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import closing
from pathlib import Path

from tests.fakes import certificates

BASE = "dc=corp,dc=example"
ADMIN = f"cn=bot,{BASE}"
PASSWORD = "directory-pass-1"  # of a server that lives as long as a test
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
disallow bind_anon
require authc
database mdb
suffix "{base}"
rootdn "{admin}"
rootpw {password}
directory {folder}/db
"""
PEOPLE = """
dn: {base}
objectClass: dcObject
objectClass: organization
o: Corp
dc: corp

dn: ou=people,{base}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{base}
objectClass: organizationalUnit
ou: groups

dn: uid=ana,ou=people,{base}
objectClass: inetOrgPerson
uid: ana
cn: Ana
sn: A

dn: uid=joseph,ou=people,{base}
objectClass: inetOrgPerson
uid: joseph
cn: Joseph, called (Joe) *
sn: J

dn: cn=netops,ou=groups,{base}
objectClass: groupOfNames
cn: netops
member: UID=ana, OU=people, {base}

dn: cn=dba,ou=groups,{base}
objectClass: groupOfUniqueNames
cn: dba
uniqueMember: uid=joseph,ou=people,{base}

dn: cn=unix,ou=groups,{base}
objectClass: posixGroup
cn: unix
gidNumber: 5000
memberUid: joseph
memberUid: ghost
"""


class Slapd:
    """Use as a context manager; `change` takes LDIF."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.process: subprocess.Popen | None = None
        self.port, self.tls_port = _free_port(), _free_port()
        self.url, self.tls_url = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.tls_port}"
        self.ca_file = folder / "ca.pem"

    def __enter__(self):
        (self.folder / "db").mkdir()
        certificates.make(self.folder)
        text = _CONFIG.format(folder=self.folder, base=BASE, admin=ADMIN, password=PASSWORD)
        (self.folder / "slapd.conf").write_text(text)
        added = PEOPLE.format(base=BASE)
        command = ["/usr/sbin/slapadd", "-f", str(self.folder / "slapd.conf")]
        subprocess.run(command, input=added, text=True, check=True, capture_output=True)
        self.start()
        return self

    def start(self):
        command = [
            "/usr/sbin/slapd",
            "-d",
            "0",
            "-f",
            str(self.folder / "slapd.conf"),
            "-h",
            f"{self.url} {self.tls_url}",
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for port in (self.port, self.tls_port):
            _wait_for(port)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.stop()

    def change(self, ldif: str):
        command = ["ldapmodify", "-x", "-H", self.url, "-D", ADMIN, "-w", PASSWORD]
        subprocess.run(command, input=ldif.format(base=BASE), text=True, check=True, capture_output=True)


def there() -> bool:
    """Whether Debian's server and its tools are installed."""
    return Path("/usr/sbin/slapd").exists() and shutil.which("ldapmodify") is not None


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        return server.getsockname()[1]


def _wait_for(port: int):
    deadline = time.monotonic() + 15
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
