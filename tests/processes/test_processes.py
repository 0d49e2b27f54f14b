"""Children are read within limits, and end with all that they started."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from automation_bots.processes import marked, own
from automation_bots.processes.group import PIPE, ProcessGroup, Program
from automation_bots.processes.once import TooMuchPrinted, run
from tests.support.chatbot import wait


def shell(script, **environment):
    return Program(command=("/bin/sh", "-c", script), environment={"PATH": os.defpath, **environment})


def gone(pid, seconds=3.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True  # ended; whoever adopted it has not looked yet
        time.sleep(0.02)
    return False


def test_what_a_program_is_given_and_prints_may_be_more_than_pipes_hold():
    given = os.urandom(1_000_000)
    ended = run(shell("tee /dev/stderr"), given, seconds=20)
    assert (ended.code, ended.out, ended.err) == (0, given, given)


def test_output_and_complaints_stand_in_one_where_that_is_wanted():
    assert run(shell("echo one; echo two >&2; exit 3"), seconds=5, joined=True).out == b"one\ntwo\n"


def test_a_program_that_ends_without_reading_what_it_is_given_is_no_error():
    assert run(shell("exit 4"), b"x" * 1_000_000, seconds=5).code == 4


def test_a_program_that_takes_too_long_is_ended_with_its_children():
    with pytest.raises(TimeoutError):
        run(shell("sleep 61 & sleep 62", MARKED="long"), seconds=0.3)
    wait(lambda: not list(marked.find("\0MARKED=long\0")), 30)  # what was killed may still be on its way out


def test_a_child_that_keeps_the_pipe_open_keeps_nobody_waiting():
    began = time.monotonic()
    assert run(shell("sleep 63 & echo done"), seconds=60).out == b"done\n"
    assert time.monotonic() - began < 50


def test_a_program_that_prints_without_end_is_ended():
    with pytest.raises(TooMuchPrinted):
        run(shell("yes"), seconds=20, most=100_000)


def test_a_program_that_is_not_there_is_an_error_of_the_system():
    with pytest.raises(FileNotFoundError):
        run(Program(command=("/no/such/program",), environment={}))


def test_the_last_line_of_the_complaints_says_why_or_the_exit_code_does():
    assert run(shell("echo why >&2; exit 1"), seconds=5).last_line == "why"
    assert run(shell("exit 7"), seconds=5).last_line == "exit status 7"


def test_a_group_that_is_asked_may_clean_up_before_it_ends():
    script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    with ProcessGroup(shell(script), stdout=PIPE) as group:
        assert group.stdout.readline() == b"ready\n"
        assert group.end(grace_seconds=5) == 0
        assert group.stdout.read() == b"bye\n"


def test_a_group_that_hears_no_request_is_killed_after_the_grace():
    with ProcessGroup(shell("trap '' TERM; echo ready; while :; do sleep 0.05; done"), stdout=PIPE) as group:
        group.stdout.readline()
        assert group.end(grace_seconds=0.2) == -signal.SIGKILL


def test_what_a_child_left_behind_ends_with_its_group():
    with ProcessGroup(shell("sleep 64 >/dev/null & echo $!"), stdout=PIPE) as group:
        left = int(group.stdout.readline())
        assert group.ended(5)
        assert not gone(left, 0.1)
    assert gone(left)


def test_a_child_has_no_terminal_and_no_files_of_ours():
    look = "import os; print(os.getsid(0) == os.getpid(), sorted(map(int, os.listdir('/proc/self/fd')))[:-1])"
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    program = Program(command=(sys.executable, "-c", look), environment={})
    assert run(program, seconds=10).out.strip() == b"True [0, 1, 2]"
    os.close(reading), os.close(writing)


def test_ending_a_group_twice_is_no_error():
    group = ProcessGroup(shell("exit 5"))
    assert group.ended(5)
    assert (group.end(), group.close(), group.ended()) == (5, 5, True)


def test_a_child_gets_only_the_variables_that_are_named(monkeypatch):
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("BOT_TOKEN", "secret")
    assert {"LANG", "PATH"} == set(own.inherited("LANG|NO_SUCH"))


def test_marked_processes_are_found_wherever_they_went_and_end():
    group = ProcessGroup(shell("setsid sleep 65", MARKED="far away"))
    while len(list(marked.find("\0MARKED=far"))) < 2:
        time.sleep(0.02)
    assert marked.end_all("\0MARKED=far", grace_seconds=3) == 2
    assert not list(marked.find("\0MARKED=far"))
    group.close()
