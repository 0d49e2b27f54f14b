"""Which of what the bot itself tells is kept because a rule asks for it."""

import pytest

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.rules.matching import asks_for
from tests.alerts.rules.made import GROUPS, NOON, rule

JOB = ReportedEvent("bot", "job", "backup", NOON, Phase.SINGLE, Severity.WARNING, "core1", fields={"state": "failed"})


@pytest.mark.parametrize(
    ("conditions", "asked"),
    [
        ("{source: bot}", True),
        ("{kind: job, fields: {state: failed}, on: core}", True),
        ("{kind: job, fields: {state: done}}", False),
        ("{kind: job, on: web}", False),
        ("{severity: warning}", False),
        ("{kind: monitor}", False),
    ],
)
def test_a_rule_asks_for_what_it_names_by_source_or_kind(conditions, asked):
    assert asks_for(rule(conditions), JOB, NOON, GROUPS.get) is asked
