"""What time and changed files do to what waits: a clock that the test moves, a timer that looks when it is told to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text as sql

from automation_bots.approvals.approvals import Approvals
from automation_bots.approvals.validity import ApprovalValidity
from automation_bots.chat.client import Rejected
from automation_bots.config.settings import ApprovalSettings
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.jobs.acceptance import Acceptance
from automation_bots.jobs.announcer import Announcer
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import (
    Caller,
    Device,
    Operation,
    Parameter,
    Place,
    Request,
    Risk,
    State,
    Verdict,
)
from automation_bots.policy import gate, policy, quorum
from automation_bots.policy.scope import Scope
from automation_bots.store import Store
from tests.support import works
from tests.support.chatbot import Surface, wait
from tests.support.world import GROUPS, expand

pytestmark = pytest.mark.slow

PATCH = Operation("patch", "h", Risk.CHANGE, driver="fake", parameters=(Parameter("level", required=False),))
LOOKED = replace(PATCH, name="upgrade", previews=True)
OPS, ROOM = Place("test", "ops"), Place("test", "leads")
POLICY = """
timezone: Europe/Madrid
people:
  joe: {test: joe, irc: joe_, groups: [support]}
  kim: {test: kim, irc: kimmy, groups: [leads]}
  lee: {test: lee, groups: [leads]}
  max: {test: max, groups: [managers]}
rules:
  - name: patches
    who: support
    may: [patch, upgrade]
    on: web
    approval: {by: leads, quorum: 2, within: 4h, escalate: managers after 1h, room: leads}
  - {name: nights, who: support, may: [night], on: web, when: "20:00-06:00", needs: approval by leads}
  - {name: free, who: support, may: [free], on: web}
"""
NIGHT, FREE = replace(PATCH, name="night"), replace(PATCH, name="free")


class Inventory:
    """Groups of tests/support/world.py, whose meaning and variables a test may change."""

    sources, problem = (), ""

    def __init__(self):
        self.groups, self.variables, self.names = dict(GROUPS), {}, GROUPS["all"]

    def expand(self, pattern):
        found = [n for part in pattern.split(",") for n in self.groups.get(part, (part,) if part in self.names else ())]
        if not found:
            raise UnknownDevice(f"No device matches {pattern!r}")
        return tuple(found)

    def devices(self, names):
        return tuple(Device(name, frozenset(), self.variables.get(name, {})) for name in names)


class Live:
    policy_problem = ""

    def __init__(self, folder):
        self.folder, self.inventory = folder, Inventory()
        self.operations = {operation.name: operation for operation in (PATCH, LOOKED, NIGHT, FREE)}
        self.write(POLICY)

    def write(self, text):
        (self.folder / "policy.yml").write_text(text)
        self.policy = policy.load(self.folder / "policy.yml")

    @property
    def scope(self):
        return Scope(self.policy, expand, {"leads": "leads"})

    def operation(self, name):
        return self.operations.get(name)


class Waiting(works.Works):
    """The parts of a bot that approvals need, on a clock of the test's own."""

    def __init__(self, folder, at=datetime(2026, 3, 2, 12, tzinfo=UTC), store=None):
        self.at = at
        folder.mkdir(exist_ok=True)
        super().__init__(folder)
        self.store.store.close()
        self.restart(folder, first=True)

    def restart(self, folder, *, first=False):
        if not first:
            self.dispatcher.stop(0)
            self.store.close()
        self.live = Live(folder) if first else self.live
        self.store = Store.open(folder / "data", clock=lambda: self.at)
        self.surface = Surface()
        self.validity = ApprovalValidity(self.live, self.store.approvals.find, lambda: self.at)
        self.dispatcher = works.Local(self._context(), works.Caps)
        announcer = Announcer(self.store, lambda _: self.surface, lambda: self.at, lambda _: "")
        parts = RequestContext(
            self.live, self.store, self.dispatcher, announcer, lambda: self.at,
            asking=replace(ApprovalSettings().asking(), production=("web",)),
            surface=lambda _: self.surface,
        )  # fmt: skip
        self.approvals = Approvals(parts, Acceptance(parts), self.validity)
        self.timer = self.approvals.timer
        self.dispatcher.listen(self.timer.ended)
        self.dispatcher.start()

    def _context(self):
        found = super()._context()
        validity = getattr(self, "validity", None)
        if validity is None:
            return found
        operation, scope = self.live.operation, lambda: self.live.scope
        found = replace(found, store=self.store, operation=operation, scope=scope, inventory=self.live.inventory)
        return replace(found, validity=validity.void, now=lambda: self.at)

    def ask(self, operation=PATCH, pattern="web", who="joe", when=None, **values):
        """Ask, have the approvers asked; returns the number."""
        devices = self.live.inventory.expand(pattern)
        request = Request(Caller("test", who), OPS, operation, values, pattern, devices, when=when)
        decision = gate.decide(self.live.scope, request, when or self.at)
        assert decision.verdict is not Verdict.DENY, decision.reason
        self.approvals.park(self.live.policy.person(request.caller), request, decision)
        number = self.store.approvals.all()[-1].number
        self.look()
        return number

    def look(self, **later):
        """Let time pass, and have the timer look at what is due."""
        self.at += timedelta(**later)
        while self.timer.round() <= 0.05:
            pass

    def approve(self, number, *who):
        return [self.approvals.approve(Caller("test", name), ROOM, number).text for name in who]

    def state(self, number):
        return self.store.job(number).state

    def texts(self, room):
        return [text for place, text in self.surface.said if place == room]

    def kinds(self, number):
        return [str(row.kind) for row in self.store.audit_rows(limit=50, job=number)][::-1]

    def ran(self):
        return [operation for _, operation, _ in self.fake.ran]


