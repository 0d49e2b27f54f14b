"""Puts tens of thousands of rows into a table and reads them, with as little as possible done for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Select, Table, insert

from automation_bots.store.schema import Words, is_storable, storable

_FEW = 50


def put(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of plain values."""
    if not rows:
        return
    if len(rows) > _FEW and connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608 - our own names
        connection.exec_driver_sql(statement, _clean(rows, _texts(table, tuple(columns))))
    else:
        connection.execute(_insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


@cache
def _insert(table: Table) -> Insert:
    """Made once: SQLAlchemy takes longer to put a statement together than the database to carry it out."""
    return insert(table)


@cache
def _texts(table: Table, columns: tuple[str, ...]) -> tuple[int, ...]:
    """At which places of a row text may come from people and devices."""
    return tuple(at for at, name in enumerate(columns) if isinstance(table.c[name].type, Words))


def _clean(rows: Sequence[tuple[Any, ...]], texts: tuple[int, ...]) -> Sequence[tuple[Any, ...]]:
    """Replace what no database takes; nearly always there is nothing of it in all the rows together."""
    if all(is_storable("".join([row[at] for row in rows])) for at in texts):
        return rows
    return [tuple(storable(value) if isinstance(value, str) else value for value in row) for row in rows]


def fetch(connection: Connection, statement: Select[Any]) -> Iterable[tuple[Any, ...]]:
    """Read rows as the database gives them; the statement may ask by values of our own alone."""
    text = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(text))
        return cursor.fetchall()
    finally:
        cursor.close()
