"""Puts tens of thousands of rows into a table in one step."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Table, insert

from automation_bots.store.schema import storable

_FEW = 50
_HAS_JSON = sqlite3.sqlite_version_info >= (3, 38)


def put(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of plain values. SQLite reads many of them from JSON by itself, while Python does something else."""
    if not rows:
        return
    if len(rows) > _FEW and _HAS_JSON and connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_statement(table, columns), (_json(rows),))
    else:
        connection.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])


def _statement(table: Table, columns: Sequence[str]) -> str:
    values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) SELECT {values} FROM json_each(?)"  # noqa: S608 - our names


def _json(rows: Sequence[Sequence[Any]]) -> str:
    text = json.dumps(rows, separators=(",", ":"))
    if "\\u0000" not in text and "\\ud" not in text:
        return text
    # Perhaps a character that no database takes: each text is looked at, as for few rows.
    return json.dumps([[storable(value) if isinstance(value, str) else value for value in row] for row in rows])