@pytest.fixture
def waiting(tmp_path):
    waiting = Waiting(tmp_path / "bot")
    yield waiting
    waiting.dispatcher.stop(0)
    waiting.store.close()


def is_in(waiting, number, state):
    wait(lambda: waiting.state(number) is state, 10, lambda: str(waiting.store.job(number)))


# -- time


def test_nobody_approved_in_time(waiting):
    number = waiting.ask()
    waiting.approve(number, "kim")
    waiting.look(hours=4)
    assert (waiting.state(number), waiting.ran()) == (State.EXPIRED, [])
    assert "nobody approved it in time" in waiting.texts("leads")[-1]
    assert waiting.kinds(number)[-1] == "expired"


def test_a_vote_after_the_deadline_is_too_late_even_before_anybody_looked(waiting):
    number = waiting.ask()
    waiting.at += timedelta(hours=4)
    with pytest.raises(BadCommand, match="has expired"):
        waiting.approve(number, "kim")
    assert waiting.state(number) is State.EXPIRED


def test_after_an_hour_managers_may_approve_too(waiting):
    number = waiting.ask()
    with pytest.raises(BadCommand, match="for 2 of leads to approve"):
        waiting.approve(number, "max")
    waiting.look(hours=1)
    assert "managers may approve it now too" in waiting.texts("leads")[-1]
    assert "managers may give it now too" in waiting.texts("ops")[-1]
    assert waiting.kinds(number)[-1] == "escalated"
    waiting.approve(number, "max", "lee")
    is_in(waiting, number, State.DONE)


def test_approvers_are_reminded_twice_and_no_more(waiting):
    number = waiting.ask()
    for _ in range(40):
        waiting.look(minutes=5.9)
    reminders = [text for text in waiting.texts("leads") if "still waits for approval;" in text]
    assert (len(reminders), waiting.state(number)) == (2, State.WAITING)


class Calls(Surface):
    """Keeps whom each answer calls."""

    def __init__(self):
        super().__init__()
        self.called = []

    def say(self, place, answer):
        self.called += [[mention.name for mention in answer.mentions]] if answer.mentions else []
        return super().say(place, answer)


def test_who_has_not_approved_is_called_by_the_question_and_by_each_reminder(waiting):
    waiting.surface = Calls()
    number = waiting.ask()
    waiting.approve(number, "kim")
    for minutes in (61, 60, 100):  # managers may too, half of the time is over, nearly all of it
        waiting.look(minutes=minutes)
    assert waiting.surface.called == [["kim", "lee"], ["max"], ["lee", "max"], ["lee", "max"]]


def test_nobody_looks_before_something_is_due(waiting):
    waiting.ask()
    assert waiting.timer.round() == 300
    assert waiting.store.approvals.next_due() == waiting.at + timedelta(hours=1)


