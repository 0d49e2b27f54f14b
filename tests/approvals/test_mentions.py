"""Whom approvers' messages call: those who may approve, have not, and are there. Tables."""

from dataclasses import replace

from automation_bots.approvals.mentions import MOST, Wanted
from automation_bots.model import Answer, ApprovalRequirement, Caller, Job, Person, Place, Risk, State
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.policy import Policy
from tests.support.world import NOON

OPS, LEADS = Place("slack", "C0OPS"), Place("slack", "C0LEADS")
EYES = ApprovalRequirement("eyes", ("leads",), quorum=2)
BOSS = ApprovalRequirement("boss", ("managers",), escalate="leads")
JOE = Caller("slack", "U0JOE")
JOB = Job(7, State.WAITING, "joe", JOE, OPS, "patch", {}, "web", ("web1",), Risk.CHANGE, ())


def people(*more):
    return (
        Person("joe", frozenset({"leads"}), {"slack": "U0JOE"}),
        Person("kim", frozenset({"leads"}), {"slack": "U0KIM"}),
        Person("lee", frozenset({"leads", "managers"}), {"slack": "U0LEE"}),
        Person("max", frozenset({"managers"}), {"matrix": "@max:lab.test"}),
        Person("bob", frozenset({"leads"}), {"slack": "U0BOB"}, robot=True),
        *more,
    )


def calling(*needs, asked=None, place=OPS, votes=(), more=(), known=(), takes=lambda *_: True):
    everybody = people(*more)
    ids = {(network, id_): person for person in everybody for network, id_ in person.ids.items()}
    policy = Policy({person.name: person for person in everybody}, ids)
    approval = Approval(7, "", needs=needs, votes=votes)
    wanted = Wanted(JOB, approval, policy, takes, known)
    return wanted.calling(Answer("#7 asks"), asked or {place: needs}, place)


def called(*needs, **how):
    return [one.name for one in calling(*needs, **how).mentions]


def test_who_may_approve_is_called_and_not_who_asked_a_robot_or_somebody_of_another_network():
    assert calling(EYES, BOSS).mentions == calling(EYES).mentions
    assert [one.account for one in calling(EYES).mentions] == ["U0KIM", "U0LEE"]


def test_who_has_approved_is_not_called_again():
    vote = Vote("kim", Caller("slack", "U0KIM"), NOON)
    assert called(EYES, votes=(vote,)) == ["lee"]


def test_nobody_is_called_with_an_account_that_approves_nothing():
    assert called(EYES, takes=lambda account, name: account.id != "U0KIM") == ["lee"]


def test_of_two_rooms_each_person_is_called_in_one():
    rooms = {LEADS: [EYES], OPS: [BOSS]}
    assert called(EYES, BOSS, asked=rooms, place=LEADS) == ["kim", "lee"]
    assert called(EYES, BOSS, asked=rooms, place=OPS) == []


def test_where_a_request_has_gone_on_to_others_only_they_are_called():
    assert called(replace(BOSS, by=("managers", "leads")), known=("lee",)) == ["kim"]


def test_a_direct_message_needs_no_call():
    assert called(EYES, place=Place("slack", "U0KIM", direct=True)) == []


def test_of_many_people_their_group_and_number_is_said():
    crowd = [Person(f"p{number}", frozenset({"leads"}), {"slack": f"U{number}"}) for number in range(MOST)]
    answer = calling(EYES, more=crowd)
    assert (answer.mentions, answer.text) == ((), f"#7 asks\nTo 2 of leads: {MOST + 2} people may approve it.")
