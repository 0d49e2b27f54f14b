"""What came of each device, and what it printed."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from automation_bots.model import Job, Outcome, Status
from automation_bots.policy import canary
from automation_bots.store.bulk import fetch, put
from automation_bots.store.codec import pack, unpack
from automation_bots.store.schema import is_storable, outcomes, outputs, storable
from automation_bots.text.grouping import plain

_COLUMNS = ("job", "device", "status", "summary", "seconds", "exit_code")
_WORDS = {status: status.value for status in Status}  # asking an enum sixty thousand times takes long
_STATUSES = {status.value: status for status in Status}
_READ = (outcomes.c.device, outcomes.c.status, outcomes.c.summary, outcomes.c.seconds, outcomes.c.exit_code)
BATCH = 500  # devices asked for in one statement
_READ_AT_ONCE = 20  # outputs held in memory while they are compared
_UNPACKED = 64_000  # packed bytes; a longer output is compared as it is stored, white space and all


def add(connection: Connection, number: int, found: Collection[Outcome]) -> dict[str, Outcome]:
    """Store outcomes and return those that were news, by device.

    The first outcome of a device stays; only UNKNOWN gives way, when a worker that was thought lost reports after all.
    """
    first = _first(found)
    return first if _add_all(connection, number, first.values()) else _add_new(connection, number, first)


def _first(found: Collection[Outcome]) -> dict[str, Outcome]:
    """The first outcome of each device, by the name under which it is stored."""
    names = [outcome.device for outcome in found]
    if not is_storable("".join(names)):
        names = list(map(storable, names))
    first = dict(zip(names, found, strict=True))
    if len(first) < len(names):
        for name, outcome in zip(reversed(names), reversed(tuple(found)), strict=True):
            first[name] = outcome
    return first


def _add_all(connection: Connection, number: int, found: Collection[Outcome]) -> bool:
    """Store outcomes of devices that have none yet, which is the rule; False, and nothing done, when one has."""
    try:
        with connection.begin_nested():
            _insert(connection, number, found)
    except IntegrityError:
        return False
    return True


def _insert(connection: Connection, number: int, found: Collection[Outcome]) -> None:
    rows = [(number, o.device, _WORDS[o.status], o.summary, o.seconds, o.exit_code) for o in found]
    put(connection, outcomes, _COLUMNS, rows)
    if printed := [_output_row(number, outcome) for outcome in found if outcome.output]:
        connection.execute(insert(outputs), printed)


def _add_new(connection: Connection, number: int, first: Mapping[str, Outcome]) -> dict[str, Outcome]:
    news: dict[str, Outcome] = {}
    names = list(first)
    for start in range(0, len(names), BATCH):
        some = names[start : start + BATCH]
        known = _settle(connection, number, {name: first[name] for name in some})
        news |= {name: first[name] for name in some if name not in known}
    _insert(connection, number, news.values())
    return news


def _settle(connection: Connection, number: int, batch: Mapping[str, Outcome]) -> set[str]:
    """Return the devices whose stored outcome stays; UNKNOWN ones are taken away when something better came."""
    here = (outcomes.c.job == number) & outcomes.c.device.in_(batch)
    stored = dict(connection.execute(select(outcomes.c.device, outcomes.c.status).where(here)).all())
    better = [n for n, status in stored.items() if status == Status.UNKNOWN and batch[n].status is not Status.UNKNOWN]
    if better:
        connection.execute(delete(outcomes).where(outcomes.c.job == number, outcomes.c.device.in_(better)))
        connection.execute(delete(outputs).where(outputs.c.job == number, outputs.c.device.in_(better)))
    return set(stored).difference(better)


def _output_row(number: int, outcome: Outcome) -> dict[str, Any]:
    packed, data = pack(outcome.output)
    return {"job": number, "device": outcome.device, "packed": packed, "data": data}


def fill(connection: Connection, job: Job, summary: str, batches: int | None = None) -> None:
    """Give every device that has reported nothing the outcome UNKNOWN; when only so many batches began, those of the
    others SKIPPED.
    """  # fmt: skip
    later = [] if batches is None else canary.batches(job.canary, job.devices)[batches:]
    left = {device for batch in later for device in batch}
    reported = statuses(connection, job.number)
    silent = [name for name in job.devices or ("",) if storable(name) not in reported]
    missed = [
        Outcome(name, Status.SKIPPED, "not reached: the bot stopped before its batch")
        for name in silent
        if name in left
    ]
    add(connection, job.number, missed)
    add(connection, job.number, [Outcome(name, Status.UNKNOWN, summary) for name in silent if name not in left])


def statuses(connection: Connection, number: int) -> dict[str, str]:
    """Return {device: status} of a job."""
    statement = select(outcomes.c.device, outcomes.c.status).where(outcomes.c.job == number).order_by(outcomes.c.device)
    return dict(fetch(connection, statement))


def any_of(connection: Connection, number: int) -> bool:
    """Whether there are outcomes of a job."""
    return connection.scalar(select(outcomes.c.job).where(outcomes.c.job == number).limit(1)) is not None


def status_counts(of_devices: Mapping[str, str]) -> dict[str, int]:
    """Count devices by status."""
    return dict(Counter(of_devices.values()))


def counts(connection: Connection, numbers: Collection[int]) -> dict[int, dict[str, int]]:
    """Return {status: devices} of several jobs."""
    by_job: dict[int, dict[str, int]] = defaultdict(dict)
    columns = (outcomes.c.job, outcomes.c.status)
    statement = select(*columns, func.count()).where(outcomes.c.job.in_(numbers)).group_by(*columns)
    for number, status, devices in connection.execute(statement):
        by_job[number][status] = devices
    return by_job


def find(connection: Connection, number: int, status: Status | None, *, with_output: bool) -> list[Outcome]:
    """Return the outcomes of a job, by device name."""
    statement = select(*_READ).where(outcomes.c.job == number).order_by(outcomes.c.device)
    if status is not None:
        statement = statement.where(outcomes.c.status == status.value)
    printed = _outputs(connection, number) if with_output else {}
    return [
        Outcome(device, _STATUSES[status], summary, printed.get(device, ""), seconds, exit_code)
        for device, status, summary, seconds, exit_code in fetch(connection, statement)
    ]


def _outputs(connection: Connection, number: int) -> dict[str, str]:
    rows = connection.execute(select(outputs).where(outputs.c.job == number))
    return {row.device: unpack(row.data, packed=row.packed) for row in rows}


def output(connection: Connection, number: int, device: str) -> str:
    """Return what one device printed; empty when it printed nothing."""
    statement = select(outputs).where(outputs.c.job == number, outputs.c.device == device)
    row = connection.execute(statement).one_or_none()
    return unpack(row.data, packed=row.packed) if row else ""


def digests(connection: Connection, number: int) -> dict[str, str]:
    """Return {device: what tells its output from another}, white space at the ends of lines left out.

    One output is in memory at a time, and a long one is not even unpacked: equal texts are packed to equal bytes.
    """
    statement = select(outputs.c.device, outputs.c.packed, outputs.c.data).where(outputs.c.job == number)
    rows = connection.execute(statement, execution_options={"yield_per": _READ_AT_ONCE})
    return {row.device: hashlib.sha256(_compared(row.data, packed=row.packed)).hexdigest() for row in rows}


def output_digest(connection: Connection, number: int) -> str:
    """Return one digest of all that a job printed: of the sorted lines `<device> <SHA-256 of its output>`."""
    statement = select(outputs.c.device, outputs.c.packed, outputs.c.data).where(outputs.c.job == number)
    rows = connection.execute(statement, execution_options={"yield_per": _READ_AT_ONCE})
    each = {row.device: hashlib.sha256(_bytes(unpack(row.data, packed=row.packed))).hexdigest() for row in rows}
    whole = "".join(f"{device} {digest}\n" for device, digest in sorted(each.items()))
    return hashlib.sha256(_bytes(whole)).hexdigest() if each else ""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _compared(data: bytes, *, packed: bool) -> bytes:
    if packed and len(data) > _UNPACKED:
        return data
    return plain(unpack(data, packed=packed)).encode("utf-8", "surrogatepass")
