"""Who may approve and when it is enough: tables, and random policies and people."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.model import ApprovalRequirement, Caller, Job, Person, Place, Risk, State, Verdict
from automation_bots.policy import deadlines, gate, quorum
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.approval_rule import ApprovalFile, escalation, short_form
from automation_bots.policy.people import Additions, IdentityLink, merge
from automation_bots.policy.policy import Policy
from automation_bots.policy.rules import Rule, Words
from automation_bots.policy.scope import Scope
from tests.support.bounds import examples
from tests.support.world import GROUPS, NOON, PATCH, expand, policy_of, request

pytestmark = pytest.mark.slow

GROUP = ("a", "b", "c")
NAMES = ("p0", "p1", "p2", "p3", "p4", "p5")


def ids_of(name):
    return {"text": f"@{name}", "irc": f"{name}_"}


people = st.tuples(
    *(
        st.builds(Person, st.just(name), st.frozensets(st.sampled_from(GROUP)), st.just(ids_of(name)), st.booleans())
        for name in NAMES
    )
)
needs = st.lists(
    st.builds(
        ApprovalRequirement,
        rule=st.sampled_from(("r1", "r2", "r3")),
        by=st.lists(st.sampled_from((*GROUP, "p1")), min_size=1, max_size=2, unique=True).map(tuple),
        quorum=st.integers(1, 3),
        escalate=st.sampled_from(("", "c")),
        different=st.booleans(),
        after=st.just(60.0),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda need: need.rule,
).map(tuple)
clicks = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(("text", "irc"))), max_size=12)


def policy_with(everybody):
    ids = {(network, id_): person for person in everybody for network, id_ in person.ids.items()}
    return Policy({person.name: person for person in everybody}, ids)


def job_of(name="p0", network="text"):
    caller = Caller(network, ids_of(name)[network])
    return Job(
        number=1, state=State.WAITING, person=name, caller=caller, place=Place("text", "ops"), operation="patch",
        parameters={}, pattern="web", devices=("web1",), risk=Risk.CHANGE, drivers=(),
    )  # fmt: skip


def cast(policy, job, approval, wanted):
    """Click as approvals.approve does: those that count are kept, a second one of a person is not."""
    votes = []
    for name, network in wanted:
        caller = Caller(network, ids_of(name)[network])
        person = policy.person(caller)
        if not quorum.refusal(person, caller, policy, job, approval) and person.name not in [v.person for v in votes]:
            votes.append(Vote(person.name, caller, NOON))
    return tuple(votes)


links = st.lists(st.builds(IdentityLink, st.just("irc"), st.sampled_from("vwxyz"), st.sampled_from(NAMES)), max_size=8)


@given(people, needs, links)
def test_whatever_is_linked_nobody_approves_with_any_id_what_they_asked_for_with_another(everybody, wanted, linked):
    policy = merge(policy_with(everybody), Additions(tuple(linked)))
    votes = [Vote(person.name, Caller(*key), NOON) for key, person in policy.ids.items()]
    for key, person in policy.ids.items():
        job = replace(job_of(person.name), caller=Caller(*key))
        assert not [
            need for need in wanted if person.name in quorum.valid(votes, policy, job, need, ("r1", "r2", "r3"))
        ]


@given(people, needs, clicks, st.sampled_from(NAMES), st.booleans())
@settings(max_examples=examples(400))
def test_what_is_met_is_met_by_enough_other_persons_who_are_asked(everybody, wanted, clicked, who, late):
    policy, job = policy_with(everybody), job_of(who)
    approval = Approval(1, "d", wanted, escalated=tuple(n.rule for n in wanted if n.escalate) if late else ())
    votes = cast(policy, job, approval, clicked)
    for vote in votes:
        assert vote.person != who
        assert not policy.people[vote.person].robot
    if not quorum.lacking(wanted, votes, policy, job, approval.escalated):
        for need in wanted:
            asked = need.asked(approval.escalated)
            persons = {v.person for v in votes if quorum.is_asked(policy.people[v.person], asked)}
            assert len(persons - {who}) >= need.quorum


@given(people, needs, clicks)
@settings(max_examples=examples(200))
def test_votes_of_who_left_or_became_a_robot_do_not_count(everybody, wanted, clicked):
    job, approval = job_of(), Approval(1, "d", wanted)
    votes = cast(policy_with(everybody), job, approval, clicked)
    gone = policy_with([Person(p.name, p.groups, p.ids, robot=True) for p in everybody])
    assert quorum.lacking(wanted, votes, gone, job)
    assert quorum.lacking(wanted, votes, Policy(), job)


@given(people, needs, clicks, needs)
@settings(max_examples=examples(200))
def test_more_rules_never_make_it_easier(everybody, wanted, clicked, more):
    policy, job = policy_with(everybody), job_of()
    votes = cast(policy, job, Approval(1, "d", (*wanted, *more)), clicked)
    if not quorum.lacking((*wanted, *more), votes, policy, job):
        assert not quorum.lacking(wanted, votes, policy, job)
    assert deadlines.deadline((*wanted, *more), 60, NOON) <= deadlines.deadline(wanted, 60, NOON)


def test_a_rule_that_wants_different_people_gets_them():
    both = [
        Person(name, frozenset(groups), ids_of(name)) for name, groups in {"p1": "ab", "p2": "a", "p3": "b"}.items()
    ]
    policy, job = policy_with(both), job_of()
    wanted = (ApprovalRequirement("r1", ("a",)), ApprovalRequirement("r2", ("b",), different=True))
    votes = cast(policy, job, Approval(1, "d", wanted), [("p1", "text"), ("p2", "text")])
    assert [need.rule for need, _ in quorum.lacking(wanted, votes[:1], policy, job)] == ["r2"]
    assert quorum.lacking(wanted, votes, policy, job) == []  # p1 for b, since p2 can only be for a
    assert quorum.lacking((wanted[0], replace(wanted[1], different=False)), votes[:1], policy, job) == []
    alone = policy_with(both[:1])
    assert 'rule "r2" wants approval by b by other people' in quorum.impossible(wanted, alone, job)


@given(people, needs)
@settings(max_examples=examples(200))
def test_what_everybody_together_can_meet_is_not_called_impossible_and_the_other_way_round(everybody, wanted):
    policy, job = policy_with(everybody), job_of()
    every = tuple(n.rule for n in wanted)
    votes = cast(policy, job, Approval(1, "d", wanted, escalated=every), [(name, "text") for name in NAMES])
    assert bool(quorum.lacking(wanted, votes, policy, job, every)) == bool(quorum.impossible(wanted, policy, job))


rules = st.lists(
    st.builds(
        Rule,
        name=st.integers(0, 10**6).map(str),
        who=st.frozensets(st.sampled_from((*GROUP, "everyone")), min_size=1),
        what=st.just((Words("everything"),)),
        deny=st.booleans(),
        on=st.sampled_from(("all", "web", "db", "core", "web1", "all:!db")),
        approvers=st.sampled_from(((), (), ("a",), ("b",))),
    ).map(lambda rule: rule if not rule.deny else Rule(rule.name, rule.who, rule.what, deny=True, on=rule.on)),
    max_size=6,
    unique_by=lambda rule: rule.name,
)
ORDER = [Verdict.ALLOW, Verdict.APPROVAL, Verdict.DENY]


@given(people, rules, st.lists(st.sampled_from(GROUPS["all"]), min_size=1, unique=True), st.sampled_from(GROUPS["all"]))
@settings(max_examples=examples(300))
def test_one_more_device_never_needs_less(everybody, found, devices, more):
    known = policy_with(everybody)
    scope = Scope(Policy(known.people, known.ids, tuple(found)), expand)
    few, many = (
        gate.decide(scope, request("p0", PATCH, *names), NOON) for names in (devices, dict.fromkeys([*devices, more]))
    )
    assert ORDER.index(many.verdict) >= ORDER.index(few.verdict)
    assert many.verdict is Verdict.DENY or set(few.needs) <= set(many.needs)


# -- what is written in files and typed


def test_the_long_form_is_read_as_it_stands_in_the_policy(tmp_path):
    rule = "{name: r, who: x, may: [patch], approval: {by: leads, quorum: 2, within: 4h, escalate: managers after 1h}}"
    [found] = policy_of(tmp_path, f"people: {{}}\nrules: [{rule}]\n").rules
    assert found.need == ApprovalRequirement("r", ("leads",), 2, 14400.0, "managers", 3600.0)
    assert found.approvers == ("leads",)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"by": "leads", "quorum": 0}, "greater than or equal to 1"),
        ({"by": "leads", "within": "soon"}, "'soon' is no length of time"),
        ({"by": "leads", "within": "1h", "escalate": "managers after 2h"}, "comes after the end"),
        ({"by": "leads", "within": "1h", "escalate": "managers"}, "is no escalation"),
        ({"by": []}, "name the group"),
        ({"by": "leads", "colour": "red"}, "Extra inputs"),
    ],
)
def test_a_wrong_long_form_says_what_is_wrong(fields, why):
    with pytest.raises(ValueError, match=why):
        ApprovalFile.model_validate(fields)


def test_short_forms_are_read():
    assert short_form("approval by leads, dba or night-shift") == ("leads", "dba", "night-shift")
    assert escalation("managers after 1h") == ("managers", 3600)
