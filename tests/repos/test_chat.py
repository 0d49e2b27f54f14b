"""`!repos` in a real bot with real repositories: shown, confirmed, loaded, updated, rolled back, taken away."""

import json
import re

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.store import AuditKind
from tests.repos import making
from tests.support.chatbot import BOT_TOML, HOSTS, POLICY, ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = BOT_TOML + '[repos]\nlocal = true\nwheels = "wheels"\nindex = "repos.json"\n'
NAMING = POLICY + "  - {name: greeters, who: support, may: [hello, bounce]}\n"
SLOW = 30


@pytest.fixture
def repo(tmp_path):
    return making.repository(tmp_path / "from" / "greeter")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bot" / "wheels").mkdir(parents=True)
    return write_folder(tmp_path / "bot", toml=TOML, policy=POLICY, hosts=HOSTS)


@pytest.fixture
def chat(folder):
    with start(folder) as chat:
        yield chat


def start(folder):
    return ChatBot(folder, drivers=(Fake(),))


def show(chat, address, pattern="repos confirm"):
    return chat.asks(f"!repos install {address}", pattern, seconds=SLOW)


def confirm(chat, said, pattern="is installed:"):
    return chat.asks(f"!repos {re.search('confirm [0-9a-f]+', said)[0]}", pattern, seconds=SLOW)


def install(chat, address):
    return confirm(chat, show(chat, address))


def update(chat, name, pattern="is updated from"):
    return confirm(chat, chat.asks(f"!repos update {name}", "repos confirm", seconds=SLOW), pattern)


def on_disk(chat):
    root = chat.automation.repos.installer.plugins.root
    return sorted((str(p.relative_to(root)), p.read_bytes()) for p in root.rglob("*") if is_kept(p))


def is_kept(path):
    return path.is_file() and "__pycache__" not in path.parts


# -- install


def test_what_would_be_installed_is_shown_and_nothing_of_it_has_run(chat, repo, tmp_path):
    making.commit(repo, making.files(more=f"open({str(tmp_path / 'ran')!r}, 'w')"), tag="v1.1")
    said = show(chat, f"{repo}@v1.1")
    for text in ("greeter v1.1", making.git(repo, "rev-parse", "v1.1"), "!hello", "!bounce", "good (morning|evening)"):
        assert text in said
    assert "!repos confirm" in said
    assert not (tmp_path / "ran").exists()
    assert "No operation" in chat.asks("!hello")


def test_an_admin_is_shown_what_the_code_reaches_and_what_is_new_of_it(chat, repo):
    making.commit(repo, making.files(more="import subprocess"), tag="v1.1")
    said = show(chat, f"{repo}@v1.1")
    assert re.search(r"its code +starts programs \(subprocess\)", said)
    confirm(chat, said)
    making.commit(repo, making.files(more="import subprocess, socket"), tag="v1.2")
    said = chat.asks("!repos update greeter", "repos confirm", seconds=SLOW)
    assert re.search(r"newly +opens connections of its own \(socket\)", said)
    assert not re.search(r"newly +starts programs", said)


def test_after_the_confirmation_it_runs_and_only_admins_use_it(chat, repo):
    said = install(chat, f"{repo}@v1.0")
    assert "greeter is installed: v1.0" in said
    assert "for admins only, until a rule of the policy names them" in said
    assert chat.asks("!hello") == "hello"
    assert "is for admins" in chat.asks("!hello", who="joe", room="ops")
    assert chat.asks("good morning", room="ops") == "hello"
    assert "is for admins" in chat.asks("good morning", who="joe", room="ops")


def test_a_rule_lets_others_use_it_and_what_it_submits_is_judged_too(folder, repo):
    with start(write_folder(folder, toml=TOML, policy=NAMING)) as chat:
        install(chat, repo)
        assert chat.asks("!hello", who="joe") == "hello"
        assert "service restart nginx on web1 done" in chat.asks("!bounce", "done", who="joe")


def test_only_admins_may_and_the_others_are_in_the_record(chat, repo):
    for words in ("", "install x", "confirm x", "update x", "remove x", "search x"):
        said = chat.asks(f"!repos {words}".strip(), who="joe")
        assert said == "No: plugins from elsewhere are for admins to look after (ana)."
    assert len(chat.automation.store.audit_rows(kind=AuditKind.DENIED)) == 6
    assert "!repos" not in chat.asks("!help bot", who="joe")
    assert "!repos" in chat.asks("!help bot")


