"""Approvals as people live them: two people, an admin and a room, on a real Errbot."""

import re
from contextlib import contextmanager

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Caller, Place, State
from automation_bots.operations.revision import revision
from automation_bots.store import AuditKind
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

TOML = 'backend = "Test"\n[places]\napprovals = "approvals-room"\n[approvals]\nproduction = ["prod"]\nmany = 3\n'
POLICY = """
timezone: Europe/Madrid
accounts: {approve_after: 0}
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, irc: joe2, groups: [support, leads]}
  kim: {test: kim, groups: [leads]}
  lee: {test: lee, groups: [leads]}
  max: {test: max, groups: [managers]}
  bob: {test: bob, groups: [leads], robot: true}
  eve: {test: eve, groups: [guests]}
rules:
  - {name: look, who: everyone, may: [reads], on: "all:!vault"}
  - name: two pairs of eyes
    who: support
    may: ["service restart *", note]
    on: web
    approval: {by: leads, quorum: 2, within: 4h, escalate: managers after 1h, room: "#approvals"}
  - {name: db, who: support, may: ["service restart *", "service stop *"], on: db, needs: approval by managers}
  - {name: later, who: support, may: ["service status *", "service start *"], on: all}
"""
HOSTS = """
all:
  vars: {driver: fake}
  children:
    web: {hosts: {web1: {}, web2: {}, web3: {}}}
    db: {hosts: {db1: {}}}
    prod: {hosts: {web1: {}}}
"""
NOTE = "# bot:\n#   help: Note\n#   risk: change\n#   parameters: {text: {}, token: {default: x, secret: true}}\n"
FILES = {"playbooks/note.yml": NOTE + "- hosts: all\n"}


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bot"), toml=TOML, policy=POLICY, hosts=HOSTS, files=FILES)
    with ChatBot(folder, drivers=(Fake(), Fake(name="ansible"))) as chat:
        chat.fake = chat.automation.dispatcher._context.drivers["fake"].behind
        yield chat


def asked(chat, command, who="joe", room="ops"):
    """Type a command that needs approval; return its number when the approvers were asked."""
    number = int(re.match(r"#(\d+) ", chat.asks(command, "waits for approval", who=who, room=room))[1])
    chat.hears(f"#{number} {who} asks for approval")
    return number


@pytest.fixture(autouse=True)
def _nothing_waits_afterwards(chat):
    yield
    for job in chat.automation.store.approvals.all():
        direct(chat, f"!withdraw {job.number}", "ana")


def direct(chat, text, who):
    """Type in a direct message, and return what is answered there."""
    before = len([1 for room, _ in chat.surface.said if room == who])
    chat.say(text, who)
    wait(lambda: len([1 for room, _ in chat.surface.said if room == who]) > before, 10)
    return [text for room, text in chat.surface.said if room == who][before]


@pytest.fixture
def number(chat):
    return asked(chat, "!service restart nginx on web1,web2 --reason CHG-7")


def state(chat, number):
    return chat.automation.store.job(number).state


def becomes(chat, number, wanted):
    wait(lambda: state(chat, number) is wanted, 10, lambda: str(chat.automation.store.job(number)))


def ran(chat, number):
    return [device for job, _, device in chat.fake.ran if job == number]


def test_the_requester_learns_who_may_approve_and_until_when(chat):
    said = chat.asks("!service restart nginx on web1,web2", "waits for approval", who="joe", room="ops")
    assert re.search(r"by 2 of leads \(kim, lee\) until .*CET? · asked in #approvals → !withdraw \d+", said)


def test_the_approvers_get_one_message_with_all_that_they_need(chat):
    chat.seen = 0
    number = asked(chat, "!service restart nginx on web --reason 'CHG-7 new certificate'")
    [(room, text)] = [s for s in chat.surface.said if s[1].startswith(f"#{number} joe asks")]
    assert room == "approvals-room"
    expected = ("joe in ops", "CHG-7 new certificate", "web 3 of 3", "3 of 4 (75 %)", "production: prod", "2 of leads")
    assert [words for words in (*expected, f"!approve {number}", f"!deny {number}") if words not in text] == []


def test_approvers_read_which_state_of_the_playbook_would_run(chat, number):
    operation = chat.automation.live.operation("service")
    said = revision(operation)
    assert said and said in direct(chat, f"!details {number}", "kim")
    rows = chat.automation.store.audit_rows(limit=1, job=number, kind=AuditKind.ASKED)
    assert rows[0].body["revision"] == said


