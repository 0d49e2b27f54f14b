"""Ask a device which host keys it has, one connection per kind as ssh-keyscan does it. Needs asyncssh."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import asyncssh

from automation_bots.drivers.ssh.access import Access, LoginFailed
from automation_bots.drivers.ssh.host_key_check import Trust
from automation_bots.drivers.ssh.keys import Keys
from automation_bots.drivers.ssh.known_hosts import HostKey
from automation_bots.drivers.ssh.login import connected, offered_key

_KINDS = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
    ("ssh-rsa",),
)
_OLDEST = (("ssh-dss",),)  # asked for only where the inventory says ssh_legacy


def offered(access: Access, seconds: float, trust: Trust | None = None, keys: Keys | None = None) -> list[HostKey]:
    """Return the host keys that a device shows; NoSession says why there are none."""
    asyncssh.set_log_level("CRITICAL")
    kinds = (*_KINDS, *_OLDEST) if access.legacy else _KINDS
    return asyncio.run(_offered(replace(access, legacy=True), seconds, kinds, trust, keys))


async def _offered(
    access: Access, seconds: float, kinds: tuple[tuple[str, ...], ...], trust: Trust | None, keys: Keys | None
) -> list[HostKey]:
    async with contextlib.AsyncExitStack() as stack:
        tunnel: asyncssh.SSHClientConnection | None = None
        for hop in access.jump:
            if trust is None or keys is None:
                raise LoginFailed(f"{access.device} stands behind a jump host")
            tunnel, _ = await connected(hop, trust, keys, seconds=seconds, tunnel=tunnel)
            stack.push_async_exit(tunnel)
        return await _each(access, seconds, kinds, tunnel)


async def _each(
    access: Access,
    seconds: float,
    wanted: tuple[tuple[str, ...], ...],
    tunnel: asyncssh.SSHClientConnection | None,
) -> list[HostKey]:
    found: list[HostKey] = []
    problem: LoginFailed | None = None
    for kinds in wanted:
        try:
            key = await offered_key(access, list(kinds), seconds, tunnel)
        except LoginFailed as error:
            if "share no SSH algorithm" not in str(error):
                raise
            problem = error
            continue
        if key not in found:
            found.append(key)
    if not found and problem is not None:
        raise problem
    return found
