"""The audit chain: what is found in it, and what tampering shows."""

import hashlib
import json
from datetime import timedelta

import pytest

from automation_bots.audit.ecs import EcsLog
from automation_bots.model import State
from automation_bots.store import AuditKind, BrokenAudit

COPIED = "at, kind, person, network, caller, place, operation, devices, job, body"


@pytest.fixture
def lived(store, job, clock):
    """Rows 1 to 9 of three jobs, a day between them."""
    for number in (1, 2, 3):
        store.add_job(job(person="joe" if number == 2 else "ana", devices=("web1", f"db{number}")))
        store.start(number)
        store.finish(number, State.DONE)
        clock.pass_days(1)
    return store


def test_rows_are_found_newest_first_by_every_criterion(lived, clock):
    def found(**criteria):
        return [row.seq for row in lived.audit_rows(**criteria)]

    assert found() == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert found(limit=2) == [9, 8]
    assert found(person="joe") == [6, 5, 4]
    assert found(kind=AuditKind.STARTED) == [8, 5, 2]
    assert found(job=3, kind=AuditKind.ENDED) == [9]
    assert found(device="db2") == [6, 5, 4]
    assert found(device="web1", limit=1) == [9]
    assert found(device="nothing") == []
    second = clock.now - timedelta(days=2)
    assert found(since=second, until=second + timedelta(hours=1)) == [6, 5, 4]
    assert found(device="web1", since=second, person="ana") == [9, 8, 7]


def test_the_whole_chain_verifies(lived):
    assert lived.verify_audit() == 9


def test_an_empty_chain_verifies(store):
    assert store.verify_audit() == 0


def test_anybody_can_check_a_hash_from_the_original_text(lived):
    rows = lived.audit_after(0)
    assert [hashlib.sha256(row.original.encode()).hexdigest() for row in rows] == [row.hash for row in rows]
    assert [row.prev for row in rows[1:]] == [row.hash for row in rows[:-1]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tampering", "bad", "sign"),
    [
        ("UPDATE audit SET person = 'eve' WHERE seq = 4", 4, "was changed"),
        ("UPDATE audit SET body = '{}' WHERE seq = 9", 9, "was changed"),
        ("UPDATE audit SET body = 'no JSON' WHERE seq = 2", 2, "was changed"),
        ("UPDATE audit SET at = 'yesterday' WHERE seq = 2", 2, "was changed"),
        ("UPDATE audit SET kind = 'loved' WHERE seq = 2", 2, "was changed"),
        ("UPDATE audit SET job = NULL WHERE seq = 1", 1, "was changed"),
        ("UPDATE audit SET devices = 1 WHERE seq = 5", 5, "was changed"),
        ("UPDATE audit SET hash = prev WHERE seq = 5", 5, "was changed"),
        ("UPDATE audit SET prev = hash WHERE seq = 5", 5, "does not follow"),
        ("DELETE FROM audit WHERE seq = 1", 1, "is missing"),
        ("DELETE FROM audit WHERE seq = 5", 5, "is missing"),
        ("DELETE FROM audit WHERE seq > 6", 7, "the end was cut off"),
        ("DELETE FROM audit", 1, "the end was cut off"),
        ("DELETE FROM audit_head", 9, "note of the true end is missing"),
        ("UPDATE audit_head SET seq = 8", 9, "is not the one"),
        ("UPDATE audit SET seq = -seq WHERE seq IN (3, 4);UPDATE audit SET seq = 7 + seq WHERE seq < 0", 3, "follow"),
        (f"INSERT INTO audit SELECT -1, {COPIED}, prev, hash FROM audit WHERE seq = 1", 1, "is missing"),
        (f"INSERT INTO audit SELECT 10, {COPIED}, hash, hash FROM audit WHERE seq = 9", 10, "was changed"),
    ],
)  # fmt: skip
def test_tampering_shows_and_names_the_first_bad_record(lived, sql, tampering, bad, sign):
    for statement in tampering.split(";"):
        sql(statement)
    with pytest.raises(BrokenAudit, match=sign) as caught:
        lived.verify_audit()
    assert caught.value.seq == bad


def test_a_garbled_row_that_is_read_is_named(lived, sql):
    sql("UPDATE audit SET at = 'yesterday' WHERE seq = 2")
    with pytest.raises(BrokenAudit, match="Audit record 2 cannot be read"):
        lived.audit_rows()


def test_a_kind_that_a_newer_version_wrote_is_only_a_word(lived, sql):
    sql("UPDATE audit SET kind = 'approved' WHERE seq = 9")
    assert lived.audit_rows(limit=1)[0].kind == "approved"


def test_what_fails_leaves_neither_job_nor_row(store, job):
    with pytest.raises(RecursionError):
        store.add_job(job(), _endless())
    assert store.jobs() == []
    assert store.verify_audit() == 0
    assert store.add_job(job()).number >= 1


def _endless():
    inner = {}
    for _ in range(100_000):
        inner = {"in": inner}
    return inner


def test_the_copy_in_a_file_follows_the_store(lived, job, tmp_path):
    log = EcsLog(tmp_path / "audit.json")
    log.follow(lived)
    lived.add_job(job())
    log.close()
    lines = [json.loads(line)["event"] for line in (tmp_path / "audit.json").read_text().splitlines()]
    assert [line["hash"] for line in lines] == [row.hash for row in lived.audit_after(0)]
