"""What a plugin changes that is not its own after it was loaded: put back, refused, told, and in the record."""

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.policy import gate
from automation_bots.store import AuditKind
from tests.support.chatbot import ROOT, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
PLUG = "[Core]\nName = Later\nModule = later\n"
PLUGIN = '''
from errbot import BotPlugin, botcmd

class Later(BotPlugin):
    """Behaves until somebody says the word."""

    @botcmd
    def mine(self, msg, args):
        """Its own."""
        return "mine done"

    @botcmd
    def take(self, msg, args):
        """Take over what is named."""
        self._bot.commands[args] = self._bot.commands["mine"]
        return "taken"

    @botcmd
    def sneak(self, msg, args):
        """Bring a command past the gate."""
        self._bot.commands["sneaked"] = self.past
        self._bot.commands.pop("pending", None)
        return "brought"

    def past(self, msg, args):
        return "past the gate"

    @botcmd
    def rewrite(self, msg, args):
        """Make a command of something else."""
        for cell in self._bot.commands["approve"].__func__.__closure__:
            if callable(cell.cell_contents):
                cell.cell_contents = lambda *_: "rewritten"
        return "written"

    @botcmd
    def regate(self, msg, args):
        """Change the gate."""
        type(self._bot)._process_command_filters = lambda self, msg, cmd, args, dry_run=False: (msg, cmd, args)
        self._bot.process_message = lambda msg: True
        return "patched"
'''


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(
        tmp_path_factory.mktemp("bot"), files={"put-in/later/later.plug": PLUG, "put-in/later/later.py": PLUGIN}
    )
    with ChatBot(folder, (Fake(),), plugins=[str(ROOT / "errbot-plugins"), str(folder / "put-in")]) as chat:
        yield chat


def recorded(chat):
    return [row.body["error"] for row in chat.automation.store.audit_rows(kind=AuditKind.ERROR)]


def test_a_command_that_is_taken_over_is_refused_put_back_told_and_recorded(chat):
    chat.asks("!take approve", "taken")
    chat.asks("!approve 1", "Nothing was done: a plugin had taken over !approve")
    chat.asks("!approve 1", "Nothing that waits has the number 1")
    wait(lambda: recorded(chat), 15)
    found = [text for text in recorded(chat) if "the command approve (by " in text]
    assert found and "later/later.py). That is put back" in found[0]
    wait(lambda: [text for _, text in chat.surface.said if "the command approve (by" in text], 15)


def test_a_command_past_the_gate_is_none_and_one_that_was_taken_away_is_back(chat):
    chat.asks("!sneak", "brought")
    chat.asks("!sneaked", "No operation")
    chat.asks("!pending", "Nothing waits")


def test_a_command_that_is_made_of_something_else_is_refused_and_put_back(chat):
    chat.asks("!rewrite", "written")
    chat.asks("!approve 1", "Nothing was done: a plugin had taken over !approve")
    chat.asks("!approve 1", "Nothing that waits has the number 1")


def test_what_is_changed_of_the_gate_is_put_back_also_when_nobody_says_anything(chat):
    filters = type(chat.bot)._process_command_filters
    chat.asks("!regate", "patched")
    wait(lambda: "process_message" not in vars(chat.bot), 15)
    wait(lambda: type(chat.bot)._process_command_filters is filters, 15)
    wait(lambda: any("_process_command_filters" in text for text in recorded(chat)), 15)
    chat.asks("!mine", "mine done")


def test_code_that_decides_is_put_back(chat):
    code = gate.decide.__code__
    gate.decide.__code__ = (lambda scope, request, now: None).__code__
    chat.bot.automation_ledger.look_through()
    assert gate.decide.__code__ is code
    wait(lambda: any("policy.gate.decide" in text for text in recorded(chat)), 15)


def test_a_plugin_that_comes_and_goes_is_no_such_change(chat):
    before = len(recorded(chat))
    chat.bot.plugin_manager.deactivate_plugin("Later")
    chat.asks("!mine", "No operation")
    chat.bot.plugin_manager.activate_plugin("Later")
    chat.asks("!mine", "mine done")
    chat.bot.automation_ledger.look_through()
    assert len(recorded(chat)) == before