def test_nobody_confirms_what_another_was_shown_and_nothing_twice(chat, repo):
    said = show(chat, repo)
    code = re.search(r"confirm (\w+)", said)[1]
    assert "Nothing of yours waits" in chat.asks(f"!repos confirm {code}", room="ops")
    assert "Nothing of yours waits" in chat.asks("!repos confirm 00000000")
    confirm(chat, said)
    assert "Nothing of yours waits" in chat.asks(f"!repos confirm {code}")
    assert "is installed already" in chat.asks(f"!repos install {repo}")


def test_the_record_says_who_installed_what_exactly(chat, repo):
    install(chat, f"{repo}@v1.0")
    chat.asks("!repos remove greeter", "is removed")
    (row,) = chat.automation.store.audit_rows(kind=AuditKind.INSTALLED)
    assert (row.person, row.operation) == ("ana", "repos install")
    assert row.body["url"] == f"file://{repo}"
    assert row.body["commit"] == making.git(repo, "rev-parse", "HEAD")
    assert re.fullmatch("[0-9a-f]{64}", row.body["digest"])
    (gone,) = chat.automation.store.audit_rows(kind=AuditKind.REMOVED)
    assert gone.body["digest"] == row.body["digest"]


def test_a_bare_repository_a_commit_and_a_file_address(chat, repo, tmp_path):
    first = making.git(repo, "rev-parse", "HEAD")
    making.commit(repo, making.files("later"))
    making.git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    install(chat, f"file://{tmp_path}/bare.git@{first}")
    assert chat.asks("!hello") == "hello"
    assert first[:12] in chat.asks("!repos")


def test_a_tag_that_is_not_there_names_those_that_are(chat, repo):
    making.git(repo, "tag", "v0.9")
    said = chat.asks(f"!repos install {repo}@v7", "no tag", seconds=SLOW)
    assert "greeter has no tag 'v7'; there are v1.0, v0.9." in said


def test_errbots_own_repos_commands_are_gone(chat):
    assert [name for name in chat.bot.commands if name.startswith("repos")] == ["repos"]
    assert chat.bot.commands["repos"].automation_ours
    assert "!repos install" in chat.asks("!repos uninstall x")


def test_a_command_of_the_bots_name_or_one_that_catches_its_words_is_refused(chat, repo):
    for name in ("status", "device_trust", "service", "whoami_x"):
        making.commit(repo, {"greeter.py": making.code().replace("def hello", f"def {name}")})
        said = chat.asks(f"!repos install {repo}", "command here already", seconds=SLOW)
        assert said.startswith("It brings !" + name.replace("_", " "))


def test_commands_that_the_text_does_not_show_are_refused(chat, repo):
    trick = "import builtins\n\ndef botted(f):\n    return getattr(__import__('errbot'), 'bot' + 'cmd')(f)\n"
    text = making.code(more=trick) + "\n    @botted\n    def hidden(self, msg, args):\n        return 'x'\n"
    making.commit(repo, {"greeter.py": text})
    said = confirm(chat, show(chat, repo), "as it was before")
    assert "commands that its text does not show: hidden" in said


def test_two_plugins_that_build_on_each_other_and_a_helper_of_their_own(chat, repo):
    plug = making.PLUG.format(name="First", module="first", version="1") + "DependsOn = Greeter\n"
    text = "from errbot import BotPlugin, botcmd\nfrom greetwords import WORD\nclass First(BotPlugin):\n"
    text += "    @botcmd\n    def first(self, msg, args):\n        return WORD + str(self.get_plugin('Greeter').name)\n"
    making.commit(repo, {"a/first.plug": plug, "a/first.py": text, "a/greetwords.py": "WORD = 'word '"})
    install(chat, repo)
    assert chat.asks("!first") == "word Greeter"


# -- packages


def test_packages_come_from_wheels_into_a_folder_of_their_own(folder, chat, repo):
    making.wheel(folder / "wheels", "greetlib", "2.0", "import deeplib\nWORD = deeplib.WORD", ["deeplib", "PyYAML"])
    making.wheel(folder / "wheels", "deeplib", "0.1", "WORD = 'from deep'")
    text = (
        making.code()
        .replace('return "hello"', "return greetlib.WORD")
        .replace("import mixin", "import mixin\nimport greetlib")
    )
    making.commit(repo, {"greeter.py": text, "requirements.txt": "greetlib>=1  # why\n\nrequests\n"})
    said = show(chat, repo)
    assert "greetlib>=1, requests" in said
    assert "deeplib==0.1, greetlib==2.0" in confirm(chat, said)
    assert chat.asks("!hello") == "from deep"
    assert {name.rpartition("/site/")[2] for name, _ in on_disk(chat) if name.endswith("lib.py")} == {
        "deeplib.py",
        "greetlib.py",
    }


