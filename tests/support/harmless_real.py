"""Harmless outputs of real programs: what this machine's own tools, servers and documents print. Nothing is made up.

Only what holds no secret by its nature: helps, versions, effective settings without keys, lists, documents. What shows
other people's processes or files is left out, since that may hold a real secret.
"""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = 40  # of one output, as a device gives them
BIN = Path(sys.executable).parent
COMMANDS = (
    "df -h", "df -i", "free -m", "lscpu", "uname -a", "id", "getent passwd", "getent group", "getent services",
    "ip address", "ip -s link", "ip route", "ss -tln", "ls -l /etc /usr/bin", "ls -lR /usr/lib/git-core /usr/share/doc",
    "locale -a", "sysctl -a", "mount", "nft --help", "fping --help", "traceroute --help", "dpkg -l", "apt-cache stats",
    "apt-cache show openssh-server postgresql git sudo frr slapd openssl", "dpkg -s openssh-server sudo passwd",
    "openssl version -a", "openssl ciphers -v", "openssl list -commands", "openssl list -public-key-algorithms",
    "openssl x509 -help", "openssl req -help", "openssl passwd -help", "openssl s_client -help", "ssh -Q key",
    "ssh -G server.example", "ssh-keygen -?", "ssh-keyscan -?", "ssh-agent -?", "sshpass -h", "sudo -V", "sudo -h",
    "passwd --help", "useradd --help", "chage --help", "git help -a", "git help -c", "git log --stat -150",
    "psql --help", "pg_dump --help", "vtysh --help", "ldapsearch --help", "ldappasswd --help", "curl --help all",
    "gpg --help", "gpg --dump-options", "tar --help", "rsync --help", "systemctl --help", "journalctl --help", "nsd -h",
)  # fmt: skip
OURS = ("ansible-config list", "ansible-doc user uri authorized_key get_url known_hosts git", "pip list", "pip --help",
        "pip install --help", "alembic --help")  # fmt: skip
DOCUMENTS = ("/usr/share/doc/*/README*", "/usr/share/doc/*/NEWS*", "/usr/share/doc/openssh*/*", "/usr/share/doc/sudo/*",
             "/etc/services", "/etc/protocols", "/etc/ssh/ssh_config", "/etc/ssh/sshd_config", "/etc/login.defs",
             "/etc/frr/*.conf.sample", "/usr/share/postgresql/*/*.sample", "/usr/share/doc/frr/examples/*")  # fmt: skip
NOT_HARMLESS = "snmp"  # whose documents are about passphrases and communities, with examples of both
MOST = 12_000  # characters of one, so that no single one is the whole measure


def outputs():
    """All of them, in pieces of a screen or so."""
    texts = [_printed(command.split()) for command in COMMANDS]
    texts += [_printed([str(BIN / words[0]), *words[1:]]) for words in map(str.split, OURS)]
    texts += [
        _text(path)
        for pattern in DOCUMENTS
        for path in sorted(Path("/").glob(pattern[1:]))
        if path.is_file() and NOT_HARMLESS not in path.parent.name
    ]
    for text in texts:
        lines = text[:MOST].splitlines()
        yield from filter(None, ("\n".join(lines[at : at + LINES]).strip() for at in range(0, len(lines), LINES)))


def _printed(command):
    if not shutil.which(command[0]):
        return ""
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PAGER": "cat"}
    done = subprocess.run(command, cwd=ROOT, env=environment, timeout=60, **quiet)
    return done.stdout.decode(errors="replace")


def _text(path):
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except OSError:
        return ""
    return data.decode(errors="replace")
