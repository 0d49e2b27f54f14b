"""Plugins that somebody copies into the bot's folders: looked at before they run, as `!repos` does."""

import shutil

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.store import AuditKind
from tests.support.chatbot import ROOT, ChatBot, write_folder

pytestmark = pytest.mark.slow
PLUG = "[Core]\nName = {name}\nModule = {module}\n"
PLUGIN = '''
{first}
from errbot import BotPlugin, botcmd
open("{canary}", "a").write("{module} ran\\n")

class {name}(BotPlugin):
    """One."""

    @botcmd
    def {module}(self, msg, args):
        """Do it."""
        return "{module} done"
'''
INSIDE = {
    "driving": "from automation_bots.drivers.fake import Fake",
    "storing": "import automation_bots.store",
    "guarding": "from backends import guard",
    "setting": "import config",
}


def put(folder, module, first="", helper=""):
    """Copy a plugin in, with a helper beside it."""
    place, name = folder / "put-in" / module, module.capitalize()
    place.mkdir(parents=True)
    (place / f"{module}.plug").write_text(PLUG.format(name=name, module=module))
    (place / f"{module}.py").write_text(PLUGIN.format(first=first, name=name, module=module, canary=folder / "ran"))
    if helper:
        (place / f"{module}_helps.py").write_text(helper)


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
    put(folder, "plain", "from automation_bots import mixin")
    put(folder, "calling", "import socket")
    put(folder, "shelled", "import shelled_helps", helper="import subprocess")
    shutil.copytree(ROOT / "tests/support/plugins/shortcut", folder / "put-in" / "shortcut")
    with ChatBot(folder, (Fake(),), plugins=[str(ROOT / "errbot-plugins"), str(folder / "put-in")]) as chat:
        yield chat


NOT_LOADED = [*INSIDE, "helped", "linked", "leading", "pointing"]


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


def test_others_are_not_told(chat):
    assert "put in by hand" not in chat.asks("!status", "is up", who="joe")


def test_what_is_not_loaded_is_in_the_record_and_the_log(chat):
    reasons = [row.body.get("error", "") for row in chat.automation.store.audit_rows(kind=AuditKind.ERROR)]
    assert len([reason for reason in reasons if "which is the inside of the bot" in reason]) == len(NOT_LOADED) - 1
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
