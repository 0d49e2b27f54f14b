"""Jobs that wait for approval or for their time: compare-and-set, audit rows, and what a restart finds."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.model import ApprovalRequirement, Caller, Place, State
from automation_bots.policy.approval import Approval, Vote
from automation_bots.store import Subject
from automation_bots.store.approvals import Voted
from automation_bots.surface import MessageRef

ROOM = Place("slack", "C2")
NEEDS = (ApprovalRequirement("core", ("leads",), 2, 3600, "managers", 60, "#leads"),)


@pytest.fixture
def waiting(store, job, clock):
    """The number of a job that waits for two."""
    approval = Approval(0, "bound", NEEDS, deadline=clock.now + timedelta(hours=1), due=clock.now)
    return store.approvals.add(job(state=State.WAITING, parked=True), approval).number


def vote(store, number, who, clock, enough=2):
    cast = Vote(who, Caller("slack", f"U{who}"), clock.now, "fine")
    return store.approvals.vote(number, cast, ROOM, lambda votes: len(votes) >= enough)


def kinds(store, number):
    return [str(row.kind) for row in store.audit_rows(limit=20, job=number)][::-1]


def test_what_waits_is_found_again_as_it_was(open_store, job, clock):
    known = Approval(0, "bound", NEEDS, deadline=clock.now, run_at=clock.now + timedelta(days=2), due=clock.now)
    store = open_store()
    number = store.approvals.add(job(state=State.WAITING, parked=True), known).number
    store.close()
    found = open_store().approvals.find(number)
    assert (found.needs, found.deadline, found.run_at, found.digest) == (NEEDS, clock.now, known.run_at, "bound")
    assert (found.votes, found.released, found.asked) == ((), None, None)


def test_it_is_in_no_queue_until_it_is_enough(store, waiting, clock):
    assert store.queued() == []
    assert not store.start(waiting)
    assert [vote(store, waiting, who, clock) for who in ("kim", "kim", "lee", "max")] == [
        Voted.COUNTED, Voted.TWICE, Voted.ENOUGH, Voted.LATE,
    ]  # fmt: skip
    assert [job.number for job in store.queued()] == [waiting]
    assert kinds(store, waiting) == ["approval asked", "approved", "approved", "accepted"]
    assert store.approvals.find(waiting).released == clock.now


def test_of_votes_at_the_same_moment_one_is_the_last_one(store, waiting, clock):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: vote(store, waiting, f"p{n}", clock), range(8)))
    assert (found.count(Voted.COUNTED), found.count(Voted.ENOUGH), found.count(Voted.LATE)) == (1, 1, 6)
    assert kinds(store, waiting).count("accepted") == 1


@pytest.mark.parametrize(
    ("state", "kind"),
    [(State.DENIED, "approval denied"), (State.EXPIRED, "expired"), (State.WITHDRAWN, "withdrawn"),
     (State.VOID, "voided")],
)  # fmt: skip
def test_it_ends_once_and_says_by_whom(store, waiting, clock, state, kind):
    by = Subject("kim", Caller("slack", "Ukim"), ROOM)
    assert store.approvals.end(waiting, state, "kim: no", by)
    assert not store.approvals.end(waiting, State.EXPIRED, "late")
    assert vote(store, waiting, "lee", clock) is Voted.LATE
    [row] = [row for row in store.audit_rows(limit=9, job=waiting) if row.kind == kind]
    assert (row.person, row.body["reason"], row.body["requester"]) == ("kim", "kim: no", "ana")
    assert [job.number for job in store.untold()] == [waiting]


def test_a_vote_with_a_time_leads_to_the_time_and_that_to_the_queue(store, job, clock):
    approval = Approval(0, "bound", NEEDS, deadline=clock.now, run_at=clock.now + timedelta(days=2), due=clock.now)
    waiting = store.approvals.add(job(state=State.WAITING, parked=True), approval).number
    assert vote(store, waiting, "kim", clock, enough=1) is Voted.ENOUGH
    assert (store.job(waiting).state, store.queued()) == (State.SCHEDULED, [])
    assert [store.approvals.release(waiting), store.approvals.release(waiting)] == [True, False]
    assert store.job(waiting).state is State.QUEUED


def test_a_note_forgets_no_vote_and_lets_nothing_new_go_unseen(store, waiting, clock):
    seen = store.approvals.find(waiting)
    vote(store, waiting, "kim", clock)
    store.approvals.note(State.WAITING, replace(seen, due=clock.now + timedelta(days=1)))
    assert store.approvals.next_due() == clock.now
    assert [v.person for v in store.approvals.find(waiting).votes] == ["kim"]
    assert store.approvals.find(waiting).acted == "slack/C2"


def test_what_was_asked_with_is_kept(store, waiting, clock):
    seen = store.approvals.find(waiting)
    fields = {n: getattr(seen, n) for n in Approval.__slots__}
    store.approvals.note(
        State.WAITING, Approval(**{**fields, "messages": (MessageRef(ROOM, "m1"),), "escalated": ("core",)})
    )
    found = store.approvals.find(waiting)
    assert (found.messages, found.escalated) == ((MessageRef(ROOM, "m1"),), ("core",))


def test_nobody_is_told_how_a_preview_ended(store, waiting, job):
    preview = store.approvals.add_preview(waiting, job(check=True, preview_of=waiting)).number
    store.start(preview)
    store.recover()
    assert (store.untold(), store.approvals.find(waiting).preview, store.job(preview).preview_of) == (
        [],
        preview,
        waiting,
    )


def test_due_ones_are_found_in_time(store, waiting, clock):
    assert store.approvals.due(clock.now - timedelta(seconds=1)) == []
    assert store.approvals.due(clock.now) == [waiting]
