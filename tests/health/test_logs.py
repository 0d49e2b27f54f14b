"""The bot's log: rotated, private, nothing missing between two files."""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from automation_bots.health.logs import Rotated
from automation_bots.redaction.redactor import Redactor


@pytest.fixture
def log(tmp_path):
    mask = os.umask(0)  # the worst there is
    handler = Rotated(tmp_path / "log" / "bot.log", Redactor(), max_bytes=2_000)
    yield lambda text: handler.handle(logging.LogRecord("bot", logging.INFO, "", 0, text, (), None))
    handler.close()
    os.umask(mask)


def test_the_log_is_rotated_and_the_last_ten_files_follow_each_other(log, tmp_path):
    for number in range(1_000):
        log(f"job {number} done")
    names = ["bot.log", *(f"bot.log.{number}" for number in range(1, 10))]
    assert sorted(file.name for file in (tmp_path / "log").iterdir()) == names
    files = [tmp_path / "log" / name for name in reversed(names)]
    said = [int(line.split()[-2]) for file in files for line in file.read_text().splitlines()]
    assert said == list(range(said[0], 1_000)) and len(said) > 200
    assert all(file.stat().st_size <= 2_000 for file in files)


def test_every_file_of_the_log_is_for_the_bots_user_only(log, tmp_path):
    for _ in range(100):
        log("a line")
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "log").iterdir()} == {0o600}
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700


def test_a_full_disk_is_one_line_and_no_traceback_with_every_record(capsys):
    handler = Rotated(Path("/dev/full"), Redactor())
    for number in range(50):
        handler.handle(logging.makeLogRecord({"msg": f"said {number}", "levelno": logging.INFO}))
    with suppress(OSError):
        handler.close()
    assert capsys.readouterr().err.splitlines() == [
        "The log /dev/full cannot be written: No space left on device. The bot goes on."
    ]
