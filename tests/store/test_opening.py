"""How a store is opened: private, one bot at a time, tables up to date, errors that say what to do."""

import json
import os
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, inspect

from automation_bots.errors import StoreError
from automation_bots.model import Outcome, State, Status
from automation_bots.store import Store, jobs, migrations, schema
from automation_bots.store.database_errors import explain
from tests.store.lives import LIVES
from tests.support.cost import in_yardsticks

pytestmark = pytest.mark.slow  # starts programs and opens files

OLD = Path(__file__).parent / "versions"
OPENING = "import sys; from automation_bots.store import Store; Store.open(sys.argv[1])"


def engine_of(url):
    return create_engine(url if "://" in url else f"sqlite:///{url}/bot.db")


def in_child(program, *arguments):
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True)


def test_the_folder_and_its_files_are_private(tmp_path):
    Store.open(tmp_path / "a" / "data").close()
    folder = tmp_path / "a" / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_a_folder_that_others_can_read_is_refused(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    with pytest.raises(StoreError, match=r"Others can read .*chmod 700"):
        Store.open(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.slow
def test_a_second_bot_is_refused_and_the_first_one_named(store, url):
    refused = in_child(OPENING, url)
    assert refused.returncode != 0
    assert f"pid {os.getpid()} on {socket.gethostname()}" in refused.stderr
    assert "Another bot uses" in refused.stderr
    store.close()
    assert in_child(OPENING, url).returncode == 0


@pytest.mark.slow
def test_a_second_one_in_the_same_process_is_refused_too(store, url):
    with pytest.raises(StoreError, match=f"pid {os.getpid()} on"):
        Store.open(url)
    assert store.verify_audit() == 0


def test_what_works_beside_the_bot_shares_numbers_and_chain(store, open_store, job):
    beside = open_store(exclusive=False)
    assert [s.add_job(job()).number for s in (store, beside, store)] == [1, 2, 3]
    assert beside.start(1)
    assert not store.start(1)
    assert store.verify_audit() == beside.verify_audit() == 4


def test_beside_the_bot_nothing_is_created(url):
    with pytest.raises(StoreError, match="Start the bot once"):
        Store.open(url, exclusive=False)


def test_the_newest_migration_is_the_one_that_the_program_expects():
    assert ScriptDirectory.from_config(migrations.config()).get_current_head() == schema.HEAD


@pytest.mark.parametrize("make", [migrations.upgrade, schema.create], ids=["step by step", "at once"])
def test_the_tables_are_what_the_program_expects(url, make):
    with made(url, make) as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []


def test_a_new_record_is_what_all_the_steps_make(tmp_path):
    found = []
    for make in (migrations.upgrade, schema.create):
        with made(str(tmp_path / make.__name__), make) as connection:
            there, names = inspect(connection), sorted(inspect(connection).get_table_names())
            said = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
            found.append([
                [(name, [(column["name"], str(column["type"]), column["nullable"], column["default"])
                         for column in sorted(there.get_columns(name), key=lambda column: column["name"])],
                  there.get_pk_constraint(name), sorted(map(str, there.get_indexes(name))),
                  sorted(map(str, there.get_foreign_keys(name))), sorted(map(str, there.get_unique_constraints(name))))
                 for name in names],
                sorted(row[0] for row in said),
                connection.exec_driver_sql("SELECT * FROM alembic_version").all(),
                connection.exec_driver_sql("SELECT * FROM audit_head").all(),
            ])  # fmt: skip
    assert found[0] == found[1]


@contextmanager
def made(url, make):
    """An empty database, and in it the tables."""
    if "://" not in url:
        Path(url).mkdir(mode=0o700)
    engine = engine_of(url)
    with engine.begin() as connection:
        make(connection)
        yield connection
    engine.dispose()


def test_alembic_is_not_loaded_when_the_tables_are_up_to_date(store, url):
    store.close()
    program = OPENING + "; sys.exit(any(name.startswith('alembic') for name in sys.modules))"
    assert in_child(program, url).returncode == 0


def load(connection, tables):
    """Put the rows of a version's file into its tables."""
    known = MetaData()
    known.reflect(connection)
    connection.execute(known.tables["audit_head"].delete())
    for name in [table.name for table in known.sorted_tables if table.name in tables]:
        connection.execute(known.tables[name].insert(), [as_stored(row) for row in tables[name]])


def as_stored(row):
    return {name: bytes.fromhex(value) if name in {"data", "sealed", "looks"} else value for name, value in row.items()}


@pytest.mark.parametrize("version", sorted(path.stem for path in OLD.glob("*.json")))
def test_every_old_version_is_brought_up_to_date_with_its_data(url, open_store, version):
    if "://" not in url:
        Path(url).mkdir(mode=0o700)
    engine, rows = engine_of(url), json.loads((OLD / f"{version}.json").read_text())
    with engine.begin() as connection:
        migrations.upgrade(connection, version)
        load(connection, rows)
    engine.dispose()
    store = open_store()
    assert store.verify_audit() == len(rows["audit"])
    assert [(job.number, job.state) for job in store.jobs()][-3:] == [
        (3, State.QUEUED), (2, State.RUNNING), (1, State.DONE)]  # fmt: skip
    assert {
        since: bool(is_there(store)) for since, (_, is_there) in LIVES.items() if since <= version
    } == dict.fromkeys([since for since in LIVES if since <= version], True)
    assert [job.number for job in store.recover()] == [2]


def test_there_is_a_file_of_every_version_before_this_one():
    versions = [step.revision for step in ScriptDirectory.from_config(migrations.config()).walk_revisions()]
    assert sorted(path.stem for path in OLD.glob("*.json")) == sorted(versions)[:-1]


def test_tables_of_a_newer_version_are_left_alone(store, open_store, sql):
    store.close()
    sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="newer version"):
        open_store()
    assert sql("SELECT version_num FROM alembic_version") == [("9999",)]


def test_a_file_that_is_no_database_is_refused_and_not_overwritten(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "bot.db").write_bytes(b"precious" * 1_000)
    with pytest.raises(StoreError, match=r"is damaged; nothing was written.*restore the last backup"):
        Store.open(folder)
    assert (folder / "bot.db").read_bytes() == b"precious" * 1_000


def test_a_damaged_page_is_an_error_that_says_what_to_do(tmp_path, job):
    store = Store.open(tmp_path / "data")
    for _ in range(50):
        store.add_job(job())
    store.close()
    file = tmp_path / "data" / "bot.db"
    with file.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(b"\xff" * (file.stat().st_size - 8192))
    with pytest.raises(StoreError, match="restore the last backup"):
        Store.open(tmp_path / "data").verify_audit()


@pytest.fixture
def on_disk(tmp_path):
    store = Store.open(tmp_path / "data")
    yield store
    store.close()


def test_a_full_disk_refuses_the_job_and_writing_goes_on_later(on_disk, job):
    on_disk.add_job(job())
    engine = on_disk._database._backend.engine
    with on_disk._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match=r"the disk is full .*Make room"):
        [on_disk.add_job(job()) for _ in range(100)]
    with engine.connect().execution_options(writes=True) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    with on_disk._database.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    on_disk.add_job(job())
    assert on_disk.verify_audit() == len(on_disk.jobs(limit=1_000))


