"""Rules and events for tests, from a few words."""

import textwrap
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automation_bots.alerts.event import Phase, ReportedEvent, Severity, StoredEvent
from automation_bots.alerts.rules import rulebook
from automation_bots.alerts.rules.judgement import Circumstances, judge
from automation_bots.alerts.rules.throttle import RuleState
from automation_bots.policy.time_window import window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
GROUPS = {"core": frozenset({"core1", "core2"}), "web": frozenset({"web1", "web2"})}
LOST = ReportedEvent(
    "zabbix", "zabbix", "BGP neighbour lost", NOON, Phase.FIRING, Severity.HIGH, "core1", "core1.corp.example",
    "BGP session to 192.0.2.7 is down", "f1", NOON, fields={"peer": "192.0.2.7", "team": "net"},
)  # fmt: skip


def windows(text):
    return (window(text, "UTC"),)


def book(text):
    return rulebook.read(Path("rules.yml"), textwrap.dedent(text), windows)


def rule(conditions="{source: zabbix}", more="", do='{post: "#ops"}'):
    (found,) = book(f"- name: one\n  when: {conditions}\n  do: {do}\n  {more}\n").rules
    return found


def event(number=1, minutes=0.0, **fields):
    return StoredEvent(number, replace(LOST, at=NOON + timedelta(minutes=minutes), **fields), alert=number)


class Running:
    """One rule and what is kept of it."""

    def __init__(self, found, **around):
        self.rule, self.state, self.number = found, RuleState(), 0
        self.around = Circumstances(NOON, GROUPS.get, **around)

    def sees(self, minutes=0.0, **fields):
        self.number += 1
        judgement, self.state = judge(self.rule, event(self.number, minutes, **fields), self.state, self.around)
        return judgement


def result(found, **fields):
    return Running(found).sees(**fields).result.value
