"""A device that is known by two names is one: the stricter of them decides about deny, freeze, lock and holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.inventory.same_device import SameDevice
from automation_bots.jobs.counters import Entry
from automation_bots.jobs.throttle import Caps, admit
from automation_bots.model import Caller, Job, Place, Risk, State, Verdict
from automation_bots.policy import gate
from automation_bots.policy.freezes import ALL, BlockKind, ChangeBlock
from tests.support.world import NOON, PATCH, UPTIME, request, scope_of

POLICY = """
people:
  joe: {text: "@joe", groups: [support]}
rules:
  - {name: may, who: support, may: [patch, uptime], on: web}
  - {name: never, who: support, deny: [patch], on: db}
"""
ONE = SameDevice(dict.fromkeys(("web1", "db1"), frozenset({"web1", "db1"})))  # web1 is what db1 is


def decided(tmp_path, *devices, operation=PATCH, policy=POLICY, blocks=()):
    blocks = tuple(block.by(ONE.all_names) for block in blocks)
    scope = replace(scope_of(tmp_path, policy), all_names=ONE.all_names, change_blocks=blocks)
    return gate.decide(scope, request("joe", operation, *devices), NOON)


def test_what_is_denied_by_one_name_is_denied_by_the_other(tmp_path):
    decision = decided(tmp_path, "web1", "web2")
    assert (decision.verdict, decision.refused, decision.allowed) == (Verdict.DENY, ("web1",), ("web2",))
    assert "db1" not in decision.reason
    assert decided(tmp_path, "web1", operation=UPTIME).verdict is Verdict.ALLOW


def test_a_name_that_is_hidden_hides_the_device(tmp_path):
    hidden = POLICY.replace("deny: [patch]", "deny: [everything]")
    scope = replace(scope_of(tmp_path, hidden), all_names=ONE.all_names)
    assert gate.visible(scope, scope.policy.people["joe"]) == {"web2"}


@pytest.mark.parametrize("kind", BlockKind)
def test_what_is_closed_by_one_name_is_closed_by_the_other(tmp_path, kind):
    block = ChangeBlock(kind, "ana", "audit", frozenset({"db1"}), NOON, NOON + timedelta(hours=1))
    allowed = POLICY.rpartition("  - {name: never")[0]
    decision = decided(tmp_path, "web1", "web2", policy=allowed, blocks=(block,))
    assert (decision.verdict, decision.refused) == (Verdict.DENY, ("web1",))
    assert decided(tmp_path, "web2", policy=allowed, blocks=(block,)).verdict is Verdict.ALLOW


def test_all_stays_all(tmp_path):
    block = ChangeBlock(BlockKind.FREEZE, "ana", "audit", frozenset({ALL}), NOON)
    assert block.by(ONE.all_names) is block


def entry(number, device, risk=Risk.CHANGE):
    job = Job(number, State.QUEUED, "joe", Caller("text", "@joe"), Place("text", "ops"), "patch", {}, device, (device,),
              risk, ("ssh",))  # fmt: skip
    return Entry.of(job, ONE.all_names)


def test_a_change_holds_its_device_by_every_name():
    answer = admit([entry(2, "web1"), entry(3, "web2")], [entry(1, "db1")], Caps(), held={})
    assert answer.start == (3,)
    assert answer.waits[2] == "waits for web1 (#1 is changing it)"


def test_a_device_that_is_held_is_held_by_every_name():
    held = dict.fromkeys(ONE.all_names(["db1"]), 1)
    answer = admit([entry(2, "web1")], [], Caps(), held=held)
    assert answer.waits[2] == "waits for web1: #1 was interrupted there and is not acknowledged"


def test_sessions_are_counted_by_device():
    reads = [entry(1, "web1", Risk.READ), entry(2, "db1", Risk.READ)]
    assert admit(reads, [], Caps(device=1), held={}).start == (1,)
