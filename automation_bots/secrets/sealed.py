"""Small secrets at rest: sealed with AES-GCM under a key that is a reference, or a private file of the data folder."""

from __future__ import annotations

import os
from pathlib import Path

from automation_bots.errors import StoreError

_NONCE = 12
_SHORTEST = 16


class Seal:
    """Closes and opens small texts; each is bound to what it belongs to, so that rows cannot be swapped."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _SHORTEST:
            raise ValueError(f"the key is {len(key)} bytes; it needs {_SHORTEST} or more")
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(hashes.SHA256(), 32, salt=None, info=b"automation-bots sealed").derive(key)
        self._cipher = AESGCM(derived)

    def close(self, text: str, owner: str) -> bytes:
        """Return the sealed text."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, text.encode(), owner.encode())

    def open(self, sealed: bytes, owner: str) -> str:
        """Return the text; StoreError when the key is another or somebody changed it."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], owner.encode()).decode()
        except (InvalidTag, ValueError) as error:
            raise StoreError(f"What is sealed for {owner} cannot be opened: another key, or it was changed.") from error


def key_file(path: Path, make: bytes) -> bytes:
    """Read a private key file; where there is none yet, it is made of `make`. Only its owner may read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    with os.fdopen(descriptor, "wb") as file:
        file.write(make)
        file.flush()
        os.fsync(file.fileno())
    return make


def _read(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise StoreError(f"Others can read {path}. Run: chmod 600 {path}")
    return path.read_bytes()
