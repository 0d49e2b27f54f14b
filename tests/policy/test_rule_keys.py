"""A key of a rule is declared in the schema; what forgets it is named here."""

import pytest
import yaml

from automation_bots.model import Verdict
from automation_bots.policy import explain, gate
from automation_bots.policy.schema import RuleFile
from tests.support.world import NOON, SERVICE, policy_of, request, scope_of

PEOPLE = {"ana": {"text": "@ana", "groups": ["web-team", "admins"]}}
RULE = {"name": "r", "who": "web-team", "may": ["service"]}
# A value of each key that lets less through, or asks for more, than the rule above.
OTHER = {
    "name": "s",
    "who": ["joe"],
    "may": ["patch"],
    "deny": ["service"],
    "on": "db",
    "where": ["#ops"],
    "when": ["Sat 22:00-23:00"],
    "with": {"name": ["sshd"]},
    "needs": "approval by admins",
    "approval": {"by": ["admins"]},
    "limit": {"devices": 1},
    "reauth": {"within": "5m"},
    "emergency": True,
}
ASKED = request("ana", SERVICE, "web1", "web2", action="restart", name="nginx")


def written(**changed):
    rule = {**RULE, **changed}
    if "deny" in changed:
        del rule["may"]
    return yaml.safe_dump({"people": PEOPLE, "rules": [rule]})


def test_every_key_of_the_schema_has_a_value_to_try():
    assert set(OTHER) == {info.alias or name for name, info in RuleFile.model_fields.items()}


@pytest.mark.parametrize("key", OTHER)
def test_what_stands_behind_a_key_reaches_the_rule(tmp_path, key):
    plain = policy_of(tmp_path, written()).rules
    assert policy_of(tmp_path, written(**{key: OTHER[key]})).rules != plain


@pytest.mark.parametrize("key", sorted(set(OTHER) - {"name"}))
def test_a_key_that_is_not_met_changes_the_decision(tmp_path, key):
    decided = [gate.decide(scope_of(tmp_path, text), ASKED, NOON) for text in (written(), written(**{key: OTHER[key]}))]
    assert decided[0].verdict is Verdict.ALLOW
    assert decided[0] != decided[1]


@pytest.mark.parametrize("key", sorted(set(OTHER) - {"name"}))
def test_a_key_that_refuses_is_named_to_whom_asks_why(tmp_path, key):
    scope = scope_of(tmp_path, written(**{key: OTHER[key]}))
    # A proof is asked for in the refusal itself; a rule about something else explains nothing.
    if gate.decide(scope, ASKED, NOON).verdict is Verdict.DENY and key not in {"deny", "may", "reauth"}:
        (look,) = explain.explain(scope, ASKED, scope.policy.people["ana"], NOON)
        assert key in dict(look.failed)


@pytest.mark.parametrize("key", ["needs", "approval", "limit", "reauth", "emergency"])
def test_a_rule_that_asks_for_more_adds_something_to_any_other(tmp_path, key):
    (rule,) = policy_of(tmp_path, written(**{key: OTHER[key]})).rules
    assert rule.demands


@pytest.mark.parametrize("key", ["where", "when", "with", "on"])
def test_a_rule_that_only_speaks_of_less_does_not(tmp_path, key):
    (rule,) = policy_of(tmp_path, written(**{key: OTHER[key]})).rules
    assert not rule.demands