def test_a_locked_database_refuses_the_job_and_says_why(on_disk, tmp_path, job):
    with on_disk._database.write() as connection:
        connection.connection.cursor().execute("PRAGMA busy_timeout = 20")
    other = sqlite3.connect(tmp_path / "data" / "bot.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"locked by another program .*Close what has it open"):
        on_disk.add_job(job())
    assert on_disk.queued() == []
    other.close()
    assert on_disk.add_job(job()).number == 1


def test_power_cuts_are_provided_for(on_disk):
    with on_disk._database.write() as connection:
        settings = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                    for name in ("journal_mode", "synchronous", "foreign_keys", "auto_vacuum")}  # fmt: skip
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "auto_vacuum": 2}


def test_pruning_gives_room_back_to_the_disk(on_disk, job, tmp_path):
    number = on_disk.add_job(job()).number
    on_disk.start(number)
    on_disk.add_outcomes(number, [Outcome("web1", Status.OK, output=os.urandom(2_000_000).hex())])
    on_disk.finish(number, State.DONE)
    on_disk.mark_told(number)
    on_disk.prune(keep_days=-1)
    on_disk.close()
    assert (tmp_path / "data" / "bot.db").stat().st_size < 500_000


@pytest.mark.parametrize(
    ("place", "sign"),
    [
        ("/proc/nobody/data", "could not be used|cannot be written"),
        ("mysql://u:secret@h/d", "mysql is not supported"),
        (
            "postgresql://u:secret@127.0.0.1:1/d",
            r"u:\*\*\*@127.0.0.1:1/d\) does not answer .*Check that PostgreSQL runs",
        ),
        ("postgresql://u:secret@h:port/d", "postgresql://user@host/database"),
    ],
)
def test_a_place_that_cannot_be_used_is_a_sentence_without_secrets(place, sign):
    with pytest.raises(StoreError, match=sign) as caught:
        Store.open(place)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("attempt to write a readonly database", "Check that the bot's user owns"),
        ("unable to open database file", "Check that the bot's user owns"),
        ("disk I/O error", "Check the disk"),
        ("could not extend file: No space left on device", "Make room"),
        ('FATAL: password authentication failed for user "bot"', "Check user and password"),
        ('FATAL: database "bots" does not exist', "Create the database first"),
        ("no such table: jobs", "another program"),
        ("something never heard of", "could not be used"),
    ],
)
def test_errors_of_databases_become_sentences(words, remedy):
    assert remedy in str(explain(sqlite3.OperationalError(words), "here"))


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_lost_connection_costs_one_write_and_the_next_one_works(store, job, url, sql):
    with store._database.write() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    sql("SELECT pg_terminate_backend(:pid)", pid=pid)
    with pytest.raises(StoreError, match="does not answer"):
        store.add_job(job())
    assert store.add_job(job()).number >= 1
    with pytest.raises(StoreError, match=f"pid {os.getpid()}"):
        Store.open(url)


@pytest.mark.slow
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_bot_that_lost_its_lock_to_another_does_not_write(store, open_store, job, url, sql):
    with store._database.write() as connection:
        pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    sql("SELECT pg_terminate_backend(:pid)", pid=pid)
    other = open_store()
    with pytest.raises(StoreError, match="does not answer"):
        store.add_job(job())
    with pytest.raises(StoreError, match="Another bot uses"):
        store.add_job(job())
    assert other.add_job(job()).number == 1


def test_the_two_bots_of_two_schemas_do_not_disturb_each_other(fresh_schema, job):
    one, two = Store.open(fresh_schema()), Store.open(fresh_schema())
    assert one.add_job(job()).number == two.add_job(job()).number == 1
    one.close()
    two.close()


@pytest.mark.slow
def test_ten_thousand_waiting_jobs_load_fast(on_disk, job):
    with on_disk._database.write() as connection:
        for _ in range(10_000):
            jobs.add(connection, job(), on_disk._clock())
    assert len(on_disk.queued()) == 10_000
    assert in_yardsticks(on_disk.queued, 50) < 50
