"""The gate: default deny, device by device, the strictest answer wins."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.errors import UnknownDevice
from automation_bots.model import Caller, Limits, Person, Place, Verdict
from automation_bots.policy import gate
from automation_bots.policy.policy import Policy
from automation_bots.policy.rules import Rule, Words
from automation_bots.policy.scope import Scope
from tests.support.bounds import examples
from tests.support.world import DNS, GROUPS, NOON, PATCH, SERVICE, UNDECLARED, UPTIME, expand, request, scope_of

TEAM = """
people:
  ana: {text: "@ana", groups: [netops]}
  joe: {text: "@joe", groups: [support]}
  bea: {text: "@bea", groups: [admins]}
rules:
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - {name: web, who: support, may: ["service restart *", patch], on: web, when: "Mon-Fri 08:00-18:00", where: ["#ops"]}
  - {name: network, who: netops, may: [patch], on: core, needs: approval by admins}
  - {name: nginx only, who: netops, may: [service], on: web, with: {name: "ng*"}, limit: {devices: 1, rate: 3/min}}
  - {name: hands off, who: support, deny: [everything], on: db}
  - {name: admins, who: admins, may: [everything]}
"""


def decide(tmp_path, *args, now=NOON, **kwargs):
    return gate.decide(scope_of(tmp_path, TEAM, {"ops": "#ops"}), request(*args, **kwargs), now)


@pytest.mark.parametrize(
    ("who", "operation", "devices", "kwargs", "verdict"),
    [
        ("joe", UPTIME, ("web1", "core1"), {}, "allow"),
        ("joe", UPTIME, ("web1", "db1"), {}, "deny"),
        ("joe", UPTIME, ("web1", "vault1"), {}, "deny"),
        ("joe", PATCH, ("web1",), {"where": "#ops"}, "allow"),
        ("joe", PATCH, ("web1",), {}, "deny"),
        ("joe", PATCH, ("web1", "core1"), {"where": "#ops"}, "deny"),
        ("ana", PATCH, ("core1",), {}, "approval"),
        ("ana", SERVICE, ("web1",), {"action": "restart", "name": "nginx"}, "allow"),
        ("ana", SERVICE, ("web1",), {"action": "restart", "name": "sshd"}, "deny"),
        ("ana", SERVICE, ("web1", "web2"), {"action": "restart", "name": "nginx"}, "deny"),
        ("ana", SERVICE, ("db1",), {"action": "status", "name": "sshd"}, "allow"),
        ("ana", UNDECLARED, ("core1",), {}, "deny"),
        ("bea", UNDECLARED, ("core1", "vault1"), {}, "allow"),
        ("joe", DNS, (), {}, "allow"),
        ("eve", UPTIME, ("web1",), {}, "deny"),
        ("joe", UPTIME, (), {}, "deny"),
    ],
)
def test_the_table(tmp_path, who, operation, devices, kwargs, verdict):
    assert decide(tmp_path, who, operation, *devices, **kwargs).verdict == verdict


@pytest.mark.parametrize(
    ("who", "operation", "devices", "kwargs", "sentence"),
    [
        ("eve", UPTIME, ("web1",), {}, "I do not know you. Your id on text is @eve"),
        ("joe", PATCH, ("core1",), {"where": "#ops"}, 'patch on core1 is for netops (rule "network")'),
        ("joe", PATCH, ("web1",), {}, 'allowed only in #ops (rule "web")'),
        ("joe", UPTIME, ("db1",), {}, 'denied by rule "hands off"'),
        ("ana", SERVICE, ("web1",), {"action": "restart", "name": "sshd"}, "allowed only with name ng*"),
        ("ana", UNDECLARED, ("web1",), {}, "is for admins"),
    ],
)
def test_a_refusal_says_why_in_a_sentence(tmp_path, who, operation, devices, kwargs, sentence):
    assert sentence in decide(tmp_path, who, operation, *devices, **kwargs).reason


def test_outside_the_window_it_says_when(tmp_path):
    decision = decide(tmp_path, "joe", PATCH, "web1", where="#ops", now=NOON + timedelta(days=5))
    assert "only at Mon-Fri 08:00-18:00" in decision.reason


def test_a_refusal_never_names_a_device_that_the_person_may_not_see(tmp_path):
    assert "vault1" not in decide(tmp_path, "joe", UPTIME, "vault1").reason


def test_adding_a_lab_host_does_not_skip_approval(tmp_path):
    text = TEAM + "  - {name: lab, who: netops, may: [patch], on: web}\n"
    decision = gate.decide(scope_of(tmp_path, text), request("ana", PATCH, "core1", "web1"), NOON)
    assert decision.verdict is Verdict.APPROVAL


def test_an_unreadable_pattern_allows_nothing_and_denies_everything(tmp_path):
    text = TEAM.replace("on: db", "on: nonsense")
    assert gate.decide(scope_of(tmp_path, text), request("joe", UPTIME, "web1"), NOON).verdict is Verdict.DENY


def test_of_several_limits_the_smallest_counts():
    both = gate.strictest([Limits(devices=5, rate=(10, 60)), Limits(devices=3, concurrent=2)])
    assert both == Limits(devices=3, concurrent=2, rate=(10, 60))


NAMES = st.sampled_from(["ana", "joe", "netops", "support", "everyone"])
RULES = st.builds(
    Rule,
    name=st.text(min_size=1, max_size=3),
    who=st.frozensets(NAMES, max_size=2),
    what=st.tuples(st.sampled_from(["reads", "changes", "everything", "patch", "uptime"]).map(Words)),
    deny=st.booleans(),
    on=st.sampled_from([*GROUPS, "all:!web", "web:db", "unknown"]),
    where=st.sampled_from([(), ("dm",), ("#ops",)]),
)
PEOPLE = (Person("ana", frozenset({"netops"})), Person("joe", frozenset({"support"})))
REQUESTS = st.builds(
    lambda who, operation, devices, where: request(who, operation, *sorted(devices), where=where),
    st.sampled_from(["ana", "joe", "eve"]),
    st.sampled_from([UPTIME, PATCH, UNDECLARED]),
    st.frozensets(st.sampled_from(GROUPS["all"]), min_size=1),
    st.sampled_from(["dm", "#ops", "#other"]),
)


def scope(rules):
    ids = {("text", f"@{person.name}"): person for person in PEOPLE}
    return Scope(Policy({p.name: p for p in PEOPLE}, ids, tuple(rules)), expand)


def allowed_alone(rules, wanted, device):
    """The same question, asked naively: is there a rule that allows this, and none that denies it, on this device?"""
    person = scope(rules).policy.person(wanted.caller)
    verdicts = set()
    for rule in rules:
        try:
            touches = device in expand(rule.on)
        except UnknownDevice:
            touches = rule.deny
        words, declared = rule.what[0].text, wanted.operation.declared
        kinds = {"everything", f"{wanted.operation.risk}s"} if declared else {"everything", "reads", "changes"}
        does = words == wanted.operation.name or ((declared or rule.deny) and words in kinds)
        here = not rule.where or (
            ("dm" in rule.where) == wanted.place.direct and (wanted.place.direct or wanted.place.room in rule.where)
        )
        if person and touches and does and here and rule.who & {person.name, *person.groups, "everyone"}:
            verdicts.add(rule.deny)
    return verdicts == {False}


@settings(max_examples=examples(400))
@given(st.lists(RULES, max_size=6), REQUESTS)
def test_nothing_is_allowed_on_a_device_that_its_person_lacks(rules, wanted):
    decision = gate.decide(scope(rules), wanted, NOON)
    lacking = [device for device in wanted.devices if not allowed_alone(rules, wanted, device)]
    assert (decision.verdict is Verdict.ALLOW) == (not lacking)
    assert set(decision.refused) == set(lacking)


@given(st.lists(RULES, max_size=6), REQUESTS, st.randoms())
def test_the_order_of_rules_means_nothing(rules, wanted, random):
    shuffled = list(rules)
    random.shuffle(shuffled)
    assert gate.decide(scope(rules), wanted, NOON).verdict == gate.decide(scope(shuffled), wanted, NOON).verdict


@given(st.lists(RULES, max_size=6), REQUESTS, st.sampled_from(GROUPS["all"]))
def test_adding_a_device_never_weakens_the_answer(rules, wanted, device):
    order = [Verdict.ALLOW, Verdict.APPROVAL, Verdict.DENY]
    before = gate.decide(scope(rules), wanted, NOON).verdict
    more = request(wanted.caller.id[1:], wanted.operation, *sorted({*wanted.devices, device}))
    more = type(wanted)(wanted.caller, wanted.place, wanted.operation, devices=more.devices)
    assert order.index(gate.decide(scope(rules), more, NOON).verdict) >= order.index(before)


def test_without_a_policy_nobody_may_anything():
    empty = Scope(Policy(), expand)
    assert gate.decide(empty, request("ana", UPTIME, "web1"), NOON).verdict is Verdict.DENY
    assert gate.usable(empty, None, UPTIME, Place("text", "x")) is None
    assert gate.visible(empty, Policy().person(Caller("text", "@ana"))) == frozenset()
