"""Connections that stay open for a while: one account each, checked before each use. In the SSH process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import asyncssh

from automation_bots.drivers.ssh.access import Access, LoginFailed
from automation_bots.drivers.ssh.host_key_check import Trust
from automation_bots.drivers.ssh.keys import Keys
from automation_bots.drivers.ssh.known_hosts import HostKey
from automation_bots.drivers.ssh.login import Client, connected, host_key
from automation_bots.drivers.ssh.tcp import NoFile

_SESSIONS = 8  # at once on one connection; OpenSSH's own limit is 10
_THROUGH = 1000  # devices behind one connection to a jump host
_AGAIN_SECONDS = 0.2
_HOP_SECONDS = 5  # a jump host is let go a moment after the last connection through it

Key = tuple[Access, tuple[int, ...], bool]  # the account, the state of its keys, whether it is passed through


@dataclass(frozen=True, slots=True)
class Terms:
    """How one job wants its connections."""

    trust: Trust
    keys: Keys
    connect_seconds: float
    keep_seconds: float
    keep: int


@dataclass(slots=True, eq=False)
class Link:
    """One open connection."""

    key: Key
    conn: asyncssh.SSHClientConnection
    shown: HostKey
    authority: HostKey | None  # who signed that key
    via: Link | None
    slots: int
    used: int = 0
    fresh: bool = True  # never given back so far
    retired: bool = False  # serves nobody any more
    until: float = 0.0


class Pool:
    """All open connections of this bot."""

    def __init__(self) -> None:
        self._links: dict[Key, list[Link]] = {}
        self._keys: dict[str, set[Key]] = {}  # by device
        self._idle: dict[Link, None] = {}  # the one that was used longest ago first
        self._coming: dict[Key, asyncio.Future[Link]] = {}
        self._slots: dict[Key, int] = {}  # of those that give fewer sessions than usual
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def take(self, access: Access, terms: Terms) -> Link:
        """Return a connection with a free session, opening one where there is none."""
        key = (access, terms.keys.stamp(access), False)
        self._drop_others(key)
        link = self._free(key, terms) or await self._opened(key, terms, self._slots.get(key, _SESSIONS))
        self._use(link)
        return link

    def give(self, link: Link, terms: Terms, *, good: bool = True) -> None:
        """Take a connection back; one that is not good any more is closed when its last user has gone."""
        link.retired = link.retired or not good
        self._release(link, terms.keep_seconds)
        while len(self._idle) > terms.keep:
            self._close(next(iter(self._idle)))

    def full(self, link: Link) -> None:
        """Remember how many sessions a device really gives on one connection."""
        link.slots = self._slots[link.key] = max(1, link.used - 1)

    def close(self) -> None:
        """Close all."""
        if self._timer is not None:
            self._timer.cancel()
        for links in self._links.values():
            for link in links:
                link.conn.abort()

    def _use(self, link: Link) -> None:
        link.used += 1
        self._idle.pop(link, None)

    def _release(self, link: Link, seconds: float) -> None:
        link.used -= 1
        link.fresh = False
        if link.used:
            return
        link.until = self._loop.time() + seconds
        if link.retired or seconds <= 0 or link.conn.is_closed():
            self._close(link)
            return
        self._idle[link] = None
        self._wake_at(link.until)

    def _free(self, key: Key, terms: Terms) -> Link | None:
        for link in list(self._links.get(key, ())):
            if link.conn.is_closed() or not terms.trust.still(key[0], link.shown, link.authority):
                self._retire(link)
            elif not link.retired and link.used < link.slots:
                return link
        return None

    def _drop_others(self, key: Key) -> None:
        """Close what was opened for a device before its account, its keys or its address changed."""
        for other in [one for one in self._keys.get(key[0].device, ()) if one != key and not one[2]]:
            for link in list(self._links.get(other, ())):
                self._retire(link)

    def _retire(self, link: Link) -> None:
        link.retired = True
        if not link.used:
            self._close(link)

    async def _opened(self, key: Key, terms: Terms, slots: int) -> Link:
        access = key[0]
        via = await self._hop(access.jump, terms) if access.jump else None
        try:
            conn, client = await self._connected(access, terms, via)
        except BaseException:
            if via is not None:
                self._release(via, terms.keep_seconds)
            raise
        shown = conn.get_server_host_key()
        assert shown is not None  # noqa: S101 - only Kerberos goes without, which is switched off
        link = Link(key, conn, host_key(shown), client.authority, via, slots)
        self._links.setdefault(key, []).append(link)
        self._keys.setdefault(access.device, set()).add(key)
        return link

    async def _hop(self, jump: tuple[Access, ...], terms: Terms) -> Link:
        """Return the connection to the last jump host; many devices wait for the same one."""
        hop = replace(jump[-1], jump=jump[:-1])
        key = (hop, terms.keys.stamp(hop), True)
        link = self._free(key, terms)
        if link is None:
            if key not in self._coming:
                self._coming[key] = asyncio.ensure_future(self._opened(key, terms, _THROUGH))
                self._coming[key].add_done_callback(lambda _done: self._coming.pop(key))
            try:
                link = await asyncio.shield(self._coming[key])
            except LoginFailed as error:
                raise LoginFailed(f"its jump host cannot be passed: {error}", error.status) from error
        self._use(link)
        return link

    async def _connected(
        self, access: Access, terms: Terms, via: Link | None
    ) -> tuple[asyncssh.SSHClientConnection, Client]:
        tunnel = via.conn if via else None
        end = self._loop.time() + terms.connect_seconds
        while True:
            try:
                return await connected(access, terms.trust, terms.keys, seconds=terms.connect_seconds, tunnel=tunnel)
            except NoFile:
                if self._loop.time() > end:
                    raise
            # Handles come back as others end; those of connections that nobody uses come back now.
            while self._idle:
                self._close(next(iter(self._idle)))
            await asyncio.sleep(_AGAIN_SECONDS)

    def _wake_at(self, when: float) -> None:
        if self._timer is None:
            self._timer = self._loop.call_at(when, self._expire)

    def _expire(self) -> None:
        self._timer, now = None, self._loop.time()
        for link in [link for link in self._idle if link.until <= now or link.conn.is_closed()]:
            self._close(link)
        if self._idle:
            self._wake_at(max(now + 0.5, min(link.until for link in self._idle)))

    def _close(self, link: Link) -> None:
        self._idle.pop(link, None)
        links = self._links.get(link.key, [])
        if link in links:
            links.remove(link)
        if not links and self._links.pop(link.key, None) is not None:
            self._keys[link.key[0].device].discard(link.key)
        link.conn.close()
        via, link.via = link.via, None
        if via is not None:
            self._release(via, _HOP_SECONDS)
