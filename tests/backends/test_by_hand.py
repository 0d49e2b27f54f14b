"""Plugins that somebody copies into the bot's folders: looked at before they run, as `!repos` does."""

import os
import re
import shutil
import sys

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.store import AuditKind
from tests.support.chatbot import ROOT, ChatBot, write_folder

pytestmark = pytest.mark.slow
PLUG = "[Core]\nName = {name}\nModule = {module}\n"
PLUGIN = '''{first}
from errbot import BotPlugin, botcmd
open("{canary}", "a").write("{module} ran\\n")

class {name}(BotPlugin):
    """One."""

    @botcmd
    def {module}(self, msg, args):
        """Do it."""
        return "{module} done"

    def sneaked(self, msg, args):
        return "past the gate"

    def activate(self):
        super().activate()
        {more}
'''
INSIDE = {
    "driving": "from automation_bots.drivers.fake import Fake",
    "storing": "import automation_bots.store",
    "guarding": "from backends import guard",
    "setting": "import config",
}


HIDING = {
    "coded": "# -*- coding: utf-7 -*-\n# +AAo-import automation_bots.store",
    "mirrored": "# \u202e",
}
TAKEN_BACK = ["taking", "patching", "opening", "sneaking", "rewriting"]


def put(folder, module, first="", helper="", more="pass"):
    """Copy a plugin in, with a helper beside it."""
    place, name = folder / "put-in" / module, module.capitalize()
    place.mkdir(parents=True)
    (place / f"{module}.plug").write_text(PLUG.format(name=name, module=module))
    (place / f"{module}.py").write_text(
        PLUGIN.format(first=first, name=name, module=module, more=more, canary=folder / "ran")
    )
    if helper:
        (place / f"{module}_helps.py").write_text(helper)


def put_hiding(folder):
    for module, first in HIDING.items():
        put(folder, module, first)
    put(folder, "compiled")
    (folder / "put-in/compiled/fast.so").write_bytes(b"\x7fELF")
    put(folder, "taking", more="self._bot.commands['approve'] = self._bot.commands['taking']")
    put(folder, "patching", "from errbot.core import ErrBot\nErrBot.process_message = lambda self, msg: True")
    put(folder, "opening", more="type(self._bot).automation_free = ('Opening',)")
    put(folder, "sneaking", more="self._bot.commands['sneak'] = self.sneaked")
    put(folder, "rewriting", more="type(self._bot).process_message.__code__ = (lambda *_: None).__code__")
    put(folder, "hanging")
    file = folder / "put-in/hanging/hanging.py"
    file.write_text(file.read_text().replace("@botcmd", r"@__import__('errbot').re_botcmd(pattern=r'(a)\1')"))


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bot"))
    for module, first in INSIDE.items():
        put(folder, module, first)
    put(folder, "helped", "import helped_helps", helper="from automation_bots import pipeline")
    put(folder, "linked")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/driving.py").write_text(INSIDE["driving"])
    (folder / "put-in/linked/more").symlink_to(folder / "elsewhere")
    put(folder, "leading")
    (folder / "put-in/leading/leading.py").rename(folder / "elsewhere/leading.py")
    (folder / "put-in/leading/leading.py").symlink_to(folder / "elsewhere/leading.py")
    (folder / "elsewhere/leading.py").write_text(
        f"{INSIDE['storing']}\n{(folder / 'elsewhere/leading.py').read_text()}"
    )
    put(folder, "pointing")
    (folder / "put-in/pointing/pointing.plug").write_text(
        PLUG.format(name="Pointing", module="../../elsewhere/driving")
    )
    put_hiding(folder)
    put(folder, "plain", "from automation_bots import mixin")
    put(folder, "calling", "import socket")
    put(folder, "shelled", "import shelled_helps", helper="import subprocess")
    shutil.copytree(ROOT / "tests/support/plugins/shortcut", folder / "put-in" / "shortcut")
    with ChatBot(folder, (Fake(),), plugins=[str(ROOT / "errbot-plugins"), str(folder / "put-in")]) as chat:
        yield chat


