"""No entry point goes around the gate: Errbot's own commands, plugins from elsewhere, regex, dynamic, flows."""

import pytest
from errbot import botcmd

from automation_bots.drivers.fake import Fake
from automation_bots.store import AuditKind
from tests.support.chatbot import POLICY, ROOT, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
PLUGINS = [str(ROOT / "errbot-plugins"), str(ROOT / "tests/support/plugins")]
ALL_CORE = ("Plugins", "Health", "Flows", "Utils", "Backup", "Help", "ChatRoom")
NAMING = POLICY + "  - {name: wipers, who: support, may: [wipe, drip, through, regex]}\n"


def start(folder, policy=POLICY, **errbot):
    return ChatBot(write_folder(folder, policy=policy), drivers=(Fake(),), plugins=PLUGINS, errbot=errbot)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with start(tmp_path_factory.mktemp("bot"), CORE_PLUGINS=ALL_CORE) as chat:
        yield chat


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    with start(tmp_path_factory.mktemp("named"), NAMING) as chat:
        yield chat


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    names = ("catalog", "log", "send", "update", "activate", "class", "2fast", "a-b", "a_b")
    play = "# bot:\n#   help: I am {}\n#   risk: read\n- hosts: all\n  tasks: []\n"
    folder = tmp_path_factory.mktemp("made")
    write_folder(folder, files={f"playbooks/{name}.yml": play.format(name) for name in names})
    with ChatBot(folder, drivers=(Fake(name="ansible"),)) as chat:
        yield chat


@botcmd(name="wipe")
def newer(_self, _msg, _args):
    return "wipe renewed"


def done(chat):
    return chat.bot.plugin_manager.plugins["Outside"].done


@pytest.mark.parametrize("text", ["!wipe", "!nuke", "!drip", "!parsed --force", "!dynamic", "please wipe it", "!crash"])
def test_a_command_from_elsewhere_is_for_admins_until_a_rule_names_it(chat, text):
    before = len(done(chat))
    assert "is for admins" in chat.asks(text, who="joe", room="ops")
    assert "I do not know you" in chat.asks(text, who="eve", room="ops")
    assert len(done(chat)) == before


@pytest.mark.parametrize("text", ["!wipe", "!nuke", "!parsed --force", "!dynamic", "please wipe it"])
def test_an_admin_may_use_it(chat, text):
    before = len(done(chat))
    chat.asks(text, "done", who="ana")
    wait(lambda: len(done(chat)) == before + 1, 5)


def test_a_rule_that_names_it_lets_others_use_it(named):
    named.asks("!wipe", "wipe done", who="joe")
    named.asks("!drip", "drip two", who="joe")
    assert "is for admins" in named.asks("!nuke", who="joe")


def test_the_callable_itself_is_guarded_whoever_calls_it(chat):
    """Flows, `!!` and other plugins take commands out of the bot's table and call them."""
    from errbot.backends.base import Message
    from errbot.backends.test import TestPerson

    for name, command in {**chat.bot.commands, **chat.bot.re_commands}.items():
        if command.automation_ours:
            continue
        message = Message("anything")
        message.frm, message.to = TestPerson("joe"), chat.bot.bot_identifier
        before, said = len(done(chat)), len(chat.surface.said)
        result = command(message, "")
        assert list(result or ()) == [], name
        assert chat.surface.said[said][1].startswith("No: "), name
        assert len(done(chat)) == before, name


@pytest.mark.parametrize(
    "text",
    [
        "!plugin activate Health",
        "!repos",
        "!restart",
        "!plugin config Health",
        "!shutdown",
        "!flows start x",
        "!echo x",
    ],
)
def test_errbots_own_commands_are_for_admins_by_policy(chat, text):
    assert "No: " in chat.asks(text, who="joe")


def test_names_of_ours_win_over_errbots_own(chat):
    assert chat.bot.commands["status"].automation_ours
    assert chat.bot.commands["help"].automation_ours
    assert chat.bot.commands["uptime"].automation_ours


def test_repetition_runs_nothing(chat):
    chat.asks("!wipe", "done", who="ana")
    before = len(done(chat))
    for text in ("!!", "!1", "!2"):
        assert "No operation" in chat.asks(text, who="ana")
    assert len(done(chat)) == before


def test_an_exceptions_text_never_reaches_the_room(chat):
    said = chat.asks("!crash", "failed", who="ana")
    assert "hunter2" not in said


