"""Messages between programs of ours: signed with ed25519, sealed for one reader with X25519; and their key files.

What is signed is the very text that is read, and it is read only after its signature was checked. A message says what
it is for (its purpose), by whom, and for whom: none can stand for another.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from automation_bots.secrets.sealed import key_file

_KEY, _PAIR = 32, 64
_ONCE = bytes(12)  # each message has a cipher key of its own
_HEAD = ("by", "for", "from", "key", "to")


class Flaw(StrEnum):
    """What is wrong with a message that was not taken."""

    TOO_LONG = "too long"
    UNREADABLE = "unreadable"
    ELSEWHERE = "meant for another"
    UNKNOWN_SENDER = "unknown sender"
    FORGED = "forged"


class BadEnvelope(Exception):
    """A message that is not taken: the flaw, and who claims to have sent it."""

    def __init__(self, flaw: Flaw, reason: str, claims: str = "") -> None:
        self.flaw, self.reason, self.claims = flaw, reason, claims
        super().__init__(f"{flaw}: {reason}")


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What others know of a program: by which key it signs, and for which one they seal."""

    sign: bytes
    seal: bytes

    @property
    def text(self) -> str:
        """Both, as they stand in a file."""
        return _text(self.sign + self.seal)

    @property
    def fingerprint(self) -> str:
        """What people compare, as they know it from SSH."""
        return f"SHA256:{_text(hashlib.sha256(self.sign + self.seal).digest()).rstrip('=')}"

    @classmethod
    def of_text(cls, text: object) -> PublicKeys:
        """Read them; ValueError for anything else."""
        raw = _bytes(text)
        if len(raw) != _PAIR:
            raise ValueError("public keys are 64 bytes")
        return cls(raw[:_KEY], raw[_KEY:])

    def made(self, purpose: str, text: str, signature: bytes) -> bool:
        """Whether the owner of the keys made that signature, of that text for that purpose."""
        try:
            Ed25519PublicKey.from_public_bytes(self.sign).verify(signature, _signed(purpose, text))
        except (InvalidSignature, ValueError):
            return False
        return True


class Keys:
    """The private keys of one program: one to sign with, one to open with."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != _PAIR:
            raise ValueError("private keys are 64 bytes")
        self._sign = Ed25519PrivateKey.from_private_bytes(raw[:_KEY])
        self._seal = X25519PrivateKey.from_private_bytes(raw[_KEY:])
        self.public = PublicKeys(self._sign.public_key().public_bytes_raw(), self._seal.public_key().public_bytes_raw())

    @classmethod
    def of_file(cls, path: Path) -> Keys:
        """Read the private file; made when there is none yet."""
        return cls(key_file(path, os.urandom(_PAIR)))

    def sign(self, purpose: str, text: str) -> bytes:
        """Sign a text for a purpose."""
        return self._sign.sign(_signed(purpose, text))

    def shared(self, public: bytes) -> bytes:
        """Agree on a secret with whoever has the other half of this key; ValueError for a key that is none."""
        return self._seal.exchange(X25519PublicKey.from_public_bytes(public))


@dataclass(frozen=True, slots=True)
class Route:
    """From whom a message is, to whom."""

    sender: str
    reader: str


def canonical(body: Mapping[str, Any]) -> str:
    """Write JSON that is the same text for the same values; what is no JSON is refused."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False)


