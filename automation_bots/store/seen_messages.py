"""The ids of chat messages that came, so that none is taken twice."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, text

from automation_bots.store.schema import seen

_DAYS = 30  # no network delivers anything again after so long
_ADD = text(
    "INSERT INTO seen (network, message, at) VALUES (:network, :message, :at) ON CONFLICT DO NOTHING"
).bindparams(*(bindparam(column.name, type_=column.type) for column in seen.columns))


def first(connection: Connection, network: str, message: str, now: datetime) -> bool:
    """Tell whether a message comes for the first time, and remember it."""
    return connection.execute(_ADD, {"network": network, "message": message, "at": now}).rowcount == 1


def forget(connection: Connection, now: datetime) -> int:
    """Delete those that are old; returns how many."""
    return connection.execute(delete(seen).where(seen.c.at < now - timedelta(days=_DAYS))).rowcount