def test_what_waits_for_days_over_restarts_is_asked_once_and_reminded_once(waiting, tmp_path):
    waiting.live.write(POLICY.replace("within: 4h", "within: 4d"))
    number = waiting.ask()
    for _ in range(3):
        waiting.restart(tmp_path / "bot")
        waiting.look(hours=17)
        assert not [text for text in waiting.texts("leads") if "asks for approval" in text]
    waiting.approve(number, "kim", "lee")
    is_in(waiting, number, State.DONE)


# -- then


def test_approved_now_and_run_at_its_time(waiting):
    number = waiting.ask(when=waiting.at + timedelta(hours=3))
    assert "runs at 16:00 CET" in waiting.approve(number, "kim", "lee")[-1].replace("it runs", "runs")
    assert waiting.state(number) is State.SCHEDULED
    waiting.look(hours=2, minutes=59)
    assert waiting.ran() == []
    waiting.look(minutes=1)
    is_in(waiting, number, State.DONE)
    assert waiting.kinds(number)[:6] == [
        "approval asked", "approved", "approved", "scheduled", "accepted", "started",
    ]  # fmt: skip


def test_a_request_for_later_must_be_approved_before_its_time(waiting):
    number = waiting.ask(when=waiting.at + timedelta(minutes=30))
    waiting.look(minutes=31)
    assert waiting.state(number) is State.EXPIRED


def test_what_needs_no_approval_can_be_for_later_too(waiting):
    number = waiting.ask(FREE, when=waiting.at + timedelta(hours=1))
    assert waiting.state(number) is State.SCHEDULED
    waiting.look(hours=1)
    is_in(waiting, number, State.DONE)


def test_the_bot_was_away_at_its_time(waiting):
    number = waiting.ask(FREE, when=waiting.at + timedelta(hours=1))
    waiting.look(hours=1, minutes=16)
    assert (waiting.state(number), waiting.ran()) == (State.EXPIRED, [])


def test_the_hours_of_the_rule_count_when_it_runs(waiting):
    waiting.at = datetime(2026, 3, 2, 20, tzinfo=UTC)
    number = waiting.ask(NIGHT)
    waiting.look(hours=10)
    assert "Not now: night on web1, web2 is allowed only at 20:00-06:00" in waiting.approve(number, "kim")[0]
    assert waiting.state(number) is State.WAITING


def test_what_was_approved_in_its_window_and_got_its_turn_after_it_does_not_run(waiting):
    waiting.at = datetime(2026, 3, 2, 20, tzinfo=UTC)
    number = waiting.ask(NIGHT)
    waiting.pause = "waits"
    waiting.approve(number, "kim")
    waiting.at += timedelta(hours=10)
    waiting.pause = ""
    is_in(waiting, number, State.VOID)
    assert "its time was over: night on web1, web2 is allowed only at" in waiting.store.job(number).error
    assert waiting.ran() == []


# -- tampering: between the approval and the run the files are others


TAMPER = {
    "inventory": lambda w, _: w.live.inventory.variables.update(web1={"ansible_host": "10.9.9.9"}),
    "group": lambda w, _: w.live.inventory.groups.update(web=("web1", "web2", "db1")),
    "device": lambda w, _: w.live.inventory.groups.update(web=("web1",)),
    "operation": lambda w, _: w.live.operations.update(patch=replace(PATCH, help="other")),
    "gone": lambda w, _: w.live.operations.pop("patch"),
    "rule": lambda w, _: w.live.write(POLICY.replace("may: [patch, upgrade]", "may: [upgrade]")),
    "quorum": lambda w, _: w.live.write(POLICY.replace("quorum: 2", "quorum: 3")),
    "requester": lambda w, _: w.live.write(POLICY.replace("joe: {test: joe, irc: joe_, groups: [support]}", "jo: {}")),
    "swapped": lambda w, _: w.live.write(POLICY.replace("joe: {test", "other: {test")),
    "approver": lambda w, _: w.live.write(POLICY.replace("kim: {test: kim, irc: kimmy, groups: [leads]}", "k: {}")),
    "robot": lambda w, _: w.live.write(POLICY.replace("kimmy, groups: [leads]", "kimmy, groups: [leads], robot: true")),
    "parameters": lambda w, n: w.run(n, "UPDATE jobs SET body = replace(body, 'gentle', 'severe')"),
    "emergency": lambda w, n: w.run(n, 'UPDATE jobs SET body = replace(body, \'"emergency":""\', \'"emergency":"x"\')'),
    "reason": lambda w, n: w.run(n, 'UPDATE jobs SET body = replace(body, \'"reason":""\', \'"reason":"x"\')'),
    "batches": lambda w, n: w.run(
        n, 'UPDATE jobs SET body = json_set(body, \'$.canary\', json(\'{"steps": ["1"], "pause_after": 0}\'))'
    ),
    "pattern": lambda w, n: w.run(n, "UPDATE jobs SET body = replace(body, '\"web\"', '\"all\"')"),
    "person": lambda w, n: w.run(n, "UPDATE jobs SET person = 'kim', caller = 'kim'"),
    "digest": lambda w, n: w.run(n, "UPDATE approvals SET digest = 'd'"),
    "job digest": lambda w, n: w.run(n, "UPDATE jobs SET digest = 'd'"),
    "votes": lambda w, n: w.run(n, "DELETE FROM votes WHERE person = 'kim'"),
    "record": lambda w, n: w.run(n, "DELETE FROM approvals"),
    "clock back": lambda w, _: setattr(w, "at", w.at - timedelta(hours=2)),
}


