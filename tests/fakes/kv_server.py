"""A server that speaks the published HTTP API of HashiCorp Vault and OpenBao as far as key/value version 2 needs it.

Strict: other paths, methods, tokens, namespaces and a missing request header are refused as the real ones refuse them.
"""

from __future__ import annotations

import json
import ssl
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.fakes import certificates


class KvServer:
    """Use as a context manager; `secrets` is {(namespace, mount, path): [versions]}, a version is a dict or None."""

    def __init__(self, folder: Path, *, token: str = "", role: tuple[str, str] = ("", ""), namespace: str = ""):
        certificates.make(folder)
        self.ca_file, self.namespace = folder / "ca.pem", namespace
        self.tokens = {token} if token else set()
        self.role = role
        self.secrets: dict[tuple[str, str], list[dict | None]] = {}
        self.forbidden: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.sealed = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.kv = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_address[1]}"

    def put(self, path: str, mount: str = "net", **fields):
        self.secrets.setdefault((mount, path), []).append(fields)

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def login(self, body: dict) -> dict | None:
        if not self.role[0] or (body.get("role_id"), body.get("secret_id")) != self.role:
            return None
        token = f"hvs.{uuid.uuid4().hex}"
        self.tokens.add(token)
        return {"client_token": token, "accessor": uuid.uuid4().hex, "policies": ["default"], "metadata": {},
                "token_policies": ["default"], "lease_duration": 60, "renewable": True, "entity_id": "",
                "token_type": "service", "orphan": True, "mfa_requirement": None, "num_uses": 0}  # fmt: skip

    def read(self, mount: str, path: str) -> tuple[int, dict]:
        versions = self.secrets.get((mount, path))
        if not versions:
            return 404, {"errors": []}
        meta = {"created_time": datetime.now(UTC).isoformat(), "custom_metadata": None, "deletion_time": "",
                "destroyed": False, "version": len(versions)}  # fmt: skip
        if versions[-1] is None:
            meta["deletion_time"] = meta["created_time"]
            return 404, _answer({"data": None, "metadata": meta})
        return 200, _answer({"data": versions[-1], "metadata": meta})


def _answer(data: dict | None = None, auth: dict | None = None) -> dict:
    return {"request_id": str(uuid.uuid4()), "lease_id": "", "renewable": False, "lease_duration": 0, "data": data,
            "wrap_info": None, "warnings": None, "auth": auth}  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def kv(self) -> KvServer:
        return self.server.kv

    def do_GET(self):
        if self._refused():
            return
        mount, data, path = self.path.removeprefix("/v1/").partition("/data/")
        if not data:
            self._say(404, {"errors": [f"no handler for route {self.path!r}. route entry not found."]})
            return
        if self.headers.get("X-Vault-Token") not in self.kv.tokens or f"{mount}/{path}" in self.kv.forbidden:
            self._say(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
            return
        self.kv.asked.append((mount, path))
        self._say(*self.kv.read(mount, path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self._refused():
            return
        if self.path != "/v1/auth/approle/login":
            self._say(404, {"errors": [f"no handler for route {self.path!r}. route entry not found."]})
            return
        auth = self.kv.login(json.loads(body))
        self._say(*((200, _answer(auth=auth)) if auth else (400, {"errors": ["invalid role or secret ID"]})))

    def do_PUT(self):
        self.do_POST()

    def _refused(self) -> bool:
        if self.kv.sealed:
            self._say(503, {"errors": ["Vault is sealed"]})
        elif self.headers.get("X-Vault-Request") != "true":
            self._say(412, {"errors": ["missing X-Vault-Request header"]})
        elif (self.headers.get("X-Vault-Namespace") or "").strip("/") != self.kv.namespace:
            self._say(404, {"errors": ["no handler for route: namespace not found"]})
        else:
            return False
        return True

    def _say(self, status: int, body: dict):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
