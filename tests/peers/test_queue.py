"""The queue between bots, in a folder of one machine and on a real PostgreSQL: nothing lost, nothing taken twice."""

import threading

import pytest

from automation_bots.errors import StoreError
from automation_bots.store.peer_queue import SqlQueue


@pytest.fixture(params=["folder", pytest.param("postgresql", marks=pytest.mark.slow)])
def where(request, tmp_path):
    if request.param == "folder":
        return tmp_path / "queue"
    return request.getfixturevalue("postgresql").fresh()


@pytest.fixture
def queue(where):
    made = SqlQueue(where)
    yield made
    made.close()


def bodies(queue, reader="winbot", **how):
    return [one.body for one in queue.take(reader, 100, **how)]


def test_messages_come_to_their_reader_in_their_order_until_they_are_done(queue):
    for body in ("one", "two"):
        queue.put("winbot", body)
    queue.put("dbbot", "other")
    assert bodies(queue) == bodies(queue) == ["one", "two"]
    queue.done([one.id for one in queue.take("winbot", 100)])
    assert (bodies(queue), bodies(queue, "dbbot")) == ([], ["other"])


def test_what_somebody_works_on_is_not_given_out_again_to_the_same(queue):
    first = queue.put("winbot", "one")
    queue.put("winbot", "two")
    assert bodies(queue, known=[first]) == ["two"]


def test_what_nobody_took_is_taken_back_and_what_somebody_has_is_not(queue):
    first, second = queue.put("winbot", "one"), queue.put("winbot", "two")
    assert queue.withdraw(second)
    assert bodies(queue) == ["one"]
    assert not queue.withdraw(first)


def test_a_message_is_taken_or_taken_back_and_never_both(queue, where):
    other, back, taken = SqlQueue(where), [], []
    sent = [queue.put("winbot", str(number)) for number in range(12)]
    thread = threading.Thread(target=lambda: back.extend(one for one in reversed(sent) if other.withdraw(one)))
    thread.start()
    while thread.is_alive() or len(taken) + len(back) < len(sent):
        taken += (came := [one.id for one in queue.take("winbot", 100)][:1])
        queue.done(came)
    other.close()
    assert sorted(taken + back, key=int) == sent


def test_what_is_too_long_is_named_without_being_read(queue):
    queue.put("winbot", "x" * 101)
    assert bodies(queue) == [""]


def test_a_sign_of_life_is_as_old_as_the_queue_says(queue):
    queue.beat("winbot", "first")
    queue.beat("winbot", "second")
    sign = queue.signs()["winbot"]
    assert (sign.card, 0 <= sign.seconds < 30) == ("second", True)
    queue.leave("winbot")
    assert queue.signs() == {}


def test_two_ends_make_the_tables_at_the_same_time(where):
    ends, failed = [SqlQueue(where) for _ in range(4)], []

    def use(end):
        try:
            end.put("winbot", "x")
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=use, args=(end,)) for end in ends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (failed, len(bodies(ends[0]))) == ([], 4)
    for end in ends:
        end.close()


def test_a_reader_that_never_comes_is_sent_no_more_than_so_many(where):
    queue = SqlQueue(where, most=2)
    for _ in range(2):
        queue.put("winbot", "x")
    with pytest.raises(StoreError, match="takes none"):
        queue.put("winbot", "x")
    queue.close()


def test_a_folder_that_everybody_gets_at_is_refused(tmp_path):
    tmp_path.chmod(0o755)
    with pytest.raises(StoreError, match="chmod o-rwx"):
        SqlQueue(tmp_path)


@pytest.mark.parametrize("url", ["mysql://h/x", "postgresql://h:port/x"])
def test_what_is_no_queue_is_said(url):
    with pytest.raises(StoreError, match=r"\[peers\] queue"):
        SqlQueue(url)


@pytest.mark.slow
def test_a_server_that_is_away_is_said_and_used_again_when_it_is_back(postgresql):
    queue = SqlQueue(postgresql.fresh())
    queue.put("winbot", "one")
    postgresql.stop()
    try:
        with pytest.raises(StoreError, match="does not answer"):
            queue.put("winbot", "two")
    finally:
        postgresql.start()
    assert bodies(queue) == ["one"]
    queue.close()