def strict(text: str) -> Any:
    """Read JSON in which nothing can mean two things: no name twice, no number that is none. ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("too deep") from error


def seal(purpose: str, route: Route, body: Mapping[str, Any], sender: Keys, reader: PublicKeys) -> str:
    """Sign a body, with who sends it to whom, and close it for its one reader."""
    return closed(purpose, route, signed(purpose, route, body, sender), sender.public.fingerprint, reader)


def signed(purpose: str, route: Route, body: Mapping[str, Any], sender: Keys) -> str:
    """Sign a body, with who sends it to whom; everybody can read it."""
    text = canonical({**body, "from": route.sender, "to": route.reader})
    return canonical({"body": text, "signature": _text(sender.sign(purpose, text))})


def closed(purpose: str, route: Route, inner: str, by: str, reader: PublicKeys) -> str:
    """Close a signed text for its one reader; `by` is the fingerprint of the key that signed it."""
    once = X25519PrivateKey.generate()
    public = once.public_key().public_bytes_raw()
    head = {"by": by, "for": reader.fingerprint, "from": route.sender, "to": route.reader, "key": _text(public)}
    shared = once.exchange(X25519PublicKey.from_public_bytes(reader.seal))
    whole = _cipher(purpose, shared, public, reader.seal).encrypt(_ONCE, inner.encode(), canonical(head).encode())
    return canonical({**head, "closed": _text(whole)})


def unseal(
    purpose: str, me: str, text: str, mine: Sequence[Keys], trusted: Callable[[str, str], PublicKeys | None]
) -> Mapping[str, Any]:
    """Open a message and return its body; BadEnvelope for all that is not what a trusted sender wrote to this reader.

    `trusted` gives the keys of a sender by its name and the fingerprint that it claims.
    """
    head, whole = _head(text)
    claims, public = head["from"], _raw(head["key"], head["from"])
    keys = next((one for one in mine if one.public.fingerprint == head["for"]), None)
    if head["to"] != me or keys is None:
        raise BadEnvelope(Flaw.ELSEWHERE, f"it is for {head['to']}, with the key {head['for']}", claims)
    sender = trusted(claims, head["by"])
    if sender is None:
        raise BadEnvelope(Flaw.UNKNOWN_SENDER, f"{claims} is not trusted with the key {head['by']}", claims)
    try:
        cipher = _cipher(purpose, keys.shared(public), public, keys.public.seal)
        inner = cipher.decrypt(_ONCE, _raw(whole, claims), canonical(head).encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise BadEnvelope(Flaw.FORGED, "it was changed on its way, or was never sealed for this", claims) from error
    return verified(purpose, inner, Route(claims, me), sender)


def verified(purpose: str, inner: str, route: Route, sender: PublicKeys) -> Mapping[str, Any]:
    """Read what `signed` wrote; BadEnvelope for all that this sender did not write to this reader."""
    claims = route.sender
    try:
        pair = strict(inner)
        text, signature = str(pair["body"]), _bytes(pair["signature"])
    except (ValueError, TypeError, KeyError) as error:
        raise BadEnvelope(Flaw.UNREADABLE, "what was sealed is no signed text", claims) from error
    if not sender.made(purpose, text, signature):
        raise BadEnvelope(Flaw.FORGED, f"{claims} did not sign it", claims)
    try:
        body = strict(text)
    except ValueError as error:
        raise BadEnvelope(Flaw.UNREADABLE, "what was signed is no JSON", claims) from error
    if not isinstance(body, dict) or body.get("from") != claims:
        raise BadEnvelope(Flaw.FORGED, f"{claims} did not write it", claims)
    if body.get("to") != route.reader:
        raise BadEnvelope(Flaw.ELSEWHERE, f"{claims} wrote it to another", claims)
    return body


def _head(text: str) -> tuple[dict[str, str], str]:
    try:
        whole = strict(text)
        closed, head = whole.pop("closed"), whole
        good = all(isinstance(part, str) and len(part) <= 200 for part in head.values()) and isinstance(closed, str)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadEnvelope(Flaw.UNREADABLE, "it is no message of ours") from error
    if sorted(head) != list(_HEAD) or not good:
        raise BadEnvelope(Flaw.UNREADABLE, "it is no message of ours")
    return head, closed


def _raw(text: str, claims: str) -> bytes:
    try:
        return _bytes(text)
    except ValueError as error:
        raise BadEnvelope(Flaw.UNREADABLE, "it is no message of ours", claims) from error


def _cipher(purpose: str, shared: bytes, once: bytes, reader: bytes) -> ChaCha20Poly1305:
    info = f"automation-bots sealed 1 {purpose}".encode()
    return ChaCha20Poly1305(HKDF(hashes.SHA256(), 32, salt=once + reader, info=info).derive(shared))


def _signed(purpose: str, text: str) -> bytes:
    return f"automation-bots signed 1 {purpose}\n{text}".encode()


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes(text: object) -> bytes:
    """Read base64 in its one form: what decodes to the same bytes but looks otherwise is refused."""
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("no base64")
    raw = base64.b64decode(text, validate=True)
    if _text(raw) != text:
        raise ValueError("no base64 in its one form")
    return raw


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")
