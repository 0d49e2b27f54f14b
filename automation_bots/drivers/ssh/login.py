"""Log in to one host: its key checked, the ways to log in tried in order. Lives in the SSH process; needs asyncssh."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh

from automation_bots.drivers.ssh import algorithms
from automation_bots.drivers.ssh import tcp as ssh_tcp
from automation_bots.drivers.ssh.access import Access, LoginFailed
from automation_bots.drivers.ssh.host_key_check import Trust
from automation_bots.drivers.ssh.keys import Keys, Pairs
from automation_bots.drivers.ssh.known_hosts import HostKey, KnownHosts
from automation_bots.model import Status

KEEPALIVE_SECONDS = 30  # under the idle time-outs of common firewalls
_ANSWERS = ("password", "passcode")


class Client(asyncssh.SSHClient):
    """What asyncssh asks while it logs in; remembers how far it came and what was tried."""

    def __init__(self, access: Access, trust: Trust, keys: Keys) -> None:
        self.access, self.trust = access, trust
        self.notes: list[str] = []
        self.wanted: list[str] = []
        self.refusal: LoginFailed | None = None
        self.logged_in = False
        self.authority: HostKey | None = None  # who signed the host's certificate
        self.conn: asyncssh.SSHClientConnection | None = None
        self.handshaken = False
        self._keys = keys
        self._pairs = self._offers()
        self._passwords = {"password": access.password, "keyboard-interactive": access.password}

    def connection_made(self, conn: asyncssh.SSHClientConnection) -> None:
        """TCP is there."""
        self.conn = conn

    def auth_completed(self) -> None:
        """The device let us in."""
        self.logged_in = True

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Judge a plain host key."""
        self.refusal = self.trust.problem(self.access, host_key(key))
        self.handshaken = True
        return self.refusal is None

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Judge who signed a host's certificate."""
        self.handshaken, shown = True, host_key(key)
        if self.trust.is_authority(self.access, shown):
            self.authority = shown
            return True
        text = f"{shown.type} {shown.fingerprint}"
        self.refusal = LoginFailed(f"the host key of {self.access.where} is signed by {text}, which is not known")
        return False

    async def public_key_auth_requested(self) -> list[asyncssh.SSHKeyPair] | None:
        """Give the next key, after those that need no asking."""
        self._note_methods()
        return await anext(self._pairs, None)

    async def _offers(self) -> AsyncIterator[list[asyncssh.SSHKeyPair]]:
        """Give what the device names itself first: servers drop a client after a few wrong keys."""
        access, keys = self.access, self._keys
        own = await keys.own(access)
        for pair in self._usable(own, f"key {access.key_file or 'of the inventory'}"):
            yield [pair]
        if access.key_file or access.private_key:
            return
        for path in (*access.more_keys, *keys.general):
            for pair in self._usable(await keys.other(access, path), f"key {path}"):
                yield [pair]
        for pair in self._usable(await keys.of_agent(), "agent key"):
            yield [pair]

    def _usable(self, pairs: Pairs | str, name: str) -> Iterator[asyncssh.SSHKeyPair]:
        if isinstance(pairs, str):
            self.notes.append(f"not {pairs}")
            return
        for pair in pairs:
            agent = f" {pair.get_comment() or ''}".rstrip() if name.startswith("agent") else ""
            self.notes.append(f"{name}{agent}")
            yield pair

    def password_auth_requested(self) -> str | None:
        """Give the password, once."""
        self._note_methods()
        return self._password("password")

    def kbdint_auth_requested(self) -> str | None:
        """Take part where there is a password to give."""
        self._note_methods()
        return "" if self._passwords["keyboard-interactive"] else None

    def kbdint_challenge_received(
        self,
        name: str,  # noqa: ARG002 - asyncssh's signature
        instructions: str,  # noqa: ARG002
        lang: str,  # noqa: ARG002
        prompts: Sequence[tuple[str, bool]],
    ) -> Sequence[str] | None:
        """Answer the one question for a password, and nothing that is shown while it is typed."""
        if not prompts:
            return []
        if len(prompts) > 1 or (prompts[0][1] and not any(word in prompts[0][0].lower() for word in _ANSWERS)):
            return None
        password = self._password("keyboard-interactive")
        return None if password is None else [password]

    def _password(self, method: str) -> str | None:
        password, self._passwords[method] = self._passwords[method], ""
        if password and "password" not in self.notes:
            self.notes.append("password")
        return password or None

    def _note_methods(self) -> None:
        if self.conn is not None:
            self.wanted += [name for name in self.conn.get_server_auth_methods() if name not in self.wanted]

    def refused(self) -> str:
        """Say what was tried in vain."""
        tried = ", ".join(self.notes) or "nothing: no usable key, no password"
        if not any(not note.startswith("not ") for note in self.notes) and self.notes:
            tried = f"{tried}, nothing else: no usable key, no password"
        takes = f"; the device accepts {', '.join(self.wanted)}" if self.wanted else ""
        return f"authentication failed for user {self.access.user} on {self.access.where} (tried {tried}{takes})"


