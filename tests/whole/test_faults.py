"""Disk and clock turn against the bot: it says what is wrong and what to do, overwrites nothing, and goes on after."""

import sqlite3
import time
from datetime import timedelta
from pathlib import Path

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import State
from automation_bots.store import Store
from tests.fakes.postgres import Postgres
from tests.support.chatbot import ChatBot, write_folder
from tests.support.program import Program, write_bot

pytestmark = pytest.mark.slow

SMALL = "mount -t tmpfs -o size=8m,mode=700 none $D"
READ_ONLY = "mount --bind $D $D; mount -o remount,ro,bind $D"


@pytest.fixture
def data(tmp_path):
    data = tmp_path / "data"
    (data / "netbot").mkdir(parents=True, mode=0o700)
    return data


@pytest.fixture
def folder(tmp_path):
    return write_bot(tmp_path / "netbot")


def refused(folder, data, disk=""):
    """What a bot says that does not start."""
    with Program("run", folder, data=data, disk=disk) as bot:
        assert bot.ends() == 1
    assert "Traceback" not in bot.said
    return bot.said


def test_a_damaged_record_stops_the_start_with_what_to_do_and_stays_as_it_is(folder, data):
    (data / "netbot" / "bot.db").touch(mode=0o600)
    (data / "netbot" / "bot.db").write_bytes(b"precious" * 1_000)
    assert "is damaged; nothing was written" in (said := refused(folder, data))
    assert "restore the last backup" in said
    assert (data / "netbot" / "bot.db").read_bytes() == b"precious" * 1_000


def test_a_record_that_another_program_has_locked_stops_the_start_with_what_to_do(folder, data):
    Store.open(data / "netbot").close()
    other = sqlite3.connect(data / "netbot" / "bot.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "is locked by another program" in (said := refused(folder, data))
    assert "Close what has it open" in said
    other.close()


def test_a_data_folder_that_cannot_be_written_stops_the_start_with_what_to_do(folder, data):
    said = refused(folder, data, READ_ONLY)
    assert "cannot be written" in said
    assert "may write there" in said


def test_on_a_full_disk_nothing_starts_and_with_room_again_all_goes_on(folder, data):
    with Program("run", folder, data=data, disk=SMALL) as bot:
        bot.asks("!run true on here", "#1 run .* done", 90)
        ballast = Path(f"/proc/{bot.process.pid}/root{data}/ballast")
        fill(ballast)
        assert "Nothing was started" in bot.asks("!run true on there", "Nothing was started.*")
        assert "Make room on that disk" in bot.said
        ballast.unlink()
        bot.asks("!run true on there", "#2 run .* done")
        bot.asks("!audit verify", "The record is whole")
    assert "Traceback" not in bot.said.split("#1 run")[0]


def test_while_the_database_is_away_nothing_is_done_and_with_it_back_all_goes_on(tmp_path, data):
    with Postgres() as server:
        folder = write_bot(tmp_path / "netbot", more=f'[store]\nurl = "{server.fresh()}"\n')
        with Program("run", folder, data=data) as bot:
            bot.asks("!run true on here", "#1 run .* done", 90)
            bot.asks("!run sleep 3 on here", "#2 run sleep 3")
            server.stop()
            bot.asks(
                "!run true on there", "Nothing was .*, because it could not be recorded.*Check that PostgreSQL runs"
            )
            bot.asks("!jobs", "The record does not answer")
            time.sleep(3)
            server.start()
            bot.hears("#2 run sleep 3 .* done")
            bot.asks("!run true on there", r"#\d+ run true on there done")
            bot.asks("!audit verify", "The record is whole")
        assert server.folder not in bot.said


def fill(path):
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


@pytest.mark.parametrize("hours", [-30, 30])
def test_a_clock_that_jumps_starts_nothing_twice_and_forgets_nothing(tmp_path, hours):
    fake, jump = Fake(seconds={"version": 3.0}), timedelta(hours=hours)
    with ChatBot(write_folder(tmp_path / "netbot"), drivers=(fake,)) as chat:
        store, clock = chat.automation.store, chat.automation.store._clock
        chat.asks("!uptime on web1", "#1 uptime.*done")
        chat.asks("!version on web2", "#2 version")
        store._clock = lambda: clock() + jump
        chat.asks("!uptime on web3", "#3 uptime on web3 done")
        chat.hears("#2 version on web2 done", 20)
        assert "#3" in chat.asks("!jobs", "latest first")
        assert sorted(number for number, _, _ in fake.ran) == [1, 2, 3]
        assert [job.state for job in chat.jobs] == [State.DONE] * 3 and store.verify_audit()
        assert not any("-" in text.split("done in")[1][:6] for _, text in chat.surface.said if "done in" in text)
