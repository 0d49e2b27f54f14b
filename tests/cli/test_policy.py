"""`automation-bots policy test|diff`: what the policy says in its test cases, and what another one would change."""

import pytest

from automation_bots.cli import main as cli
from automation_bots.drivers.fake import Fake
from tests.support.chatbot import POLICY, ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*words):
        code = cli.main([str(word) for word in words])
        return code, capsys.readouterr().out

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A bot that was asked for four things."""
    folder = write_folder(tmp_path / "bot")
    monkeypatch.setenv("AUTOMATION_BOTS_DATA", str(folder / "data"))
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        chat.asks("!service restart nginx on web1", "#1 .* done", who="joe")
        chat.asks("!service restart nginx on web2", "#2 .* done", who="joe")
        chat.asks("!service restart nginx on db1", "No:", who="kim")
        chat.asks("!uptime on db1", "#3 .* done", who="kim")
    return folder


def test_diff_says_what_would_have_been_answered_differently(run, folder, tmp_path):
    other = tmp_path / "other.yml"
    other.write_text(POLICY.replace("on: web}", "on: db, limit: {devices: 5}}"))
    code, said = run("policy", "diff", folder, other)
    assert code == 1
    assert "joe: service on web1: allow → deny" in said
    assert "joe: service on web2: allow → deny" in said
    assert "kim: service on db1: deny → allow" in said
    assert "4 requests of the last 31 days: 3 would be answered differently." in said


def test_diff_with_itself_is_empty(run, folder):
    code, said = run("policy", "diff", folder, folder / "policy.yml")
    assert (code, said) == (0, "4 requests of the last 31 days: 0 would be answered differently.\n")


def test_the_test_cases_are_run_alone(run, folder):
    assert run("policy", "test", folder)[0] == 1
    (folder / "policy-tests.yml").write_text("- {who: joe, what: uptime on web1, expect: allow}\n")
    assert run("policy", "test", folder)[0] == 0
