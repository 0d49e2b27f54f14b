"""From an event to what is said and run: decided once, done once, told when not; on a real record."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from automation_bots.alerts.event import Phase
from automation_bots.alerts.rules.actions import ActionContext, RuleActions
from automation_bots.alerts.rules.follower import RuleContext, RuleFollower
from automation_bots.alerts.rules.pages import Pages
from automation_bots.alerts.rules.rule import Rulebook
from automation_bots.errors import BadCommand, StoreError
from automation_bots.model import Answer, Cause, Person, Place, State
from automation_bots.policy.oncall import Rota
from automation_bots.policy.policy import Policy
from automation_bots.store import Store, Subject
from automation_bots.store.rules import ActionState, What
from automation_bots.surface import Capabilities
from tests.alerts.rules.made import GROUPS, LOST, NOON, book
from tests.store.conftest import JOB

MINUTE = timedelta(minutes=1)
RUNS = """
- name: one
  when: {source: zabbix}
  do: {to: "#ops", run: "bgp on {device}"}
"""
POSTS = "- name: one\n  when: {source: zabbix}\n  do: {post: '#ops', mention: [netops, oncall]}\n"
PAGES = """
- name: one
  when: {source: zabbix}
  do: {post: "#ops", escalate: [after 10 minutes to joe, after 20 minutes to ana]}