@pytest.mark.parametrize("what", TAMPER)
def test_what_is_changed_between_approval_and_run_never_runs(tmp_path, what):
    waiting = Tampered(tmp_path / "bot")
    number = waiting.ask(level="gentle")
    waiting.pause = "not yet"
    waiting.approve(number, "kim", "lee")
    assert waiting.state(number) is State.QUEUED
    TAMPER[what](waiting, number)
    waiting.go_on()
    is_in(waiting, number, State.VOID)
    assert (waiting.ran(), waiting.store.job(number).error != "") == ([], True)


class Tampered(Waiting):
    def run(self, number, statement):
        with self.store._database.write() as connection:
            if "FROM approvals" in statement:
                connection.execute(sql("DELETE FROM votes"))
            connection.execute(sql(statement))

    def go_on(self):
        """As after a restart: the queue is read from the store."""
        self.pause = ""
        for job in self.store.queued():
            self.dispatcher.submit(job, {})


@pytest.mark.parametrize("what", ["inventory", "group", "operation", "gone", "rule", "requester", "digest"])
def test_what_is_changed_while_a_scheduled_job_waits_voids_it(tmp_path, what):
    waiting = Tampered(tmp_path / "bot")
    number = waiting.ask(level="gentle", when=waiting.at + timedelta(hours=1))
    waiting.approve(number, "kim", "lee")
    waiting.look()
    TAMPER[what](waiting, number)
    waiting.look(hours=1)
    assert (waiting.state(number), waiting.ran()) == (State.VOID, [])
    assert "void" in waiting.texts("leads")[-1]
    assert waiting.kinds(number)[-1] == "voided"


def test_what_is_unchanged_lets_it_run(tmp_path):
    waiting = Tampered(tmp_path / "bot")
    number = waiting.ask(level="gentle")
    waiting.pause = "not yet"
    waiting.approve(number, "kim", "lee")
    waiting.restart(tmp_path / "bot")
    waiting.pause = ""
    is_in(waiting, number, State.DONE)
    assert waiting.ran() == ["patch", "patch"]


def test_a_second_id_of_the_same_person_counts_once_and_never_for_ones_own(waiting):
    number = waiting.ask()
    with pytest.raises(BadCommand, match="nobody approves their own"):
        waiting.approvals.approve(Caller("irc", "joe_"), ROOM, number)
    waiting.approve(number, "kim")
    assert "others have to" in waiting.approvals.approve(Caller("irc", "kimmy"), ROOM, number).text
    assert waiting.state(number) is State.WAITING


def test_a_broken_policy_voids_nothing_and_lets_nobody_approve(waiting):
    number, known = waiting.ask(), waiting.live.policy
    waiting.live.policy, waiting.live.policy_problem = policy.Policy(problem="line 3 is wrong"), "line 3 is wrong"
    waiting.look(minutes=90)
    with pytest.raises(BadCommand, match="the rules cannot be read"):
        waiting.approve(number, "kim")
    waiting.live.policy, waiting.live.policy_problem = known, ""
    assert waiting.state(number) is State.WAITING


# -- what approvers see


def test_the_preview_is_run_first_and_shown(waiting):
    number = waiting.ask(LOOKED)
    preview = waiting.store.approvals.find(number).preview
    is_in(waiting, preview, State.DONE)
    wait(lambda: waiting.look() or waiting.texts("leads"), 10)  # it is told of the end just after it
    question = next(text for text in waiting.texts("leads") if "asks for approval" in text)
    assert f"preview (#{preview}): 2 skipped" in question
    assert "would run: upgrade" in question
    assert waiting.ran() == []


