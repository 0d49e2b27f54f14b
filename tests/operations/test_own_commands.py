"""A command of the bot is declared once; what is missing beside the declaration is named here."""

from pathlib import Path

import pytest

from automation_bots.operations.own_commands import GROUPS, OWN, Late, Shown, of_group

PLUGINS = Path(__file__).resolve().parents[2] / "errbot-plugins"


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_a_plugin_that_takes_its_commands(group):
    assert (PLUGINS / group / f"{group}.plug").is_file()
    assert f'@commands_of("{group}")' in (PLUGINS / group / f"{group}.py").read_text()


def test_a_word_is_declared_once():
    assert sum(len(of_group(group)) for group in GROUPS) == len(OWN)


@pytest.mark.parametrize("name", ["device", "person", "audit", "approve", "cancel", "freeze"])
def test_what_may_change_something_is_not_done_late(name):
    assert OWN[name].late is Late.REPEAT


def test_only_a_no_is_taken_from_the_time_when_the_bot_was_away():
    assert {name for name, own in OWN.items() if own.late is Late.REFUSES} == {"deny", "withdraw"}


def test_what_only_some_may_is_not_in_everybodys_help():
    assert {name for name, own in OWN.items() if own.shown is not Shown.EVERYBODY} == {
        "audit",
        "repos",
        "people",
        "review",
        "totp",
        "freeze",
        "rules",
        "rule",
        "unfreeze",
        "lock",
        "unlock",
    }
