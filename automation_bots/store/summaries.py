"""What drivers said about whole jobs, with their files; and what was said when the same was asked before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from automation_bots.model import Conclusion, File, Job, State
from automation_bots.store import jobs as job_rows
from automation_bots.store import outcomes as outcome_rows
from automation_bots.store.codec import frozen
from automation_bots.store.outcomes import BATCH
from automation_bots.store.schema import conclusions, files, is_storable, jobs, outcomes, storable

_MANY = 1000
_LOOK_BACK = (1, 9, 40)  # earlier jobs that are looked at for devices: mostly the last one tells of all


def add(connection: Connection, number: int, conclusion: Conclusion) -> None:
    """Store one; a second driver's is put behind it, and its files beside."""
    known = find(connection, number)
    names = {file.name for file in known.files}
    new = [File(_free(file.name, names), file.content) for file in conclusion.files]
    text = " ".join(part for part in (known.text, conclusion.text) if part)
    block = "\n\n".join(part for part in (known.block, conclusion.block) if part)
    connection.execute(delete(conclusions).where(conclusions.c.job == number))
    connection.execute(insert(conclusions), {"job": number, "text": text, "block": block})
    if new:
        connection.execute(insert(files), [{"job": number, "name": f.name, "data": f.content} for f in new])


def _free(name: str, taken: set[str]) -> str:
    name, count = storable(name), 2
    stem, dot, suffix = name.rpartition(".")
    while name in taken:
        name, count = f"{stem}-{count}{dot}{suffix}", count + 1
    taken.add(name)
    return name


def find(connection: Connection, number: int) -> Conclusion:
    """Return what was said about a job; an empty one when nothing was."""
    row = connection.execute(select(conclusions).where(conclusions.c.job == number)).one_or_none()
    if row is None:
        return Conclusion()
    found = connection.execute(select(files).where(files.c.job == number).order_by(files.c.name))
    return Conclusion(row.text, row.block, tuple(File(file.name, file.data) for file in found))


def earlier(
    connection: Connection, job: Job, operations: Collection[str], ignoring: Collection[str]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (job, {device: its status}) of the ended jobs before this one that asked the same, the latest first.

    Each device stands in one of them: the latest that has an outcome of it.
    """
    conditions = [jobs.c.operation.in_(operations or [job.operation]), job_rows.in_state(State.DONE, State.FAILED)]
    wanted, asked = set(job.devices or ("",)), _asked(job, ignoring)
    for old in _before(connection, job.number, conditions):
        same = bool(operations) or _asked(old, ignoring) == asked
        here = wanted.intersection(old.devices or ("",))
        if not same or old.check or not here:
            continue
        found = _statuses(connection, old.number, here)
        yield old.number, found
        if not (wanted := wanted.difference(found)):
            return


def _before(connection: Connection, number: int, conditions: Collection[ColumnElement[bool]]) -> Iterator[Job]:
    """Yield earlier jobs, the newest first; few at a time, since each may name tens of thousands of devices."""
    for some in _LOOK_BACK:
        found = job_rows.newest(connection, [jobs.c.number < number, *conditions], some)
        yield from found
        if len(found) < some:
            return
        number = found[-1].number


def _asked(job: Job, ignoring: Collection[str]) -> Mapping[str, object]:
    return {name: frozen(value) for name, value in job.parameters.items() if name not in ignoring}


def _statuses(connection: Connection, number: int, devices: set[str]) -> dict[str, str]:
    if len(devices) > _MANY:  # reading all is faster than asking for each
        found = outcome_rows.statuses(connection, number)
        wanted = devices if is_storable("".join(devices)) else set(map(storable, devices))
        return found if wanted.issuperset(found) else {name: found[name] for name in wanted.intersection(found)}
    found, names = {}, sorted(map(storable, devices))
    for start in range(0, len(names), BATCH):
        here = (outcomes.c.job == number) & outcomes.c.device.in_(names[start : start + BATCH])
        found |= dict(connection.execute(select(outcomes.c.device, outcomes.c.status).where(here)).all())
    return found
