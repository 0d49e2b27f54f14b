"""What a rule makes of events: conditions, how often they count, loops, rates."""

from dataclasses import replace

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.rules import throttle
from automation_bots.alerts.rules.judgement import Result
from automation_bots.alerts.rules.throttle import RuleState
from tests.alerts.rules.made import Running, result, rule


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        ("{source: zabbix}", ""),
        ("{source: ZABBIX, what: 'bgp*', text: '*192.0.2.?*'}", ""),
        ("{source: [alertmanager, zabbix]}", ""),
        ("{source: alertmanager}", "source: “zabbix” is not alertmanager"),
        ("{severity: high}", ""),
        ("{severity: warning or worse}", ""),
        ("{severity: critical}", "severity: high is not critical"),
        ("{on: core}", ""),
        ("{on: web}", "on: core1 is not in web"),
        ("{on: gone}", "on: gone means no device or group of the inventory"),
        ("{fields: {team: n*}}", ""),
        ("{fields: {team: db}}", "fields.team: “net” is not db"),
        ("{fields: {owner: '*'}}", "fields.owner: nothing is not *"),
        ("{fields: {owner: absent}}", ""),
        ("{time: Mon 11:00-13:00}", ""),
        ("{time: Tue}", "time: not within Tue"),
        ("{phase: resolved}", "phase: firing is not resolved"),
        ("[{source: other}, {what: 'BGP*'}]", ""),
    ],
)
def test_each_condition_holds_or_says_what_is_so_instead(conditions, why):
    found = Running(rule(conditions)).sees()
    assert (found.result, found.text) == ((Result.NO, why) if why else (Result.ACTS, ""))


def test_brackets_in_a_text_stand_for_themselves():
    assert result(rule("{text: '[FIRING:1]*'}"), text="[FIRING:1] disk") == "acts"
    assert result(rule("{text: '[FIRING:1]*'}"), text="F disk") == "no"


def test_what_is_unknown_never_counts_as_bad_enough_and_that_is_said():
    found = Running(rule("{severity: info or worse}")).sees(severity=Severity.UNKNOWN)
    assert found.text.endswith("how bad it is, its source does not say")


def test_without_a_device_of_the_inventory_no_pattern_holds():
    found = Running(rule("{on: core}")).sees(device="")
    assert "which device it is about (“core1.corp.example”) the inventory does not say" in found.text


def test_unless_leaves_out_what_it_says():
    found = rule(more="unless: [{time: 'Mon 11:00-13:00'}, {fields: {team: db}}]")
    assert (result(found), result(found, minutes=90)) == ("no", "acts")
    assert result(found, minutes=90, fields={"team": "db"}) == "no"


def test_the_end_of_an_alert_is_no_alert_unless_a_rule_says_so():
    assert result(rule(), phase=Phase.RESOLVED) == "no"
    assert result(rule("{phase: resolved}"), phase=Phase.RESOLVED) == "acts"


def test_what_somebody_did_elsewhere_can_be_asked_for():
    found = rule("{phase: updated, done: acknowledged, by: 'a*'}")
    assert result(found, phase=Phase.UPDATED, done="acknowledged", by="ana") == "acts"
    assert result(found, phase=Phase.UPDATED, done="commented", by="ana") == "no"


def test_once_within_acts_for_the_first_one_of_each_group():
    running = Running(rule(more="once_within: 10 minutes by device"))
    assert running.sees(0).result is Result.ACTS
    assert running.sees(9).text == "once within 10 min by device, which was event 1"
    assert running.sees(9, device="core2").result is Result.ACTS
    assert running.sees(10).result is Result.ACTS


def test_once_after_collects_with_the_first_one():
    running = Running(rule(more="once_after: 5 minutes by device"))
    first, second = running.sees(0), running.sees(4)
    assert (first.result, second.result, second.joins) == (Result.ACTS, Result.COLLECTED, 1)
    assert running.sees(5).result is Result.ACTS


def test_accumulate_within_acts_for_as_many_as_it_says_and_begins_anew():
    running = Running(rule(more="accumulate_within: 10 minutes\n  threshold: 3"))
    assert [running.sees(minute).text for minute in (0, 8)] == ["1 of 3 within 10 min", "2 of 3 within 10 min"]
    assert running.sees(11).text == "2 of 3 within 10 min"  # the first one is too long ago
    assert running.sees(12).events == (2, 3, 4)
    assert running.sees(12).text == "1 of 3 within 10 min"


def test_what_is_kept_of_a_rule_reads_back_as_the_same():
    running = Running(rule(more="accumulate_within: 10 minutes by device\n  threshold: 3"))
    running.sees(0)
    assert throttle.read(running.state.kept()) == running.state
    assert throttle.read({}) == RuleState()


def test_strangers_who_invent_groups_fill_no_memory():
    running = Running(rule(more="once_within: 1 hour by what\n  rate: 100000/hour"))
    for number in range(1_001):
        found = running.sees(what=f"made up {number}")
    assert (len(running.state.groups), found.result) == (1_000, Result.HELD)
    assert "more than 1000 different ones" in found.text
    assert running.sees(61, what="later").result is Result.ACTS


def test_a_rule_acts_only_so_often_and_that_is_told_once():
    running = Running(rule(more="rate: 2/min"))
    found = [running.sees() for _ in range(5)]
    assert [one.result.value for one in found] == ["acts", "acts", "too often", "too often", "too often"]
    assert [one.tell for one in found] == [False, False, True, False, False]
    assert running.sees(1.1).result is Result.ACTS


def test_what_a_rule_started_never_starts_it_again():
    assert result(rule(), origin=("one",)) == "loop"
    assert result(rule(), origin=("other",)) == "acts"


def test_rules_that_start_each_other_end_after_three():
    running = Running(rule())
    found = running.sees(origin=("a", "b", "c"))
    assert (found.result, found.tell) == (Result.LOOP, True)
    assert "3 rules in a row (a → b → c)" in found.text


def test_a_paused_rule_counts_nothing_and_a_dry_one_counts_as_if_it_acted():
    paused, dry = (
        Running(rule(), paused="by ana: too loud"),
        Running(replace(rule(more="once_within: 1 hour"), dry=True)),
    )
    assert paused.sees().text == "by ana: too loud"
    assert [dry.sees(minute).result for minute in (0, 1)] == [Result.DRY, Result.HELD]
    assert Running(rule(), dry=True).sees().result is Result.DRY
