"""What drivers said about whole jobs, with their files; and what was said when the same was asked before."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, delete, insert, select

from automation_bots.model import Conclusion, File, Job, Outcome, State, Status
from automation_bots.store import jobs as job_rows
from automation_bots.store.codec import frozen, outcome_of
from automation_bots.store.outcomes import BATCH
from automation_bots.store.schema import conclusions, files, jobs, outcomes, storable

_MANY = 1000
_LOOK_BACK = 50  # earlier jobs that are looked at for devices


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
) -> dict[str, tuple[int, Outcome]]:
    """Return {device: (job, its outcome)} of the latest ended jobs before this one that asked the same."""
    conditions = [
        jobs.c.number < job.number,
        jobs.c.operation.in_(operations or [job.operation]),
        job_rows.in_state(State.DONE, State.FAILED),
    ]
    wanted, found = set(job.devices or ("",)), dict[str, tuple[int, Outcome]]()
    for old in job_rows.newest(connection, conditions, _LOOK_BACK):
        same = bool(operations) or _asked(old, ignoring) == _asked(job, ignoring)
        here = wanted.intersection(old.devices or ("",))
        if not same or old.check or not here:
            continue
        new = _outcomes(connection, old.number, here)
        found |= {name: (old.number, outcome) for name, outcome in new.items()}
        wanted -= new.keys()
        if not wanted:
            break
    return found


def _asked(job: Job, ignoring: Collection[str]) -> Mapping[str, object]:
    return {name: frozen(value) for name, value in job.parameters.items() if name not in ignoring}


def _outcomes(connection: Connection, number: int, devices: set[str]) -> dict[str, Outcome]:
    found = dict[str, Outcome]()
    if len(devices) > _MANY:  # reading all is faster than asking for each
        columns = (outcomes.c.device, outcomes.c.status, outcomes.c.summary, outcomes.c.seconds, outcomes.c.exit_code)
        rows = connection.execute(select(*columns).where(outcomes.c.job == number)).all()
        status, wanted = {each.value: each for each in Status}, {storable(name) for name in devices}
        return {row[0]: Outcome(row[0], status[row[1]], row[2], "", row[3], row[4]) for row in rows if row[0] in wanted}
    names = sorted(devices)
    for start in range(0, len(names), BATCH):
        some = [storable(name) for name in names[start : start + BATCH]]
        statement = select(outcomes).where(outcomes.c.job == number, outcomes.c.device.in_(some))
        found |= {row.device: outcome_of(row) for row in connection.execute(statement)}
    return found
