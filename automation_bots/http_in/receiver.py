"""Who may call at one path, how they prove it, and who takes what they bring. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """A token in a header, an HMAC-SHA256 over the body, or both."""

    token: str = field(default="", repr=False)
    header: str = ""  # that holds the token; empty: Authorization, as bearer or as basic authentication's password
    secret: str = field(default="", repr=False)
    signature_header: str = ""
    timestamp_header: str = ""
    replay_seconds: float = 300.0

    def knows(self, headers: Mapping[str, str]) -> bool:
        """Whether the token is right, or none is asked for; header names are in lower case."""
        if not self.token:
            return True
        given = headers.get(self.header.lower(), "") if self.header else bearer(headers.get("authorization", ""))
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self.token.encode())

    def signed(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Whether the body is signed, and not too long ago, or no signature is asked for."""
        if not self.secret:
            return True
        said = body
        if self.timestamp_header:
            stamp = headers.get(self.timestamp_header.lower(), "")
            if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 12:
                return False
            if abs(now.timestamp() - int(stamp)) > self.replay_seconds:
                return False
            said = stamp.encode() + b":" + body
        given = headers.get(self.signature_header.lower(), "").removeprefix("sha256=").lower()
        expected = hmac.new(self.secret.encode(), said, hashlib.sha256).hexdigest()
        return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())


def bearer(header: str) -> str:
    """The token of an Authorization header: a bearer's, or the password of basic authentication."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return rest.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True, slots=True)
class Receiver:
    """What takes the calls at /hooks/<name>. `take` raises BadPayload or StoreError; a worker thread calls it."""

    name: str
    proof: Proof
    take: Callable[[bytes, Mapping[str, str]], None]
    max_bytes: int = 1_048_576
    per_minute: int = 600
    body_seconds: float = 10.0  # for all of a body
