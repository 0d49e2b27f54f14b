"""Backup, restore and the move between SQLite and PostgreSQL: all rows arrive, and nothing is overwritten."""

from pathlib import Path

import pytest

from automation_bots.errors import StoreError
from automation_bots.model import Conclusion, File, Outcome, Risk, State, Status
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.store import backup as moving

pytestmark = [pytest.mark.slow, pytest.mark.works]


@pytest.fixture
def used(store, job, url):
    """A record with something of everything; it is closed again."""
    for state in (State.DONE, State.INTERRUPTED):
        number = store.add_job(job(risk=Risk.CHANGE)).number
        store.start(number)
        store.add_outcomes(number, [Outcome("web1", Status.OK, "fine", "out\x00put\udcff" * 400)])
        store.conclude(number, Conclusion("1 up", "web 1", (File("a.png", b"\x89PNG\x00"),)))
        store.finish(number, state)
    store.first_seen("slack", "m1")
    store.close()
    return url


def test_a_backup_is_written_beside_a_running_bot_and_holds_everything(store, job, url, tmp_path):
    number = store.add_job(job()).number
    assert moving.backup(url, tmp_path / "copy.db") == 1
    store.start(number)
    assert moving.status(url)["audit"] == 2
    assert moving.restore(tmp_path / "copy.db", tmp_path / "other") == 1
    with pytest.raises(StoreError, match="nothing was overwritten"):
        moving.backup(url, tmp_path / "copy.db")


def test_a_restored_record_is_the_record(used, tmp_path):
    moving.backup(used, tmp_path / "copy.db")
    moving.restore(tmp_path / "copy.db", tmp_path / "other")
    rows = moving.status(used)
    assert moving.status(tmp_path / "other") == {**rows, "audit": rows["audit"] + 1}  # that it was restored
    there = Store.open(tmp_path / "other")
    assert [found.state for found in there.jobs()] == [State.INTERRUPTED, State.DONE]
    assert there.output(1, "web1") == "out\ufffdput\ufffd" * 400 or there.output(1, "web1") == "out\x00put\udcff" * 400
    assert there.conclusion(1).files == (File("a.png", b"\x89PNG\x00"),)
    assert set(there.holds().values()) == {2}
    assert not there.first_seen("slack", "m1")
    there.close()


@pytest.mark.slow
def test_a_record_moves_to_a_server_and_back_and_goes_on_counting(used, fresh_schema, job, tmp_path):
    server = fresh_schema()
    length = moving.move(used, server)
    there = Store.open(server)
    assert there.add_job(job()).number == 3
    assert there.verify_audit() == length + 1
    there.close()
    assert moving.move(server, tmp_path / "back") == length + 1
    back = Store.open(tmp_path / "back")
    assert back.add_job(job()).number == 4
    back.close()


def test_a_record_that_is_in_use_is_never_overwritten(used, tmp_path, job):
    other = Store.open(tmp_path / "other")
    other.add_job(job())
    other.close()
    with pytest.raises(StoreError, match="holds a record already"):
        moving.move(used, tmp_path / "other")
    assert moving.status(tmp_path / "other")["jobs"] == 1


def test_a_record_cannot_be_moved_away_under_a_running_bot(store, url, tmp_path):
    with pytest.raises(StoreError, match="Another bot uses"):
        moving.move(url, tmp_path / "other")


def test_a_forged_record_is_not_taken_for_whole(used, sql, tmp_path):
    sql("UPDATE audit SET person = 'eve' WHERE seq = 2")
    with pytest.raises(StoreError, match="2"):
        moving.backup(used, tmp_path / "copy.db")
    assert not list(Path(tmp_path).glob("**/copy.db"))


def test_what_is_no_backup_is_said(tmp_path):
    (tmp_path / "note.txt").write_text("hello" * 1000)
    with pytest.raises(StoreError):
        moving.restore(tmp_path / "note.txt", tmp_path / "other")
    with pytest.raises(StoreError, match="There is no backup"):
        moving.restore(tmp_path / "nothing.db", tmp_path / "other")


def test_an_empty_record_can_be_kept_too(store, url, tmp_path):
    store.record(AuditKind.OPENED)
    store.close()
    assert moving.backup(url, tmp_path / "copy.db") == 1


def test_what_was_pending_in_a_backup_waits_for_a_word_in_the_restored_record(store, url, job, tmp_path):
    first, second = (store.add_job(job()).number for _ in range(2))
    done = store.add_job(job()).number
    store.cancel_queued(done, "ana")
    moving.backup(url, tmp_path / "copy.db")
    assert store.restored() == []
    moving.restore(tmp_path / "copy.db", tmp_path / "other")
    there = Store.open(tmp_path / "other")
    assert there.restored() == [first, second]
    there.record(AuditKind.CONTINUED, {}, Subject.of_job(there.job(first)))
    there.cancel_queued(second, "ana")
    assert there.restored() == []
    there.add_job(job())
    assert there.restored() == []
    there.close()


def test_the_keys_go_with_a_backup_and_come_back_with_it(tmp_path):
    data, other = tmp_path / "data", tmp_path / "other"
    for folder, text in ((data, "old"), (other, "new")):
        (folder / "keys").mkdir(parents=True)
        (folder / "keys/seal.key").write_text(text)
    kept = moving.keep_keys(data, tmp_path / "copy.db")
    assert kept.stat().st_mode & 0o777 == 0o700 and (kept / "seal.key").stat().st_mode & 0o777 == 0o600
    moving.put_keys(tmp_path / "copy.db", other)
    assert (other / "keys/seal.key").read_text() == "old"
    assert (other / "keys.old-1/seal.key").read_text() == "new"