def host_key(key: asyncssh.SSHKey) -> HostKey:
    """Return asyncssh's key as known_hosts knows it."""
    return HostKey(key.get_algorithm(), key.public_data)


async def connected(
    access: Access, trust: Trust, keys: Keys, *, seconds: float, tunnel: asyncssh.SSHClientConnection | None = None
) -> tuple[asyncssh.SSHClientConnection, Client]:
    """Return a connection that is logged in; NoSession says what is wrong."""
    client = Client(access, trust, keys)
    return await _connected(client, trust.algorithms(access), seconds, tunnel), client


async def offered_key(
    access: Access, kinds: list[str], seconds: float, tunnel: asyncssh.SSHClientConnection | None = None
) -> HostKey:
    """Return the host key of one of these kinds that a device shows, and go away."""
    client = _Curious(access, Trust(KnownHosts(Path(os.devnull))), Keys((), allow_agent=False))
    try:
        conn = await _connected(client, kinds, seconds, tunnel)
    except LoginFailed:
        if client.seen is None:
            raise
        return client.seen
    conn.abort()
    raise LoginFailed(f"{access.where} showed no host key")


async def _connected(
    client: Client, kinds: list[str], seconds: float, tunnel: asyncssh.SSHClientConnection | None
) -> asyncssh.SSHClientConnection:
    access = client.access
    sock = None if tunnel else await ssh_tcp.opened(access, seconds)
    try:
        async with asyncio.timeout(seconds):
            return await asyncssh.connect(
                access.host,
                access.port,
                sock=sock,
                tunnel=tunnel or (),
                client_factory=lambda: client,
                username=access.user,
                preferred_auth=_order(access),
                server_host_key_algs=kinds,
                **algorithms.chosen(legacy=access.legacy, wishes=dict(access.wishes)),
                **_FIXED,
            )
    except Exception as error:  # asyncssh re-raises whatever nonsense of a device led to, so the device chooses it
        _shut(sock)
        if _closed_in_key_exchange(client, error) and await _speaks_old(access, kinds, seconds, tunnel):
            raise LoginFailed(_only_old(access)) from error
        raise _problem(client, error, seconds) from error
    except BaseException:
        _shut(sock)
        raise


def _closed_in_key_exchange(client: Client, error: Exception) -> bool:
    greeted = client.conn is not None and client.conn.get_extra_info("server_version")
    lost = isinstance(error, asyncssh.ConnectionLost | asyncssh.KeyExchangeFailed | OSError)
    return bool(greeted) and lost and not isinstance(error, TimeoutError) and not client.handshaken


async def _speaks_old(
    access: Access, kinds: list[str], seconds: float, tunnel: asyncssh.SSHClientConnection | None
) -> bool:
    """Whether old algorithms would do: a device that hangs up at once takes with it what it offered."""
    if access.legacy:
        return False
    try:
        await offered_key(replace(access, legacy=True), kinds, seconds, tunnel)
    except LoginFailed:
        return False
    return True


