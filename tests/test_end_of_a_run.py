"""How `make test` ends: what passed only alone is named and counted, and more than three of those fail it."""

import pytest

from tests.__main__ import MOST_SHAKY, verdict
from tests.support import schedule


def test_what_passed_alone_is_named_and_counted():
    said, code = verdict(["tests/a.py::test_one", "tests/b.py::test_two"], [], 0)
    assert code == 0
    assert said.startswith("Failed beside others and passed alone (2, at most 3 may):")
    assert "\n  tests/b.py::test_two" in said


def test_more_than_three_fail_the_run_although_each_passed_alone():
    said, code = verdict([f"tests/a.py::test_{number}" for number in range(MOST_SHAKY + 1)], [], 0)
    assert code == 1
    assert "passed alone: 4, and more than 3 fail the run" in said


@pytest.mark.parametrize("code", [1, 2, 3, 4, 5])
def test_a_second_run_that_did_not_end_well_is_never_green(code):
    assert verdict(["tests/a.py::test_one"], [], code)[1] == code


def test_a_file_stays_whole_and_a_big_server_keeps_its_files_together():
    assert schedule.unit_of("tests/text/test_times.py::test_a[x::y]") == "tests/text/test_times.py"
    assert schedule.unit_of("tests/chat/matrix/test_bot.py::test_a") == "synapse two"


def test_what_takes_long_goes_first_and_a_file_keeps_its_order():
    quick, slow = "tests/text/test_times.py::test_{}", "tests/whole/test_faults.py::test_{}"
    nodeids = [quick.format("z"), quick.format("a"), slow.format("z"), slow.format("a")]
    big = "tests/drivers/salt/test_driver.py::test_a"
    assert schedule.in_order([*nodeids, big], [False, False, True, True, True]) == [4, 2, 3, 0, 1]


@pytest.mark.parametrize("path", schedule.TOGETHER)
def test_what_is_kept_together_is_there(path):
    assert (schedule.ROOT / path).exists()
