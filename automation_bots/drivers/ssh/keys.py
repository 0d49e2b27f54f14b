"""Private keys, certificates and the agent, each read once per change: opening an encrypted key is slow on purpose.

Lives in the SSH process; needs asyncssh.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import asyncssh

from automation_bots.drivers.ssh.access import Access
from automation_bots.errors import in_words

Pairs = Sequence[asyncssh.SSHKeyPair]
_Stamp = tuple[int, ...]
_AGENT_SECONDS = 5.0


class Keys:
    """What logs in beside passwords."""

    def __init__(self, general: Sequence[Path], *, allow_agent: bool) -> None:
        self.general = tuple(general)
        self.allow_agent = allow_agent
        self._loaded: dict[tuple[object, ...], asyncio.Future[Pairs | str]] = {}
        self._agent: asyncssh.SSHAgentClient | None = None

    def stamp(self, access: Access) -> _Stamp:
        """Return what changes when a key of that account does."""
        named = (access.key_file, access.certificate, *access.more_keys, *self.general)
        return tuple(_mtime(path) for path in named if path)

    async def own(self, access: Access) -> Pairs | str:
        """Return the keys that the device names itself, or the words saying why they cannot be used."""
        if access.private_key:
            return await self._load(access.private_key, access)
        return await self._load(access.key_file, access) if access.key_file else ()

    async def other(self, access: Access, path: Path) -> Pairs | str:
        """Return a key of the bot, for devices that name none."""
        return await self._load(path, access)

    async def of_agent(self) -> Pairs | str:
        """Return what the SSH agent holds."""
        path = os.environ.get("SSH_AUTH_SOCK", "")
        if not self.allow_agent or not path:
            return ()
        try:
            if self._agent is None:
                self._agent = await asyncssh.connect_agent(path)
            async with asyncio.timeout(_AGENT_SECONDS):
                return await self._agent.get_keys()
        except (OSError, ValueError, asyncssh.Error) as error:
            self._agent = None
            return f"the SSH agent: {getattr(error, 'strerror', '') or in_words(error) or 'it does not answer'}"

    def close(self) -> None:
        """Let go of the agent."""
        if self._agent is not None:
            self._agent.close()

    async def _load(self, key: Path | str, access: Access) -> Pairs | str:
        certificate = access.certificate or beside(key)
        stamps = _mtime(key) if isinstance(key, Path) else 0, _mtime(certificate) if certificate else 0
        what = (key, certificate, access.passphrase, *stamps)
        if what not in self._loaded:
            thread = asyncio.to_thread(opened, key, certificate, access.passphrase)
            self._loaded[what] = asyncio.ensure_future(thread)
        # Many devices wait for one reading; that one of them stops must not stop it for the others.
        return await asyncio.shield(self._loaded[what])


def beside(key: Path | str) -> Path | None:
    """Return the certificate that lies beside a key's file."""
    if not isinstance(key, Path):
        return None
    found = key.with_name(key.name + "-cert.pub")
    return found if found.exists() else None


def _mtime(path: Path | str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError:
        return -1


def opened(key: Path | str, certificate: Path | None, passphrase: str) -> Pairs | str:
    """Read a private key (a file, or its text) with its certificate; or return the words saying why that fails."""
    name = f"key {key}" if isinstance(key, Path) else "key of the inventory"
    try:
        data = key.read_bytes() if isinstance(key, Path) else key.strip().encode() + b"\n"
        private = asyncssh.import_private_key(data, passphrase or None)
    except OSError as error:
        return f"{name}: {in_words(error)}"
    except asyncssh.KeyEncryptionError:
        return f"{name}: the passphrase is wrong"
    except asyncssh.KeyImportError as error:
        if "encrypted" in str(error).lower() or "passphrase" in str(error).lower():
            return f"{name}: it needs ansible_ssh_private_key_passphrase"
        return f"{name}: no usable private key, or the passphrase is wrong"
    return asyncssh.load_keypairs([private]) if certificate is None else _certified(private, certificate, name)


def _certified(private: asyncssh.SSHKey, certificate: Path, name: str) -> Pairs | str:
    try:
        signed = asyncssh.read_certificate(certificate)
    except OSError as error:
        return f"certificate {certificate}: {in_words(error)}"
    except asyncssh.KeyImportError:
        return f"certificate {certificate}: it is none"
    if signed.key.public_data != private.public_data:
        return f"certificate {certificate}: it belongs to another key than {name}"
    return asyncssh.load_keypairs([private], certlist=[signed])
