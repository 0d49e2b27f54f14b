"""Signed checkpoints: number and hash of the newest record, signed with ed25519 and kept where the record is not."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from automation_bots.errors import StoreError, in_words
from automation_bots.secrets.sealed import key_file
from automation_bots.store import BrokenAudit
from automation_bots.store.codec import canonical
from automation_bots.store.schema import stamp


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed: at that time this was the newest record of that bot."""

    bot: str
    seq: int
    hash: str
    at: str
    key: str = ""
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is of: canonical JSON of all but the signature."""
        return canonical({**asdict(replace(self, signature="")), "signature": ""}).encode()

    @property
    def line(self) -> str:
        """One line of JSON."""
        return canonical(asdict(self))


class Signer:
    """The private key of one bot."""

    def __init__(self, raw: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(raw)

    @classmethod
    def of_file(cls, path: Path) -> Signer:
        """Read the key; made when there is none yet. Its public half stands beside it, for whoever verifies."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        signer = cls(key_file(path, Ed25519PrivateKey.generate().private_bytes_raw()))
        path.with_suffix(".pub").write_text(f"{signer.public}\n")
        return signer

    @property
    def public(self) -> str:
        """The public key, as people copy it."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, bot: str, seq: int, hash_: str, at: datetime) -> Checkpoint:
        """Make a checkpoint."""
        plain = Checkpoint(bot, seq, hash_, stamp(at), self.public)
        return replace(plain, signature=base64.b64encode(self._key.sign(plain.signed)).decode())


def read(path: Path) -> list[Checkpoint]:
    """Read a file of checkpoints; what is no checkpoint stops the reading. Lines around one may be a chat's."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError as error:
        raise StoreError(f"{path} cannot be read ({in_words(error)})") from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(Checkpoint(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise StoreError(f"{path}, line {number}: this is no checkpoint") from error
    return found


def checked(checkpoints: Iterable[Checkpoint], public: str) -> Mapping[int, tuple[str, ...]]:
    """Check every signature with the one public key; returns the signed hashes by the number of their record."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
    except ValueError as error:
        raise StoreError("The public key must be what !audit key shows: 44 characters.") from error
    found: dict[int, tuple[str, ...]] = {}
    for checkpoint in checkpoints:
        try:
            key.verify(base64.b64decode(checkpoint.signature, validate=True), checkpoint.signed)
        except (InvalidSignature, ValueError) as error:
            why = "has a signature that is not of this key: the checkpoint was changed, or is another bot's"
            raise BadCheckpoint(checkpoint.seq, why) from error
        found[checkpoint.seq] = (*found.get(checkpoint.seq, ()), checkpoint.hash)
    return found


class BadCheckpoint(BrokenAudit):
    """A checkpoint that nobody signed."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(seq, reason)
        self.args = (f"The checkpoint of record {seq} {reason}.",)


class Checkpoints:
    """Makes one when the record has grown, writes it to a file and hands it on."""

    def __init__(
        self, signer: Signer, bot: str, head: Callable[[], tuple[int, str]], path: Path | None,
        post: Callable[[Checkpoint], None],
    ) -> None:  # fmt: skip
        self._signer, self._bot, self._head = signer, bot, head
        self._path, self._post = path, post
        self._last = (0, "")

    def make(self, at: datetime) -> Checkpoint | None:
        """Sign where the record is now; None when it is where it was."""
        head = self._head()
        if head == self._last or not head[0]:
            return None
        made = self._signer.sign(self._bot, *head, at)
        if self._path is not None:
            _append(self._path, made.line)
        self._last = head
        self._post(made)
        return made


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "w") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
