"""A record as it is after years: a million jobs and three times as many entries, put in by the shortest way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from automation_bots.model import PARKED, Caller, Job, Place, Risk, State
from automation_bots.store.codec import row_of
from automation_bots.store.schema import stamp

PEOPLE, DEVICES = 200, 5_000
JOB = Job(
    number=0, state=State.DONE, person="", caller=Caller("test", ""), place=Place("test", "ops"), operation="uptime",
    parameters={}, pattern="", devices=(), risk=Risk.READ, drivers=("ssh",), digest="d", counts={"ok": 1}, told=True,
)  # fmt: skip
BATCH = 20_000
OPERATIONS = ("uptime", "service", "patch", "version")
KINDS = ("accepted", "started", "ended")


def fill(store, count: int) -> None:
    """Put in jobs that ended in the past, one a minute, each with three entries; the chain of them is not true."""
    first = store._clock() - timedelta(minutes=count)
    for begin in range(1, count + 1, BATCH):
        numbers = range(begin, min(begin + BATCH, count + 1))
        rows = [_job(number, first) for number in numbers]
        entries = [_entry(row, 3 * row["number"] - 2 + place, kind) for row in rows for place, kind in enumerate(KINDS)]
        outcomes = [(row["number"], _device(row["number"]), "ok", "done", 0.1, 0) for row in rows]
        with store._database.write() as connection:
            _insert(connection, "jobs", [tuple(row.values()) for row in rows], tuple(rows[0]))
            _insert(connection, "outcomes", outcomes)
            _insert(connection, "audit", entries)
            _insert(connection, "audit_devices", [(_device(entry[9]), entry[0]) for entry in entries])
            connection.execute(text("UPDATE audit_head SET seq = :seq"), {"seq": entries[-1][0]})


def _insert(connection, table, rows, columns=()):
    names = f"({', '.join(columns)})" if columns else ""
    if connection.dialect.name == "postgresql":
        with connection.connection.cursor().copy(f"COPY {table} {names} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    connection.exec_driver_sql(f"INSERT INTO {table} {names} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _device(number):
    return f"d{number % DEVICES}"


def _job(number, first):
    at = first + timedelta(minutes=number)
    person = f"p{number % PEOPLE}"
    state = State.FAILED if number % 10_000 == 0 else State.DONE
    job = replace(JOB, number=number, person=person, state=state, operation=OPERATIONS[number % 4],
                  devices=(_device(number),), created=at, started=at, ended=at)  # fmt: skip
    row = {"number": number, **row_of(job)}
    return {name: stamp(value) if name in {"created", "started", "ended"} else value for name, value in row.items()}


def _entry(row, seq, kind):
    return (seq, row["created"], kind, row["person"], "test", row["person"], "ops", row["operation"], 1, row["number"],
            "{}", f"{seq - 1:064}", f"{seq:064}")  # fmt: skip


FAILED = (State.FAILED, State.INTERRUPTED)
ALIVE = (State.RUNNING, State.QUEUED, *PARKED)
