"""The HTTP side of the WinRM test server: logins, message encryption, TLS. Run as a program with a JSON document."""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import re
import signal
import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import spnego
from spnego.exceptions import SpnegoError

from tests.fakes.winrm.wsman import Limits, Service

_CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
_SEALED = re.compile(
    rb"Length=(\d+)\r\n--Encrypted Boundary\r\n\s*Content-Type: application/octet-stream\r\n"
    rb"(.*?)--Encrypted Boundary--\r\n",
    re.DOTALL,
)
_KERBEROS = bytes.fromhex("06092a864886f712010202")  # the object identifier of its mechanism
_SPNEGO = "application/HTTP-SPNEGO-session-encrypted"


class Handler(BaseHTTPRequestHandler):
    """One connection; NTLM logs a connection in, not a request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a small answer must not wait for an acknowledgement
    wbufsize = -1
    server: Server

    def setup(self) -> None:
        if self.server.tls:
            self.request.settimeout(5)
            self.request.do_handshake()
            self.request.settimeout(None)
        super().setup()
        self.context: Any = None
        self.user = ""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = ""
        if self.path != "/wsman":
            self._say(404)
            return
        if (header := self.headers.get("Authorization", "")) or not self.user:
            user, reply = self._log_in(header)
            if not user:
                self._refuse(reply)
                return
            self.user = user
        self._answer(body, reply)

    def _answer(self, body: bytes, reply: str) -> None:
        headers = {"WWW-Authenticate": reply} if reply else {}
        kind = self.headers.get("Content-Type", "")
        sealed = kind.startswith("multipart/encrypted")
        if not body:
            self._say(200, headers=headers)
        elif sealed:
            status, answer = self.server.service.answer(self._unsealed(body), self.user)
            content = f'multipart/encrypted;protocol="{_SPNEGO}";boundary="Encrypted Boundary"'
            self._say(status, self._sealed(answer), content, headers)
        elif not (self.server.tls or self.server.config.get("allow_unencrypted")):
            self._refuse("")  # what a server says that does not allow unencrypted traffic
        elif not kind.startswith("application/soap+xml"):
            self._say(415)
        else:
            status, answer = self.server.service.answer(body, self.user)
            self._say(status, answer, "application/soap+xml;charset=UTF-8", headers)

    # -- logins

    def _log_in(self, header: str) -> tuple[str, str]:
        """Return the user, and what to send back for the next step."""
        scheme, _, text = header.partition(" ")
        methods = self.server.config["auth"]
        if scheme == "Basic" and "basic" in methods and self._clear_allowed():
            return self._basic(text), ""
        if scheme in {"Negotiate", "NTLM"} and {"ntlm", "kerberos"} & set(methods):
            return self._negotiate(scheme, base64.b64decode(text))
        if header == _CERTIFICATE and "certificate" in methods and self.server.tls and self.request.getpeercert():
            subject = dict(pair for part in self.request.getpeercert()["subject"] for pair in part)
            return subject.get("commonName", ""), ""
        return "", ""

    def _clear_allowed(self) -> bool:
        return bool(self.server.tls or self.server.config.get("allow_unencrypted"))

    def _basic(self, text: str) -> str:
        config = self.server.config
        wanted = f"{config['user']}:{config['password']}"
        given = base64.b64decode(text)
        known = any(hmac.compare_digest(given, wanted.encode(charset)) for charset in ("utf-8", "latin-1"))
        return config["user"] if known else ""

    def _negotiate(self, scheme: str, token: bytes) -> tuple[str, str]:
        try:
            if self.context is None or self.context.complete:
                kind = _kind(token)
                if kind != "negotiate" and kind not in self.server.config["auth"]:
                    return "", ""
                options = spnego.NegotiateOptions.use_negotiate if kind == "negotiate" else spnego.NegotiateOptions.none
                self.context = spnego.server(protocol=kind, options=options)
            out = self.context.step(token)
        except (SpnegoError, ValueError, KeyError):  # a token that is none raises what its parser meets
            self.context = None
            return "", ""
        reply = f"{scheme} {base64.b64encode(out).decode()}" if out else ""
        return (self._account() if self.context.complete else ""), reply

    def _account(self) -> str:
        """Whom the login means; a principal of the realm that has no account here means nobody."""
        user = str(self.server.config["user"])
        if self.context.negotiated_protocol != "kerberos":
            return user
        return user if self.context.client_principal == f"{user}@{self.server.config['realm']}" else ""

    def _refuse(self, reply: str) -> None:
        self.user = "" if not reply else self.user
        methods = self.server.config["auth"]
        offers = ["Negotiate"] if {"ntlm", "kerberos"} & set(methods) else []
        if "basic" in methods and self._clear_allowed():
            offers.append('Basic realm="WSMAN"')
        self._say(401, offers=[reply] if reply else offers)

    # -- message encryption

    def _unsealed(self, body: bytes) -> bytes:
        found = _SEALED.search(body)
        if found is None or self.context is None:
            return b""
        data = found.group(2)
        length = int.from_bytes(data[:4], "little")
        plain = self.context.unwrap_winrm(data[4 : 4 + length], data[4 + length :])
        return plain if len(plain) == int(found.group(1)) else b""

    def _sealed(self, answer: bytes) -> bytes:
        wrapped = self.context.wrap_winrm(answer)
        data = len(wrapped.header).to_bytes(4, "little") + wrapped.header + wrapped.data
        return (
            b"--Encrypted Boundary\r\n\tContent-Type: " + _SPNEGO.encode() + b"\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" % len(answer)
            + b"--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n" + data
            + b"--Encrypted Boundary--\r\n"
        )  # fmt: skip

    def _say(
        self,
        status: int,
        body: bytes = b"",
        kind: str = "",
        headers: dict[str, str] | None = None,
        offers: list[str] | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        for offer in offers or ():
            self.send_header("WWW-Authenticate", offer)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


def _kind(token: bytes) -> str:
    """What a login token is: NTLM's or Kerberos' own, or one of the negotiation that may choose either."""
    if token.startswith(b"NTLMSSP\0"):
        return "ntlm"
    return "kerberos" if _KERBEROS in token[:20] else "negotiate"


class Server(ThreadingHTTPServer):
    """Listens on one loopback address."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.service = Service(Path(config["state"]), Limits(**config.get("limits", {})))
        self.tls = config.get("tls") or {}
        super().__init__((config.get("address", "127.0.0.1"), config.get("port", 0)), Handler)
        if self.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.tls["cert"], self.tls["key"])
            if "client_ca" in self.tls:
                context.load_verify_locations(self.tls["client_ca"])
                context.verify_mode = ssl.CERT_OPTIONAL
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: object, client_address: object) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, OSError | EOFError):
            super().handle_error(request, client_address)


def main() -> None:
    config = json.loads(sys.argv[1])
    users = Path(config["state"]) / "users"
    users.write_text("".join(f"{domain}:{config['user']}:{config['password']}\n" for domain in ("", "LAB")))
    users.chmod(0o600)
    os.environ["NTLM_USER_FILE"] = str(users)
    server = Server(config)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt, SystemExit, socket.error):
        server.serve_forever(0.1)
    server.service.shells.end()
    os._exit(0)


if __name__ == "__main__":
    main()
