"""The table of hostile words at the other end: real servers and devices get what was typed, and nothing more."""

import re

import pytest

from automation_bots.model import Status
from automation_bots.pipeline.parser import clean
from tests.fakes.__main__ import inventory
from tests.fakes.clis import PASSWORD, USER, Cli, Manner, Shelf
from tests.fakes.winrm import PASSWORD as WINDOWS
from tests.fakes.winrm import Winrm
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder
from tests.whole.test_injection import HOSTILE, text_of

pytestmark = pytest.mark.slow
SAY = """help: Say it again
risk: read
parameters: {words: {text: true, max_length: 30000}}
linux: {run: [printf, "%s", "{words}"]}
windows: {cmdlet: Write-Output, InputObject: "{words}"}
"""
FILES = {"playbooks/verbs/say.yml": SAY}
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'


def typed(chat, text):
    """Type it, and wait for the end of all that it began; return what was answered first."""
    said = chat.asks(text, ".", seconds=30)
    wait(lambda: not chat.bot.thread_pool._cache and chat.automation.dispatcher.active == (0, 0), 30)
    return said


def echoed(chat, text, device):
    """Let a device say it again; return what it printed, or None where that was refused."""
    before = len(chat.jobs)
    typed(chat, f"!say on {device} --wait\n```\n{text}\n```")
    if len(chat.jobs) == before:
        return None
    number = chat.jobs[0].number
    (outcome,) = chat.automation.store.outcomes(number)
    return chat.automation.store.output(number, device) if outcome.status is Status.OK else None


REFUSED = {"flag", "flags", "long"}  # what an option looks like; more than a message may have
ONLY_BYTES = {"nul", "surrogate"}  # which no argument of a program can hold


def wrong(chat, device, names=HOSTILE):
    """What came back otherwise than it was typed, when chat programs' quotes and dashes are undone."""
    pairs = {name: (clean(text_of(name, chat.canary)), None) for name in names if name not in ONLY_BYTES}
    pairs = {name: (text, echoed(chat, text, device)) for name, (text, _) in pairs.items()}
    assert not chat.canary.exists()
    assert {name for name, (_, said) in pairs.items() if said is None} == REFUSED & set(names)
    return {name: pair for name, pair in pairs.items() if pair[1] not in {pair[0], None}}


# -- SSH: a real OpenSSH server and its shell


@pytest.fixture(scope="module")
def linux(tmp_path_factory, sshd):
    folder = write_folder(tmp_path_factory.mktemp("ssh"), toml=BOT_TOML, hosts=inventory(sshd), files=FILES)
    (folder / "known_hosts").write_text(sshd.known_hosts.read_text())
    with ChatBot(folder) as chat:
        chat.canary = sshd.home / "canary"
        sshd.home.chmod(0o777)
        yield chat


def test_a_real_shell_behind_ssh_gets_hostile_words_as_one_word(linux):
    assert wrong(linux, "web1") == {}


@pytest.mark.parametrize("name", sorted(ONLY_BYTES))
def test_what_no_shell_can_be_given_is_refused(linux, name):
    assert echoed(linux, HOSTILE[name], "web1") in {None, HOSTILE[name]}


def test_free_commands_over_ssh_take_hostile_words_as_words(linux):
    for name in HOSTILE:
        text = text_of(name, linux.canary)
        typed(linux, f"!ssh printf %s {text} on web1 --wait")
        typed(linux, f'!ssh printf %s "{text}" on web1 --wait')
    assert not linux.canary.exists()


# -- PowerShell: the WinRM test server


@pytest.fixture(scope="module")
def windows(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm"), limits={"shells": 100}) as server:
        known = server.variables(ansible_password=f'"{WINDOWS}"')
        variables = ", ".join(f"{key}: {value}" for key, value in known.items())
        hosts = f"all: {{hosts: {{win1: {{{variables}}}}}}}"
        with ChatBot(write_folder(tmp_path_factory.mktemp("bot"), toml=BOT_TOML, hosts=hosts, files=FILES)) as chat:
            chat.canary = server.folder / "canary"
            yield chat


def test_a_cmdlet_gets_hostile_words_as_a_value(windows):
    """One process of PowerShell each, so not all of them."""
    names = ("command", "substitution", "backticks", "pipe", "newline", "percent", "sql", "flag", "ansi", "quotes")
    assert wrong(windows, "win1", names) == {}


# -- network devices: a command line that keeps every line that arrives


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bot")
    with Shelf(folder / "known_hosts") as shelf:
        device = Cli("sw1", Manner())
        login = f"driver: network, platform: cisco_ios, ansible_user: {USER}, ansible_password: {PASSWORD}"
        hosts = f"all: {{hosts: {{sw1: {{{login}, ansible_host: 127.0.0.1, ansible_port: {shelf.put(device)}}}}}}}"
        with ChatBot(write_folder(folder, toml=TOML, hosts=hosts)) as chat:
            typed(chat, "!show version on sw1 --wait")
            chat.device, chat.usual = device, set(device.arrived)
            yield chat


def heard(switch, text):
    """The lines that arrive when something is typed, without those that the driver sends by itself."""
    before = len(switch.device.arrived)
    typed(switch, text)
    ours = {*switch.usual, "terminal width 511"}  # before a line that is longer than a screen
    return [line for line in switch.device.arrived[before:] if line and line not in ours]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_network_device_hears_one_line_of_what_was_typed_or_none(switch, tmp_path, name):
    text = text_of(name, tmp_path / "canary")
    lines = heard(switch, f"!show {text} on sw1 --wait") + heard(switch, f'!show "{text}" on sw1 --wait')
    assert all(line.startswith("show ") for line in lines), lines
    assert len(lines) <= 2
    assert not [line for line in lines if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", line)]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_configuration_holds_the_lines_that_were_typed_and_no_others(switch, tmp_path, name):
    text = text_of(name, tmp_path / "canary")
    lines = heard(switch, f"!config sw1 --wait\n```\nhostname x\n{text}\n```")
    own = re.compile(r"(terminal|configure|show|reload (in|cancel)) ?.*|end|exit|hostname x")
    assert [line for line in lines if line not in text.split("\n") and not own.fullmatch(line)] == []
