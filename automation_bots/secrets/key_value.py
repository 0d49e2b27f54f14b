"""Secrets of HashiCorp Vault or OpenBao, key/value version 2: `bao:secret/data/path#field`, `kv:mount/path#field`."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

TIMEOUT_SECONDS = 10.0
_REFERENCE = re.compile(
    r"(?:bao:(?P<bao>[^#\s]+?)/data/(?P<path>[^#\s]+)|kv:(?P<kv>[^/#\s]+)/(?P<rest>[^#\s]+))#(?P<field>[^#\s]+)"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where one value is."""

    mount: str
    path: str
    field: str


def address(reference: str) -> Address | None:
    """Read a reference; None when it is none."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return None
    return Address(found["bao"] or found["kv"], found["path"] or found["rest"], found["field"])


def is_reference(value: object) -> bool:
    """Return whether a value points to a secret there."""
    return isinstance(value, str) and address(value) is not None


@dataclass(frozen=True, slots=True)
class Login:
    """How to get in: a token, or the two halves of an AppRole. Looked up at the moment of use."""

    token: Callable[[], str] | None = None
    role_id: Callable[[], str] | None = None
    secret_id: Callable[[], str] | None = None
    mount: str = "approle"


@dataclass(slots=True, eq=False)
class Kv:
    """One server. What was read is kept for a short time, since a job on many devices asks for the same path often."""

    url: str
    login: Login
    namespace: str = ""
    ca_file: str = ""
    timeout_seconds: float = TIMEOUT_SECONDS
    cache_seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _client: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: dict[tuple[str, str], tuple[Mapping[str, Any], float]] = field(default_factory=dict)

    def resolve(self, reference: str) -> str:
        """Return the value; a LookupError says what is missing and where, never a value."""
        wanted = address(reference)
        if wanted is None:
            raise LookupError("a reference is written kv:mount/path#field or bao:mount/data/path#field")
        if not self.url:
            raise LookupError("there is no server for it: set url in [vault] of bot.toml")
        with self._lock:
            fields = self._read(wanted)
        if wanted.field not in fields:
            raise LookupError(f"{wanted.mount}/{wanted.path} on {self.url} has no field {wanted.field}")
        return str(fields[wanted.field])

    def trouble(self) -> str:
        """Log in and say what is wrong with that; empty when nothing is."""
        from hvac import exceptions

        try:
            good = bool(self._logged_in().is_authenticated())
        except (exceptions.VaultError, OSError, LookupError) as error:
            return f"{self.url} cannot be used: {error if isinstance(error, LookupError) else type(error).__name__}"
        return "" if good else f"{self.url} does not take the log-in of [vault]"

    def _read(self, wanted: Address) -> Mapping[str, Any]:
        key = wanted.mount, wanted.path
        fields, until = self._kept.get(key, ({}, 0.0))
        if self.clock() >= until:
            fields = self._asked(wanted)
            self._kept[key] = (fields, self.clock() + self.cache_seconds)
        return fields

    def _asked(self, wanted: Address) -> Mapping[str, Any]:
        from hvac import exceptions  # what requests raises besides is an OSError

        where = f"{wanted.mount}/{wanted.path} on {self.url}"
        fresh = self._client is None
        try:
            try:
                return self._fetched(wanted)
            except exceptions.Forbidden:
                if fresh:
                    raise
                self._client = None  # a token runs out; with a new one it may go
                return self._fetched(wanted)
        except exceptions.InvalidPath as error:
            raise LookupError(f"there is no {where}") from error
        except exceptions.Forbidden as error:
            self._client = None
            raise LookupError(f"the log-in of [vault] may not read {where}") from error
        except (exceptions.VaultError, OSError) as error:
            self._client = None
            raise LookupError(f"{where} cannot be read: {type(error).__name__}") from error

    def _fetched(self, wanted: Address) -> Mapping[str, Any]:
        if self._client is None:
            self._client = self._logged_in()
        answer = self._client.secrets.kv.v2.read_secret_version(
            wanted.path, mount_point=wanted.mount, raise_on_deleted_version=True
        )
        fields: Mapping[str, Any] = answer["data"]["data"]
        return fields

    def _logged_in(self) -> Any:
        import hvac

        client = hvac.Client(
            self.url,
            token="",  # else it would take one from the environment or a file of the home folder
            namespace=self.namespace or None,
            verify=self.ca_file or True,
            timeout=self.timeout_seconds,
        )
        login = self.login
        if login.token is not None:
            client.token = login.token()
        elif login.role_id is not None and login.secret_id is not None:
            client.auth.approle.login(login.role_id(), login.secret_id(), mount_point=login.mount)
        else:
            raise LookupError("set token, or role_id and secret_id, in [vault] of bot.toml")
        return client


NOWHERE = Kv("", Login())
