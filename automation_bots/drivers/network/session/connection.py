"""One SSH connection of the network process, by asyncssh: host key checked, jump hosts, old algorithms when wanted."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import hashlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh

from automation_bots.drivers.network.messages import DeviceRequest, Login, Problem
from automation_bots.drivers.ssh.keys import beside, opened

logging.getLogger("asyncssh").setLevel(logging.CRITICAL)

_FAST = (
    "aes128-gcm@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
)
# What devices of before 2015 speak; each is breakable with effort, so only where the inventory says so.
_OLD = {
    "kex_algs": "+diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1,diffie-hellman-group1-sha1",
    "encryption_algs": "+aes256-cbc,aes192-cbc,aes128-cbc,3des-cbc",
    "mac_algs": "+hmac-sha1,hmac-sha1-96,hmac-md5",
    "signature_algs": "+ssh-rsa,ssh-dss",
}
_KEYS = "+ssh-rsa,ssh-dss"  # beside those of today
_BUSY_TRIES = (1.0, 2.0, 4.0)  # a device whose sessions are all taken hangs up; one is free again soon
_BUSY = "closed the connection before the login"


@contextlib.asynccontextmanager
async def connected(work: DeviceRequest) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Give a connection that is logged in, through its jump hosts; a Problem says why there is none."""
    async with contextlib.AsyncExitStack() as stack:
        through: asyncssh.SSHClientConnection | None = None
        for login in (*work.login.jumps, work.login):
            through = await _patiently(login, through, work.connect_seconds)
            stack.push_async_callback(_ended, through)
        assert through is not None  # noqa: S101 - the device itself is always there
        yield through


async def shell(connection: asyncssh.SSHClientConnection, session: Callable[[], Any]) -> Any:
    """Open a shell that is wide enough for any line; return its channel."""
    try:
        channel, _ = await connection.create_session(session, term_type="vt100", term_size=(511, 1000))
    except asyncssh.ChannelOpenError as error:
        raise Problem(f"the device takes the login but opens no session: {error.reason}", "unreachable") from error
    return channel


async def _ended(connection: asyncssh.SSHClientConnection) -> None:
    connection.abort()
    with contextlib.suppress(Exception):
        await asyncio.wait_for(connection.wait_closed(), 2)


async def _patiently(
    login: Login, through: asyncssh.SSHClientConnection | None, seconds: float
) -> asyncssh.SSHClientConnection:
    for pause in (*_BUSY_TRIES, 0.0):
        try:
            return await _connect(login, through, seconds)
        except Problem as problem:
            if not pause or _BUSY not in str(problem):
                raise
            await asyncio.sleep(pause)
    raise AssertionError  # pragma: no cover - the last try returns or raises


async def _connect(
    login: Login, through: asyncssh.SSHClientConnection | None, seconds: float
) -> asyncssh.SSHClientConnection:
    if not login.known:
        raise Problem(await _unknown_key(login, through, seconds), "unreachable")
    keys, useless = await _keys(login)
    try:
        return await asyncio.wait_for(
            asyncssh.connect(login.host, login.port, tunnel=through or (), **_options(login, keys)), seconds
        )
    except TimeoutError as error:
        raise Problem(f"{login.where} did not answer within {seconds:.0f} s", "unreachable") from error
    except asyncssh.HostKeyNotVerifiable as error:
        raise Problem(await _changed_key(login, through, seconds)) from error
    except (asyncssh.Error, OSError, ValueError) as error:
        why = f"; {useless}" if useless and isinstance(error, asyncssh.PermissionDenied) else ""
        raise Problem(f"{_reason(login, error)}{why}", "unreachable") from error


async def _keys(login: Login) -> tuple[list[Any], str]:
    """Return the keys that can be used, with their certificates, and why the others cannot."""
    named = [login.private_key] if login.private_key else [Path(path) for path in login.key_files]
    pairs: list[Any] = []
    useless = []
    for key in named:
        certificate = Path(login.certificate) if login.certificate else beside(key)
        found = await asyncio.to_thread(_opened, key, certificate, login.passphrase)
        if isinstance(found, str):
            useless.append(found)
        else:
            pairs += found
    return pairs, "; ".join(useless)


_opened = functools.lru_cache(maxsize=64)(opened)  # opening an encrypted key is slow on purpose


def _options(login: Login, client_keys: list[Any]) -> dict[str, Any]:
    keys = [asyncssh.import_public_key(line) for line in login.known]
    options: dict[str, Any] = {
        "username": login.user,
        "password": login.password or None,
        "client_keys": client_keys or None,
        "agent_path": () if login.agent else None,
        "known_hosts": (keys, [], []),
        "config": None,
        "encoding": None,
        "compression_algs": ("none",),
        "x509_trusted_certs": None,
        "keepalive_interval": 30,
        "preferred_auth": ("publickey", "password", "keyboard-interactive"),
    }
    return {**options, **(_OLD if login.legacy else {"encryption_algs": _FAST})}


async def _offered(login: Login, through: asyncssh.SSHClientConnection | None, seconds: float) -> str:
    try:
        # Old algorithms too: nothing is sent, and who does not know the key has to hear of that first.
        options = asyncssh.SSHClientConnectionOptions(config=None, server_host_key_algs=_KEYS, **_OLD)
        asked = asyncssh.get_server_host_key(
            login.host, login.port, tunnel=through or (), config=None, server_host_key_algs=_KEYS, options=options
        )
        key = await asyncio.wait_for(asked, seconds)
    except (TimeoutError, asyncssh.Error, OSError, ValueError) as error:
        raise Problem(_reason(login, error), "unreachable") from error
    if key is None:
        raise Problem(f"{login.where} shows no host key", "unreachable")
    digest = base64.b64encode(hashlib.sha256(key.public_data).digest()).decode().rstrip("=")
    return f"{key.get_algorithm()} SHA256:{digest}"


async def _unknown_key(login: Login, through: asyncssh.SSHClientConnection | None, seconds: float) -> str:
    shown = await _offered(login, through, seconds)
    return (
        f"the host key of {login.where} is not known: it offers {shown}. Compare that at the device, "
        "then: automation-bots trust <bot folder> <device>"
    )


async def _changed_key(login: Login, through: asyncssh.SSHClientConnection | None, seconds: float) -> str:
    shown = await _offered(login, through, seconds)
    return (
        f"the host key of {login.where} changed: it offers {shown}. Somebody may be in between; only if the device "
        "was set up anew: automation-bots trust <bot folder> <device>"
    )


def _reason(login: Login, error: Exception) -> str:
    where = login.where
    if isinstance(error, asyncssh.PermissionDenied):
        had = [
            *(["key"] if login.key_files or login.private_key or login.agent else []),
            *(["password"] if login.password else []),
        ]
        return f"authentication failed for user {login.user} on {where} (tried {' and '.join(had) or 'nothing'})"
    if isinstance(error, asyncssh.KeyExchangeFailed):
        hint = "" if login.legacy else "; an old device needs ssh_legacy: true in the inventory"
        return f"{where} and this bot share no SSH algorithm{hint}"
    if isinstance(error, asyncssh.ConnectionLost | ConnectionResetError):
        return f"{where} {_BUSY}; are all of its sessions taken?"
    if isinstance(error, ConnectionRefusedError):
        return f"{where} refused the connection; is anything listening on that port?"
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"{where} cannot be reached from the jump host: {error.reason}"
    if isinstance(error, TimeoutError):
        return f"{where} did not answer"
    return f"{where} cannot be reached: {error}"
