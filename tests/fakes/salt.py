"""A real Salt for tests: master, three minions and salt-api, from their own environment; nothing is left afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv-salt"
MINIONS = {"web1": "web", "web2": "web", "db1": "db"}  # id: its grain "role"
_MASTER = """\
interface: 127.0.0.1
publish_port: {publish}
ret_port: {ret}
user: {user}
root_dir: {here}
pki_dir: {here}/pki
cachedir: {here}/cache
sock_dir: {here}/sock
log_file: {here}/log
log_level: warning
pidfile: {here}/pid
file_roots: {{base: [{folder}/states]}}
auto_accept: False
worker_threads: 3
timeout: 5
gather_job_timeout: 5
netapi_enable_clients: [local, local_async, runner, runner_async, wheel]
external_auth:
  file:
    ^filename: {folder}/users
    ^hashtype: sha256
    opsbot: ['.*', '@runner', '@wheel', '@jobs']
    viewer: [{{'web*': [test.ping]}}]
"""
_API = """\
rest_cherrypy: {{host: 127.0.0.1, port: {port}, thread_pool: 20, {tls}}}
api_pidfile: {here}/api.pid
api_logfile: {here}/api.log
"""
_MINION = """\
id: {name}
root_dir: {here}
pki_dir: {here}/pki
cachedir: {here}/cache
sock_dir: {here}/sock
log_file: {here}/log
log_level: warning
pidfile: {here}/pid
conf_file: {here}/minion
master: 127.0.0.1
master_port: {ret}
publish_port: {publish}
user: {user}
ipc_mode: ipc
acceptance_wait_time: 1
random_reauth_delay: 1
recon_default: 500
recon_max: 2000
enable_gpu_grains: False
enable_fqdns_grains: False
grains: {{role: {role}}}
"""
STATES = {
    "touch": "{trace}:\n  file.managed: [{{contents: touched}}]\n",
    "broken": "fine:\n  test.succeed_without_changes: []\nwrong:\n  test.fail_without_changes: []\n",
}


class Salt:
    """`with Salt() as salt:`; the users are `opsbot` and `viewer`, both with `password`."""

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(12)
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.folder = Path()
        self.ports = {name: _free_port() for name in ("publish", "ret", "api", "tls")}
        self.url = f"http://127.0.0.1:{self.ports['api']}"
        self._bin = ENVIRONMENT / "bin"
        self._cleanup = contextlib.ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Salt:
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            self.folder = Path(tempfile.mkdtemp(prefix="salt-"))
            self._cleanup.callback(shutil.rmtree, self.folder, ignore_errors=True)
            self.folder.chmod(0o711)
            if os.geteuid() == 0:
                self._make_user()
            self._settle()
            self._write()
            self.start("master")
            self.start("api")
            for name in MINIONS:
                self.start(name)
            self._accept()
            self.wait_for_minions()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything, then take the user and the folder away."""
        for name in list(self._running):
            self.stop(name)
        self._cleanup.close()

    @property
    def trace(self) -> Path:
        """The file that the state `touch` makes."""
        return self.folder / "work" / "trace"

    @property
    def ca(self) -> Path:
        """The certificate of the private authority."""
        return self.folder / "ca.pem"

    def start(self, name: str) -> None:
        """Start `master`, `api` or a minion."""
        program = {"master": "salt-master", "api": "salt-api"}.get(name, "salt-minion")
        config = self.folder / ("master" if name in {"master", "api"} else name)
        self._spawn(name, program, config)

    @contextlib.contextmanager
    def tls(self) -> Iterator[str]:
        """Run a second salt-api with a certificate of a private authority."""
        self._make_certificate()
        tls = f"ssl_crt: {self.folder}/api.pem, ssl_key: {self.folder}/api.key"
        self._write_master("tls", self.ports["tls"], tls)
        self._spawn("tls", "salt-api", self.folder / "tls")
        try:
            _wait(lambda: _answers(f"https://localhost:{self.ports['tls']}"), 30, "salt-api over TLS does not start")
            yield f"https://localhost:{self.ports['tls']}"
        finally:
            self.stop("tls")

    def stop(self, name: str) -> None:
        """End one of them with all its processes, at once: as a power cut would."""
        process = self._running.pop(name, None)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        _wait(lambda: not any(_group(pid) == process.pid for pid in _pids()), 10, f"{name} does not end")

    def command(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run one of Salt's own commands on the master, as its user."""
        program, *rest = argv
        words = [*self._as_user(), *self._program(program), "-c", str(self.folder / "master"), *rest]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=self.folder, check=False)

    def wait_for_minions(self, *names: str, seconds: float = 60) -> None:
        """Wait until salt-api is up and these minions (default: all) answer."""
        wanted = set(names or MINIONS)
        _wait(lambda: _answers(self.url), seconds, "salt-api does not start")
        end = time.monotonic() + seconds
        while not all(f"{name}:" in self.command("salt", "-L", ",".join(wanted), "test.ping", "--hide-timeout").stdout
                      for name in wanted):  # fmt: skip
            if time.monotonic() > end:
                raise RuntimeError(f"minions do not come: {self._logs()}")

    def running(self, marker: str) -> list[int]:
        """Processes of the lab whose arguments contain the marker."""
        groups = {process.pid for process in self._running.values()}
        return [pid for pid in _pids() if _group(pid) in groups and marker in _arguments(pid)]

    def logins(self) -> int:
        """How many tokens salt-api has given away so far."""
        return len(list((self.folder / "master" / "cache" / "tokens").rglob("*")))

    def _accept(self) -> None:
        waiting = self.folder / "master" / "pki" / "minions_pre"
        _wait(lambda: waiting.is_dir() and {path.name for path in waiting.iterdir()} == set(MINIONS), 60, self._logs())
        self.command("salt-key", "--yes", "--accept-all")

    def _make_user(self) -> None:
        name = f"saltlab{os.getpid()}{secrets.token_hex(2)}"
        _patiently("useradd", "--system", "--home-dir", str(self.folder), "--no-create-home", name)
        self._cleanup.callback(_patiently, "userdel", "--force", name)
        self.user = name

    def _as_user(self) -> list[str]:
        return ["runuser", "-u", self.user, "--"] if os.geteuid() == 0 and self.user != "root" else []

    def _program(self, name: str) -> list[str]:
        return [str(self._bin / "python"), str(self._bin / name)]

    def _settle(self) -> None:
        """Find a way for the user to run Salt: a checkout may stand where only its owner can enter."""
        if self._trouble() and os.geteuid() == 0:
            _run("cp", "-a", "--reflink=auto", str(ENVIRONMENT), str(self.folder / "environment"))
            self._bin = self.folder / "environment" / "bin"
            if self._trouble():  # Python itself stands in somebody's home: then there is no other user to be had
                self.user, self._bin = "root", ENVIRONMENT / "bin"
        if trouble := self._trouble():
            raise RuntimeError(f"{self.user} cannot run Salt ({trouble}): run `tools/setup test`")

    def _trouble(self) -> str:
        argv = [*self._as_user(), str(self._bin / "python"), "-c", "import salt.version"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd="/")
        return done.stderr.strip()[-300:] or "it does not start" if done.returncode else ""

    def _write(self) -> None:
        digest = hashlib.sha256(self.password.encode()).hexdigest()
        (self.folder / "users").write_text(f"opsbot:{digest}\nviewer:{digest}\n")
        (self.folder / "states").mkdir()
        (self.folder / "work").mkdir()
        for name, text in STATES.items():
            (self.folder / "states" / f"{name}.sls").write_text(text.format(trace=self.trace))
        self._write_master("master", self.ports["api"], "disable_ssl: True")
        for name in MINIONS:
            self.add_minion(name)
        self._give(self.folder)

    def add_minion(self, name: str) -> None:
        """Write a minion's settings; whoever adds one later decides about its key."""
        here = self.folder / name
        here.mkdir()
        role = MINIONS.get(name, "none")
        values = {**self.ports, "user": self.user, "name": name, "role": role, "here": here}
        (here / "minion").write_text(_MINION.format(**values))
        self._give(here)

    def _write_master(self, name: str, port: int, tls: str) -> None:
        here = self.folder / name
        here.mkdir(exist_ok=True)
        values = {**self.ports, "user": self.user, "here": self.folder / "master", "folder": self.folder}
        (here / "master").write_text(_MASTER.format(**values) + _API.format(port=port, here=here, tls=tls))
        self._give(here)

    def _give(self, folder: Path) -> None:
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                if "environment" not in path.parts:
                    shutil.chown(path, self.user)

    def _spawn(self, name: str, program: str, config: Path) -> None:
        with (self.folder / f"{name}.out").open("ab") as log:
            argv = [*self._as_user(), *self._program(program), "-c", str(config)]
            self._running[name] = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.folder, start_new_session=True
            )

    def _logs(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace")[-500:] for path in self.folder.glob("*.out"))

    def _make_certificate(self) -> None:
        new = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
        name = ("-subj", "/CN=lab", "-addext", "basicConstraints=critical,CA:TRUE")
        _run(*new, *name, "-keyout", f"{self.folder}/ca.key", "-out", str(self.ca))
        own = (
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "basicConstraints=CA:FALSE",
        )
        sign = ("-CA", str(self.ca), "-CAkey", f"{self.folder}/ca.key")
        _run(*new, *own, *sign, "-keyout", f"{self.folder}/api.key", "-out", f"{self.folder}/api.pem")
        self._give(self.folder)


def _answers(url: str) -> bool:
    context = ssl._create_unverified_context() if url.startswith("https") else None
    try:
        with urllib.request.urlopen(url, timeout=2, context=context):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _wait(condition, seconds: float, why: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(why)
        time.sleep(0.1)


def _run(*argv: str) -> None:
    subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30)


def _patiently(*argv: str) -> None:
    # Two test sessions that make users at the same time meet at the lock of /etc/passwd.
    for attempt in range(20):
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=30)
        if not done.returncode:
            return
        if attempt == 19 or "lock" not in done.stderr:
            raise RuntimeError(f"{argv}: {done.stderr}")
        time.sleep(0.25)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except OSError:
        return -1


def _arguments(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
