"""Whatever policy, people, places, closed devices and inventory: the strictest answer, and nothing denied runs."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation_bots.app.bot import Bot
from automation_bots.drivers.fake import Fake
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Caller, Limits, Person, Place, Risk, Verdict
from automation_bots.policy import gate
from automation_bots.policy.freezes import ALL, BlockKind, ChangeBlock
from automation_bots.policy.policy import Policy
from automation_bots.policy.rules import Above, Rule, Words
from automation_bots.policy.scope import Scope
from automation_bots.policy.time_window import window
from tests.support.bounds import examples
from tests.support.chatbot import Surface, wait, write_folder
from tests.support.world import GROUPS, NOON, PATCH, UNDECLARED, UPTIME, expand, request

pytestmark = pytest.mark.slow

NAMES = st.sampled_from(["ana", "joe", "netops", "support", "everyone"])
RULES = st.builds(
    Rule,
    name=st.text(min_size=1, max_size=3),
    who=st.frozensets(NAMES, max_size=2),
    what=st.tuples(st.sampled_from(["reads", "changes", "everything", "patch", "uptime"]).map(Words)),
    deny=st.booleans(),
    on=st.sampled_from([*GROUPS, "all:!web", "web:db", "unknown"]),
    where=st.sampled_from([(), (), ("dm",), ("#ops",)]),
    when=st.sampled_from([(), (), (window("Mon 10:00-14:00"),), (window("Sun"),)]),
    approvers=st.sampled_from([(), (), ("leads",)]),
    limits=st.builds(Limits, devices=st.none() | st.integers(1, 4)),
    share=st.none() | st.floats(0.1, 1),
    above=st.sampled_from(list(Above)),
    above_approvers=st.just(("leads",)),
    emergency=st.sampled_from([False, False, True]),
)
PEOPLE = (Person("ana", frozenset({"netops"})), Person("joe", frozenset({"support"})))
IDS = {("text", f"@{person.name}"): person for person in PEOPLE}
DEVICES = st.frozensets(st.sampled_from(GROUPS["all"]), min_size=1)
REQUESTS = st.builds(
    lambda who, operation, devices, where, emergency, check: replace(
        request(who, operation, *sorted(devices), where=where, check=check), emergency=emergency
    ),
    st.sampled_from(["ana", "joe", "eve"]),
    st.sampled_from([UPTIME, PATCH, UNDECLARED]),
    DEVICES,
    st.sampled_from(["dm", "#ops", "#other"]),
    st.sampled_from(["", "", "down"]),
    st.booleans(),
)
BLOCKS = st.lists(
    st.builds(
        ChangeBlock,
        kind=st.sampled_from(list(BlockKind)),
        person=st.sampled_from(["ana", "joe"]),
        reason=st.just("work"),
        devices=DEVICES | st.just(frozenset({ALL})),
        at=st.just(NOON - timedelta(hours=1)),
        until=st.sampled_from([None, NOON - timedelta(minutes=1), NOON + timedelta(hours=1)]),
    ),
    max_size=3,
).map(tuple)


def policy(rules):
    return Policy({p.name: p for p in PEOPLE}, IDS, tuple(rules))


def decide(rules, change_blocks, wanted):
    return gate.decide(Scope(policy(rules), expand, change_blocks=change_blocks), wanted, NOON)


def weight(decision):
    return (["allow", "approval", "deny"].index(decision.verdict), bool(decision.confirm))


@settings(max_examples=examples(300))
@given(st.lists(RULES, max_size=6), BLOCKS, REQUESTS, st.sampled_from(GROUPS["all"]))
def test_adding_a_device_never_weakens_any_answer(rules, change_blocks, wanted, device):
    more = replace(wanted, devices=tuple(sorted({*wanted.devices, device})))
    before, after = decide(rules, change_blocks, wanted), decide(rules, change_blocks, more)
    assert weight(after)[0] >= weight(before)[0]
    assert after.verdict is Verdict.DENY or bool(after.confirm) >= bool(before.confirm)


@settings(max_examples=examples(300))
@given(st.lists(RULES, max_size=6), BLOCKS, REQUESTS)
def test_the_strictest_device_decides(rules, change_blocks, wanted):
    whole = weight(decide(rules, change_blocks, wanted))[0]
    assert whole >= max(weight(decide(rules, change_blocks, replace(wanted, devices=(d,))))[0] for d in wanted.devices)


@settings(max_examples=examples(300))
@given(st.lists(RULES, max_size=6), BLOCKS, REQUESTS)
def test_closing_devices_only_ever_refuses_changes_on_them(rules, change_blocks, wanted):
    plain, closed = decide(rules, (), wanted), decide(rules, change_blocks, wanted)
    hit = any(c.holds(NOON) and c.hits(wanted.devices) for c in change_blocks)
    assert closed == plain or (closed.verdict is Verdict.DENY and hit and not wanted.check)
    assert closed == plain or wanted.risk is Risk.CHANGE


@settings(max_examples=examples(300))
@given(st.lists(RULES, max_size=6), REQUESTS)
def test_a_denying_rule_holds_in_an_emergency_too(rules, wanted):
    denials = [replace(rule, when=()) for rule in rules if rule.deny]
    usual = Rule("a", frozenset({"everyone"}), (Words("patch"), Words("uptime"), Words("strange")))
    calm = decide([*denials, usual], (), replace(wanted, emergency=""))
    urgent = decide([*denials, replace(usual, emergency=True)], (), replace(wanted, emergency="down"))
    assert urgent.verdict == calm.verdict


@given(st.lists(RULES, max_size=6), REQUESTS)
def test_no_answer_names_a_device_that_the_person_may_not_see(rules, wanted):
    scope = Scope(policy(rules), expand)
    hidden = set(GROUPS["all"]) - gate.visible(scope, scope.policy.person(wanted.caller))
    assert not [name for name in hidden if name in gate.decide(scope, wanted, NOON).reason]


# -- through the whole bot

HOSTS = """
all:
  vars: {driver: fake}
  children:
    web: {hosts: {web1: {}, web2: {}}}
    db: {hosts: {db1: {}}}
    core: {hosts: {core1: {}}}
    vault: {hosts: {vault1: {}}}