def test_two_repositories_never_get_two_versions_of_one_package(folder, chat, repo, tmp_path):
    for version in ("1.0", "2.0"):
        making.wheel(folder / "wheels", "sharedlib", version, "")
    making.commit(repo, {"requirements.txt": "sharedlib<2\n"})
    install(chat, repo)
    text = {"b.plug": making.PLUG.format(name="B", module="b", version=1), "requirements.txt": "sharedlib>=1\n"}
    text["b.py"] = "from errbot import BotPlugin\nclass B(BotPlugin):\n    pass\n"
    other = making.repository(tmp_path / "from" / "other", text)
    assert "sharedlib==1.0" in install(chat, other)
    making.commit(other, {"requirements.txt": "sharedlib>=2\n"}, tag="v2")
    assert "cannot be installed" in update(chat, "other@v2", "as it was before")


def test_a_package_without_a_wheel_changes_nothing(chat, repo):
    making.commit(repo, {"requirements.txt": "greetlib==9\n"})
    before = on_disk(chat)
    said = confirm(chat, show(chat, repo), "as it was before")
    assert "Its packages cannot be installed" in said
    assert "greetlib" in said
    assert on_disk(chat) == before
    assert "No plugins from elsewhere" in chat.asks("!repos")


def test_a_package_that_would_replace_one_of_the_bots_is_refused(folder, chat, repo):
    making.wheel(folder / "wheels", "greetlib", "2.0", "", ["requests>=99"])
    making.commit(repo, {"requirements.txt": "greetlib\n"})
    assert "cannot be installed" in confirm(chat, show(chat, repo), "as it was before")
    making.commit(repo, {"requirements.txt": "requests>=99\n"})
    assert "the bot itself uses requests" in chat.asks(f"!repos install {repo}", "It needs", seconds=SLOW)


# -- what does not load


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("raise ValueError('broken')", "ValueError: broken"),
        ("import os; os._exit(3)", "ended the process"),
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("import sys; sys.exit()", "SystemExit"),
    ],
)
def test_what_does_not_load_is_found_outside_of_the_bot_and_leaves_nothing(chat, repo, more, why):
    making.commit(repo, making.files(more=more))
    before = on_disk(chat)
    assert why in confirm(chat, show(chat, repo), "as it was before")
    assert on_disk(chat) == before
    assert "No operation" in chat.asks("!hello")


def test_an_update_that_does_not_start_in_the_bot_is_taken_back(chat, repo):
    install(chat, f"{repo}@v1.0")
    before = on_disk(chat)
    broken = (
        making.code("newer") + "\n    def activate(self):\n        super().activate()\n        raise ValueError('no')\n"
    )
    making.commit(repo, {"greeter.py": broken}, tag="v1.1")
    said = update(chat, "greeter", "as it was before")
    assert said.startswith("greeter v1.0 stays")
    assert chat.asks("!hello") == "hello"
    assert on_disk(chat) == before
    assert chat.automation.store.audit_rows(kind=AuditKind.ERROR)[0].operation == "repos update"


def test_commands_made_while_it_runs_clash_too(chat, repo):
    made = "\n    def activate(self):\n        super().activate()\n"
    made += "        self.create_dynamic_plugin('M', (Command(lambda p, m, a: 'x', name='device_trust'),))\n"
    making.commit(repo, {"greeter.py": making.code(more="from errbot import Command") + made})
    assert "It brings !device trust" in confirm(chat, show(chat, repo), "as it was before")
    assert "device_trust" not in chat.bot.commands
    assert "hello" not in chat.bot.commands


# -- update, remove, restart


