"""What stands beside the chain and is changed by hand: `audit verify` says what."""

from datetime import timedelta

import pytest

from automation_bots.audit import copy_check
from automation_bots.audit.copy_check import ChangedCopy
from automation_bots.audit.ecs import EcsLog
from automation_bots.model import Caller, Outcome, Place, State, Status
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.approval_rule import ApprovalRequirement
from automation_bots.store.side_tables import Unbound

pytestmark = pytest.mark.slow

ROOM = Place("slack", "C2")


@pytest.fixture
def lived(store, job, clock):
    """Job 1 ended with an outcome that came late, job 2 was approved by two."""
    store.add_job(job(devices=("web1", "db1")))
    store.start(1)
    store.add_outcomes(1, [Outcome("web1", Status.CHANGED, "done", "restarted")])
    store.finish(1, State.DONE)
    needs = (ApprovalRequirement("core", ("leads",), 2, 3600, "managers", 60, "#leads"),)
    approval = Approval(0, "bound", needs, deadline=clock.now + timedelta(hours=1), due=clock.now)
    number = store.approvals.add(job(state=State.WAITING, parked=True), approval).number
    for who in ("kim", "lee"):
        vote = Vote(who, Caller("slack", f"U{who}"), clock.now, "CHG-9")
        store.approvals.vote(number, vote, ROOM, lambda votes: len(votes) > 1)
    return store


def test_what_was_written_agrees(lived):
    assert lived.verify_audit() == lived.last_audit()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM audit_devices WHERE device = 'db1' AND seq = 2", "list of devices of audit record 2"),
        ("INSERT INTO audit_devices VALUES ('core1', 3)", "list of devices of audit record 3"),
        ("INSERT INTO audit_devices VALUES ('core1', 4000)", "list of devices of audit record 4000"),
        ("UPDATE votes SET note = 'CHG-1' WHERE person = 'lee'", "note of lee's vote on #2"),
        ("UPDATE votes SET person = 'eve' WHERE person = 'lee'", "vote of eve on #2 no entry"),
        ("DELETE FROM votes WHERE person = 'kim'", "vote of kim on #2 is gone"),
        ("UPDATE outcomes SET status = 'failed'", "outcomes of #1 are not"),
        ("UPDATE outcomes SET device = 'db1'", "outcomes of #1 are not"),
        ("DELETE FROM outcomes", "outcomes of #1 are not"),
    ],
)
def test_what_is_changed_beside_the_chain_is_named(lived, sql, change, said):
    sql(change)
    with pytest.raises(Unbound, match=said):
        lived.verify_audit()


def test_what_was_forgotten_after_its_time_is_not_missed(lived, clock):
    lived.mark_told(1)
    clock.pass_days(40)
    lived.prune(keep_days=30)
    assert not lived.outcomes(1)
    assert lived.verify_audit() == lived.last_audit()


def test_a_late_outcome_counts(lived):
    lived.add_outcomes(1, [Outcome("db1", Status.OK, "late", "")])
    assert lived.verify_audit() == lived.last_audit()


@pytest.fixture
def copy(lived, tmp_path):
    """The copy in lines of JSON, in two files."""
    log = EcsLog(tmp_path / "audit.jsonl", max_bytes=3_000)
    log.catch_up(lived)
    assert (tmp_path / "audit.jsonl.1").exists()
    return tmp_path / "audit.jsonl"


def test_the_copy_agrees(lived, copy):
    assert copy_check.check(copy, lived) == lived.last_audit()


@pytest.mark.parametrize("file", ["audit.jsonl", "audit.jsonl.1"])
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"name":"', '"name":"eve', "user.name"),
        ('"sequence":', '"sequence":9', "which the record has not"),
        ('"@timestamp":"2', '"@timestamp":"1', "@timestamp"),
        ("{", "", "is no entry of the record"),
    ],
)
def test_a_changed_line_of_the_copy_is_named(lived, copy, file, old, new, said):
    path = copy.with_name(file)
    first, _, rest = path.read_text().partition("\n")
    assert old in first
    path.write_text(first.replace(old, new, 1) + "\n" + rest)
    with pytest.raises(ChangedCopy, match=said) as caught:
        copy_check.check(copy, lived)
    assert f"{file}:1" in str(caught.value)
