"""The bot is killed in the middle of an installation: the next start finds the state before, and nothing else."""

import re

import pytest

from tests.repos import making
from tests.support.chatbot import wait
from tests.support.program import Program, survivors, write_bot

pytestmark = pytest.mark.slow
HANGS = "import pathlib, time; pathlib.Path({mark!r}).touch(); time.sleep(300)"


@pytest.fixture
def repo(tmp_path):
    return making.repository(tmp_path / "from" / "greeter")


@pytest.fixture
def run(tmp_path):
    """Start the bot on the same folder, as often as it takes."""
    folder = write_bot(tmp_path / "netbot", more="[repos]\nlocal = true\n")
    return lambda: Program("run", folder, data=tmp_path / "data")


def confirm(bot, line, pattern):
    code = re.search(r"confirm (\w+)", bot.asks(line, r"repos confirm \w+"))[1]
    return bot.asks(f"!repos confirm {code}", pattern)


def killed_in(run, repo, mark, line):
    """Let the bot load a plugin that hangs, and kill it there."""
    making.commit(repo, {"greeter.py": making.code(more=HANGS.format(mark=str(mark)))}, tag="v1.1")
    with run() as bot:
        confirm(bot, line, "Installing")
        wait(mark.exists, 60, lambda: bot.said)
        bot.kill()


def installed(tmp_path):
    root = tmp_path / "data" / "netbot" / "repos"
    return sorted(path.relative_to(root).as_posix() for path in root.glob("*/*"))


def test_killed_in_a_first_installation_nothing_of_it_is_left_and_it_can_be_done_again(run, repo, tmp_path):
    killed_in(run, repo, tmp_path / "mark", f"!repos install {repo}@v1.1")
    with run() as bot:
        bot.asks("!repos", "Plugins of greeter were being installed when the bot ended")
        assert installed(tmp_path) == [] and survivors("backends.plugins.trial") == []
        confirm(bot, f"!repos install {repo}@v1.0", "is installed")
        bot.asks("!hello", "^hello")


def test_killed_in_an_update_the_old_version_runs(run, repo, tmp_path):
    with run() as bot:
        confirm(bot, f"!repos install {repo}@v1.0", "is installed")
    before = installed(tmp_path)
    killed_in(run, repo, tmp_path / "mark", "!repos update greeter@v1.1")
    with run() as bot:
        bot.asks("!hello", "^hello")
        assert installed(tmp_path) == before and survivors("backends.plugins.trial") == []
