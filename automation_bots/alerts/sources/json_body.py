"""JSON of strangers: read with limits, and what is not as agreed is told without repeating it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from automation_bots.errors import BadPayload

_MILLISECONDS = 1e11  # a greater number is no number of seconds
YEARS = range(1990, 2101)  # others stand for "not known": year 1 at Alertmanager, 0 at others


def table(body: bytes) -> Mapping[str, Any]:
    """Read a table; BadPayload says what stands there instead."""
    found = value(body)
    if not isinstance(found, Mapping):
        raise BadPayload(f"the body is no table of JSON but a {type(found).__name__}")
    return found


def value(body: bytes) -> Any:
    """Read whatever it is."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # also: no UTF-8, numbers of thousands of digits
        at = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadPayload(f"the body is no JSON{at}") from error


def tables(found: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return a list of tables that has to be there."""
    listed = found.get(key)
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) for one in listed):
        raise BadPayload(f"{key} is no list of tables")
    return listed


def moment(written: object) -> datetime | None:
    """Read a time as RFC 3339 or in seconds (or milliseconds) since the epoch; None where none is known."""
    try:
        found = _read(written)
    except (ValueError, OverflowError, OSError):
        return None
    if found is None or found.year not in YEARS:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _read(written: object) -> datetime | None:
    if isinstance(written, str) and (text := written.strip()):
        return _epoch(float(text)) if text.replace(".", "", 1).isdigit() else datetime.fromisoformat(text)
    return _epoch(written) if isinstance(written, int | float) and not isinstance(written, bool) else None


def _epoch(number: float) -> datetime:
    return datetime.fromtimestamp(number / 1000 if number > _MILLISECONDS else number, UTC)
