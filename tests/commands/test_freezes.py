"""Freezes, locks, emergencies and confirmations, typed into a real bot."""

import re

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import State
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

POLICY = """
timezone: Europe/Madrid
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web]}
  kim: {test: kim, groups: [web]}
  eva: {test: eva, groups: [oncall]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - {name: web team, who: web, may: [service, lock, freeze], on: web, limit: {devices: 2, above: confirm}}
  - {name: break glass, who: oncall, may: ["service restart *"], on: web, emergency: true}
  - {name: reviewers, who: web, may: [review]}
"""
RESTART = "!service restart nginx on"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_folder(tmp_path_factory.mktemp("freezes"), policy=POLICY)


@pytest.fixture(scope="module")
def running(folder):
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        yield chat


@pytest.fixture
def chat(running):
    yield running
    running.asks("!unfreeze all", "Everything|changed", who="ana")
    running.asks("!unlock all", "Everything|changed", who="ana")


def test_a_freeze_refuses_changes_of_everybody_with_who_until_when_and_why(chat):
    assert "web1, web2, web3 frozen for changes until" in chat.asks("!freeze web until 2h audit week", who="joe")
    for who in ("joe", "ana"):
        said = chat.asks(f"{RESTART} web1", who=who)
        assert said.startswith("No: web1 is frozen by joe until ")
        assert re.search(r"until \d{4}-\d\d-\d\d \d\d:\d\d CES?T: audit week", said)
    assert "uptime on web1" in chat.asks("!uptime on web1", "done in", who="kim")


@pytest.mark.parametrize(
    ("time", "reason"),
    [("1d 12h", "new switch"), ("in 90 min", "5 new racks"), ("Mon 23:00", "BGP"), ('"18:00"', "Friday rollout")],
)
def test_no_word_of_a_time_is_lost_in_the_reason(chat, time, reason):
    said = chat.asks(f"!freeze web1 until {time} {reason}", "frozen", who="joe")
    assert re.search(rf"frozen for changes until \d{{4}}-\d\d-\d\d \d\d:\d\d CES?T: {reason}\.\n", said)


def test_what_is_frozen_is_shown_wherever_one_looks_for_it(chat):
    chat.asks("!freeze web1 until tomorrow 08:00 audit", "frozen", who="joe")
    for line in ("!locks", "!queue", "!device web1"):
        assert "by joe" in chat.asks(line, "web1", who="kim"), line


def test_a_freeze_is_taken_away_by_its_owner_or_an_admin(chat):
    chat.asks("!freeze web1 until 18:00 audit", "frozen", who="joe")
    assert "No: it is frozen by joe" in chat.asks("!unfreeze web1", who="kim")
    assert "web1 can be changed again" in chat.asks("!unfreeze web1", who="joe")
    chat.asks(f"{RESTART} web1", "done in", who="joe")


def test_only_whom_a_rule_names_may_freeze_and_only_there(chat):
    assert "No: freeze" in chat.asks("!freeze web until 18:00 why not", who="eva")
    assert "No: freeze" in chat.asks("!freeze all until 18:00 why not", who="joe")
    assert "No device or group 'vault'" in chat.asks("!freeze vault until 18:00 why not", who="joe")
    assert "Everything frozen" in chat.asks("!freeze all until 18:00 end of year", who="ana")
    assert "No: db1 is frozen by ana" in chat.asks(f"{RESTART} db1", who="ana")


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("!freeze", "→ !freeze <devices> until <time> <reason>"),
        ("!freeze web audit", "Until when?"),
        ("!freeze web until soon audit", "'soon audit' is no time"),
        ("!freeze web until 2001-01-01 audit", "is over"),
        ("!freeze web until 18:00", "Why?"),
        ("!freeze web until 18:00 Friday rollout", "Until when? is 'Friday' part of the time"),
        ("!freeze nowhere until 18:00 audit", "No device or group 'nowhere'"),
        ("!unlock web2", "web2 is not locked"),
        ("!review 999 x", "There is no job #999"),
        ("!continue 999", "There is no job #999"),
    ],
)
def test_a_wrong_line_is_answered_with_the_right_one(chat, line, answer):
    assert answer in chat.asks(line, who="joe")


def test_a_lock_keeps_others_away_but_not_its_owner(chat):
    assert "web1 locked for changes: tests" in chat.asks("!lock web1 tests", "locked", who="joe")
    assert "No: web1 is locked by joe: tests" in chat.asks(f"{RESTART} web1", who="kim")
    chat.asks(f"{RESTART} web1", "done in", who="joe")
    assert "No: web1 is locked by joe: tests" in chat.asks("!lock web mine", who="kim")
    assert "No: it is locked by joe" in chat.asks("!unlock web1", who="kim")


def test_an_admin_takes_a_lock_over(chat):
    chat.asks("!lock web1 tests", "locked", who="joe")
    assert "taken from joe" in chat.asks("!lock web1 repair", who="ana")
    assert "locked by ana: repair" in chat.asks(f"{RESTART} web1", who="joe")


def test_a_bigger_request_is_done_when_its_size_is_typed(chat):
    assert "3 devices (web1, web2, web3)" in chat.asks(f"{RESTART} web", "Type 3 to go on", who="kim")
    chat.asks("3", "#[0-9]+ service restart nginx on web1, web2, web3 done", who="kim")
    chat.asks(f"{RESTART} web", "Type 3 to go on", who="kim")
    assert "Nothing was done" in chat.asks("2", "Nothing was done", who="kim")