LOOKED_THROUGH = [*INSIDE, "helped", "linked", "leading", "pointing"]
NOT_LOADED = [*LOOKED_THROUGH, *HIDING, "compiled"]


@pytest.mark.parametrize("module", NOT_LOADED)
def test_a_plugin_put_in_by_hand_that_imports_the_inside_of_the_bot_never_runs(chat, module):
    assert module not in chat.bot.commands
    assert f"{module} ran" not in (chat.folder / "ran").read_text()
    assert chat.asks(f"!{module}", "No operation")


@pytest.mark.parametrize("module", ["plain", "calling", "shelled"])
def test_others_run_for_whom_a_rule_names_them_and_admins(chat, module):
    assert f"{module} done" in chat.asks(f"!{module}", "done")
    assert "No:" in chat.asks(f"!{module}", "No", who="joe")


def test_admins_are_told_what_is_not_loaded_and_what_reaches_for_more(chat):
    told = chat.asks("!status", "has problems")
    for module in NOT_LOADED:
        assert f"The plugin {module.capitalize()} (" in chat.asks("!repos", "is not loaded")
    assert "which is the inside of the bot" in told
    assert "opens connections of its own (socket)" in told
    assert "starts programs (subprocess)" in told
    assert "hides or makes code while it runs (importlib)" in told
    assert "Plain (" not in told


@pytest.mark.parametrize("module", [*TAKEN_BACK, "hanging"])
def test_a_plugin_that_changes_what_is_not_its_own_is_taken_back(chat, module):
    assert module not in chat.bot.commands
    assert f"The plugin {module.capitalize()} (" in chat.asks("!repos", "is not loaded")


def test_all_that_such_plugins_changed_is_as_it_was(chat):
    assert chat.bot.automation_free == ()
    assert "sneak" not in chat.bot.commands
    assert chat.bot.commands["approve"].automation_ours
    assert "Nothing that waits" in chat.asks("!approve 1")
    told = chat.asks("!repos", "is not loaded")
    assert "It changed what is not its own while it was loaded: the command approve." in told
    assert "errbot.core.ErrBot.process_message" in told
    assert re.search(r"hanging.py:\d+: the pattern '\(a\)\\\\1' could hang the bot", told)


def test_compiled_code_beside_a_source_is_never_read(chat):
    assert sys.pycache_prefix == os.devnull


def test_others_are_not_told(chat):
    assert "put in by hand" not in chat.asks("!status", "is up", who="joe")


def test_what_is_not_loaded_is_in_the_record_and_the_log(chat):
    reasons = [row.body.get("error", "") for row in chat.automation.store.audit_rows(kind=AuditKind.ERROR)]
    assert len([reason for reason in reasons if "which is the inside of the bot" in reason]) == len(LOOKED_THROUGH) - 1
    assert any("names a module that is none" in reason for reason in reasons)


def test_a_plugin_that_is_changed_and_loaded_again_is_looked_at_again(chat):
    file = chat.folder / "put-in" / "plain" / "plain.py"
    file.write_text("from automation_bots import store\n" + file.read_text())
    before = (chat.folder / "ran").read_text()
    chat.asks("!plugin reload Plain", "[Ii]nside|rror|failed")
    assert (chat.folder / "ran").read_text() == before
    assert "The plugin Plain (" in chat.asks("!repos", "is not loaded")


def test_a_file_beside_a_module_of_the_bot_is_not_taken_for_one_of_its_own(chat):
    from backends.plugins import by_hand

    folder = ROOT / "errbot-plugins" / "jobs"
    assert by_hand.is_ours(folder / "jobs.py")
    assert not by_hand.is_ours(folder / "more.py")
    assert not by_hand.is_ours(ROOT / "errbot-plugins" / "more" / "more.py")