def test_two_persons_approve_and_it_runs_once(chat, number):
    chat.asks(f"!approve {number} fine by me", "it needs 1 more of leads", who="kim", room="approvals-room")
    assert "others have to" in direct(chat, f"!approve {number}", "kim")
    assert "is approved by kim (fine by me), lee" in direct(chat, f"!approve {number}", "lee")
    chat.hears(f"#{number} .* done in .*: 2 changed")
    assert ran(chat, number) == ["web1", "web2"]
    assert "waits no longer: done" in direct(chat, f"!approve {number}", "lee")


@pytest.mark.parametrize(
    ("who", "sentence"),
    [("joe", "nobody approves their own"), ("bob", "a robot approves nothing"), ("max", "for 2 of leads to approve"),
     ("eve", "Nothing that waits has the number"), ("ana", "for 2 of leads to approve")],
)  # fmt: skip
def test_who_may_not_approve_is_told_why_and_nothing_runs(chat, number, who, sentence):
    assert sentence in direct(chat, f"!approve {number}", who)
    assert sentence.split("for")[0] in direct(chat, f"!deny {number} because", who)
    assert (state(chat, number), ran(chat, number)) == (State.WAITING, [])


def test_one_approver_denies_and_both_rooms_hear_why(chat, number):
    direct(chat, f"!approve {number}", "kim")
    assert "Say why" in direct(chat, f"!deny {number}", "lee")
    direct(chat, f"!deny {number} not before the release", "lee")
    wait(lambda: ("ops", "denied · lee: not before the release") in said(chat, number), 5)
    wait(lambda: ("approvals-room", "denied · lee: not before the release") in said(chat, number), 5)
    assert (state(chat, number), ran(chat, number)) == (State.DENIED, [])


def said(chat, number):
    """(room, what stands behind the last word of the title) of all messages about a job."""
    found = [(room, text.split("\n")[0]) for room, text in chat.surface.said if text.startswith(f"#{number} ")]
    return [(room, tail) for room, text in found for tail in (text[text.find("denied") :], text[text.find("void") :])]


def test_a_preview_that_nobody_needs_any_more_is_stopped(chat):
    ansible = chat.automation.dispatcher._context.drivers["ansible"].behind
    ansible.run, run = (lambda task, report: task.cancel.wait(20)), ansible.run
    text = chat.asks("!note hello on web3", "waits for approval", who="joe", room="ops")
    number = int(text[1:].split()[0])
    wait(lambda: chat.automation.store.approvals.find(number).preview, 10)
    preview = chat.automation.store.approvals.find(number).preview
    becomes(chat, preview, State.RUNNING)
    direct(chat, f"!withdraw {number}", "joe")
    becomes(chat, preview, State.CANCELLED)
    ansible.run = run


def test_a_job_that_waits_says_what_for(chat, number):
    assert "needs 2 of leads until" in direct(chat, f"!job {number}", "joe")
    assert "with approval by 2 of leads" in direct(chat, "!can service restart nginx on web1", "joe")


def test_who_asked_withdraws_and_nobody_else(chat, number):
    assert "No: #" in direct(chat, f"!withdraw {number}", "kim")
    direct(chat, f"!withdraw {number}", "joe")
    assert "waits no longer: withdrawn" in direct(chat, f"!approve {number}", "kim")
    assert state(chat, number) is State.WITHDRAWN


def test_cancel_takes_it_back_too(chat, number):
    direct(chat, f"!cancel {number}", "joe")


def test_clicks_do_what_the_words_do(chat, number):
    wait(lambda: chat.automation.store.approvals.find(number).messages, 10)  # they are noted once they are said
    place = chat.automation.store.approvals.find(number).messages[0].place
    click = lambda who, choice: chat.automation.pipeline.decided(Caller("test", who), place, number, choice)  # noqa: E731
    assert "CHG-7" in click("kim", "Details").block
    assert "it needs" in click("kim", "approve").text
    message = chat.automation.store.approvals.find(number).messages[0]
    denied = chat.automation.pipeline.chosen(Caller("test", "lee"), message, "Deny")
    assert denied.text.startswith("lee: #") and "is denied" in denied.text
    assert "Why? joe learns from it: !deny" in denied.hint


