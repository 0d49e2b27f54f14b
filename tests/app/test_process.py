"""A signal ends the process, whatever its main thread is doing."""

import signal
import subprocess
import sys

import pytest

from tests.support.program import ROOT

pytestmark = pytest.mark.slow
PROGRAM = """
import os, sys, threading, time, signal
from automation_bots.app.process import Leaving

class Bot:
    started, stopping = True, False
    def hurry(self): print("hurried", flush=True)

def unheard():  # by the main thread, which waits in the system meanwhile: as a signal just before the wait is
    time.sleep(0.2)
    signal.pthread_kill(threading.get_ident(), signal.{name})

class Loud:
    def __del__(self): time.sleep(5)

leaving, bot = Leaving(knock_seconds=0.3, longest_seconds={longest}), Bot()
leaving.of(bot)
threading.Thread(target={first}, daemon=True).start()
try:
    {waits}
except KeyboardInterrupt:
    bot.stopping = True
    print("left", flush=True)
{after}
"""
READS = "os.read(0, 1)"


def run(name="SIGTERM", first="unheard", waits=READS, after="", longest=20):
    program = PROGRAM.format(name=name, first=first, waits=waits, after=after, longest=longest)
    return subprocess.Popen(
        ["env", "--default-signal=INT,HUP", sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        process_group=0,
    )


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_comes_just_before_the_main_thread_waits_is_not_lost(name):
    with run(name) as process:
        assert process.wait(10) == 0
        assert process.stdout.read() == "left\n"


def test_a_signal_whose_exception_a_destructor_swallows_is_not_lost():
    waits = "Loud(); os.read(0, 1)"
    with run(first="lambda: (time.sleep(0.2), os.kill(os.getpid(), signal.SIGTERM))", waits=waits) as process:
        assert process.wait(10) == 0
        assert "KeyboardInterrupt" in process.stderr.read(), "the first one was thrown away"
        assert process.stdout.read() == "left\n"


def test_an_end_that_hangs_is_an_end_all_the_same_and_says_where_it_hung():
    with run(after="threading.Lock().acquire() and time.sleep(60)", longest=1) as process:
        assert process.wait(10) == 1
        assert 'File "<string>"' in process.stderr.read()


def test_a_second_signal_ends_the_grace():
    with run(after="os.read(0, 1)") as process:
        assert process.stdout.readline() == "left\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "hurried\n"
        process.stdin.write("x")
