"""What systemd hears, on a socket of the test's own."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from automation_bots.health.service import Service
from tests.support.program import ROOT, surroundings, write_bot


class Bot:
    started, stopping, condition, works = False, False, "Slack: not connected\nREADY=1", True

    def responds(self):
        return self.works


@pytest.fixture(params=["", "@"], ids=["a file", "an abstract name"])
def heard(tmp_path, request):
    name = f"{request.param}{tmp_path}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name.replace("@", "\0", 1))
        server.settimeout(60)
        yield server, {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "300000000"}


def told(heard, bot, clock=lambda: 0.0):
    server, environment = heard
    service = Service(bot, environment, clock)
    return service, lambda: (service.turn(), server.recv(4000).decode().splitlines())[1]


def test_a_bot_is_ready_when_it_answers_and_says_so_once(heard):
    bot = Bot()
    _, next_words = told(heard, bot)
    first = next_words()
    bot.started = True
    assert "READY=1" not in first
    assert any(word.startswith("EXTEND_TIMEOUT_USEC=") for word in first)
    assert "READY=1" in next_words()
    assert "READY=1" not in next_words()


def test_a_machine_that_starts_does_not_wait_for_a_chat_network_that_is_away(heard):
    times = iter([0.0, 1.0, 61.0])
    _, next_words = told(heard, Bot(), lambda: next(times))
    assert "READY=1" not in next_words()
    assert "READY=1" in next_words()


def test_how_it_is_stands_in_one_line_whatever_a_network_says(heard):
    assert told(heard, Bot())[1]()[0] == "STATUS=Slack: not connected READY=1"


def test_a_queue_that_does_not_go_on_is_not_called_well(heard):
    bot = Bot()
    _, next_words = told(heard, bot)
    assert "WATCHDOG=1" in next_words()
    bot.works = False
    assert "WATCHDOG=1" not in next_words()


def test_an_end_is_told(heard):
    bot = Bot()
    bot.started = bot.stopping = True
    assert "STOPPING=1" in told(heard, bot)[1]()


def test_it_is_told_more_often_than_the_watchdog_asks():
    often = Service(Bot(), {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "2000000"})
    assert often.turn() <= 1.0


def test_without_systemd_nothing_is_told():
    Service(Bot(), {}).begin()
    Service(Bot(), {"NOTIFY_SOCKET": "/nowhere"}).turn()  # and a socket that is gone hurts nobody


@pytest.mark.slow
@pytest.mark.parametrize("heard", [""], indirect=True)
def test_a_real_bot_says_that_it_is_ready(tmp_path, heard):
    server, environment = heard
    folder = write_bot(tmp_path / "mine")
    command = [sys.executable, "-m", "automation_bots.cli.main", "run", str(folder)]
    around = {**surroundings(tmp_path / "data"), **environment}
    bot = subprocess.Popen(command, cwd=ROOT, env=around, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        while b"READY=1" not in (words := server.recv(4000)):
            pass
        assert b"STATUS=Text: connected" in words
    finally:
        os.kill(bot.pid, signal.SIGTERM)
        bot.communicate(timeout=60)
