"""Answers: what happened, the few lines that need a person, what to type next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots import render
from automation_bots.model import Caller, Job, Operation, Outcome, Parameter, Place, Risk, State, Status, typed_words
from automation_bots.text.grouping import Alike

BEGAN = datetime(2026, 3, 2, 12, tzinfo=UTC)
JOB = Job(
    42, State.FAILED, "ana", Caller("text", "@ana"), Place("text", "#ops"), "service", {}, "web",
    ("web1", "web2", "web3"), Risk.CHANGE, ("ssh",), words=("restart", "nginx"), started=BEGAN,
    ended=BEGAN + timedelta(seconds=9), counts={"changed": 2, "failed": 1},
)  # fmt: skip
GOOD = Outcome("web1", Status.CHANGED, "done", "done")
BAD = Outcome("web3", Status.FAILED, "Unit nginx.service not found", "a\nb\nc")


def test_a_recap_begins_with_what_happened_then_failures_then_what_to_type():
    answer = render.recap(JOB, [GOOD, BAD])
    assert answer.text == "#42 service restart nginx on web1, web2, web3 done in 9 s: 2 changed, 1 failed"
    assert answer.block.splitlines()[0].split() == ["web3", "failed", "Unit", "nginx.service", "not", "found"]
    assert answer.hint == "→ !job 42 output web3 · !retry 42 failed"


def test_after_a_failure_what_only_looks_is_a_click_away_and_what_repeats_it_is_typed():
    answer = render.recap(JOB, [GOOD, BAD], then=("ping web3",))
    assert answer.hint == "→ !job 42 output web3 · !retry 42 failed · !ping web3"
    assert [button.line for button in answer.buttons] == ["job 42 output web3", "ping web3"]
    assert answer.in_words().hint == answer.hint


def test_where_all_went_well_nothing_is_to_be_typed_next():
    answer = render.recap(replace(JOB, state=State.DONE), [GOOD], then=("ping web3",))
    assert (answer.hint, answer.buttons) == ("", ())


def test_the_output_of_one_device_is_shown_whole():
    one = replace(JOB, state=State.DONE, devices=("web1",), counts={"ok": 1})
    answer = render.recap(one, [Outcome("web1", Status.OK, "first", "first\nsecond\n")])
    assert (answer.block, answer.hint) == ("first\nsecond", "")


def test_a_long_output_is_left_to_be_asked_for():
    one = replace(JOB, state=State.DONE, devices=("web1",), counts={"ok": 1})
    answer = render.recap(one, [Outcome("web1", Status.OK, "line", "line\n" * 500)])
    assert answer.block.count("\n") < 5
    assert "!job 42 output web1" in answer.hint


def test_quiet_is_one_line_when_all_is_well_and_speaks_up_when_not():
    quiet = replace(JOB, quiet=True)
    assert str(render.recap(quiet, [GOOD])).count("\n") == 0
    assert "web3" in str(render.recap(quiet, [GOOD, BAD]))


def test_an_interrupted_change_asks_for_somebody_to_look():
    assert "!ack 42" in render.recap(replace(JOB, state=State.INTERRUPTED), [BAD]).hint


def test_progress_is_one_line_and_what_a_driver_shows_stands_below():
    running = replace(JOB, state=State.RUNNING, ended=None)
    answer = render.progress(running, BEGAN + timedelta(seconds=6), "TASK [x]\n1  gw\n2  core1")
    assert answer.text == "#42 ██████████ 3/3 · 2 changed, 1 failed · 6 s · TASK [x]"
    assert answer.block == "1  gw\n2  core1"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.2 s"), (9, "9 s"), (59.6, "60 s"), (119, "119 s"), (125, "2 min 5 s"), (7300, "2 h 1 min")],
)
def test_durations_as_people_say_them(seconds, words):
    assert render.duration(seconds) == words


def test_a_table_is_aligned_and_says_what_it_leaves_out():
    assert render.table([("a", "bb"), ("ccc", "d"), ("e", "f")], limit=2) == "a    bb\nccc  d\n… and 1 more"


def test_a_table_says_what_to_type_for_all_of_it():
    assert render.table([("a",), ("b",)], limit=1, all_of_it="!job 7 outputs").endswith("… and 1 more → !job 7 outputs")


def test_many_devices_of_a_job_are_what_was_typed_and_their_number():
    floor = replace(same(300, "x")[0], pattern="floor*", devices=tuple(f"sw-floor{n:03}-000" for n in range(300)))
    assert render.headline(floor).startswith("#42 service restart nginx on floor* (300) done")
    line = render.job_line(floor, BEGAN + timedelta(seconds=69))
    assert line == "#42 done · service restart nginx on floor* (300) · ana · 60 s ago"
    later = render.job_line(floor, BEGAN + timedelta(days=9), "Europe/Zurich")
    assert later.endswith("2026-03-02 13:00 CET")


def test_many_devices_are_named_as_far_as_a_line_allows():
    assert render.names([f"web{n}" for n in range(1, 9)]) == "web1, web2, web3, web4 and 4 more"


def same(count, text, status=State.DONE):
    devices = tuple(f"web{number}" for number in range(1, count + 1))
    job = replace(JOB, state=status, devices=devices, counts={"ok": count})
    return job, [Outcome(device, Status.OK, text.split("\n")[0]) for device in devices], (Alike(devices, text),)


def test_the_same_answer_of_many_devices_is_shown_once():
    answer = render.recap(*same(42, "Debian 12\nkernel 6.1")[:2], groups=same(42, "Debian 12\nkernel 6.1")[2])
    assert answer.text.endswith("done in 9 s: 42 ok · 42 devices: same")
    assert answer.block == "── 42 devices: same: web1–web42\nDebian 12\nkernel 6.1"


def test_failures_stand_before_the_same_answers_with_their_exit_code():
    job, outcomes, groups = same(42, "Debian 12\nkernel 6.1")
    answer = render.recap(job, [*outcomes, replace(BAD, exit_code=5)], groups=groups)
    assert answer.block.split("\n")[0] == "web3  failed  Unit nginx.service not found (exit code 5)"
    assert answer.hint == "→ !job 42 output web3 · !retry 42 failed"


def test_a_long_answer_that_is_the_same_is_cut_to_a_screen_with_a_way_to_all_of_it():
    job, outcomes, groups = same(42, "line\n" * 500)
    answer = render.recap(job, outcomes, groups=groups)
    assert answer.block.count("\n") < 40
    assert answer.hint == "→ !job 42 output web1 · !job 42 outputs"


def test_few_answers_of_one_line_stay_a_table():
    job, outcomes, groups = same(3, "up 3 days")
    rows = render.recap(job, outcomes, groups=groups).block.split("\n")
    assert [row.split()[:2] for row in rows] == [["web1", "ok"], ["web2", "ok"], ["web3", "ok"]]


def test_summaries_with_words_of_their_own_are_not_hidden_by_equal_outputs():
    job, outcomes, groups = same(42, "3 packets transmitted\n0 lost")
    told = [replace(outcome, summary="0.1 ms, no loss") for outcome in outcomes]
    assert "0.1 ms, no loss" in render.recap(job, told, groups=groups).block


def test_a_switch_is_written_as_it_is_typed():
    plot = Operation("reach", "", parameters=(Parameter("plot", "bool", required=False), Parameter("df", "bool")))
    assert typed_words(plot, {"plot": True, "df": True}) == ("--plot", "True")
