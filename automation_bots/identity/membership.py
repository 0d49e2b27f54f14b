"""Everybody beside policy.yml, joined: links, the directory, and the apps that people prove themselves with."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from automation_bots.config.live import Change, LiveConfig
from automation_bots.config.peers import PeersSettings
from automation_bots.config.people import LdapSettings
from automation_bots.config.settings import Settings
from automation_bots.errors import ConfigError
from automation_bots.identity.ldap import Directory, Groups, Ldap
from automation_bots.identity.totp import Totp
from automation_bots.policy import people
from automation_bots.policy.peers import PeerPeople
from automation_bots.policy.people import Additions, IdentityLink
from automation_bots.policy.policy import Policy
from automation_bots.secrets.sealed import Seal, key_file
from automation_bots.store.people import PeopleStore

KEY = "keys/seal.key"
_NO_GROUPS: Groups = MappingProxyType({})
Resolve = Callable[[Mapping[str, str], str], Mapping[str, str]]  # keys of a table of bot.toml, references resolved


class Members:
    """What is known of people beside policy.yml, as one value that stays the same object until something changes."""

    def __init__(
        self, store: PeopleStore, groups: Callable[[], Groups], peers: Mapping[str, PeerPeople] = MappingProxyType({})
    ) -> None:
        self._store, self._groups, self._peers = store, groups, peers
        self._lock = threading.Lock()
        self._links: tuple[IdentityLink, ...] = store.links()
        self._kept: tuple[tuple[IdentityLink, ...], Groups, Additions] | None = None

    def additions(self) -> Additions:
        """Return links and groups of now."""
        links, groups, kept = self._links, self._groups(), self._kept
        if kept is None or kept[0] is not links or kept[1] is not groups:
            self._kept = kept = (links, groups, Additions(links, groups, self._peers))
        return kept[2]

    def changed(self) -> None:
        """Read the links again: one was made or taken away."""
        with self._lock:
            self._links = self._store.links()

    def forget_all_but(self, policy: Policy) -> tuple[str, ...]:
        """Forget links, codes and enrolments of those whom the policy no longer names."""
        gone = self._store.keep_only(policy.people)
        self.changed()
        return gone


class Membership:
    """Lives as long as the bot; the live configuration asks it whenever it composes its people."""

    def __init__(
        self, store: PeopleStore, wanted: Settings, data: Path, resolve: Resolve, now: Callable[[], datetime]
    ) -> None:
        self.code_minutes = wanted.people.code_minutes
        self.directory = _directory(wanted.ldap, resolve, self._logins, now) if wanted.ldap.url else None
        groups = self.directory.groups if self.directory else lambda: _NO_GROUPS
        self.members = Members(store, groups, peer_people(wanted.peers))
        self.totp = Totp(store, _seal(wanted, data, resolve), wanted.name)
        self._store = store
        self._live: LiveConfig | None = None

    def join(self, live: LiveConfig) -> None:
        """Compose the people of this configuration from now on."""
        self._live = live
        live.join(self.members.additions, self._store.proved_at)

    def start(self) -> None:
        """Begin: forget who is gone, read the directory, and go on doing both."""
        if self._live is not None:
            self._live.listen(self._read_again)
            self._forget(self._live)
        if self.directory:
            self.directory.start()

    def stop(self) -> None:
        """End."""
        if self.directory:
            self.directory.stop()

    def _logins(self) -> Mapping[str, str]:
        return people.logins(self._live.policy_of_file) if self._live else {}

    def _read_again(self, change: Change) -> None:
        if change.what == "policy" and self._live is not None:
            self._forget(self._live)
            if self.directory:
                self.directory.wake()

    def _forget(self, live: LiveConfig) -> None:
        """A broken policy names nobody, and is no reason to forget anybody."""
        if not live.policy_problem:
            self.members.forget_all_but(live.policy_of_file)


def peer_people(wanted: PeersSettings) -> dict[str, PeerPeople]:
    """Who of the people of other bots is who here, as [peers] says; nobody where bots are not reached."""
    if not wanted.queue:
        return {}
    lists: dict[str, str | dict[str, str]] = {name: one.people for name, one in wanted.bots.items()}
    return {
        name: PeerPeople(by) if isinstance(by, str) else PeerPeople("list", MappingProxyType(by))
        for name, by in lists.items()
    }


def _directory(
    wanted: LdapSettings, resolve: Resolve, logins: Callable[[], Mapping[str, str]], now: Callable[[], datetime]
) -> Directory:
    refresh, trust = timedelta(seconds=wanted.refresh_seconds), timedelta(seconds=wanted.trust_seconds)
    return Directory(ldap(wanted, resolve), logins, now, refresh, trust)


def ldap(wanted: LdapSettings, resolve: Resolve) -> Ldap:
    """Return what reads the directory of [ldap]."""
    password = resolve({"bind_password": wanted.bind_password}, "ldap")["bind_password"]
    return Ldap(
        url=wanted.url,
        base=wanted.base,
        filter=wanted.filter,
        groups=wanted.groups,
        bind_dn=wanted.bind_dn,
        password=password,
        ca_file=wanted.ca_file,
        start_tls=wanted.start_tls,
        timeout_seconds=wanted.timeout_seconds,
    )


def _seal(wanted: Settings, data: Path, resolve: Resolve) -> Seal:
    if not wanted.people.seal_key:
        return Seal(key_file(data / KEY, os.urandom(32)))
    try:
        return Seal(resolve({"seal_key": wanted.people.seal_key}, "people")["seal_key"].encode())
    except ValueError as error:
        raise ConfigError("bot.toml", f"people.seal_key: {error}") from error
