"""Which host keys were trusted, by whom and when, and who took that back; each step with its audit row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select, update

from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import host_keys

Keys = tuple[tuple[str, str], ...]  # (type, fingerprint)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a device listens."""

    device: str
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key that somebody trusted; `revoked_by` is empty as long as that holds."""

    device: str
    type: str
    fingerprint: str
    trusted_by: str
    trusted_at: datetime
    revoked_by: str
    revoked_at: datetime | None


class HostKeys:
    """The record beside the known_hosts file: the file decides, this says how it came about."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def trust(self, found: Mapping[Endpoint, Keys], about: Subject) -> None:
        """Note that exactly these are the keys of these devices now."""
        now = self._clock()
        body = {
            "reason": f"host keys of {', '.join(endpoint.device for endpoint in found)}",
            "keys": {endpoint.device: [" ".join(key) for key in keys] for endpoint, keys in found.items()},
        }
        with self._database.write() as connection:
            for endpoint, keys in found.items():
                _replace(connection, endpoint, keys, about.person, now)
            audit.append(connection, now, AuditKind.TRUSTED, about, body)

    def revoke(self, endpoints: Mapping[Endpoint, Keys], about: Subject, reason: str = "") -> None:
        """Note that no key of these devices is trusted any more; `endpoints` says which were."""
        now = self._clock()
        body = {
            "reason": reason or f"host keys of {', '.join(endpoint.device for endpoint in endpoints)}",
            "keys": {endpoint.device: [" ".join(key) for key in keys] for endpoint, keys in endpoints.items()},
        }
        with self._database.write() as connection:
            for endpoint in endpoints:
                _revoke(connection, _at(endpoint), about.person, now)
            audit.append(connection, now, AuditKind.UNTRUSTED, about, body)

    def of(self, address: str, port: int) -> list[TrustedKey]:
        """Return all that was ever trusted there, the latest first."""
        statement = select(host_keys).where(host_keys.c.address == address, host_keys.c.port == port)
        with self._database.read() as connection:
            rows = connection.execute(statement.order_by(host_keys.c.id.desc())).all()
        return [
            TrustedKey(
                row.device, row.type, row.fingerprint, row.trusted_by, row.trusted_at, row.revoked_by or "",
                row.revoked_at,
            )
            for row in rows
        ]  # fmt: skip


def _at(endpoint: Endpoint) -> ColumnElement[bool]:
    return (
        (host_keys.c.address == endpoint.address)
        & (host_keys.c.port == endpoint.port)
        & (host_keys.c.revoked_at.is_(None))
    )


def _revoke(connection: Connection, which: ColumnElement[bool], by: str, now: datetime) -> None:
    connection.execute(update(host_keys).where(which).values(revoked_by=by, revoked_at=now))


def _replace(connection: Connection, endpoint: Endpoint, keys: Keys, by: str, now: datetime) -> None:
    """A key that was trusted before keeps who trusted it; the others of that address are taken back."""
    fingerprints = [fingerprint for _, fingerprint in keys]
    _revoke(connection, _at(endpoint) & host_keys.c.fingerprint.not_in(fingerprints), by, now)
    known = set(connection.scalars(select(host_keys.c.fingerprint).where(_at(endpoint))))
    new = [(kind, fingerprint) for kind, fingerprint in keys if fingerprint not in known]
    if new:
        connection.execute(insert(host_keys), [_row(endpoint, key, by, now) for key in new])


def _row(endpoint: Endpoint, key: tuple[str, str], by: str, now: datetime) -> dict[str, object]:
    return {
        "device": endpoint.device, "address": endpoint.address, "port": endpoint.port, "type": key[0],
        "fingerprint": key[1], "trusted_by": by, "trusted_at": now,
    }  # fmt: skip