"""
LINES = {"uptime": "", "service": "restart nginx "}


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("properties"), hosts=HOSTS)
    fake = Fake()
    bot = Bot(folder, {"AUTOMATION_BOTS_DATA": str(folder / "data")}, drivers=(fake,))
    bot.start(Surface())
    yield bot, fake
    bot.stop(0.5)


@pytest.mark.slow
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rules=st.lists(RULES.map(lambda rule: replace(rule, when=())), min_size=1, max_size=6),
    change_blocks=BLOCKS,
    who=st.sampled_from(["ana", "joe", "eve"]),
    operation=st.sampled_from(list(LINES)),
    pattern=st.sampled_from(["all", "web", "web1,db1", "v*", "all:!db", "web1"]),
)
def test_a_denied_request_never_reaches_a_driver(bot, rules, change_blocks, who, operation, pattern):
    bot, fake = bot
    changes = [replace(rule, what=(Words("service"),) if rule.what[0].text == "patch" else rule.what) for rule in rules]
    bot.live.take(policy(changes))
    bot.live.block(change_blocks)
    fake.ran.clear()
    said = TypedCommand(Caller("text", f"@{who}"), Place("text", "#ops"), operation, f"{LINES[operation]}on {pattern}")
    bot.pipeline.submit(said)
    wait(lambda: bot.dispatcher.active == (0, 0), 10)
    for _, _, device in fake.ran:
        one = request(who, bot.live.catalog.find(operation), device, where="#ops", action="restart", name="nginx")
        assert gate.decide(bot.live.scope, one, bot.pipeline._context.now()).verdict is Verdict.ALLOW
