"""Values to rows and back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from functools import lru_cache
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from sqlalchemy import Row

from automation_bots.model import Caller, Canary, Cause, Job, Limits, Occurrence, Place, Risk, State
from automation_bots.store.schema import stamp

PACK_BYTES = 512  # below this, zlib gains nothing worth its time


def canonical(value: Any) -> str:
    """Write JSON that is the same bytes for the same value, in ASCII so that every database takes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, PurePath) else repr(value)  # a strange value must not cost an audit row


def frozen(value: Any) -> Any:
    """Turn JSON's lists into the tuples they were."""
    if isinstance(value, list):
        return tuple(item if type(item) is str else frozen(item) for item in value)
    if isinstance(value, dict):
        return {key: frozen(item) for key, item in value.items()}
    return value


def row_of(job: Job) -> dict[str, Any]:
    """Write a job as a row, without its number."""
    body = {
        "name": job.caller.name, "robot": job.caller.robot, "place": asdict(job.place), "parameters": job.parameters,
        "pattern": job.pattern, "devices": job.devices, "drivers": job.drivers, "sites": job.sites, "rules": job.rules,
        "limits": asdict(job.limits), "words": job.words, "check": job.check, "quiet": job.quiet, "reason": job.reason,
        "preview_of": job.preview_of, "parked": job.parked,
        "also": job.also, "unknown": job.unknown, "emergency": job.emergency,
        "canary": asdict(job.canary) if job.canary else None,
        "occurrence": [job.occurrence.schedule, stamp(job.occurrence.at)] if job.occurrence else None,
        "cause": [job.cause.rules, job.cause.event, job.cause.action] if job.cause else None,
    }  # fmt: skip
    return {
        "state": job.state.value, "person": job.person, "network": job.caller.network, "caller": job.caller.id,
        "operation": job.operation, "risk": job.risk.value, "digest": job.digest, "retry_of": job.retry_of,
        "created": job.created, "started": job.started, "ended": job.ended, "error": job.error, "told": job.told,
        "counts": canonical(job.counts), "message": "", "monitor": job.monitor, "body": canonical(body),
    }  # fmt: skip


@lru_cache(maxsize=4)  # a job on tens of thousands of devices is read several times a second while it runs
def _body(text: str) -> Mapping[str, Any]:
    return MappingProxyType(frozen(json.loads(text)))


def job_of(row: Row[Any], counts: Mapping[str, int] | None = None) -> Job:
    """Read a job; `counts` are the live ones of a job that has not ended."""
    body = _body(row.body)
    return Job(
        number=row.number, state=State(row.state), person=row.person, operation=row.operation, risk=Risk(row.risk),
        caller=Caller(row.network, row.caller, body["name"], body["robot"]), place=Place(**body["place"]),
        parameters=body["parameters"], pattern=body["pattern"], devices=body["devices"], drivers=body["drivers"],
        sites=body["sites"], rules=body["rules"], limits=Limits(**body["limits"]), words=body.get("words", ()),
        check=body["check"], preview_of=body.get("preview_of"), parked=body.get("parked", False),
        also=body.get("also", ()), unknown=body.get("unknown", ()), emergency=body.get("emergency", ""),
        canary=Canary(**body["canary"]) if body.get("canary") else None,
        occurrence=occurrence_of(body.get("occurrence")), cause=Cause(*body["cause"]) if body.get("cause") else None,
        quiet=body["quiet"], reason=body["reason"], digest=row.digest, retry_of=row.retry_of, created=row.created,
        started=row.started, ended=row.ended, error=row.error, told=row.told, monitor=row.monitor,
        counts=json.loads(row.counts) if counts is None else counts,
    )  # fmt: skip


def occurrence_of(pair: tuple[int, str] | None) -> Occurrence | None:
    """Read the time of a schedule."""
    return Occurrence(pair[0], datetime.fromisoformat(pair[1])) if pair else None


def pack(text: str) -> tuple[bool, bytes]:
    """Compress a long output; every character comes back, also those that are no valid text."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) < PACK_BYTES:
        return False, data
    return True, zlib.compress(data, 6)


def unpack(data: bytes, *, packed: bool) -> str:
    """Read what `pack` wrote."""
    return (zlib.decompress(data) if packed else data).decode("utf-8", "surrogatepass")