def test_an_update_takes_the_newest_tag_and_says_what_changes(chat, repo):
    install(chat, f"{repo}@v1.0")
    more = "\n    @botcmd\n    def bye(self, msg, args):\n        return 'bye'\n"
    making.commit(repo, {"greeter.py": making.code("newer") + more}, tag="v1.10")
    making.commit(repo, {}, tag="v1.9")
    said = chat.asks("!repos update greeter", "repos confirm", seconds=SLOW)
    assert "update greeter from v1.0" in said
    assert re.search(r"version +v1.10", said)
    assert re.search(r"new commands +!bye", said)
    assert "is updated from v1.0 to v1.10" in confirm(chat, said, "is updated")
    assert (chat.asks("!hello"), chat.asks("!bye")) == ("newer", "bye")
    assert "already" in chat.asks("!repos update greeter", "already|confirm", seconds=SLOW)


def test_an_update_may_go_back_and_helpers_go_with_it(chat, repo):
    making.commit(repo, {**making.files(), "greeter.py": helped(), "turnwords.py": "W = 'one'"}, tag="v2")
    making.commit(repo, {"turnwords.py": "W = 'two'"}, tag="v3")
    install(chat, f"{repo}@v3")
    assert chat.asks("!hello") == "two"
    update(chat, "greeter@v2")
    assert chat.asks("!hello") == "one"


def helped():
    return making.code(more="import turnwords").replace('return "hello"', "return turnwords.W")


def test_what_is_removed_is_gone(chat, repo):
    before = set(chat.bot.commands)
    install(chat, repo)
    assert "greeter" in chat.asks("!repos", "of plugins")
    assert "greeter 1.0 is removed, with !bounce, !hello." in chat.asks("!repos remove greeter")
    assert set(chat.bot.commands) == before
    assert [name for name, _ in on_disk(chat)] == ["installed.json"]
    assert "No repository 'greeter'" in chat.asks("!repos remove greeter")
    install(chat, repo)
    assert chat.asks("!hello") == "hello"


def test_it_is_there_after_a_restart_and_what_nobody_confirmed_is_not(folder, repo):
    with start(folder) as chat:
        install(chat, repo)
        making.commit(repo, making.files("later"))
        chat.asks("!repos update greeter", "repos confirm", seconds=SLOW)
    with start(folder) as chat:
        assert chat.asks("!hello") == "hello"
        assert not list(chat.automation.repos.installer.plugins.root.glob(".staging/*"))


def test_a_file_changed_after_the_install_is_not_loaded_and_admins_are_told(folder, repo):
    with start(folder) as chat:
        install(chat, repo)
    (file,) = (folder / "data").glob("*/repos/greeter/*/code/greeter.py")
    file.write_text(file.read_text() + "\n# changed\n")
    with start(folder) as chat:
        told = chat.hears("not those that were installed")
        assert "!repos update greeter installs it anew" in told
        assert "No operation" in chat.asks("!hello")
        assert (
            "not those that were installed" in chat.automation.store.audit_rows(kind=AuditKind.ERROR)[0].body["error"]
        )
        update(chat, "greeter")
        assert chat.asks("!hello") == "hello"
        assert "not loaded" not in chat.asks("!repos")


def test_compiled_code_that_somebody_put_there_is_thrown_away(folder, repo):
    with start(folder) as chat:
        install(chat, repo)
    (code,) = (folder / "data").glob("*/repos/greeter/*/code")
    (code / "__pycache__").mkdir(exist_ok=True)
    (code / "__pycache__" / "greeter.cpython-311.pyc").write_bytes(b"not what was installed")
    with start(folder) as chat:
        assert chat.asks("!hello") == "hello"


def test_a_list_that_cannot_be_read_is_said_and_never_written_over(folder, repo):
    with start(folder) as chat:
        install(chat, repo)
    (file,) = (folder / "data").glob("*/repos/installed.json")
    file.write_text("{broken")
    with start(folder) as chat:
        chat.hears("installed.json cannot be read")
        assert "cannot be read" in chat.asks(f"!repos install {repo}", seconds=SLOW)
        assert file.read_text() == "{broken"
        assert list(file.parent.glob("greeter/*/code"))


# -- search


def test_the_index_is_searched(folder, chat):
    entry = {
        "python": "3",
        "repo": "https://github.com/o/err-dns",
        "path": "/x.plug",
        "avatar_url": "",
        "documentation": "Look names up",
    }
    (folder / "repos.json").write_text(json.dumps({"o/err-dns": {"Dns": entry}}))
    assert "https://github.com/o/err-dns" in chat.asks("!repos search names LOOK")
    assert "nothing about 'coffee'" in chat.asks("!repos search coffee")
    (folder / "repos.json").write_text("[]")
    assert "repos.json" in chat.asks("!repos search x")
