"""Groups of people from an LDAP directory; they count only as long as the directory was read a short time ago."""

from __future__ import annotations

import logging
import math
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import urlsplit

from automation_bots.config.people import LdapSettings
from automation_bots.errors import AutomationError, in_words
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)

Groups = Mapping[str, frozenset[str]]  # person -> groups
_NOBODY: Groups = MappingProxyType({})
_MEMBERS = ("member", "uniqueMember", "memberUid")


class DirectoryAway(AutomationError):
    """The directory cannot be read; says why."""


@dataclass(frozen=True, slots=True)
class Ldap:
    """Where the directory is and what is read of it; [ldap] of bot.toml, its password resolved."""

    url: str
    base: str
    filter: str  # finds one person's entry; {login} is the name
    groups: Mapping[str, str]  # group of the policy -> DN of a group in the directory
    bind_dn: str = ""
    password: str = ""
    ca_file: str = ""
    start_tls: bool = True
    timeout_seconds: float = LdapSettings().timeout_seconds

    def read(self, logins: Mapping[str, str]) -> Groups:
        """Return the groups of people, given their names in the directory; DirectoryAway when it cannot be read."""
        from ldap3.core.exceptions import LDAPException

        try:
            connection = self._connect()
            try:
                return self._groups(connection, logins)
            finally:
                connection.unbind()
        except (LDAPException, OSError) as error:
            raise DirectoryAway(f"{self.url} cannot be read: {in_words(error)}") from error

    def _connect(self) -> Any:
        import ldap3

        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=self.ca_file or None)
        server = ldap3.Server(
            self.url,
            use_ssl=self.url.startswith("ldaps:"),
            tls=tls,
            connect_timeout=self.timeout_seconds,
            get_info=ldap3.NONE,
        )
        connection = ldap3.Connection(
            server,
            self.bind_dn or None,
            self.password or None,
            read_only=True,
            raise_exceptions=True,
            receive_timeout=math.ceil(self.timeout_seconds),
        )
        connection.open()
        if self.start_tls and urlsplit(self.url).scheme == "ldap":
            connection.start_tls(read_server_info=False)  # it may not ask anything before it has logged in
        connection.bind()
        return connection

    def _groups(self, connection: Any, logins: Mapping[str, str]) -> Groups:
        members = {group: set(self._members(connection, dn)) for group, dn in self.groups.items()}
        found = {}
        for person, login in logins.items():
            names = {f"uid:{login.lower()}", *self._dn_of(connection, login)}
            if len(names) > 1:  # an entry of this person is there; a name alone is nobody
                mine = frozenset(group for group, those in members.items() if not names.isdisjoint(those))
                found[person] = mine
        return MappingProxyType({person: groups for person, groups in found.items() if groups})

    def _dn_of(self, connection: Any, login: str) -> list[str]:
        from ldap3.utils.conv import escape_filter_chars

        wanted = self.filter.replace("{login}", escape_filter_chars(login))
        entries = list(_entries(connection, _plain(self.base), wanted, "SUBTREE", ["1.1"]))
        if len(entries) > 1:
            log.warning("the directory has %d entries for %s; none of them counts", len(entries), login)
            return []
        return [_plain(entry["dn"]) for entry in entries]

    def _members(self, connection: Any, dn: str) -> Iterator[str]:
        entries = list(_entries(connection, _plain(dn), "(objectClass=*)", "BASE", list(_MEMBERS)))
        if not entries:
            raise DirectoryAway(f"{self.url} has no group {dn}; see groups in [ldap]")
        for name, values in entries[0]["attributes"].items():
            for value in [values] if isinstance(values, str) else values:
                yield f"uid:{value.lower()}" if name.lower() == "memberuid" else _plain(value)


def _entries(connection: Any, base: str, wanted: str, scope: str, attributes: list[str]) -> Iterable[dict[str, Any]]:
    from ldap3.core.exceptions import LDAPNoSuchObjectResult

    try:
        connection.search(base, wanted, scope, attributes=attributes)
    except LDAPNoSuchObjectResult:
        return []
    return [entry for entry in connection.response if entry["type"] == "searchResEntry"]


def _plain(dn: str) -> str:
    """Write a name so that two spellings of it are equal."""
    from ldap3.utils.dn import parse_dn

    return ",".join(f"{name.strip()}={value.strip()}" for name, value, _ in parse_dn(dn, strip=True)).lower()


class Reads(Protocol):
    """A directory."""

    def read(self, logins: Mapping[str, str]) -> Groups:
        """Return the groups of people."""


class Directory:
    """Reads the groups again and again in a thread of its own; what is older than `trust` counts no longer."""

    def __init__(
        self,
        source: Reads,
        logins: Callable[[], Mapping[str, str]],
        now: Callable[[], datetime],
        refresh: timedelta,
        trust: timedelta,
    ) -> None:
        self._source, self._logins, self._now = source, logins, now
        self._refresh, self._trust = refresh, trust
        self._kept: tuple[Groups, datetime] | None = None
        self.problem = ""
        self._loop = Loop("directory", self._again, refresh.total_seconds())

    def groups(self) -> Groups:
        """Return everybody's groups; nobody's when the directory was not read for too long."""
        if self._kept is None or self._now() - self._kept[1] > self._trust:
            return _NOBODY
        return self._kept[0]

    def read(self) -> bool:
        """Read it now; False when it is away."""
        asked = self._now()
        try:
            found = self._source.read(self._logins())
        except AutomationError as error:
            if not self.problem:
                log.warning("%s; the groups read before count until %s later", error, self._trust)
            self.problem = str(error)
            return False
        if self.problem:
            log.warning("the directory can be read again")
        self.problem = ""
        if self._kept is None or self._kept[0] != found:
            self._kept = (found, asked)
        else:
            self._kept = (self._kept[0], asked)  # the same object: nothing has to be composed anew
        return True

    def start(self) -> None:
        """Read it, and go on reading."""
        self.read()
        self._loop.start()

    def wake(self) -> None:
        """Read it soon: there may be new people."""
        self._loop.wake()

    def stop(self) -> None:
        """End."""
        self._loop.stop(0)

    def _again(self) -> float:
        self.read()
        return self._refresh.total_seconds()
