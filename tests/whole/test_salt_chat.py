"""Salt by chat: targets become devices that the gate judges, verbs go through Salt, events are followed."""

import threading
import time

import pytest

from tests.fakes.salt import Salt
from tests.support.chatbot import ChatBot, wait, write_folder
from tests.support.pages import play
from tests.whole.test_injection import HOSTILE, text_of

pytestmark = pytest.mark.slow
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
  kim: {test: kim, groups: [interns]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: one, who: interns, may: ["salt * test.echo *"], on: web1}
  - {name: look, who: everyone, may: ["salt * test.ping", "grains", "uptime", "minions"], on: web}
"""
HOSTS = """
all:
  vars: {driver: [salt, ssh]}
  children:
    web: {hosts: {web1: {}, front: {salt_minion: web2}}}
    db: {hosts: {db1: {}}}
"""
VERB = "help: Say it again\nrisk: read\nparameters: {words: {text: true, max_length: 9000}}\n"
SAY = {"playbooks/verbs/say.yml": VERB + 'linux: {run: [printf, "%s", "{words}"]}\n'}


@pytest.fixture(scope="module")
def chat(salt: Salt, tmp_path_factory):
    folder = tmp_path_factory.mktemp("salt") / "netbot"
    toml = f"""name = "netbot"\nbackend = "Test"\n[drivers.salt]\nurl = "{salt.url}"\nuser = "opsbot"
password = "file:password"\neauth = "file"\nanswer_seconds = 2\n[events]\nown = ["salt/job/*/ret/web2"]\n"""
    write_folder(folder, toml=toml, policy=POLICY, hosts=HOSTS, files={"password": salt.password, **SAY})
    (folder / "password").chmod(0o600)
    with ChatBot(folder) as chat:
        yield chat


@pytest.mark.parametrize(
    ("target", "devices"),
    [
        ("web*", "web1, front"),
        ("'web*'", "web1, front"),
        ("db1,web1", "db1, web1"),
        ("-L web1,web2", "web1, front"),
        ("G@role:db", "db1"),
        ("-G role:db", "db1"),
        ("G@role:web and not web1", "front"),
        ("-C 'G@role:web and web1'", "web1"),
        ("-E web[0-9]", "web1, front"),
        ("*", "db1, web1, front"),
        ("front", "front"),
        ("fron*", "front"),
        ("-L front,db1", "front, db1"),
        ("-C 'front or db1'", "db1, front"),
    ],
)
def test_a_target_of_each_kind_means_its_devices(chat, target, devices):
    said = chat.asks(f"!salt {target} test.ping", "done in .*: .* ok", seconds=20)
    assert f"salt test.ping on {devices} done" in said


def test_a_wildcard_finds_only_what_a_person_may_know_of(chat):
    said = chat.asks("!salt * test.ping", "done in", who="joe", seconds=20)
    assert "salt test.ping on web1, front done" in said
    for target in ("db1", "db*", "G@role:db", "web1,db1"):
        assert "No device" in chat.asks(f"!salt {target} test.ping", "No", who="joe", seconds=20)


def test_the_gate_judges_the_devices_that_the_target_means(chat):
    said = chat.asks("!salt web* test.echo hi", "No:", who="kim")
    assert "is not allowed" in said or "is for" in said
    assert "Devices you may use with salt: web1 (1)" in said


def test_only_the_functions_that_a_rule_names_are_free(chat):
    for words in ("web1 cmd.run id", "web1 cmd.run test.ping", "web1 test.ping x=1", "web1 test.echo test.ping"):
        assert "No: salt" in chat.asks(f"!salt {words}", "No", who="joe")
    assert "function cannot be 'test.ping,cmd.run'" in chat.asks("!salt web1 test.ping,cmd.run id", "cannot", who="joe")


def test_a_minion_that_the_inventory_does_not_have_is_refused_and_named(chat, salt):
    salt.add_minion("web9")
    salt.start("web9")
    try:
        pki = salt.folder / "master" / "pki"
        wait((pki / "minions_pre" / "web9").exists, 30)
        salt.command("salt-key", "--yes", "--accept", "web9")
        said = chat.asks("!salt -L web1,web9 test.ping", "inventory")
        assert "The inventory does not have minion web9." in said
        assert "web9" in chat.asks("!minions", "waiting for their key", seconds=20)
        assert "web9" not in chat.asks("!minions", "waiting for their key", who="joe", seconds=20)
        assert "No device 'web1,web9'" in chat.asks("!salt -L web1,web9 test.ping", "No", who="joe")
        chat.asks("!salt web* test.ping", "on web1, front done in", who="joe", seconds=20)
    finally:
        salt.stop("web9")
        salt.command("salt-key", "--yes", "--delete", "web9")


def test_a_minion_that_is_not_there_is_said_so(chat):
    assert "Salt has no minion nope." in chat.asks("!salt web1,nope test.ping", "no minion")
    assert "Salt has no minion that 'nope*' means" in chat.asks("!salt nope* test.ping", "no minion")


def test_verbs_go_through_salt_where_the_inventory_says_so_first(chat):
    chat.asks("!uptime on web", "done in .*: 2 ok", who="joe", seconds=20)
    assert chat.jobs[0].drivers == ("salt",)


def test_grains_and_states_and_minions_have_words_of_their_own(chat, salt):
    assert "role: db" in chat.asks("!grains db1 role", "done in .*: 1 ok", seconds=20)
    salt.trace.unlink(missing_ok=True)
    assert f"would change {salt.trace}" in chat.asks("!state db1 touch --test", "done in .*: 1 skipped", seconds=20)
    assert not salt.trace.exists()
    assert "3 up" in chat.asks("!minions", "up, 0 down", seconds=30)
    assert "db1" not in chat.asks("!minions", "up, 0 down", who="joe", seconds=30)


def test_a_real_minion_gets_hostile_words_as_data(chat, tmp_path):
    """All in one job, since each takes Salt a while: to the shell of a minion, and to a function of Salt's own."""
    names = HOSTILE.keys() - {"nul", "surrogate", "long", "quotes", "return", "ansi", "right to left"}
    text = "\n".join(text_of(name, tmp_path / "canary") for name in sorted(names))
    chat.asks(f"!say on web1 --wait\n```\n{text}\n```", "done in .*: 1 ok", seconds=30)
    assert chat.automation.store.output(chat.jobs[0].number, "web1") == text
    line = "; touch CANARY | $(touch CANARY) `touch CANARY` {{ 7*7*1111 }} %s".replace(
        "CANARY", str(tmp_path / "canary")
    )
    chat.asks(f'!salt web1 test.echo "{line}"', "done in .*: 1 ok", seconds=30)
    assert line in chat.automation.store.output(chat.jobs[0].number, "web1")
    assert not (tmp_path / "canary").exists()


