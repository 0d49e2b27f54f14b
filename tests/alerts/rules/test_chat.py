"""Rules on a real bot: events come in, rooms read, robots run, people click; what is refused is said."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.drivers.fake import Fake
from automation_bots.model import State
from automation_bots.store.rules import ActionState, RuleAction, What
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web]}
  kim: {test: kim, groups: [readers]}
  looker: {rule: looker, robot: true}
  restarter: {rule: restarter, robot: true}
oncall:
  net: {turns: [ana, joe], since: 2026-01-05}
  all-year: joe
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: readers, who: readers, may: [rules]}
  - {name: look, who: [looker, web], may: [reads], on: "all:!vault"}
  - {name: restarts, who: restarter, may: ["service restart *"], on: web, approval: {by: web, within: 1h}}
  - {name: stops, who: restarter, may: ["service stop *"], on: web, reauth: {within: 15m}}
  - {name: many, who: joe, may: [reboot], on: web, limit: {devices: 1, above: confirm}}
  - {name: joes, who: joe, may: ["service restart *"], on: web1}
"""
RULES = """
- name: looked at
  when: {source: zabbix, what: look, on: all}
  as: looker
  do: {to: "#ops", run: "uptime on {device}"}
- name: restarted
  when: {source: zabbix, what: restart}
  as: restarter
  rate: 100/min
  do: {to: "#ops", run: "service restart {fields.unit} on {device}"}
- name: stopped
  when: {source: zabbix, what: stop}
  as: restarter
  do: {to: "#ops", run: "service stop nginx on {device}"}
- name: offered
  when: {source: zabbix, what: offer}
  do: {to: "#ops", propose: "service restart {fields.unit} on {device}"}
- name: a robot of nobody
  when: {source: zabbix, what: nobody}
  do: {to: "#ops", run: "uptime on {device}"}
- name: all of them
  when: {source: zabbix, what: many}
  do: {to: "#ops", propose: "reboot on web"}
- name: watched
  when: {source: zabbix, what: watch}
  do: {to: "#ops", propose: "alias {fields.word} = uptime on {device}"}
- name: again
  when: {kind: job, phase: single, fields: {state: failed}}
  do: {to: "#ops", propose: "retry {fields.job} failed"}
"""
DOWN = ReportedEvent(
    "zabbix", "zabbix", "look", datetime(2026, 1, 1, tzinfo=UTC), Phase.FIRING, Severity.HIGH, about="web1"
)


@pytest.fixture(scope="module")
def fake():
    return Fake()


@pytest.fixture(scope="module")
def chat(tmp_path_factory, fake):
    folder = write_folder(tmp_path_factory.mktemp("rules"), policy=POLICY, files={"rules.yml": RULES})
    with ChatBot(folder, drivers=(fake,)) as chat:
        yield chat


def comes(chat, what, **fields):
    """Let the bot hear of something, each time another alert."""
    store = chat.automation.store
    number = store.events.last() + 1
    event = replace(DOWN, what=what, at=datetime.now(UTC), fingerprint=f"f{number}", **fields)
    chat.automation.alerts.intake.take([event])
    return number


def test_a_rule_runs_as_its_robot_and_its_room_reads_how_it_went(chat):
    number = comes(chat, "look")
    assert chat.hears(rf"#\d+ \(event {number}\) uptime on web1 done")
    job = chat.automation.store.jobs()[0]
    assert (job.person, job.place.room, job.cause.rules) == ("looker", "#ops", ("looked at",))


def test_an_event_says_what_each_rule_made_of_it_and_what_came_of_that(chat):
    number = comes(chat, "look")
    chat.hears(rf"#\d+ \(event {number}\) uptime on web1 done")
    said = chat.asks(f"!event {number}", f"Event {number}: look")
    assert "rule “looked at”" in said and "runs uptime on {device}" in said and "run #" in said
    assert "no: what: “look” is not restart" in said


def test_what_needs_approval_is_asked_for_and_a_human_decides(chat):
    number = comes(chat, "restart", fields={"unit": "nginx"})
    asked = chat.hears(r"#\d+ .*service restart nginx on web1")
    job = next(job for job in chat.automation.store.jobs() if job.cause and job.cause.event == number)
    assert (job.state, job.person) == (State.WAITING, "restarter")
    assert "web" in asked
    chat.asks(f"!approve {job.number}", "approved|Approved|runs|queued", who="joe", room="#ops")
    wait(lambda: chat.automation.store.job(job.number).state is State.DONE, 10)


