"""Devices that stay closed to changes until somebody has looked at what a broken-off change left behind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from automation_bots.store.schema import holds


def add(connection: Connection, number: int, devices: Iterable[str], at: datetime) -> None:
    """Hold devices because of a job."""
    if rows := [{"device": device, "job": number, "at": at} for device in devices]:
        connection.execute(insert(holds), rows)


def current(connection: Connection) -> dict[str, int]:
    """Return {device: the job it is held for}; of several jobs the oldest."""
    statement = select(holds.c.device, holds.c.job).order_by(holds.c.job.desc())
    return dict(connection.execute(statement).all())


def of_job(connection: Connection, number: int) -> tuple[str, ...]:
    """Return the devices held for a job."""
    statement = select(holds.c.device).where(holds.c.job == number).order_by(holds.c.device)
    return tuple(connection.scalars(statement))


def remove(connection: Connection, number: int) -> tuple[str, ...]:
    """Let the devices of a job go, and return them."""
    devices = of_job(connection, number)
    connection.execute(delete(holds).where(holds.c.job == number))
    return devices
