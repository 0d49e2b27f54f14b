"""Puts tens of thousands of rows into a table, with as little as possible done for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table, insert

from automation_bots.store.schema import is_storable, storable

_FEW = 50


def put(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of plain values."""
    if not rows:
        return
    if len(rows) > _FEW and connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, _clean(rows))
    else:
        connection.execute(_insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


@cache
def _insert(table: Table) -> Insert:
    """Made once: SQLAlchemy takes longer to put a statement together than the database to carry it out."""
    return insert(table)


def _clean(rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Replace what no database takes; nearly always there is nothing of it in all the rows together."""
    if is_storable("".join([value for row in rows for value in row if isinstance(value, str)])):
        return list(rows)
    return [tuple(storable(value) if isinstance(value, str) else value for value in row) for row in rows]
