"""Schedules as people type them into a real bot, and what the room reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Outcome, ScheduleState, State, Status
from automation_bots.operations import own_at_times
from automation_bots.store import Subject
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
TOML = 'name = "netbot"\nbackend = "Test"\n[schedules]\nperson = 5\n'
POLICY = """
timezone: Europe/Madrid
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web], zone: America/New_York}
  kim: {test: kim, groups: [web, leads]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - {name: restarts, who: web, may: ["service restart *"], on: web, limit: {devices: 2, above: confirm}}
  - {name: starts, who: web, may: ["service start *"], on: web, approval: {by: leads, within: 1h}}
  - {name: stops, who: joe, may: ["service stop *"], on: web, when: "02:00-02:01"}
"""
NOTE = "# bot:\n#   help: Note\n#   risk: read\n#   devices: none\n#   parameters: {text: {text: true}}\n- hosts: all\n"
FILES = {"playbooks/note.yml": NOTE}


@pytest.fixture(scope="module")
def fake():
    return Fake()


@pytest.fixture(scope="module")
def running(tmp_path_factory, fake):
    folder = write_folder(tmp_path_factory.mktemp("schedules"), toml=TOML, policy=POLICY, files=FILES)
    with ChatBot(folder, drivers=(fake, Fake(name="ansible"))) as chat:
        yield chat


@pytest.fixture
def chat(running, fake):
    yield running
    fake.outcomes.clear()
    for schedule in running.automation.store.schedules.all():
        running.asks(f"!schedule {schedule.number} remove", "removed|gone", who="ana")


def made(chat, text, who="joe", room="ops"):
    """Set one, and return its number."""
    return int(chat.asks(text, r"^S\d+ ", who=who, room=room).split()[0][1:])


def comes(chat, number):
    """Let its next time be now, once it is known what came of the last one."""
    store = chat.automation.store.schedules
    wait(lambda: all(one.result for one in taken(chat, number)), 10)
    found, due = store.find(number), datetime.now(UTC)
    before = (due - timedelta(minutes=15)).isoformat()
    times = {**found.times, "anchor": before} if "anchor" in found.times else found.times
    assert store.change(found, replace(found, due=due, times=times), "test", Subject())
    chat.automation.schedules.look()


def taken(chat, number):
    return chat.automation.store.schedules.history(number, 20)


def is_done(chat, number, times=1):
    """Wait until the last of so many times is done."""
    wait(lambda: [one.result for one in taken(chat, number)][:1] == ["done"] and len(taken(chat, number)) == times, 10)


def test_what_is_set_is_said_shown_and_runs_as_its_maker_in_its_room(chat):
    said = chat.asks("!every weekday 06:30 uptime on web1", r"^S\d+ ", who="joe", room="ops")
    assert "uptime on web1, weekdays 06:30 America/New_York, as joe; next " in said
    number = int(said.split()[0][1:])
    comes(chat, number)
    assert "done in" in chat.hears(rf"#\d+ \(S{number}\) uptime on web1 done")
    (job,) = [job for job in chat.jobs if job.occurrence and job.occurrence.schedule == number]
    assert (job.person, job.place.room) == ("joe", "ops")
    is_done(chat, number)
    assert f"schedule  S{number}, its time" in chat.asks(f"!job {job.number}", "who", who="joe")
    shown = chat.asks(f"!schedule {number}", "owner", who="joe")
    assert all(
        words in shown for words in ("owner  joe", "tells  what changed or failed, in ops", f"#{job.number} done")
    )
    assert shown.count("06:30 E") == 5
    assert "schedules 1 → !schedules mine" in " ".join(chat.asks("!person", "schedules", who="joe").split())
    assert "1 active" in " ".join(chat.asks("!status", "schedules").split())


def test_what_makes_no_command_any_more_can_still_be_paused_and_removed(chat):
    number = made(chat, "!every 15m uptime on web1", who="joe")
    store = chat.automation.store.schedules
    found = store.find(number)
    assert store.change(found, replace(found, operation="gone"), "test", Subject())
    comes(chat, number)
    chat.hears(rf"S{number} gone on web1 did not run at .*No operation")
    chat.asks(f"!schedule {number} pause", "is paused", who="joe")
    chat.asks(f"!schedule {number} remove", "is removed", who="joe")


def test_lists_show_what_one_may_see(chat):
    number = made(chat, "!every 15m uptime on web1", who="joe")
    hidden = made(chat, "!every 15m uptime on vault1", who="ana")
    assert f"S{number}  uptime on web1" in (listed := chat.asks("!schedules", "schedules?:", who="kim"))
    assert f"S{hidden}" not in listed
    assert f"S{hidden}" in chat.asks("!schedules", "schedules?:", who="ana")
    assert f"S{number}" not in chat.asks("!schedules mine", "schedules?:", who="ana")
    assert f"S{number}" in chat.asks("!schedules web1", "schedules?:", who="ana")
    chat.asks("!schedules web2", "No schedule there", who="ana")
    chat.asks(f"!schedule {hidden}", f"There is no schedule S{hidden}", who="kim")


def test_paused_resumed_removed_by_owner_or_admin(chat):
    number = made(chat, "!every 15m uptime on web1", who="joe")
    assert "No: " in chat.asks(f"!schedule {number} pause", who="kim")
    chat.asks(f"!schedule S{number} pause", "is paused", who="ana")
    chat.asks(f"!schedule {number} pause", "paused: by ana already", who="joe")
    chat.asks(f"!schedule {number} resume", "goes on: next", who="joe")
    chat.asks(f"!schedule {number} puase", "Did you mean pause", who="joe")
    chat.asks(f"!schedule {number} remove", "is removed", who="joe")
    chat.asks(f"!schedule {number}", "There is no schedule", who="joe")


def test_who_takes_it_over_has_to_say_so_since_it_runs_with_their_rights(chat):
    number = made(chat, "!every 15m service restart nginx on web1", who="joe")
    chat.asks(f"!schedule {number} run", "with the rights of joe, who alone runs it now", who="ana")
    chat.asks(f"!schedule {number} owner kmi", "Did you mean kim", who="joe")
    chat.asks(f"!schedule {number} accept", "was not offered to you", who="kim")
    chat.asks(f"!schedule {number} owner kim", "kim has to say yes", who="joe")
    assert chat.automation.store.schedules.find(number).person == "joe"
    chat.asks(f"!schedule {number} accept", "is yours now", who="kim", room="ops")
    chat.asks(f"!schedule {number} run", rf"\(S{number}\) service restart", who="kim", room="ops")
    wait(lambda: chat.jobs[0].state is State.DONE, 10)
    assert (chat.jobs[0].person, chat.jobs[0].caller.id) == ("kim", "kim")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("!every 15m service restart nginx on db1", "No: service on db1"),
        ("!every 15m uptme on web1", "Did you mean  !uptime on web1"),
        ("!every 15m uptime on vault1", "No device"),
        ("!every 15m uptime", "needs the devices"),
        (
            "!at 22:00 person\ninvite joe",
            "!person invite joe does not run at times: accounts are for somebody who is there",
        ),
        ("!at 22:00 oncall\ntake until 18:00", "!oncall take until 18:00 does not run at times"),
        ("!at 22:00 approve 42", "!approve 42 does not run at times: somebody has to look at it first"),
        ("!every 15m every 15m uptime on web1", "a schedule sets no other"),
        ("!at 22:00 playbook run patch on web", "name the playbook itself"),
        ("!at 22:00 freeze web1", "→ !freeze <devices> until <time> <reason>"),
        ("!at 22:00 freeze web1 until 23:00", "Why?"),
        ("!at 22:00 freeze web1 until 23:00 audit", "No: freeze on web1"),
        ("!at 22:00 unmonitor 99", "There is no monitor M99"),
        ("!at 22:00 change end", "You have 0 changes open"),
        ("!at 22:00 cancel 99999", "There is no job #99999"),
        ("!every 10s jobs", "too often"),
        ("!cron 25 6\t* * *\troot\tuptime on web1", 'it runs as you. → !cron "25 6 * * *" uptime on web1'),
        ("!every 15m", "what shall run then"),
        ("!every", "When, and what"),
        ("!every 15 uptime on web1", "is no interval. → !every 15m uptime on web1"),
        ("!every morning uptime on web1", "At what time? → !every day 08:00 uptime on web1"),
        ("!every 10s uptime on web1", "too often: what looks comes at most every 60 s"),
        ("!every 1m service restart nginx on web1", "too often: what may change something comes at most every 5 min"),
        ("!at 25:00 uptime on web1", "is no time"),
        ('!cron "* * * * * *" uptime on web1', "no seconds"),
        ("!every 15m uptime on web1 --on maybe", "--on takes change, failure or always"),
        ("!every 15m uptime on web1 --zone Mars/Base", "no time zone"),
        ("!every 15m uptime on web1 --when 22:00", "does not go with a schedule"),
        ("!every 15m service restart nginx on web --emergency fire", "does not go with a schedule"),
        ("!every 15m service restart nginx on web", "say how many you mean: --confirm 3"),
    ],
)
def test_what_cannot_be_set_is_refused_when_it_is_typed_with_what_to_type(chat, text, said):
    assert said in chat.asks(text, who="joe")
    assert chat.automation.store.schedules.all() == []


def test_the_lines_below_a_command_belong_to_it(chat):
    chat.asks("!at 2h note\n```\nvlan 10\nvlan 20\n```", r"^S\d+ note, at ", who="ana")
    (found,) = chat.automation.store.schedules.all()
    assert (found.line, found.text) == ("", "vlan 10\nvlan 20")
    chat.asks(f"!schedule {found.number} run", r"\(S\d+\) note", who="ana")
    assert chat.jobs[0].parameters == {"text": "vlan 10\nvlan 20"}


def test_smart_quotes_the_prefix_and_options_are_read_as_people_type_them(chat):
    chat.asks("!cron “0 2 1 * 1” --on failure !uptime on web1 --zone UTC", "one of them is enough", who="joe")
    (found,) = chat.automation.store.schedules.all()
    assert (found.title, found.tells.value, found.times["zone"]) == ("uptime on web1", "failure", "UTC")


def test_a_person_has_so_many_and_no_more(chat):
    for _ in range(5):
        made(chat, "!every 15m uptime on web1", who="joe")
    chat.asks("!every 15m uptime on web1", "You have 5 schedules, which is the limit", who="joe")


def test_a_named_number_of_devices_counts_until_it_is_another(chat):
    number = made(chat, "!every 15m service restart nginx on web --confirm 3", who="joe")
    chat.asks(f"!schedule {number} run", r"\(S\d+\) service restart nginx on web1, web2, web3", who="joe", room="ops")
    wait(lambda: chat.jobs[0].state is State.DONE, 10)


def test_rights_are_those_of_the_moment(chat):
    number = made(chat, "!every 15m service restart nginx on web1", who="joe")
    chat.asks("!freeze web1 until 1h audit", "frozen", who="ana")
    comes(chat, number)
    assert "audit" in chat.hears(
        rf"S{number} service restart nginx on web1 did not run at .*: No: web1 is frozen by ana"
    )
    chat.asks("!unfreeze web1", "can be changed again", who="ana")
    assert taken(chat, number)[0].job is None


def test_other_hours_are_told_when_it_is_set(chat):
    assert "is allowed only at 02:00-02:01" in chat.asks("!at 12:00 service stop nginx on web1", who="joe")
    assert "would be refused" not in chat.asks(
        "!at 02:00 --zone Europe/Madrid service stop nginx on web1", "^S", who="joe"
    )


def test_an_approval_is_asked_for_at_once_for_the_first_time_and_given_it_runs_then(chat):
    assert "Needs approval by leads: asked for now." in chat.asks(
        "!at 2h service start nginx on web1", "^S", who="joe", room="ops"
    )
    job = next(job for job in chat.jobs if job.occurrence)  # the newest is its preview
    wait(lambda: chat.automation.store.approvals.find(job.number).asked, 10)
    chat.asks(f"!approve {job.number}", "is approved by kim; it runs at", who="kim", room="leads")
    assert chat.automation.store.job(job.number).state is State.SCHEDULED
    (found,) = chat.automation.store.schedules.all()
    chat.asks(f"!schedule {found.number} remove", "is removed", who="joe")
    assert chat.automation.store.job(job.number).state is State.WITHDRAWN


def test_only_what_changed_is_told_with_the_last_answer_beside_it(chat, fake):
    number = made(chat, "!every 15m uptime on web1,web2 --on change", who="joe")
    comes(chat, number)
    chat.hears(rf"\(S{number}\) uptime on web1, web2 done .* the first answer")
    comes(chat, number)
    is_done(chat, number, 2)
    fake.outcomes["web2"] = Outcome("web2", Status.OK, "other", "other")
    comes(chat, number)
    said = chat.hears(rf"\(S{number}\) uptime")
    last = taken(chat, number)[1].job
    assert f"1 of 2 devices changed since #{last}" in said
    assert "web2  done → other" in said
    assert not [text for _, text in chat.surface.said if text.startswith(f"#{last} ")]


def test_only_what_fails_is_told_and_that_it_is_good_again(chat, fake):
    number = made(chat, "!every 15m uptime on web1 --on failure", who="joe")
    comes(chat, number)
    is_done(chat, number)
    fake.outcomes["web1"] = Outcome("web1", Status.FAILED, "no")
    comes(chat, number)
    assert "1 failed" in chat.hears(rf"\(S{number}\) uptime")
    fake.outcomes.clear()
    comes(chat, number)
    assert "good again: #" in chat.hears(rf"\(S{number}\) uptime")
    assert chat.automation.store.schedules.find(number).state is ScheduleState.ACTIVE


# -- commands of the bot itself

CHANGES = {
    "freeze web1 until 1h audit": "frozen", "lock web1 move": "locked", "change start web1 card": "C",
    "monitor ping web1 every 10s for 30m": "M", "audit export from 2026-01-01": "entries",
}  # fmt: skip


@pytest.mark.parametrize("command", CHANGES)
def test_what_is_set_for_later_is_tried_and_nothing_of_it_is_done(chat, command):
    chat.asks(f"!at 2h {command}", r"^S\d+ ", who="ana")
    kinds = [row.kind.value for row in chat.automation.store.audit_rows(limit=3)]
    assert kinds[0] == "schedule set"
    assert not {"frozen", "locked", "change begun", "monitor begun", "exported"}.intersection(kinds)
    assert chat.automation.store.change_blocks.current() == ()
    assert chat.automation.monitors.running() == []


def test_every_change_that_may_run_at_times_is_tried_by_a_test():
    named = {command.split()[0] for command in CHANGES} | {"unfreeze", "unlock", "unmonitor", "mute", "cancel", "retry"}
    assert {name for name, timed in own_at_times.TIMED.items() if timed.changes} - named == {"withdraw", "schedule"}


def test_a_freeze_comes_at_its_time_and_a_list_is_told_where_it_was_set(chat):
    frozen = made(chat, "!every day 06:30 freeze web1 until 1h audit", who="ana")
    comes(chat, frozen)
    assert f"S{frozen} freeze web1 until 1h audit: web1 frozen" in chat.hears("frozen for changes until")
    listed = made(chat, "!every monday 08:00 locks | include web", who="joe")
    comes(chat, listed)
    assert "web1" in chat.hears(f"S{listed} locks | include web: 1 closed to changes")
    chat.asks("!unfreeze web1", "can be changed again", who="ana")
    assert "done: web1 frozen" in chat.asks(f"!schedule {frozen}", "owner", who="ana")


def test_what_failed_is_run_again_tonight_as_a_job_of_the_schedule(chat, fake):
    fake.outcomes["web2"] = Outcome("web2", Status.FAILED, "no")
    chat.asks("!uptime on web1,web2", "1 failed", who="joe", room="ops")
    number = made(chat, f"!at 2h retry {chat.jobs[0].number} failed", who="joe")
    fake.outcomes.clear()
    chat.asks(f"!schedule {number} run", rf"\(S{number}\) uptime on web2 done", who="joe", room="ops")
    assert chat.jobs[0].devices == ("web2",)
    is_done(chat, number)


def test_of_a_command_of_the_bot_the_rights_are_those_of_the_moment(chat):
    number = made(chat, "!every day 06:30 audit since=2h", who="ana")
    chat.asks(f"!schedule {number} owner joe", "joe has to say yes", who="ana")
    chat.asks(f"!schedule {number} accept", "No: audit is not for you|No: ", who="joe")
    assert chat.automation.store.schedules.find(number).person == "ana"
