"""What is kept of watches, and what of the record is news to them."""

from dataclasses import replace

import pytest

from automation_bots.model import RoomWatch, State, WatchedChange
from automation_bots.policy.approval import Approval
from automation_bots.store import Subject
from tests.store.conftest import JOB

pytestmark = pytest.mark.slow  # on a real PostgreSQL too


def test_news_is_what_ended_or_asks_and_nothing_else(store):
    watch = store.watches.add(RoomWatch(0, "ana", JOB.caller, JOB.place, "jobs", "web"))
    store.start(store.add_job(JOB).number)
    store.finish(1, State.FAILED)
    store.mark_told(1)
    store.approvals.add(replace(JOB, state=State.WAITING, parked=True), Approval(0, "bound", ()))
    change = WatchedChange(0, "joe", JOB.caller, JOB.place, "web1", ("web1",))
    store.watched_changes.end(store.watched_changes.add(change), "same", Subject("joe"))
    found = store.watches.happenings(watch.seq, store.watches.last(), 100)
    assert [(one.kind, one.number) for one in found] == [("job", 1), ("approval", 2), ("change", 1)]
    assert store.watches.happenings(found[0].seq, found[1].seq, 100) == found[1:2]


def test_a_watch_stands_where_it_was_after_a_restart_and_never_goes_back(store, open_store):
    made = store.watches.add(RoomWatch(0, "ana", JOB.caller, JOB.place, "jobs failed"))
    store.watches.told([made.number], made.seq + 7)
    store.watches.told([made.number], made.seq + 3)
    store.close()
    assert open_store().watches.all() == (replace(made, seq=made.seq + 7),)


def test_ended_once_is_ended_and_its_number_is_never_given_again(store):
    made = store.watches.add(RoomWatch(0, "ana", JOB.caller, JOB.place, "jobs"))
    assert [store.watches.end(made, "enough", Subject("ana")) for _ in range(2)] == [True, False]
    assert store.watches.add(made).number > made.number
    assert store.verify_audit() == 3