@pytest.mark.parametrize("unit", ["nginx on all", "--emergency", "a b", "nginx\nx", "*"])
def test_what_an_event_says_cannot_make_more_of_a_command(chat, unit):
    before = len(chat.automation.store.jobs())
    number = comes(chat, "restart", fields={"unit": unit})
    assert chat.hears(rf"Rule “restarted” would run .* for event {number}, but did not: ")
    assert len(chat.automation.store.jobs()) == before


def test_a_rule_may_do_no_more_than_its_robot(chat):
    comes(chat, "look", about="vault1")
    assert chat.hears("Rule “looked at” would run .*, but did not: No device .*vault1")


def test_what_a_person_would_have_to_prove_themselves_for_no_robot_does(chat):
    assert "restarter may" not in chat.asks("!rule test stopped source=zabbix what=stop device=web1", "would act")
    comes(chat, "stop")
    assert chat.hears("Rule “stopped” would run .*, but did not: ")


def test_without_a_robot_nothing_runs(chat):
    comes(chat, "nobody")
    assert chat.hears("policy.yml has no robot for it")


def test_what_is_proposed_is_judged_as_whoever_takes_it_and_taken_once(chat):
    comes(chat, "offer", about="web2", fields={"unit": "nginx"})
    said = chat.hears("Rule “offered” proposes: service restart nginx on web2")
    number = said.split("!do ")[1].split()[0]
    assert "No: " in chat.asks(f"!do {number}", "No: service restart on web2|No: ", who="joe", room="#ops")
    chat.say(f"!do {number}", who="ana", room="#ops")
    assert chat.hears(r"#\d+ service restart nginx on web2 done")
    assert "no longer proposed: taken by ana" in chat.asks(f"!do {number}", "no longer", who="joe", room="#ops")


def test_what_is_asked_about_first_is_done_once_all_the_same(chat):
    comes(chat, "many")
    number = chat.hears("Rule “all of them” proposes: reboot on web").split("!do ")[1].split()[0]
    chat.asks(f"!do {number}", "Type 3 to go on", who="joe", room="#ops")
    assert "no longer proposed: taken by joe" in chat.asks(f"!do {number}", "no longer", who="ana", room="#ops")
    chat.asks("3", r"#\d+ reboot on web", who="joe", room="#ops")
    assert "no longer proposed" in chat.asks(f"!do {number}", "no longer", who="joe", room="#ops")


def test_what_cannot_be_shown_whole_is_not_proposed(chat):
    comes(chat, "offer", about="web2", fields={"unit": "x" * 150})
    assert "longer than can be shown whole" in chat.hears("would propose service restart")


def test_what_was_proposed_long_ago_is_not_done_with_a_click(chat):
    old = RuleAction("offered", 1, What.PROPOSE, datetime.now(UTC) - timedelta(days=2), {"command": "uptime on web1"})
    chat.automation.store.rules.decide([10_000_000], [replace(old, state=ActionState.ASKED)], {}, {})
    number = chat.automation.store.rules.latest("offered", 1)[0].number
    assert chat.asks(f"!do {number}", "more than a day ago")


def test_the_bots_own_commands_can_be_proposed(chat):
    comes(chat, "done", kind="job", phase=Phase.SINGLE, fields={"state": "failed", "job": "999"})
    number = chat.hears("Rule “again” proposes: retry 999 failed").split("!do ")[1].split()[0]
    assert chat.asks(f"!do {number}", "999", who="ana", room="#ops")


def test_what_could_not_be_done_is_still_proposed(chat):
    comes(chat, "done", kind="job", phase=Phase.SINGLE, fields={"state": "failed", "job": "998"})
    number = chat.hears("Rule “again” proposes: retry 998 failed").split("!do ")[1].split()[0]
    for who in ("joe", "ana"):
        chat.asks(f"!do {number}", "no job #998|no longer", who=who, room="#ops").index("no job")


def test_a_command_of_the_bot_itself_that_was_proposed_is_done_once(chat):
    comes(chat, "watch", fields={"word": "up1"})
    number = chat.hears("Rule “watched” proposes: alias up1 = uptime on web1").split("!do ")[1].split()[0]
    assert "is now" in chat.asks(f"!do {number}", "is now", room="#ops")
    assert "taken by ana" in chat.asks(f"!do {number}", "no longer|is now", who="joe", room="#ops")