"""
OFFERS = "- name: one\n  when: {source: zabbix}\n  do: {to: '#ops', propose: 'restart {fields.peer} on {device}'}\n"
ROBOT = Person("looker", ids={"rule": "one"}, robot=True)


class Room:
    """A network that can be away."""

    capabilities = Capabilities(buttons=True)

    def __init__(self):
        self.said, self.away, self.hurry = [], False, lambda: None

    def say(self, place, answer):
        if self.away:
            raise OSError("away")
        self.said.append(answer)
        self.hurry()


class World:
    """A record, a rulebook and a policy, with a clock that the test moves."""

    def __init__(self, folder):
        self.admins = []
        self.folder, self.now, self.room, self.asked, self.refuses, self.dies = folder, NOON, Room(), [], "", False
        self.people(ROBOT, Person("ana", ids={"test": "U1"}), Person("joe", frozenset({"netops"}), {"test": "U2"}))
        self.lives()

    def people(self, *people):
        ids = {(network, id_): one for one in people for network, id_ in one.ids.items()}
        self.policy = Policy({one.name: one for one in people}, ids, oncall={"net": Rota("net", "ana", always="ana")})

    def lives(self):
        self.store = Store.open(self.folder, clock=lambda: self.now)
        self.store.events.follow("test")
        pages = Pages(lambda: self.policy, self.store.rules, lambda: self.now)
        self.actions = RuleActions(
            ActionContext(
                self.store.rules, pages, lambda: self.policy, lambda: self.now, lambda name: Place("test", name),
                lambda place: self.room, self.store.alerts.find, self.title, self.run,
                lambda answer: self.admins.append(answer.text), lambda: self.book,
            )
        )  # fmt: skip
        self.follower = RuleFollower(RuleContext(self.store.rules, lambda: self.book, GROUPS.get, lambda: self.now))

    def title(self, command):
        if self.refuses:
            raise BadCommand(self.refuses)
        return command.line.format(device=command.values["device"], fields=SimpleNamespace(peer="x"))

    def run(self, robot, place, command, cause):
        self.asked.append((robot.id, place.room, command.line, dict(command.values), cause.rules))
        if self.dies:
            raise KeyboardInterrupt
        if self.refuses:
            return Answer(self.refuses)
        self.store.add_job(replace(JOB, cause=cause))
        return None

    def hears(self, *events):
        """Store events, and let the rules look at them and do what is due."""
        last = self.store.events.last()
        self.store.events.take(events)
        found = self.follower.follow(self.store.events.after(last, 1_000))
        self.actions.round()
        return found

    def passes(self, minutes):
        self.now += minutes * MINUTE
        self.actions.round()

    @property
    def said(self):
        return [answer.text for answer in self.room.said]

    def killed(self):
        self.store.close()
        self.lives()
        for lost in self.store.rules.lose():
            assert lost.state is ActionState.BEGUN
        self.actions.round()


@pytest.fixture
def world(tmp_path):
    found = World(tmp_path / "data")
    yield found
    found.store.close()


def alert(number, **fields):
    return replace(LOST, fingerprint=f"f{number}", **fields)


def test_a_rule_runs_as_its_robot_in_its_room_with_what_the_event_says(world):
    world.book = book(RUNS)
    (finding,) = world.hears(LOST)
    assert world.asked == [("one", "#ops", "bgp on {device}", {"device": "core1"}, ("one",))]
    assert (finding.by, finding.said) == ("rule “one”", "runs bgp on {device}")
    (action,) = world.store.rules.of_event(1)
    assert (action.state, action.text, world.store.job(1).cause.event) == (ActionState.DONE, "#1", 1)


def test_the_same_event_followed_twice_runs_once(world):
    world.book = book(RUNS)
    world.hears(LOST)
    assert world.follower.follow(world.store.events.after(0, 10)) == []
    world.actions.round()
    assert len(world.asked) == 1


def test_killed_while_it_begins_it_is_never_begun_again_and_that_is_said(world):
    world.book, world.dies = book(RUNS), True
    with pytest.raises(KeyboardInterrupt):
        world.hears(LOST)
    world.dies = False
    world.killed()
    world.killed()
    assert len(world.asked) == 1
    (said,) = world.said
    assert said.startswith("Rule “one” was to run bgp on {device} for event 1: the bot was stopped just when it was to")


def test_killed_between_its_job_and_the_note_of_it_it_is_done(world):
    world.book, world.dies = book(RUNS), True
    with pytest.raises(KeyboardInterrupt):
        world.hears(LOST)
    world.store.add_job(replace(JOB, cause=Cause(("one",), 1, 1)))
    world.killed()
    assert (world.store.rules.find(1).state, world.said) == (ActionState.DONE, [])


def test_killed_before_it_begins_it_runs_once_afterwards(world):
    world.book = book(RUNS)
    world.store.events.take([LOST])
    world.follower.follow(world.store.events.after(0, 10))
    world.killed()
    world.killed()
    assert len(world.asked) == 1


def test_an_action_has_one_job_whatever_is_tried(world):
    world.book = book(RUNS)
    world.hears(LOST)
    with pytest.raises(StoreError, match="begun already"):
        world.store.add_job(replace(JOB, cause=world.store.job(1).cause))


@pytest.mark.parametrize("people", [(), (Person("looker", ids={"rule": "one"}),), (Person("looker", robot=True),)])
def test_without_a_robot_of_its_own_nothing_runs_and_the_room_reads_what_to_write(world, people):
    world.book = book(RUNS)
    world.people(*people)
    world.hears(LOST)
    assert world.asked == []
    assert "policy.yml has no robot for it: people: <name>: {robot: true, rule: one}" in world.said[0]


def test_what_is_refused_is_told_and_not_tried_again(world):
    world.book, world.refuses = book(RUNS), "No: bgp on core1 is for netops."
    world.hears(LOST)
    world.passes(5)
    assert len(world.asked) == 1
    assert world.said == [
        "Rule “one” would run bgp on {device} for event 1, but did not: No: bgp on core1 is for netops."
    ]


def test_an_event_of_hours_ago_lets_nothing_run(world):
    world.book = book(RUNS)
    world.now = NOON + timedelta(hours=3)
    world.hears(LOST)
    assert (world.asked, "it comes 3 h late" in world.said[0]) == ([], True)


def test_a_message_calls_people_groups_and_whoever_is_on_call(world):
    world.book = book(POSTS)
    world.hears(LOST)
    (answer,) = world.room.said
    assert answer.text == "▲ A1 core1 BGP neighbour lost: BGP session to 192.0.2.7 is down · high, zabbix"
    assert {mention.name for mention in answer.mentions} == {"ana", "joe"}


def test_a_page_that_finds_nobody_says_so_there_and_to_the_admins(world):
    world.book = book(POSTS.replace("[netops, oncall]", "oncall db"))
    world.hears(LOST)
    assert world.said[0].endswith("(policy.yml has no rota db)")
    assert world.admins == ["Rule “one” calls nobody: policy.yml has no rota db."]


def test_a_rule_that_breaks_over_an_event_hurts_no_other(world):
    one, two = book(POSTS + POSTS.replace("name: one", "name: two")).rules
    world.book = Rulebook((replace(one, when=(None,)), two))
    found = world.hears(LOST)
    assert [(one.by, one.said.split(":")[0]) for one in found] == [
        ("rule “one”", "broken"), ("rule “two”", "posts in #ops"),
    ]  # fmt: skip


def test_many_at_once_are_one_message(world):
    world.book = book(POSTS + "  rate: 1000/min\n")
    world.hears(*(alert(number) for number in range(50)))
    (said,) = world.said
    assert (said.count("\n"), said.splitlines()[-1]) == (10, "… and 40 more")


def test_a_room_that_is_away_is_told_later_once(world):
    world.book, world.room.away = book(POSTS), True
    world.hears(LOST)
    world.room.away = False
    world.passes(1)
    world.passes(1)
    assert len(world.said) == 1


def test_a_rule_that_is_held_back_says_so_once(world):
    world.book = book(RUNS + "  rate: 1/min\n")
    world.hears(*(alert(number) for number in range(4)))
    assert world.said == ["Rule “one” is held back: it acts 1 times in 60 s at most."]


def test_throttles_survive_a_restart(world):
    world.book = book(RUNS + "  once_within: 1 hour by device\n")
    world.hears(LOST)
    world.killed()
    (finding,) = world.hears(alert(2))
    assert finding.said == "held back: once within 1 h by device, which was event 1"


def test_after_a_while_it_acts_once_for_what_still_goes_on(world):
    world.book = book(POSTS + "  once_after: 5 minutes\n")
    world.hears(alert(1), alert(2, what="other"))
    assert world.said == []
    world.hears(alert(1, phase=Phase.RESOLVED, ended=NOON))
    world.passes(5)
    assert [line.split(":")[0] for line in world.said[0].splitlines()] == ["▲ A2 core1 other"]


def test_what_is_over_before_its_time_is_not_run(world):
    world.book = book(RUNS + "  once_after: 5 minutes\n")
    world.hears(LOST)
    world.hears(replace(LOST, phase=Phase.RESOLVED, ended=NOON))
    world.passes(5)
    assert (world.asked, "it is over by now" in world.said[0]) == ([], True)


def test_an_alert_that_nobody_acknowledges_goes_on_to_the_next_ones(world):
    world.book = book(PAGES)
    world.hears(LOST)
    world.passes(10)
    world.killed()
    world.passes(10)
    assert [[one.name for one in answer.mentions] for answer in world.room.said] == [[], ["joe"], ["ana"]]
    assert world.said[1].startswith("Nobody has acknowledged it for 10 min:\n▲ A1 core1 BGP neighbour lost")


@pytest.mark.parametrize(
    "acts",
    [lambda one: replace(one, acknowledged="ana"), lambda one: replace(one, muted=NOON + 60 * MINUTE, muted_why="ana")],
)
def test_who_acts_ends_the_escalation(world, acts):
    world.book = book(PAGES)
    world.hears(LOST)
    world.store.alerts.change(1, acts, Subject(), {})
    world.passes(20)
    assert len(world.said) == 1
    assert {one.state for one in world.store.rules.of_event(1) if one.what is What.ESCALATE} == {ActionState.ENDED}


@pytest.mark.parametrize("then", [lambda seen: book(""), lambda seen: replace(seen, dry=True)])
def test_what_a_rule_was_to_do_ends_with_the_rule(world, then):
    world.book = book(PAGES)
    world.hears(LOST)
    world.book = then(world.book)
    world.passes(20)
    assert len(world.said) == 1


def test_a_file_that_cannot_be_read_ends_no_escalation_but_every_run(world):
    world.book = book(PAGES + RUNS.replace("name: one", "name: two") + "  once_after: 5 minutes\n")
    world.hears(LOST)
    world.book = book("just words")
    world.passes(10)
    assert (len(world.said), world.asked) == (2, [])


def test_pausing_a_rule_ends_what_it_was_to_do(world):
    world.book = book(PAGES)
    world.hears(LOST)
    world.store.rules.pause("one", "by ana: too loud", Subject())
    world.passes(20)
    assert len(world.said) == 1
    assert world.store.rules.of_event(1)[-1].text == "the rule is paused by ana: too loud"


def test_the_end_of_an_alert_ends_the_escalation(world):
    world.book = book(PAGES)
    world.hears(LOST)
    world.hears(replace(LOST, phase=Phase.RESOLVED, ended=NOON))
    world.passes(20)
    assert len(world.said) == 1


def test_a_proposal_is_a_button_that_waits_for_somebody(world):
    world.book = book(OFFERS)
    world.hears(LOST)
    (answer,) = world.room.said
    assert [(button.label, button.line) for button in answer.buttons] == [("restart x on core1", "do 1")]
    assert world.store.rules.find(1).state is ActionState.ASKED
    assert (world.store.rules.take(1, "ana"), world.store.rules.take(1, "joe")) == (True, False)


def test_who_is_quicker_than_the_note_that_it_was_said_takes_it_all_the_same(world):
    world.book = book(OFFERS)
    world.room.hurry = lambda: world.store.rules.take(1, "ana")
    world.hears(LOST)
    assert (world.store.rules.find(1).state, world.store.rules.take(1, "joe")) == (ActionState.DONE, False)


def test_what_makes_no_command_is_not_proposed_and_that_is_said(world):
    world.book, world.refuses = book(OFFERS), "{device} is 'x', which is no device of the inventory."
    world.hears(LOST)
    assert "would propose restart {fields.peer} on {device} for event 1, but did not: {device} is 'x'" in world.said[0]


def test_dry_rules_do_nothing_and_say_what_they_would(world):
    world.book = replace(book(RUNS), dry=True)
    (finding,) = world.hears(LOST)
    assert (world.asked, finding.said) == ([], "dry run: it would act (runs bgp on {device})")


def test_why_nothing_happened_is_kept_for_the_rules_that_failed_least(world):
    world.book = book("".join(f"- name: r{n}\n  when: {{source: s{n}}}\n  do: {{post: '#a'}}\n" for n in range(30)))
    found = world.hears(LOST)
    assert (len(found), found[0].said) == (8, "no: source: “zabbix” is not s0")


def test_a_broken_rule_is_named_at_every_event(world):
    world.book = book(RUNS + "- name: two\n  when: {}\n  do: {post: '#a'}\n")
    assert "broken: rules.yml, line" in world.hears(LOST)[-1].said


def test_a_restored_record_does_nothing_of_what_was_open(world):
    from automation_bots.store import restored

    world.book = book(PAGES)
    world.hears(LOST)
    with world.store._database.write() as connection:
        restored.mark(connection, NOON, "backup")
    world.passes(20)
    assert len(world.said) == 1


def test_old_decisions_are_forgotten_and_what_is_open_stays(world):
    world.book = book(PAGES)
    world.hears(LOST)
    world.now += timedelta(days=100)
    world.store.prune(90)
    assert world.store.rules.decided([1]) == frozenset()
    assert {one.state for one in world.store.rules.of_event(1)} == {ActionState.OPEN}


def test_what_a_rule_started_carries_its_origin(world):
    world.book = book(RUNS)
    world.hears(replace(LOST, origin=("first",)))
    assert world.store.job(1).cause.rules == ("first", "one")
    assert world.store.job(1).state is State.QUEUED
