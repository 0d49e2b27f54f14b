"""What people type for Windows, from chat to the WinRM test server and back."""

import json

import pytest

from automation_bots.cli import main as cli
from tests.fakes.winrm import PASSWORD, Winrm
from tests.support.chatbot import BOT_TOML, POLICY, ChatBot, write_folder
from tests.support.pages import play

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
RULES = POLICY + (
    '  - {name: looking, who: support, may: ["ps Get-*"], on: win}\n'
    '  - {name: no spooler, who: everyone, deny: ["ps Stop-Service spooler"], on: win}\n'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm"), limits={"shells": 100}) as running:
        yield running


@pytest.fixture(scope="module")
def chat(tmp_path_factory, server):
    variables = ", ".join(
        f"{key}: {value}" for key, value in server.variables(ansible_password=f'"{PASSWORD}"').items()
    )
    web = "    web: {hosts: {web1: {driver: fake}}}\n"
    hosts = f"all:\n  children:\n{web}    win:\n      vars: {{{variables}}}\n      hosts: {{win1: , win2: }}\n"
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot"), toml=BOT_TOML, policy=RULES, hosts=hosts)) as chat:
        yield chat


def done(chat, text, **more):
    return chat.asks(
        f"{text} --wait", "done in|failed in|No: |is no cmdlet|expression|not taken|already", seconds=30, **more
    )


def test_a_service_is_restarted_on_windows_by_the_verb_for_all(chat):
    assert "2 changed" in done(chat, "!service restart w3svc on win*")
    assert "Running" in done(chat, "!service status w3svc on win1")


def test_a_service_is_told_to_start_with_the_machine_or_not(chat, server):
    assert 'What if: Performing the operation "Set-Service"' in done(chat, "!service disable spooler on win1 --check")
    assert "1 changed" in done(chat, "!service disable spooler on win1")
    assert json.loads((server.folder / "services.json").read_text())["spooler"][2] == "Disabled"
    assert "1 changed" in done(chat, "!service enable spooler on win1")
    assert json.loads((server.folder / "services.json").read_text())["spooler"][2] == "Automatic"


def test_check_shows_what_windows_itself_would_do(chat):
    said = done(chat, "!service stop w3svc on win1 --check")
    assert 'What if: Performing the operation "Stop-Service"' in said
    assert "Running" in done(chat, "!service status w3svc on win1")


def test_a_cmdlet_by_rule(chat):
    assert "World Wide Web Publishing Service" in done(chat, "!ps Get-Service -Name w3svc on win1", who="joe")
    assert done(chat, "!ps Stop-Service w3svc on win1", who="joe").startswith("No: ps on win1")
    assert 'denied by rule "no spooler"' in done(chat, "!ps stop-service SPOOLER on win1")


def test_a_script_needs_a_rule_for_scripts(chat):
    script = "!ps on win1 --wait\n```\nWrite-Output 'größe'\nWrite-Output two\n```"
    assert "größe" in chat.asks(script, "done in", seconds=30)
    assert chat.asks(script, "No: ", who="joe", seconds=30).startswith("No: ps on win1")


@pytest.mark.parametrize(
    "line", ["Get-Service | Stop-Service", "gci C:\\", "Get-X $(Stop-X)", "Get-X -ComputerName dc1"]
)
def test_what_cannot_be_judged_is_refused_in_words(chat, line):
    assert "#" not in done(chat, f"!ps {line} on win1").split("\n")[0][:2]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("!dir C:\\Logs on win1", "größe.txt"),
        ("!eventlog System level=error on win1", "Faulting application größe.exe"),
        ("!eventlog System --newest 1 on win1", "Service Control Manager"),
        ("!process proc1 on win1", "proc0"),
        ("!uptime on win1", "LastBootUpTime"),
        ("!version on win1", "Stand-in for Windows"),
        ("!memory on win1", "FreePhysicalMemory"),
        ("!who on win1", "console"),
        ("!logs lines=5 on win1", "Kernel-Power"),
    ],
)
def test_what_people_ask_every_day(chat, line, words):
    assert words in done(chat, line)


def test_the_trial_that_a_user_runs_on_a_windows_of_their_own(chat, server, capsys):
    assert cli.main(["try", "windows", str(chat.folder), "win1"]) == 0
    said = capsys.readouterr().out
    assert said.count("ok   ") == 8
    assert said.splitlines()[-1].strip() == "cleaned up: changed done"
    assert not list((server.folder / "traces").iterdir())


def test_a_reboot_is_a_change(chat, server):
    assert "1 changed" in done(chat, "!reboot on win2")
    assert (server.folder / "restarted").exists()


def test_the_page_shows_what_is_said(chat):
    assert play(chat, "windows.md") >= 4
