"""Questions to the bot itself."""

import pytest

from automation_bots.drivers.fake import Fake
from tests.support.chatbot import ROOT, ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot")), drivers=(Fake(),)) as chat:
        yield chat


@pytest.mark.parametrize(
    ("who", "text", "answers"),
    [
        ("joe", "!about", ["netbot: Automation Bots", "!help"]),
        ("joe", "!whoami", ["You are joe", "support", "joe on test"]),
        ("joe", "!devices", ["web", "web1, web2, web3", "4 devices"]),
        ("joe", "!devices web*:!web1", ["2 devices", "web3"]),
        ("joe", "!devices web* | count", ["Number of lines which match regexp = 3"]),
        ("joe", "!device web1", ["platform  linux", "driver    fake", "service"]),
        ("joe", "!device wbe1", ["No device 'wbe1'", "web1"]),
        ("joe", "!device vault1", ["No device 'vault1'"]),
        ("ana", "!device vault1", ["vault1"]),
        ("joe", "!can service restart nginx on web", ['Yes: service on web1, web2, web3 (rule "services")']),
        ("joe", "!can patch on web", ["No: patch on web1, web2, web3"]),
        ("joe", "!can run halt now on web", ["No: run"]),
        ("ana", "!playbook list", ["patch", "changes", "facts", "reads"]),
        ("joe", "!playbook list", ["facts"]),
        ("joe", "!playbook show facts", ["hosts:", "!help facts"]),
        ("joe", "!playbook show patch", ["No playbook 'patch'"]),
        ("joe", "!playbook dance", ["playbook list"]),
        ("joe", "!jobs failed", ["No jobs: failed."]),
        ("joe", "!jobs web1", ["No jobs: web1."]),
        ("joe", "!jobs ana uptime", ["No jobs: ana uptime."]),
        ("joe", "!jobs whatever", ["is not one of mine, running, all, failed"]),
        ("joe", "!queue", ["Nothing waits"]),
        ("joe", "!status", ["is up", "jobs", "0 running"]),
        ("joe", "!help jobs", ["usage    !jobs [mine|running|failed|<person>"]),
        ("ana", "!help salt", ["usage    !salt <target> <function>", "see also !help salt events · !help salt jobs"]),
        ("ana", "!help salt jobs", ["salt jobs: ", "usage    !salt jobs"]),
        ("ana", "!help !salt events", ["salt events: ", "usage    !salt events"]),
        ("ana", "!help salt nonsense", ["usage    !salt <target>"]),
        ("ana", "!help config diff", ["config diff: ", "usage    !config diff [since=…] on <devices>"]),
        ("ana", "!help config rollback", ["usage    !config rollback <job>"]),
        ("ana", "!help config history", ["usage    !config history on <device>"]),
        ("ana", "!help config --replace", ["config replace: Replace the whole configuration"]),
        ("ana", "!help config-diff", ["usage    !config diff"]),
        ("joe", "!help config rollback", ['No operation "config"']),
        ("joe", "!help nonsense", ['No operation "nonsense"']),
        ("joe", "!retry 1", ["There is no job #1|no job"]),
        ("joe", "!cancel", ["is no job number"]),
        ("ana", "!audit wrong", ["Filters:"]),
        ("ana", "!audit since=lately", ["since: 'lately' is no time; write 18:00"]),
        ("ana", "!audit since=1d 12h limit=2 kind=started", ["entries, newest first, times in UTC|No such entries"]),
        ("ana", '!audit since="yesterday 08:00" limit=2', ["2 entries, newest first", "→ older ones: !audit until=2"]),
        ("ana", "!audit since=2w until=1w", ["No such entries"]),
        ("ana", "!audit operation=nosuch", ["No such entries"]),
        ("ana", "!audit kind=strange", ["kind is one of"]),
    ],
)
def test_the_bot_answers(chat, who, text, answers):
    said = chat.asks(text, who=who)
    for answer in answers:
        assert any(part in said for part in answer.split("|")), said


def test_run_takes_verbs_and_commands(chat):
    assert "#1 uptime on web1" in chat.asks("!run uptime on web1", "#1", who="joe")
    chat.asks("!run rm -rf / on web1", "No: run", who="joe")
    assert "run id -un on web1" in chat.asks("!run id -un on web1", "#2", who="ana")


def test_playbook_run_takes_the_way_of_a_command(chat):
    assert "facts on web1" in chat.asks("!playbook run facts on web1", "facts on", who="joe")
    said = chat.asks("!playbook run patch on web1 batch=2 --check", "patch", who="ana")
    assert "patch batch=2 --check on web1" in said
    assert chat.jobs[0].check


def test_every_command_of_the_bot_is_in_help_and_every_one_in_help_exists(chat):
    from automation_bots.operations.own_commands import OWN

    ours = {name for name, command in chat.bot.commands.items() if command.automation_ours}
    operations = set(chat.automation.live.catalog.operations)
    assert set(OWN) == ours - operations
    assert operations <= ours


def test_only_the_plugins_that_bot_toml_names_are_loaded(tmp_path):
    from automation_bots.app.bot import Bot
    from automation_bots.errors import ConfigError

    folder = write_folder(tmp_path, toml='name = "x"\nbackend = "Test"\nplugins = ["nonsense"]\n')
    with pytest.raises(ConfigError, match="there is no 'nonsense'"):
        Bot(folder, {}, read_only=True).bot_folder.plugin_folders()
    write_folder(tmp_path, toml='name = "x"\nbackend = "Test"\nplugins = ["bot"]\n')
    assert str(ROOT / "errbot-plugins" / "jobs") in Bot(folder, {}, read_only=True).bot_folder.plugin_folders()


def test_a_plugin_is_known_by_its_former_name_too(tmp_path):
    from automation_bots.config.bot_folder import BotFolder

    rules = '"Desk:help" = {denyusers = ["x"]}\n"Jobs:audit" = {denyusers = ["y"]}\n"Jobs:jobs" = {denyusers = ["z"]}'
    text = f'name = "x"\nbackend = "Test"\nplugins = ["desk", "closing"]\n[errbot.ACCESS_CONTROLS]\n{rules}\n'
    found = BotFolder(write_folder(tmp_path, toml=text), {}, untouched=True)
    assert {str(ROOT / "errbot-plugins" / name) for name in ("bot", "freezes")} <= set(found.plugin_folders())
    assert {"Bot:help", "Record:audit", "Jobs:jobs"} <= set(found.errbot_settings()["ACCESS_CONTROLS"])