def test_who_denied_by_a_click_says_why_afterwards_and_the_requester_reads_it(chat, number):
    room = Place("test", "approvals-room")
    chat.automation.pipeline.decided(Caller("test", "kim"), room, number, "Deny")
    chat.hears("no reason given")
    assert "waits no longer" in direct(chat, f"!deny {number} me too", "lee")
    assert "joe reads why" in direct(chat, f"!deny {number} not before the release", "kim")
    wait(
        lambda: any(
            "denied · kim: not before the release" in text for room, text in chat.surface.said if room == "ops"
        ),
        10,
    )
    assert chat.automation.store.job(number).error == "kim: not before the release"
    assert "waits no longer" in direct(chat, f"!deny {number} another", "kim")


def test_an_answer_to_a_click_in_a_room_names_who_clicked(chat, number):
    room = Place("test", "approvals-room")
    said = [
        str(chat.automation.pipeline.decided(Caller("test", who), room, number, "Approve")) for who in ("kim", "joe")
    ]
    assert said[0].startswith("kim: #") and said[1].startswith("joe: No: ")


def test_pending_shows_what_concerns_one(chat, number):
    for who in ("joe", "kim", "ana"):
        assert f"#{number} " in direct(chat, "!pending", who)
    assert "Nothing waits" in direct(chat, "!pending", "eve")


def test_the_same_is_not_asked_twice(chat, number):
    again = "!service restart nginx on web1,web2 --reason CHG-7"
    assert f"#{number} waits already" in chat.asks(again, who="joe", room="ops")


def test_several_rules_must_all_be_met(chat):
    number = asked(chat, "!service restart nginx on web1,db1")
    for who in ("kim", "lee"):
        direct(chat, f"!approve {number}", who)
    assert ran(chat, number) == []
    direct(chat, f"!approve {number}", "max")
    chat.hears(f"#{number} .* done")


def test_a_request_that_nobody_could_approve_is_refused_at_once(chat):
    with changed(chat, "policy.yml", "max: {test: max, groups: [managers]}", "max: {test: max, groups: []}"):
        assert "nobody else could give it" in chat.asks("!service restart nginx on db1", who="joe", room="ops")


@contextmanager
def changed(chat, name, old, new):
    """Change a file and have it read; afterwards it is as it was."""
    path = chat.folder / name
    before = path.read_text()
    assert old in before
    path.write_text(before.replace(old, new))
    chat.automation.live.look()
    try:
        yield
    finally:
        path.write_text(before)
        chat.automation.live.look()


@pytest.mark.parametrize(
    ("name", "old", "new", "why"),
    [
        ("policy.yml", "joe: {test: joe, irc: joe2, groups: [support, leads]}\n", "no: {test: no}\n", "joe, who asked"),
        ("policy.yml", "quorum: 2", "quorum: 1", "the rules about who approves it have changed"),
        ("policy.yml", "who: support\n    may: [\"service restart *\", note]", "who: leads\n    may: [note]", "rules"),
        ("inventory/hosts.yml", "web1: {}, web2", "web1: {ansible_host: 10.9.9.9}, web2", "the inventory"),
        ("inventory/hosts.yml", "web2: {}, ", "", "No device"),
        ("inventory/hosts.yml", "prod: {hosts: {web1", "prod: {hosts: {web2: {}, web1", "the inventory"),
    ],
)  # fmt: skip
def test_any_change_voids_what_waits_and_says_so(chat, number, name, old, new, why):
    direct(chat, f"!approve {number}", "kim")
    with changed(chat, name, old, new):
        becomes(chat, number, State.VOID)
    assert why in chat.automation.store.job(number).error
    wait(lambda: {room for room, tail in said(chat, number) if why in tail} >= {"ops", "approvals-room"}, 5)
    assert ran(chat, number) == []


def test_a_pattern_that_means_other_devices_voids(chat):
    number = asked(chat, "!service restart nginx on web")
    with changed(chat, "inventory/hosts.yml", "web3: {}", "web3: {}, web4: {}"):
        becomes(chat, number, State.VOID)
    assert "web means other devices now" in chat.automation.store.job(number).error


def test_a_playbook_that_was_changed_voids_even_when_nobody_saw_it(chat):
    number = asked(chat, "!note hello on web1")
    direct(chat, f"!approve {number}", "kim")
    path = chat.folder / "playbooks/note.yml"
    path.write_text(path.read_text() + "# another\n")
    assert re.search(r"is void|no longer: void", direct(chat, f"!approve {number}", "lee"))  # seen now, or just before
    assert not [task for task in chat.automation.dispatcher._context.drivers["ansible"].behind.tasks if not task.check]