def test_an_exceptions_text_never_reaches_the_room_from_a_later_step_either(chat):
    chat.asks("!leak", "leak one", who="ana")
    assert "failed inside the bot" in chat.hears("failed|hunter2|nooo")


def test_a_message_that_comes_twice_runs_once_and_the_receiving_thread_asks_no_store(chat):
    before = len(done(chat))
    chat.say("!wipe", "ana", message_id="m1")
    chat.say("!wipe", "ana", message_id="m1")
    chat.asks("!whoami", "You are")
    wait(lambda: len(done(chat)) == before + 1, 5)
    chat.automation.store, store = None, chat.automation.store
    chat.say("!wipe", "ana", message_id="m2")  # raises nothing
    chat.hears("failed inside the bot")
    chat.automation.store = store
    assert len(done(chat)) == before + 1


def test_words_that_may_be_secret_do_not_reach_the_log_when_the_network_is_away(chat, caplog):
    chat.surface.say, say = lambda *_: 1 / 0, chat.surface.say
    chat.say("!whoami hunter2", "ana")
    wait(lambda: "was not said" in caplog.text, 5)
    chat.surface.say = say
    assert not [record for record in caplog.records if "hunter2" in record.getMessage() and record.levelno > 20]


def test_a_reloaded_plugin_runs_its_new_code(chat):
    plugin = chat.bot.plugin_manager.plugins["Outside"]
    chat.bot.plugin_manager.deactivate_plugin("Outside")
    plugin.__class__ = type("Outside", (plugin.__class__,), {"wipe": newer})
    chat.bot.plugin_manager.activate_plugin("Outside")
    assert "wipe renewed" in chat.asks("!wipe", "wipe", who="ana")


def test_a_plugin_that_goes_takes_no_command_of_another_with_it(chat):
    chat.bot.plugin_manager.deactivate_plugin("Health")
    assert "is up" in chat.asks("!status", who="ana")
    chat.asks("!uptime on web1", "#", who="ana")


@pytest.mark.parametrize("name", ["catalog", "log", "send", "update", "activate", "class", "2fast", "a-b", "a_b"])
def test_a_command_may_have_any_name(made, name):
    assert f"I am {name}" in made.asks(f"!help {name}", "I am", who="ana")


def test_while_commands_are_made_anew_none_is_missing(made):
    holder = made.bot.commands["catalog"].__self__
    made.bot.remove_commands_from(holder)
    made.asks("!catalog on web1", "#1 catalog on web1", who="ana")
    made.bot.inject_commands_from(holder)


def test_a_plugin_that_submits_is_judged_on_the_devices_too(named):
    assert "#" in named.asks("!through", who="joe")
    assert "service restart nginx on web1" in named.hears("done")


def test_without_our_side_nothing_runs(tmp_path):
    with start(tmp_path, NAMING) as chat:
        ours = chat.bot.bot_config.AUTOMATION
        before = len(done(chat))
        del chat.bot.bot_config.AUTOMATION
        try:
            with pytest.raises(AttributeError):
                chat.say("!wipe", "ana")
        finally:
            chat.bot.bot_config.AUTOMATION = ours
        assert len(done(chat)) == before


def test_the_private_names_of_errbot_that_we_use_are_still_there():
    import inspect

    from errbot.core import ErrBot

    assert list(inspect.signature(ErrBot._process_command).parameters) == ["self", "msg", "cmd", "args", "match"]
    assert list(inspect.signature(ErrBot.inject_commands_from.__wrapped__).parameters) == ["self", "instance_to_inject"]
    assert list(inspect.signature(ErrBot._execute_and_send).parameters)[:4] == ["self", "cmd", "args", "match"]


def test_errbots_own_access_control_counts_beside_the_policy_and_is_recorded(tmp_path):
    controls = {"Jobs:jobs": {"denyusers": ("joe",)}}
    core = ("Plugins", "Health", "ACLs")
    with start(tmp_path, CORE_PLUGINS=core, ACCESS_CONTROLS=controls, HIDE_RESTRICTED_ACCESS=False) as chat:
        chat.asks("!jobs", "not allowed to access this command from this user", who="joe")
        chat.asks("!jobs", "No jobs", who="ana")
        denied = chat.automation.store.audit_rows(kind=AuditKind.DENIED)
        assert [(row.person, row.operation) for row in denied] == [("joe", "jobs")]
        assert "ACCESS_CONTROLS" in denied[0].body["reason"]
