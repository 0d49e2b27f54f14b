"""Writers that wait for each other share one commit: kept together, yet each fails by itself."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import event, text

from automation_bots.errors import StoreError
from automation_bots.store.database import Database
from tests.support.chatbot import wait

WRITERS = 40


@pytest.fixture
def database(url):
    database = Database.open(url, exclusive=True)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE notes (words VARCHAR(40) PRIMARY KEY)"))
    yield database
    database.close()


@pytest.fixture
def commits(database):
    found = []
    event.listen(database._backend.engine, "commit", found.append)
    return found


def note(database, words, fails=None):
    with database.write() as connection:
        connection.execute(text("INSERT INTO notes VALUES (:words)"), {"words": words})
        if fails:
            raise fails


def notes(database):
    with database.read() as connection:
        return set(connection.scalars(text("SELECT words FROM notes")))


def together(database, works):
    """Let all of them come while one writes; return what each raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        with suppress(StoreError), database.write():  # it belongs to the group too
            asked = [pool.submit(work) for work in works]
            wait(lambda: database._waiting == len(works), 10)
        return [one.exception(30) for one in asked]


def test_those_who_wait_are_kept_by_few_commits_and_all_are_kept(database, commits):
    before = len(commits)
    together(database, [lambda n=n: note(database, f"n{n}") for n in range(WRITERS)])
    assert notes(database) == {f"n{n}" for n in range(WRITERS)}
    assert len(commits) - before <= 3


def test_what_was_written_is_kept_when_its_writer_goes_on(database):
    seen = []

    def one(n):
        note(database, f"n{n}")
        seen.append(f"n{n}" in notes(database))

    together(database, [lambda n=n: one(n) for n in range(WRITERS)])
    assert seen == [True] * WRITERS


def test_a_writer_that_fails_takes_nobody_with_it(database):
    error = ValueError("not so")
    works = [lambda n=n: note(database, f"n{n}", error if n % 2 else None) for n in range(10)]
    assert together(database, works) == [None, error] * 5
    assert notes(database) == {f"n{n}" for n in range(0, 10, 2)}


def test_what_is_there_already_fails_alone(database):
    note(database, "n3")
    raised = together(database, [lambda n=n: note(database, f"n{n}") for n in range(6)])
    assert [type(error) for error in raised] == [type(None)] * 3 + [StoreError] + [type(None)] * 2
    assert notes(database) == {f"n{n}" for n in range(6)}


def test_whoever_is_told_of_a_commit_that_failed_has_written_nothing(database):
    """Of a database that undoes everything, as SQLite does on a full disk, nobody hears that it was kept."""

    def broken():
        with database.write() as connection:
            connection.execute(text("INSERT INTO notes VALUES ('broken')"))
            connection.execute(text("SELECT words FROM nowhere"))

    raised = together(database, [lambda n=n: note(database, f"n{n}") for n in range(8)] + [broken])
    kept = notes(database)
    assert isinstance(raised[8], StoreError)
    assert "broken" not in kept
    assert [f"n{n}" in kept for n in range(8)] == [error is None for error in raised[:8]]
    note(database, "and on it goes")


def test_the_end_keeps_what_was_written(url):
    database = Database.open(url, exclusive=True)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE notes (words VARCHAR(40) PRIMARY KEY)"))
    with ThreadPoolExecutor(2) as pool:
        with database.write():
            raised = pool.submit(note, database, "last")
            wait(lambda: database._waiting == 1, 10)
            closed = pool.submit(database.close)
        closed.result(30)
    again = Database.open(url, exclusive=True)
    assert ("last" in notes(again)) is (raised.exception(30) is None)
    again.close()
