"""Thousands of outcomes at once: stored as few are, whatever characters they hold."""

import pytest

from automation_bots.model import Outcome, State, Status
from automation_bots.store import AuditKind

NAMES = tuple(f"d{n:05}" for n in range(3000))


@pytest.fixture
def number(store, job):
    number = store.add_job(job(devices=NAMES)).number
    store.start(number)
    return number


def test_many_outcomes_come_back_as_they_were(store, number):
    given = [Outcome(name, Status.UNREACHABLE, f'no "answer" {name} ✓', "", 0.25, 3) for name in NAMES]
    given[7] = Outcome(NAMES[7], Status.OK)
    assert store.add_outcomes(number, given) == 3000
    assert store.outcomes(number) == given


@pytest.mark.parametrize("odd", ["a\x00b", "a\udcffb"])
def test_what_no_database_takes_is_replaced_among_many_too(store, number, odd):
    assert store.add_outcomes(number, [Outcome(name, Status.OK, odd) for name in NAMES]) == 3000
    assert {outcome.summary for outcome in store.outcomes(number)} == {"a\ufffdb"}


def test_the_first_outcome_stays_among_many_too(store, number):
    store.add_outcomes(number, [Outcome(name, Status.OK) for name in NAMES[:100]])
    assert store.add_outcomes(number, [Outcome(name, Status.FAILED) for name in NAMES]) == 2900
    assert store.job(number).counts == {"ok": 100, "failed": 2900}


def test_rows_about_a_job_on_many_devices_name_them_at_its_beginning_and_its_end(store, number):
    store.finish(number, State.DONE)
    rows = {row.kind: row for row in store.audit_rows(job=number)}
    assert all(row.devices == 3000 for row in rows.values())
    assert "devices" not in rows[AuditKind.STARTED].body
    assert [row.kind for row in store.audit_rows(device=NAMES[5])] == [AuditKind.ENDED, AuditKind.ACCEPTED]
    assert store.verify_audit() == 3