def _shut(sock: socket.socket | None) -> None:
    if sock is not None:
        sock.close()


# What else asyncssh would look for by itself: files of the user, a Kerberos ticket, certificates of X.509.
_FIXED: dict[str, Any] = {
    "config": None,
    "known_hosts": ([], [], []),  # nothing is trusted but what `Client` says
    "client_keys": None,
    "agent_path": None,
    "gss_host": None,
    "gss_kex": False,
    "gss_auth": False,
    "host_based_auth": False,
    "x509_trusted_certs": None,
    "x509_trusted_cert_paths": [],
    "compression_algs": None,
    "login_timeout": 0,
    "keepalive_interval": KEEPALIVE_SECONDS,
    "encoding": None,
}


def _order(access: Access) -> list[str]:
    """Give what the inventory names first; a key of the bot comes after the device's own password."""
    passwords = ["password", "keyboard-interactive"]
    own = access.key_file or access.private_key or not access.password
    return ["publickey", *passwords] if own else [*passwords, "publickey"]


def _problem(client: Client, error: Exception, seconds: float) -> LoginFailed:
    access = client.access
    if client.refusal is not None:
        return client.refusal
    if isinstance(error, OSError) and error.errno in ssh_tcp.NO_FILE:
        return ssh_tcp.NoFile()
    if isinstance(error, asyncssh.PermissionDenied):
        return LoginFailed(client.refused())
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return LoginFailed(f"the host key of {access.where} is not good: {error}", Status.FAILED)
    if isinstance(error, asyncssh.ChannelOpenError):
        return LoginFailed(f"{access.where} cannot be reached from {access.jump[-1].device}: {error.reason}")
    if client.handshaken and isinstance(error, asyncssh.ConnectionLost | OSError):
        tried = ", ".join(client.notes) or "nothing yet"
        return LoginFailed(
            f"{access.where} closed the connection, or was silent, during the login of user {access.user} "
            f"(tried: {tried})"
        )
    return LoginFailed(_no_handshake(client, error, seconds))


def _no_handshake(client: Client, error: Exception, seconds: float) -> str:
    where = client.access.where
    if found := re.match(r"No matching (.*) algorithm found, sent .* and received (.*)", str(error)):
        return _no_algorithm(client.access, found[1], found[2].split(","))
    if isinstance(error, TimeoutError):
        greeted = client.conn is not None and client.conn.get_extra_info("server_version")
        what = "gave an SSH greeting and then fell silent" if greeted else "gave no SSH greeting"
        return f"{where} takes connections but {what} for {seconds:.0f} s; is it overloaded, or not the SSH port?"
    if _closed_in_key_exchange(client, error):
        return (
            f"{where} closed the connection during the key exchange; perhaps it and this bot share no SSH algorithm. "
            f"An old device needs  ssh_legacy: true  in the inventory"
        )
    if isinstance(error, asyncssh.ConnectionLost | OSError):
        return f"{where} closed the connection before SSH began; is it overloaded, or not the SSH port?"
    return f"what answers on {where} does not speak SSH as it should; is that the SSH port?"


def _no_algorithm(access: Access, kind: str, offered: Sequence[str]) -> str:
    shown = ", ".join(offered[:4])
    if algorithms.only_old(offered) and not access.legacy:
        return _only_old(access, f" ({kind}: {shown})")
    return f"{access.where} and this bot share no SSH algorithm ({kind}); it offers {shown}, and needs an update"


def _only_old(access: Access, which: str = "") -> str:
    return (
        f"{access.where} and this bot share no SSH algorithm: it offers only old ones{which}. "
        f"If it cannot be updated:  ssh_legacy: true  for {access.device} in the inventory"
    )


class _Curious(Client):
    """Looks at the host key and goes away."""

    seen: HostKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        self.seen = host_key(key)
        return False