def test_a_cancelled_function_ends_on_the_minion(chat, salt):
    marker = f"5{time.time_ns() % 10**8}"
    chat.say(f"!salt db1 cmd.run 'sleep {marker}'")
    wait(lambda: salt.running(f"sleep {marker}"), 20)
    chat.asks(f"!cancel {chat.jobs[0].number}", "cancelled", seconds=20)
    wait(lambda: not salt.running(f"sleep {marker}"), 10)


def test_events_of_salt_and_of_the_bot_are_followed(chat):
    chat.say("!events follow count=40 seconds=8")
    wait(chat.automation.store.running, 10)
    time.sleep(0.5)
    chat.asks("!salt web1 test.echo hunter2", "done in .*: 1 ok", seconds=20)
    said = chat.hears(r"events-follow .*done", seconds=20)
    assert "bot/job/" in said
    assert "/ret/web1  id=web1 fun=test.echo success=True retcode=0" in said
    assert "hunter2" not in said


def test_events_of_salt_that_are_named_are_kept_with_the_device_that_their_minion_is(chat):
    chat.asks("!salt * test.ping", "done", seconds=30)
    events = chat.automation.store.events
    wait(lambda: events.latest(99), 30)
    assert {(one.event.source, one.event.device, one.event.about) for one in events.latest(99)} == {
        ("salt", "front", "web2")
    }


def test_events_stop_at_their_count(chat):
    asked = threading.Timer(1.5, chat.say, ("!salt web1 test.ping",))
    asked.start()
    said = chat.asks("!salt events */ret/web1 count=1", "salt-events .*done", seconds=30)
    assert "1 events" in said


def test_jobs_of_salt_are_told_by_the_two_words_that_people_type(chat):
    chat.asks("!salt web1 test.echo hunter2", "done in .*: 1 ok", seconds=20)
    said = chat.asks("!salt jobs", "salt-jobs done", seconds=20)
    assert "test.echo by opsbot" in said
    assert "hunter2" not in said


def test_a_minion_called_jobs_is_still_a_target(chat):
    assert "Salt has no minion jobs." in chat.asks("!salt -L jobs test.ping", "no minion")


def test_the_page_shows_what_is_said(salt: Salt, tmp_path):
    toml = f"""name = "netbot"\nbackend = "Test"\n[drivers.salt]\nurl = "{salt.url}"\nuser = "opsbot"
password = "file:password"\neauth = "file"\n"""
    hosts = "all: {vars: {driver: salt}, children: {web: {hosts: {web1: , web2: }}, db: {hosts: {db1: }}}}\n"
    write_folder(tmp_path / "page", toml=toml, policy=POLICY, hosts=hosts, files={"password": salt.password})
    (tmp_path / "page/password").chmod(0o600)
    salt.trace.unlink(missing_ok=True)
    with ChatBot(tmp_path / "page") as chat:
        assert play(chat, "salt.md", str(salt.trace), "/srv/app/trace") >= 5
