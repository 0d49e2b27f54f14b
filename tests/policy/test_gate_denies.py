"""A rule that denies takes whatever could be meant, and what it takes away is not shown either."""

from dataclasses import replace

import pytest

from automation_bots.errors import ConfigError
from automation_bots.model import Operation, Parameter, Place, Verdict
from automation_bots.operations.catalog import SSH
from automation_bots.policy import gate
from tests.support.world import DNS, NOON, PATCH, SERVICE, UNDECLARED, UPTIME, policy_of, request, scope_of

BASE = """
people:
  joe: {text: "@joe", groups: [support]}
rules:
  - {name: base, who: support, may: [reads, changes, strange]}
"""
PORTS = Operation("ports", "h", parameters=(Parameter("open", "list"), Parameter("force", "bool", required=False)))
RUN = Operation("run", "h", parameters=(Parameter("command", rest=True),))
VERB = replace(UPTIME, name="verb", driver="")


def verdict(tmp_path, rule, operation, *devices, driver=lambda _device: "", **values):
    scope = replace(scope_of(tmp_path, BASE + f"  - {{name: no, who: support, {rule}}}\n"), driver=driver)
    return gate.decide(scope, request("joe", operation, *devices, **values), NOON).verdict


@pytest.mark.parametrize(
    ("rule", "operation", "values"),
    [
        ("deny: [everything]", UNDECLARED, {}),
        ("deny: [changes]", UNDECLARED, {}),
        ("deny: [reads]", UNDECLARED, {}),
        ('deny: ["str*"]', UNDECLARED, {}),
        ('deny: [ports], with: {open: "22"}', PORTS, {"open": ("22", "80")}),
        ("deny: [ports], with: {force: yes}", PORTS, {"open": ("80",), "force": True}),
        ('deny: ["service restart nginx"]', replace(SERVICE, parameters=(*SERVICE.parameters, Parameter("more"))),
         {"action": "restart", "name": "nginx", "more": "x"}),
        ('deny: ["run reload *"]', RUN, {"command": ("reload in 5",)}),
        ('deny: ["run reload"]', RUN, {"command": ("reload", "now")}),
        ('deny: ["run reload *"]', SSH, {"command": ("reload in 5",)}),
        ("deny: [run]", SSH, {"command": ("reload",)}),
        ('deny: ["ssh reload *"]', SSH, {"command": ("reload", "now")}),
        ('deny: ["driver:ssh"]', VERB, {}),
    ],
)  # fmt: skip
def test_a_denying_rule_bites(tmp_path, rule, operation, values):
    assert verdict(tmp_path, rule, operation, "web1", **values) is Verdict.DENY


@pytest.mark.parametrize(("driver", "expected"), [("ssh", Verdict.DENY), ("ansible", Verdict.ALLOW)])
def test_a_denied_driver_is_looked_up_where_an_operation_leaves_it_to_the_device(tmp_path, driver, expected):
    assert verdict(tmp_path, 'deny: ["driver:ssh"]', VERB, "web1", driver=lambda _device: driver) is expected


@pytest.mark.parametrize("on", ["all", "web:db:core:vault", "nonsense"])
def test_denying_on_every_device_denies_what_has_no_devices(tmp_path, on):
    assert verdict(tmp_path, f'deny: [dns], on: "{on}"', DNS) is Verdict.DENY


def test_denying_on_some_devices_says_nothing_of_what_has_no_devices(tmp_path):
    assert verdict(tmp_path, "deny: [dns], on: db", DNS) is Verdict.ALLOW


def test_an_unreadable_pattern_allows_nothing_without_devices_either(tmp_path):
    scope = scope_of(tmp_path, BASE.replace("strange]", "strange], on: nonsense"))
    assert gate.decide(scope, request("joe", DNS), NOON).verdict is Verdict.DENY


def test_words_are_compared_in_declared_order_whatever_order_the_values_come_in(tmp_path):
    scope = scope_of(tmp_path, BASE.replace("reads, changes, strange", "service restart *"))
    assert gate.decide(scope, request("joe", SERVICE, "web1", name="x", action="restart"), NOON).verdict == "allow"
    assert gate.decide(scope, request("joe", SERVICE, "web1", name="restart", action="x"), NOON).verdict == "deny"


@pytest.mark.parametrize("rule", ["deny: [everything], on: vault", "deny: [uptime], on: vault"])
def test_what_is_denied_is_not_offered(tmp_path, rule):
    scope = scope_of(tmp_path, BASE + f"  - {{name: no, who: support, {rule}}}\n")
    person = scope.policy.people["joe"]
    assert "vault1" not in gate.usable(scope, person, UPTIME, Place("text", "x"))


def test_who_is_denied_everything_by_an_unreadable_rule_sees_no_device(tmp_path):
    scope = scope_of(tmp_path, BASE + "  - {name: no, who: support, deny: [everything], on: nonsense}\n")
    assert gate.visible(scope, scope.policy.people["joe"]) == frozenset()
    assert gate.usable(scope, scope.policy.people["joe"], PATCH, Place("text", "x")) is None


@pytest.mark.parametrize(("old", "new"), [("[reads, ", '["", '), ("strange]", "strange], limit: {rate: 0/min}")])
def test_what_would_break_a_decision_later_stops_the_reading(tmp_path, old, new):
    with pytest.raises(ConfigError):
        policy_of(tmp_path, BASE.replace(old, new))


def test_a_read_stays_allowed_beside_a_denied_change(tmp_path):
    assert verdict(tmp_path, "deny: [changes]", UPTIME, "web1") is Verdict.ALLOW
