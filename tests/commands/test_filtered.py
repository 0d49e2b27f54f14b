"""Filters behind the bot's own lists."""

import pytest

from automation_bots.commands.context import CommandCall
from automation_bots.commands.filtered import filtered
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Caller, Place
from automation_bots.operations.own_commands import OWN

JOBS = [f"#{number} done · uptime on {'web' if number % 2 else 'db'}{number} · ana" for number in range(60)]


def jobs(ask: CommandCall) -> Answer:
    return Answer(f"{ask.line or 'all'} jobs:", "\n".join(JOBS[: ask.most(20)]), "→ !job <n>")


def said(line: str) -> Answer:
    answer = filtered(jobs)(CommandCall(Caller("test", "ana"), Place("test", "room"), line))
    assert answer is not None
    return answer


@pytest.mark.parametrize(
    ("line", "block"),
    [
        ("mine | include #41", JOBS[41]),
        ("mine |i web5|web9 | exclude ^#5", JOBS[9]),
        ("| count", "Number of lines which match regexp = 60"),
        ("| include nothing", "(no line of it)"),
    ],
)
def test_a_list_of_the_bot_goes_through_the_filters_of_a_router_whole(line, block):
    assert said(line).block == block


def test_without_a_filter_a_list_is_as_it_was():
    assert said("mine") == Answer("mine jobs:", "\n".join(JOBS[:20]), "→ !job <n>")


@pytest.mark.parametrize("line", ["| columns name", "| grep web", "| include"])
def test_what_is_no_filter_of_a_list_is_refused_in_words(line):
    with pytest.raises(BadCommand, match="include"):
        said(line)


def test_lists_take_filters_and_what_changes_something_takes_none():
    assert {name for name, own in OWN.items() if own.filtered} >= {"jobs", "queue", "devices", "audit", "pending"}
    assert not [own for own in OWN.values() if own.filtered and own.group in {"approvals"} and own.name != "pending"]
