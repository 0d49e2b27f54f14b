"""Accounts that an admin gave to somebody: what they do not approve, and from when on they do."""

from datetime import timedelta

import pytest

from automation_bots.errors import ConfigError
from automation_bots.model import ApprovalRequirement, Caller
from automation_bots.policy import quorum
from automation_bots.policy.accounts import AccountChange, AccountRules
from automation_bots.policy.approval import Vote
from automation_bots.policy.people import Additions, IdentityLink, merge
from tests.policy.test_quorum import job_of
from tests.support.world import NOON, policy_of

TEXT = """
people:
  p0: {text: "@p0", groups: [admins]}
  ana: {text: "@ana", groups: [admins]}
  kim: {text: "@kim", groups: [leads]}
rules:
  - {name: r, who: admins, may: [patch], needs: approval by leads}
"""
MADE = Caller("text", "@kim2")


def with_link(tmp_path, *by, text=TEXT):
    return merge(policy_of(tmp_path, text), Additions((IdentityLink("text", "@kim2", "kim", by, NOON),)))


@pytest.mark.parametrize(
    ("by", "hours", "why"),
    [
        (("p0",), 48, "p0, who asks, made this account yours"),
        (("ana", "p0"), 48, "p0, who asks, made this account yours"),
        (("ana",), 23, "ana linked it; it approves from"),
        (("ana",), 25, ""),
        (("kim",), 0, ""),  # one's own code on one's own other account
    ],
)
def test_such_an_account_approves_nothing_of_that_admin_and_nothing_in_the_first_day(tmp_path, by, hours, why):
    policy, now = with_link(tmp_path, *by), NOON + timedelta(hours=hours)
    said = quorum.account_refusal(policy, MADE, None, job_of(), now)
    assert why in said and bool(why) == bool(said)


def test_a_vote_by_such_an_account_does_not_count(tmp_path):
    need = ApprovalRequirement("r", ("leads",))
    votes = [Vote("kim", MADE, NOON)]
    assert quorum.valid(votes, with_link(tmp_path, "p0"), job_of(), need) == []
    assert quorum.valid(votes, with_link(tmp_path, "ana"), job_of(), need) == ["kim"]


def test_after_a_reset_by_an_admin_a_person_approves_nothing_for_the_time_of_the_policy(tmp_path):
    policy = with_link(tmp_path, "kim", text=TEXT + "accounts: {approve_after: 2h}\n")
    reset = AccountChange(("ana",), NOON)
    said = [
        quorum.account_refusal(policy, Caller("text", "@kim"), reset, job_of(), NOON + timedelta(hours=hours))
        for hours in (1, 3)
    ]
    assert "ana reset your authenticator app" in said[0] and said[1] == ""


def test_the_policy_says_how_long_and_whether_two_admins_are_wanted(tmp_path):
    assert policy_of(tmp_path, TEXT).accounts == AccountRules(86_400.0, four_eyes=False)
    written = policy_of(tmp_path, TEXT + "accounts: {approve_after: 0, four_eyes: yes}\n").accounts
    assert written == AccountRules(0.0, four_eyes=True)
    with pytest.raises(ConfigError, match="no length of time"):
        policy_of(tmp_path, TEXT + "accounts: {approve_after: soon}\n")
