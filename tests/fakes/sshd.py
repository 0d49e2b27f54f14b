"""A real OpenSSH server for tests: own keys, own users, own port; nothing of it is left afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ADDRESSES = tuple(f"127.77.0.{n}" for n in range(1, 5))
_CONFIG = """\
{listen}
HostKey {private}/host_ed25519
HostKey {private}/host_ecdsa
PidFile none
AuthorizedKeysFile {public}/keys
StrictModes no
PasswordAuthentication yes
KbdInteractiveAuthentication no
PermitRootLogin no
AllowUsers {users}
UsePAM no
UseDNS no
MaxStartups 200:30:400
MaxSessions 100
Subsystem sftp internal-sftp
"""


class Sshd:
    """`with Sshd(folder) as sshd:`; without root it serves the current user, by key only (see `missing`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.addresses = ADDRESSES
        self.port = 0
        self.key_file = folder / "client"
        self.known_hosts = folder / "known_hosts"
        self.log = folder / "sshd.log"
        self.is_root = os.geteuid() == 0
        tag = f"{os.getpid()}{secrets.token_hex(2)}"
        self.user = f"labops{tag}" if self.is_root else pwd.getpwuid(os.getuid()).pw_name
        self.admin = f"labadm{tag}" if self.is_root else ""  # may use sudo for everything, with a password
        self.password = secrets.token_urlsafe(12) if self.is_root else ""  # of both users
        self.missing = "" if self.is_root else "password login and sudo need root, who can make users"
        self.home = Path()
        self._cleanup = contextlib.ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sshd:
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self.folder.mkdir(parents=True, exist_ok=True)
            # sshd reads a user's keys as that user, who must be able to enter the folder; pytest's are root's alone.
            self.home = Path(tempfile.mkdtemp(prefix="lab-sshd-"))
            self._cleanup.callback(shutil.rmtree, self.home, ignore_errors=True)
            self.home.chmod(0o755)
            self._make_keys()
            if self.is_root:
                Path("/run/sshd").mkdir(exist_ok=True)
                self._make_users()
            self._start()
            self._write_known_hosts()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the server and its sessions, then take the users away."""
        self._stop()
        self._cleanup.close()

    def fingerprint(self, kind: str = "ed25519") -> str:
        """The host key's fingerprint as `ssh-keygen` prints it."""
        printed = _run("ssh-keygen", "-lf", str(self.folder / f"host_{kind}.pub")).stdout
        return printed.split()[1]

    def running(self, marker: str) -> list[int]:
        """Processes of the lab's users whose arguments contain the marker."""
        return [pid for pid in self._processes_of_users() if marker in _arguments(pid)]

    def _make_keys(self) -> None:
        for path, kind in (("client", "ed25519"), ("host_ed25519", "ed25519"), ("host_ecdsa", "ecdsa")):
            _run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "lab", "-f", str(self.folder / path))
        keys = self.home / "keys"
        shutil.copy(self.key_file.with_suffix(".pub"), keys)
        keys.chmod(0o644)

    def _make_users(self) -> None:
        for user in (self.user, self.admin):
            _patiently("useradd", "--home-dir", str(self.home), "--no-create-home", "--shell", "/bin/bash", user)
            self._cleanup.callback(_patiently, "userdel", "--force", user)
            _run("chpasswd", text=f"{user}:{self.password}\n")
        rules = Path("/etc/sudoers.d") / self.user
        self._cleanup.callback(rules.unlink, missing_ok=True)
        # sudo skips names with a dot, so it never reads a half-written file.
        draft = rules.with_name(f"{self.user}.new")
        draft.write_text(
            f"{self.user} ALL=(ALL) NOPASSWD: /usr/bin/id, /usr/bin/cat\n{self.admin} ALL=(ALL) ALL\n"
            f"Defaults:{self.user},{self.admin} !lecture\n"
        )
        draft.chmod(0o440)
        draft.rename(rules)

    def _start(self) -> None:
        for _ in range(10):
            self.port = _free_port()
            if self._started():
                return
            self._stop()
        raise RuntimeError(f"sshd does not start: {self.log.read_text()[-500:]}")

    def _started(self) -> bool:
        config = self.folder.absolute() / "sshd_config"
        listen = "\n".join(f"ListenAddress {address}:{self.port}" for address in ADDRESSES)
        users = f"{self.user} {self.admin}".strip()
        config.write_text(_CONFIG.format(listen=listen, private=config.parent, public=self.home, users=users))
        self.log.unlink(missing_ok=True)
        self._process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", str(config), "-E", str(self.log)])
        end = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < end:
            text = self.log.read_text() if self.log.exists() else ""
            # Where another session took the port meanwhile, sshd carries on with what addresses are left.
            if "Bind to port" in text:
                return False
            if text.count("Server listening on") == len(ADDRESSES):
                return True
            time.sleep(0.02)
        return False

    def _stop(self) -> None:
        if self._process is None:
            return
        pids = _descendants(self._process.pid)
        self._process.terminate()
        self._process.wait(10)
        self._process = None
        for pid in {*pids, *self._processes_of_users()}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _processes_of_users(self) -> list[int]:
        if not self.is_root:
            return _descendants(self._process.pid) if self._process else []
        uids = {pwd.getpwnam(user).pw_uid for user in (self.user, self.admin)}
        # A process under sudo belongs to root, but still to a session of the lab.
        found = set(_descendants(self._process.pid)) if self._process else set()
        return [pid for pid in _pids() if _owner(pid) in uids or pid in found]

    def _write_known_hosts(self) -> None:
        key = (self.folder / "host_ed25519.pub").read_text().rsplit(" ", 1)[0]
        self.known_hosts.write_text("".join(f"[{address}]:{self.port} {key}\n" for address in ADDRESSES))


def _run(*argv: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=True, timeout=30)


def _patiently(*argv: str) -> None:
    # Two test sessions that make users at the same time meet at the lock of /etc/passwd.
    for attempt in range(20):
        try:
            _run(*argv)
        except subprocess.CalledProcessError as error:
            if attempt == 19 or "lock" not in error.stderr:
                raise RuntimeError(f"{argv}: {error.stderr}") from error
            time.sleep(0.25)
        else:
            return


def _free_port() -> int:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.bind((ADDRESSES[0], 0))
        return int(first.getsockname()[1])


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _owner(pid: int) -> int:
    try:
        return Path(f"/proc/{pid}").stat().st_uid
    except OSError:
        return -1


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return -1


def _descendants(root: int) -> list[int]:
    parents = {pid: _parent(pid) for pid in _pids()}
    found, grew = {root}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grew = bool(more)
    return sorted(found - {root})