def test_a_preview_that_takes_too_long_does_not_keep_the_approvers_waiting(waiting):
    waiting.pause = "not yet"
    waiting.ask(LOOKED)
    assert waiting.texts("leads") == []
    waiting.look(minutes=3)
    assert "has not ended yet" in waiting.texts("leads")[0]


def test_a_rule_may_forbid_the_preview(waiting):
    waiting.live.write(POLICY.replace("room: leads", "room: leads, preview: no"))
    number = waiting.ask(LOOKED)
    assert waiting.store.approvals.find(number).preview is None
    assert "cannot be shown beforehand" in waiting.texts("leads")[0]


def test_a_room_that_does_not_answer_is_tried_again_and_then_it_is_asked_where_it_began(waiting):
    waiting.surface = Closed(OSError("no such room"))
    waiting.ask()
    assert [text for text in waiting.texts("ops") if "asks for approval" in text] == []
    for _ in range(3):
        waiting.look(seconds=31)
    assert [text for text in waiting.texts("ops") if "asks for approval" in text]


def test_of_a_room_that_is_not_there_the_requester_reads_where_the_question_went(waiting):
    waiting.surface = Closed(Rejected("the bot is not in that room: /invite it"))
    waiting.ask()
    waiting.look(seconds=31)
    first, question, told = waiting.texts("ops")
    assert "asked in #leads" in first
    assert "asks for approval" in question
    assert told.endswith(
        "#leads cannot be reached (the bot is not in that room: /invite it): the approvers were asked here"
    )


class Closed(Surface):
    """A network on which the approvers' room cannot be reached."""

    def __init__(self, error):
        super().__init__()
        self.error = error

    def ask(self, place, question, choices):
        if place.room == "leads":
            raise self.error
        return super().ask(place, question, choices)


def test_a_request_in_a_direct_message_asks_the_approvers_in_theirs(waiting):
    waiting.live.write(POLICY.replace(", room: leads", ""))
    place = Place("test", "joe", direct=True)
    request = Request(Caller("test", "joe"), place, PATCH, {}, "web", ("web1", "web2"))
    decision = gate.decide(waiting.live.scope, request, waiting.at)
    waiting.approvals.park(waiting.live.policy.people["joe"], request, decision)
    waiting.look()
    asked = [place for place, text in waiting.surface.said if "asks for approval" in text]
    assert asked == ["kim", "lee"]


def test_of_many_approvers_ten_are_asked_in_a_message_and_the_requester_reads_that(waiting):
    crowd = "".join(f"  p{number}: {{test: p{number}, groups: [leads]}}\n" for number in range(10))
    waiting.live.write(POLICY.replace(", room: leads", "").replace("rules:", f"{crowd}rules:"))
    request = Request(Caller("test", "joe"), Place("test", "joe", direct=True), PATCH, {}, "web", ("web1", "web2"))
    decision = gate.decide(waiting.live.scope, request, waiting.at)
    waiting.approvals.park(waiting.live.policy.people["joe"], request, decision)
    waiting.look()
    assert len([place for place, text in waiting.surface.said if "asks for approval" in text]) == 10
    assert "asked in a message to 10 of the 12" in waiting.texts("joe")[0]


def test_where_messages_cannot_be_edited_the_room_hears_how_it_went(waiting):
    waiting.surface = Surface(edits=False)
    number = waiting.ask()
    waiting.approvals.approve(Caller("test", "kim"), Place("test", "kim", direct=True), number)
    waiting.look()
    assert "approved by kim; 1 more of leads" in waiting.texts("leads")[-1]
    waiting.approvals.withdraw(Caller("test", "joe"), OPS, number)
    waiting.look()
    assert "withdrawn · by joe" in waiting.texts("leads")[-1]


def test_a_flood_of_requests_is_stopped(waiting):
    for number in range(20):
        waiting.ask(level=str(number))
    with pytest.raises(BadCommand, match="20 requests waiting"):
        waiting.ask(level="more")


def test_tally_and_needs_are_words(waiting):
    needs = waiting.live.policy.rules[0].need
    assert quorum.whom([needs], [needs.rule]) == "2 of leads or managers"