def test_rules_are_listed_read_aloud_and_tried(chat):
    assert "looked at" in chat.asks("!rules", "8 rules")
    aloud = chat.asks("!rule restarted", "Rule “restarted”, line 6")
    assert "service restart {fields.unit} on {device} in #ops, as the robot restarter" in aloud
    tried = chat.asks("!rule test restarted source=zabbix what=restart device=web1 fields.unit=nginx", "it would act")
    assert "restarter asks for approval by web" in tried
    other = chat.asks("!rule test restarted source=zabbix what=restart device=db1 fields.unit=nginx", "would act")
    assert "as restarter  No device or group 'db1'" in other
    failed = chat.asks("!rule test restarted source=am what=restart severity=high", "it does nothing")
    assert "“am” is not zabbix" in failed


def test_a_rule_is_tried_on_an_event_that_came(chat):
    number = comes(chat, "other")
    assert "“other” is not look" in chat.asks(f"!rule test looked at {number}", "it does nothing")
    assert "would act" in chat.asks(
        f"!rule test offered {comes(chat, 'offer', fields={'unit': 'x'})}", "Rule “offered” and"
    )


def test_a_rule_is_tried_on_no_event_that_one_may_not_see(chat):
    number = comes(chat, "other", about="vault1")
    alert = chat.automation.store.events.find(number).alert
    for word in (number, f"A{alert}"):
        said = chat.asks(f"!rule test looked at {word}", "^There is no", who="kim")
        assert said.startswith("There is no") and "vault1" not in said


def test_a_rule_is_paused_with_who_and_why(chat):
    assert "by ana: too loud" in chat.asks("!rule pause looked at too loud", "is paused")
    comes(chat, "look")
    assert "paused by ana: too loud" in chat.asks("!rules", "8 rules")
    assert chat.asks("!rule test looked at source=zabbix what=look device=web1", "not now: paused: by ana")
    assert chat.asks("!rule resume looked at", "goes on")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!rule", "Which one?"),
        ("!rule test", "Which rule?"),
        ("!rule lookd at", "Did you mean !rule looked at?"),
        ("!rule looked at now", "!rule test looked at <event>"),
        ("!rule test looked at", "With which event?"),
        ("!rule test looked at 999999", "There is no event 999999"),
        ("!rule test looked at severity=bad", "none of critical"),
        ("!rule test looked at colour=red", "no field of an event"),
        ("!rule pause looked at", "Why?"),
        ("!do", "Which proposal?"),
        ("!do 99999", "Nothing was proposed under the number 99999"),
        ("!oncall nobody", "no rota 'nobody'"),
        ("!oncall take net", "Until when?"),
        ("!oncall take", "Which rota?"),
        ("!oncall take net until whenever", "Until when?"),
    ],
)
def test_what_cannot_be_read_is_answered_with_what_to_type(chat, typed, said):
    assert said in chat.asks(typed, ".")


def test_who_may_not_look_at_rules_reads_why(chat):
    assert chat.asks("!rules", "No: rules", who="joe")


def test_who_is_on_call_is_said_taken_and_given_back(chat):
    assert "joe" in chat.asks("!oncall all-year", "On call:")
    assert chat.asks("!oncall take all-year until 18:00", "ana is on call for all-year until")
    assert "taken; by the plan joe" in chat.asks("!oncall", "On call:")
    assert chat.asks("!oncall back all-year", "goes by its plan again")
    assert chat.asks("!oncall take all-year until 18:00", "No: |is on call", who="joe")


def test_a_changed_file_counts_at_once_and_a_broken_rule_is_told_to_the_admins(chat):
    path = chat.folder / "rules.yml"
    path.write_text(RULES + "- name: new\n  when: {sorce: x}\n  do: {post: '#ops'}\n")
    chat.automation.live.look()
    assert chat.hears("A file is wrong and was left out: rules.yml, line .*'new': when.sorce: this key is not known")
    assert "broken" in chat.asks("!rules", "8 rules")
    path.write_text(RULES)
    chat.automation.live.look()
    assert "broken" not in chat.asks("!rules", "8 rules")
