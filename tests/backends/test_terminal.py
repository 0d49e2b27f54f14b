"""The bot in a terminal, as a user starts it: what is typed or piped in, what is printed, and how it ends."""

import re
import signal
import subprocess
import time
import uuid

import pytest

from tests.support.chatbot import wait
from tests.support.program import ROOT, Program, automation_bots, processes_with, surroundings, survivors, write_bot

pytestmark = pytest.mark.slow

# A change that works until it is told to stop, with a child of its own; `mark` is in the arguments of that child.
SLOW = '''
import subprocess


def slow(mark: str, seconds: int = 60):
    """Work for a while. Example: !slow abc"""
    yield "working"
    subprocess.run(["sh", "-c", f"sleep {seconds}; : {mark}"])
    yield "finished"
'''
STUBBORN = '''
import signal, time


def stubborn():
    """Never listen. Example: !stubborn"""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield "deaf"
    time.sleep(600)
'''
PLAYBOOK = """
# bot:
#   help: Sleep
#   risk: change
#   parameters: {mark: {type: str}}
- hosts: "{{ devices }}"
  gather_facts: false
  tasks:
    - ansible.builtin.command: {argv: ["sh", "-c", "sleep 60; : {{ mark }}"]}
"""
FILES = {"plugins/slow.py": SLOW, "plugins/stubborn.py": STUBBORN, "playbooks/nap.yml": PLAYBOOK}


@pytest.fixture
def folder(tmp_path):
    return write_bot(tmp_path / "termbot", files=FILES)


@pytest.fixture
def mark():
    return f"mark-{uuid.uuid4().hex}"


def piped(folder, tmp_path, *lines):
    return automation_bots("run", folder, data=tmp_path / "data", typed="".join(f"{line}\n" for line in lines))


def positions(text, *patterns):
    return [re.search(pattern, text, re.MULTILINE).start() for pattern in patterns]


def test_piped_lines_are_answered_in_order_and_the_program_ends_well(folder, tmp_path):
    ended = piped(folder, tmp_path, "!whoami", "!nonsense", "!devices", "!uptime on here", "!about", "!wrong again")
    assert (ended.returncode, ended.stderr) == (0, "")
    order = ["You are admin", 'No operation "nonsense"', "2 devices", "^#1 uptime on here$", "^termbot:", '"wrong"']
    assert positions(ended.stdout, *order) == sorted(positions(ended.stdout, *order))
    assert re.search("^#1 uptime on here done", ended.stdout, re.MULTILINE)


def test_the_last_line_is_answered_though_it_has_no_end(folder, tmp_path):
    ended = automation_bots("run", folder, data=tmp_path / "data", typed="!whoami")
    assert ended.returncode == 0
    assert "You are admin" in ended.stdout


@pytest.mark.parametrize("typed", ["", "\n\n  \n\t\n\x00\x01\n\udce4\udcff\n"])
def test_empty_and_strange_input_ends_well(folder, tmp_path, typed):
    raw = typed.encode("utf-8", "surrogateescape")
    command = [".venv/bin/python", "-m", "automation_bots.cli.main", "run", folder]
    ended = subprocess.run(
        command, input=raw, capture_output=True, timeout=60, env=surroundings(tmp_path / "data"), cwd=ROOT
    )
    assert ended.returncode == 0
    assert b"Traceback" not in ended.stdout + ended.stderr


def test_a_line_of_100_kilobytes_and_what_phones_do_to_text(folder, tmp_path):
    ended = piped(folder, tmp_path, "!slow " + "x" * 100_000, "!uptime on here —reason “it hangs”", "!job 1")
    assert ended.returncode == 0
    assert "characters; I read at most 20000" in ended.stdout
    assert "it hangs" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) < 1000


def test_other_people_may_be_played_and_unknown_ones_are_strangers(folder, tmp_path):
    as_joe = ("!asuser joe", "!slow x", "!uptime on here")
    ended = piped(folder, tmp_path, *as_joe, "!asuser eve", "!uptime on here", "!asadmin", "!whoami")
    assert ended.returncode == 0
    assert "No: slow is" in ended.stdout
    assert "I do not know you. Your id on text is @eve" in ended.stdout
    assert ended.stdout.count("uptime on here done") == 1
    assert ended.stdout.rindex("You are admin") > ended.stdout.index("I do not know you")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_work_that_ends_within_its_grace_is_done_and_told(folder, tmp_path, mark, number):
    with Program("run", folder, data=tmp_path / "data") as bot:
        bot.asks(f"!slow {mark} seconds=2", "#1 slow")
        bot.signal(number)
        assert bot.ends() == 0
    assert re.search("^#1 slow .* done in", bot.said, re.MULTILINE)


