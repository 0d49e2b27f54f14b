"""A real Synapse (Matrix homeserver) for tests, from its own environment; nothing is left afterwards."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-synapse"
NAME = "lab.test"  # what stands after the colon of its people and rooms
_SETTINGS = """\
server_name: {name}
listeners:
- {{port: {port}, bind_addresses: ['127.0.0.1'], type: http, tls: false, resources: [{{names: [client]}}]}}
database: {{name: sqlite3, args: {{database: {here}/hs.db}}}}
media_store_path: {here}/media
log_config: {here}/log.yaml
pid_file: {here}/hs.pid
signing_key_path: {here}/signing.key
registration_shared_secret: {secret}
macaroon_secret_key: {secret}
form_secret: {secret}
report_stats: false
trusted_key_servers: []
suppress_key_server_warning: true
bcrypt_rounds: 4
max_upload_size: 20M
filter_timeline_limit: 5000
rc_message: {plenty}
rc_registration: {plenty}
rc_admin_redaction: {plenty}
rc_login: {{address: {plenty}, account: {plenty}, failed_attempts: {plenty}}}
rc_joins: {{local: {plenty}, remote: {plenty}}}
rc_joins_per_room: {plenty}
rc_room_creation: {plenty}
rc_key_requests: {plenty}
rc_media_create: {plenty}
rc_profile: {plenty}
rc_invites: {{per_room: {plenty}, per_user: {plenty}, per_issuer: {plenty}}}
"""
_PLENTY = "{per_second: 10000, burst_count: 10000}"
_LOG = """\
version: 1
handlers: {{file: {{class: logging.FileHandler, filename: {here}/hs.log}}}}
root: {{level: WARNING, handlers: [file]}}
"""


class Refused(Exception):
    """What the server answered instead: its error code."""


class Synapse:
    """`with Synapse() as server:`; it listens on loopback, on a port that was free."""

    def __init__(self) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._secret = secrets.token_urlsafe(24)
        self._folder = Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._admin = ""

    def __enter__(self) -> Synapse:
        self._folder = Path(tempfile.mkdtemp(prefix="synapse-"))
        try:
            self._write()
            self._run("--generate-keys")
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End it and take its folder away."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "out").open("ab") as log:
            self._process = subprocess.Popen(
                self._program(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self._folder
            )
        end = time.monotonic() + 60
        while not self._healthy():
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"Synapse does not start: {self._said()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it at once, as a power cut would."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait(10)

    def person(self, name: str, password: str, *, admin: bool = False) -> str:
        """Make an account; return its id."""
        nonce = self._call("GET", "/_synapse/admin/v1/register")["nonce"]
        words = "\0".join((nonce, name, password, "admin" if admin else "notadmin"))
        mac = hmac.new(self._secret.encode(), words.encode(), hashlib.sha1).hexdigest()
        wanted = {"nonce": nonce, "username": name, "password": password, "admin": admin, "mac": mac}
        self._call("POST", "/_synapse/admin/v1/register", wanted)
        return f"@{name}:{NAME}"

    def login(self, person: str, password: str, **more: str) -> dict[str, Any]:
        """Log in as a new device; return the server's answer."""
        who = {"type": "m.id.user", "user": person}
        wanted = {"type": "m.login.password", "identifier": who, "password": password, **more}
        return self._call("POST", "/_matrix/client/v3/login", wanted)

    def call(self, token: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make any call as the owner of a token."""
        return self._call(method, path, body, token)

    def limit(self, person: str, per_second: int, burst: int) -> None:
        """Let a person say only so much, as Synapse's own limits would."""
        body = {"messages_per_second": per_second, "burst_count": burst}
        self.as_admin("POST", f"/_synapse/admin/v1/users/{quote(person)}/override_ratelimit", body)

    def unlimit(self, person: str) -> None:
        """Take that limit away."""
        self.as_admin("DELETE", f"/_synapse/admin/v1/users/{quote(person)}/override_ratelimit")

    def as_admin(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make a call of the server's administrator."""
        if not self._admin:
            password = secrets.token_urlsafe(12)
            person = self.person(f"admin-{secrets.token_hex(4)}", password, admin=True)
            self._admin = self.login(person, password)["access_token"]
        return self._call(method, path, body, self._admin)

    def _call(self, method: str, path: str, body: Any = None, token: str = "") -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise Refused(f"{error.code} {error.read().decode('utf-8', 'replace')[:300]}") from error

    def _write(self) -> None:
        values = {"here": self._folder, "name": NAME, "port": self.port, "secret": self._secret, "plenty": _PLENTY}
        (self._folder / "homeserver.yaml").write_text(_SETTINGS.format(**values))
        (self._folder / "log.yaml").write_text(_LOG.format(**values))

    def _program(self, *more: str) -> list[str]:
        python = ENVIRONMENT / "bin" / "python"
        if not python.exists():
            raise RuntimeError("Synapse is not installed: run `tools/setup test`")
        return [str(python), "-m", "synapse.app.homeserver", "-c", str(self._folder / "homeserver.yaml"), *more]

    def _run(self, *more: str) -> None:
        done = subprocess.run(self._program(*more), capture_output=True, text=True, timeout=60, cwd=self._folder)
        if done.returncode:
            raise RuntimeError(f"Synapse does not start: {done.stderr[-1000:]}")

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2):
            return True
        return False

    def _said(self) -> str:
        paths = (self._folder / "out", self._folder / "hs.log")
        return "\n".join(path.read_text("utf-8", "replace")[-1000:] for path in paths if path.exists())


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