def test_the_preview_stands_in_the_question(chat):
    number = asked(chat, "!note hello on web1")
    text = next(text for _, text in chat.surface.said if text.startswith(f"#{number} joe asks"))
    assert "preview (#" in text
    assert "would run: note" in text


def test_a_secret_value_is_told_to_be_kept_in_memory_only(chat):
    text = chat.asks("!note hello token=s3cr3t on web1", "waits for approval", who="joe", room="ops")
    assert "token is kept in memory only" in text
    number = int(text[1:].split()[0])
    chat.hears(f"#{number} joe asks")
    assert "s3cr3t" not in (chat.automation.data / "bot.db").read_bytes().decode("latin1")
    for who in ("kim", "lee"):
        direct(chat, f"!approve {number}", who)
    becomes(chat, number, State.DONE)
    ansible = chat.automation.dispatcher._context.drivers["ansible"].behind
    assert [t.parameters["token"] for t in ansible.tasks if t.job.number == number] == ["s3cr3t"]


def test_an_approver_who_left_loses_the_vote_before_it_starts(chat, number):
    direct(chat, f"!approve {number}", "kim")
    with changed(chat, "policy.yml", "kim: {test: kim, groups: [leads]}", "kim: {test: kim, groups: [guests]}"):
        assert "it needs 1 more" in direct(chat, f"!approve {number}", "lee")
        assert state(chat, number) is State.WAITING


def test_who_left_and_comes_back_counts_again_and_it_goes_on(chat, number):
    direct(chat, f"!approve {number}", "kim")
    with changed(chat, "policy.yml", "kim: {test: kim, groups: [leads]}", "kim: {test: kim, groups: [guests]}"):
        direct(chat, f"!approve {number}", "lee")
        assert "kim no longer counts" in direct(chat, f"!details {number}", "lee")
    becomes(chat, number, State.DONE)


def test_a_vote_whose_id_is_linked_again_counts_again_or_is_given_anew(chat):
    direct(chat, "!person link kim test kim-phone", "ana")
    numbers = [asked(chat, f"!service restart nginx on {pair}") for pair in ("web1,web2", "web1,web3")]
    for number in numbers:
        direct(chat, f"!approve {number}", "kim-phone")
    direct(chat, "!person unlink test kim-phone", "ana")
    chat.automation.live.look()
    assert "1 more of leads" in direct(chat, f"!approve {numbers[0]}", "lee")
    assert "is approved by" in direct(chat, f"!approve {numbers[0]}", "kim")
    assert "1 more of leads" in direct(chat, f"!approve {numbers[1]}", "lee")
    direct(chat, "!person link kim test kim-phone", "ana")
    becomes(chat, numbers[1], State.DONE)
    assert re.search(r"approved +by kim, \d\d:\d\d CES?T\napproved +by lee", direct(chat, f"!job {numbers[1]}", "lee"))
    direct(chat, "!person unlink test kim-phone", "ana")


def test_what_is_for_later_waits_for_its_time_and_can_be_withdrawn(chat):
    text = chat.asks("!service start nginx on web1 --when tomorrow 22:00", "runs at", who="joe", room="ops")
    assert re.search(r"runs at \w{3} 22:00 CES?T", text)
    number = int(text[1:].split()[0])
    assert state(chat, number) is State.SCHEDULED
    assert "runs at" in direct(chat, "!pending", "joe")
    assert "withdrawn" in direct(chat, f"!withdraw {number}", "joe")


def test_approved_now_and_run_then(chat):
    number = asked(chat, "!service restart nginx on web1 --when 'in 3s'")
    for who in ("kim", "lee"):
        direct(chat, f"!approve {number}", who)
    assert state(chat, number) is State.SCHEDULED
    becomes(chat, number, State.DONE)
    job = chat.automation.store.job(number)
    assert job.started >= chat.automation.store.approvals.find(number).run_at


def test_a_time_that_is_none_is_said(chat):
    assert "'noonish' is no time" in chat.asks("!service start nginx on web1 --when noonish", "noonish", "joe", "ops")
    chat.asks('!service start nginx on web1 when="2020-01-01 10:00"', "is over", "joe", "ops")


def test_the_record_has_every_step_and_holds(chat, number):
    direct(chat, f"!approve {number}", "kim")
    direct(chat, f"!deny {number} no", "lee")
    kinds = [row.kind.value for row in chat.automation.store.audit_rows(limit=50, job=number)][::-1]
    assert [kind for kind in kinds if kind != "told"] == ["approval asked", "approved", "approval denied"]
    chat.automation.store.verify_audit()