def test_after_its_grace_work_is_broken_off_and_told_and_nothing_of_it_survives(folder, tmp_path, mark):
    with Program("run", folder, data=tmp_path / "data") as bot:
        bot.asks(f"!slow {mark}", "#1 slow")
        bot.asks(f"!nap {mark} on here", "#2 nap")
        bot.asks(f"!nap {mark} on here", "#3 nap.* waits for here")
        bot.asks("!stubborn", "#4 stubborn")
        wait(lambda: len(processes_with(mark)) >= 2, 60)
        began = time.monotonic()
        bot.signal(signal.SIGTERM)
        assert bot.ends() == 0
        assert time.monotonic() - began > 10
    for told in ("#1 slow .* interrupted", "#2 nap .* interrupted", "#4 stubborn interrupted"):
        assert re.search(f"^{told}.*the bot was stopped", bot.said, re.MULTILINE)
    assert "Traceback" not in bot.said
    assert not survivors(mark, 2)
    again = piped(folder, tmp_path, "!queue", "!audit verify")
    assert again.returncode == 0
    assert "#3  nap" in again.stdout, "what had only waited still waits after the next start"
    assert "#2 was interrupted there and is not acknowledged" in again.stdout
    assert "The rest waits for somebody to look" in again.stdout, "piped input does not wait for ever"


def test_an_impatient_second_ctrl_c_ends_the_grace_and_still_leaves_nothing(folder, tmp_path, mark):
    with Program("run", folder, data=tmp_path / "data") as bot:
        bot.asks(f"!slow {mark}", "#1 slow")
        bot.asks(f"!nap {mark} on here", "#2 nap")
        wait(lambda: len(processes_with(mark)) >= 2, 60)
        began = time.monotonic()
        for _ in range(3):
            bot.signal(signal.SIGINT, group=True)
            time.sleep(0.5)
        bot.ends()
        assert time.monotonic() - began < 9
    assert not survivors(mark, 2)
    assert re.search("^#1 slow .* interrupted", bot.said, re.MULTILINE)
    assert "Traceback" not in bot.said


@pytest.mark.parametrize("seconds", [0.9, 1.3, 1.7])
def test_a_signal_while_it_starts_ends_it_at_once(folder, tmp_path, seconds):
    with Program("run", folder, data=tmp_path / "data") as bot:
        time.sleep(seconds)
        bot.signal(signal.SIGTERM)
        bot.ends(15)
    assert "Traceback" not in bot.said


# -- the demo


def test_the_demo_answers_and_ends_with_its_devices(tmp_path):
    data = tmp_path / "data"
    ended = automation_bots("demo", data=data, typed="!version on core\n!ping all\n")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "!version on core" in ended.stdout, "the first screen says what to try"
    assert re.search("^#1 version on core1, core2 done .*: 2 ok", ended.stdout, re.MULTILINE)
    assert re.search("^#2 ping on .* done in .*: 5 ok", ended.stdout, re.MULTILINE)
    assert not survivors(str(data))
    assert "Traceback" not in ended.stdout


def test_the_demo_shows_how_a_device_is_configured_backed_up_and_brought_back(tmp_path):
    with Program("demo", data=tmp_path / "data") as demo:
        demo.asks("!backup access", "#1 backup .* 2 ok. 2 for the first time")
        lines = r"!config access1\ninterface gi0/2\n description printer"
        demo.asks(
            lines.replace("access1", "access1 --check"),
            "#2 .*Nothing was sent.\n── access1\n[+] interface Gig.*printer",
        )
        demo.asks(lines, "#3 .* 1 changed. Back to before: !config rollback 3")
        demo.asks("!config diff access1", "#4 .*1 ok\n[+] interface GigabitEthernet0/2 │ description printer")
        demo.asks("!config rollback 3", "#5 .* 1 changed")
        demo.asks("!config diff access1", "#6 .* 1 ok\nas in the backup")
        demo.asks("!config history access1", "#7 .* 1 ok\nago .*\n0 .*#1 by admin")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_demo_stops_its_devices_however_it_is_ended(tmp_path, number):
    data = tmp_path / "data"
    with Program("demo", data=data) as demo:
        demo.asks("!version on core", "#1 version .*done")
        assert processes_with(str(data))
        demo.asks("!version on access", "#2 version")
        demo.signal(number, group=number is signal.SIGINT)
        code = demo.ends()
    if number is not signal.SIGKILL:
        assert re.search("^#2 version .* done .*2 ok", demo.said, re.MULTILINE), "running work got its grace"
    assert code == (-9 if number is signal.SIGKILL else 0)
    assert not survivors(str(data))