def test_break_glass_passes_a_freeze_pages_the_admins_and_asks_for_a_review(chat):
    chat.asks("!freeze all until 18:00 end of year", "Everything frozen", who="ana")
    chat.asks(f"{RESTART} web1", "No: service on web1", who="eva")
    chat.asks(f'{RESTART} web1 --emergency "site is down"', "EMERGENCY: eva runs #[0-9]+ .*: site is down", who="eva")
    number = chat.jobs[0].number
    wait(lambda: chat.automation.store.job(number).state is State.DONE, 10)
    assert "site is down" in chat.asks("!reviews", "to review", who="kim")
    assert "No: somebody else than eva" in chat.asks(f"!review {number} all fine", who="eva")
    assert "is written" in chat.asks(f"!review {number} was right, now in the playbook", who="kim")
    assert "reviewed by kim" in chat.asks(f"!review {number} again", who="ana")
    assert "No emergency waits" in chat.asks("!reviews", who="ana")


def test_an_emergency_is_for_those_whom_a_rule_lets(chat):
    assert 'is for oncall (rule "break glass")' in chat.asks(f'{RESTART} web1 --emergency "I am late"', who="joe")


def test_a_freeze_stops_what_was_accepted_before_it(chat):
    fake = chat.automation.dispatcher._context.drivers["fake"].behind
    fake.seconds = {"web1": 1.5}
    chat.asks(f"{RESTART} web1", "#", who="joe")
    chat.asks(f"{RESTART} web1", "waits for web1", who="kim")
    chat.asks("!freeze web1 until 18:00 audit", "frozen", who="ana")
    fake.seconds = 0
    chat.hears("by now: web1 is frozen by ana")


def test_why_says_which_rules_decided_and_what_failed(chat):
    chat.asks(f"{RESTART} db1", "No:", who="joe")
    assert "on: not db1" in chat.asks("!why", '"web team"', who="joe")
    chat.asks(f"{RESTART} web1", "done in", who="joe")
    number = chat.jobs[0].number
    assert "was allowed to" in chat.asks(f"!why {number}", "allowed", who="ana")
    assert "There is no refusal r1." in chat.asks("!why r1", who="joe")


def test_can_is_answered_for_somebody_else_only_to_admins(chat):
    assert "Yes: service" in chat.asks("!can service restart nginx on web1 for joe", who="ana")
    assert "No: service on db1" in chat.asks("!can service restart nginx on db1 for kim", who="ana")
    assert "'for'" in chat.asks("!can service restart nginx on web1 for kim", who="joe")


@pytest.mark.parametrize("pattern", ["v*", "vault1", "~v.*", "vault", "nosuch*"])
def test_a_hidden_device_is_as_unknown_as_one_that_does_not_exist(chat, pattern):
    said = chat.asks(f"!uptime on {pattern}", who="joe")
    assert said.replace(pattern, "X").startswith("No device or group 'X'.")
    assert "vault" not in said.replace(pattern, "X")


def test_a_wildcard_finds_no_hidden_device(chat):
    for line in (
        "!uptime on web1,v*",
        "!uptime on all",
        "!can uptime on *",
        "!devices *",
        "!devices",
        "!status",
        "!about",
    ):
        assert "vault" not in chat.asks(line, who="joe"), line
    assert "4 devices" in chat.asks("!about", who="joe")


def test_freezes_locks_and_reviews_outlive_a_restart(tmp_path):
    folder = write_folder(tmp_path, policy=POLICY)
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        chat.asks("!freeze web1 until tomorrow 08:00 audit", who="joe")
        chat.asks("!lock web2 tests", who="joe")
        chat.asks(f'{RESTART} web3 --emergency "down"', "#1", who="eva")
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        assert "frozen by joe" in chat.asks(f"{RESTART} web1", who="kim")
        assert "locked by joe" in chat.asks(f"{RESTART} web2", who="kim")
        assert "down" in chat.asks("!reviews", who="kim")


def test_what_an_operation_takes_is_told_only_to_whom_it_is_for(chat):
    assert chat.asks("!service restart nginx colour=red on web1", who="eva").startswith("service has no parameter")
    for line in ("!patch colour=red on web1", "!patch batch=many on web1"):
        said = chat.asks(line, "No:|parameter|batch", who="kim")
        assert said.startswith("No: patch"), said


def test_what_a_job_printed_can_be_read_while_its_devices_are_frozen(chat):
    chat.asks(f"{RESTART} web1", "done in", who="joe")
    number = chat.jobs[0].number
    chat.asks("!freeze web until 2h audit", "frozen", who="ana")
    assert "No:" not in chat.asks(f"!job {number} output", f"#{number}", who="kim")


def test_who_floods_hears_when_to_try_again(tmp_path):
    policy = POLICY.replace("may: [reads],", "may: [reads], limit: {rate: 1/min},")
    folder = write_folder(tmp_path, policy=policy, toml='name = "netbot"\nbackend = "Test"\n[limits]\nqueued = 2\n')
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        chat.asks("!uptime on web1", "done", who="joe")
        chat.asks("!uptime on web1", "#2 .* waits [0-9]+ s: the rule may start 1 jobs in 60 s", who="joe")
        chat.asks("!uptime on web1", "#3 .* waits", who="joe")
        chat.asks(
            "!uptime on web1", r"You have 2 jobs waiting, which is the limit\. Try again in [0-9]+ s\.", who="joe"
        )
