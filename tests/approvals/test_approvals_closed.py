"""Approvals beside freezes, locks, sizes, emergencies, batches, proofs and second ids, typed into a real bot."""

import re

import pyotp
import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import State
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow

TOML = 'backend = "Test"\n[places]\napprovals = "approvals-room"\n[approvals]\nroom = "#approvals"\n'
POLICY = """
timezone: Europe/Madrid
accounts: {approve_after: 0}
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web, leads]}
  kim: {test: kim, groups: [leads]}
  eva: {test: eva, groups: [oncall]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: admins too, who: admins, may: ["service stop *"], on: web, needs: approval by leads}
  - {name: look, who: everyone, may: [reads], on: all}
  - {name: restarts, who: web, may: ["service restart *", note], on: web, needs: approval by leads}
  - name: stops
    who: web
    may: ["service stop *"]
    on: web
    needs: approval by leads
    limit: {devices: 2, above: confirm}
  - {name: starts, who: web, may: ["service start *"], on: web}
  - {name: break glass, who: oncall, may: ["service restart *"], on: web, emergency: true, needs: approval by leads}
  - name: db
    who: web
    may: ["service restart *"]
    on: db
    needs: approval by leads
    reauth: {within: 15m, who: approver}
  - {name: night, who: web, may: ["service stop *"], on: db, reauth: {within: 15m}}
"""
HOSTS = """
all:
  vars: {driver: fake}
  children:
    web: {hosts: {web1: {}, web2: {}, web3: {}}}
    db: {hosts: {db1: {}}}
"""
FILES = {"playbooks/note.yml": "# bot:\n#   help: Note\n#   risk: change\n- hosts: all\n"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bot"), toml=TOML, policy=POLICY, hosts=HOSTS, files=FILES)
    with ChatBot(folder, drivers=(Fake(), Fake(name="ansible"))) as chat:
        yield chat


@pytest.fixture
def chat(running):
    yield running
    for job in running.automation.store.approvals.all():
        direct(running, f"!withdraw {job.number}", "ana")
    for line in ("!unfreeze all", "!unlock all"):
        direct(running, line, "ana")


def asked(chat, command, who="joe"):
    number = int(re.match(r"#(\d+) ", chat.asks(command, "waits for approval", who=who, room="ops"))[1])
    chat.hears(f"#{number} .* asks for approval")
    return number


def direct(chat, text, who):
    """Type in a direct message, and return what is answered there."""
    before = len([1 for room, _ in chat.surface.said if room == who])
    chat.say(text, who)
    wait(lambda: len([1 for room, _ in chat.surface.said if room == who]) > before, 10)
    return [text for room, text in chat.surface.said if room == who][before]


def becomes(chat, number, wanted):
    wait(lambda: chat.automation.store.job(number).state is wanted, 10, lambda: str(chat.automation.store.job(number)))


def looked_at(chat):
    chat.automation.pipeline.approvals.timer.look_at_all()
    chat.automation.pipeline.approvals.timer.round()


@pytest.mark.parametrize("close", ["!freeze web until 2h audit", "!lock web mine"])
def test_what_is_closed_while_it_waits_is_not_approved_now_and_goes_on_waiting(chat, close):
    number = asked(chat, "!service restart nginx on web1")
    direct(chat, close, "ana")
    looked_at(chat)
    assert "Not now: web1 is" in direct(chat, f"!approve {number}", "kim")
    for line in ("!unfreeze all", "!unlock web"):
        direct(chat, line, "ana")
    assert "is approved by kim" in direct(chat, f"!approve {number}", "kim")
    becomes(chat, number, State.DONE)


def test_what_is_closed_after_the_approval_does_not_run(chat):
    number = asked(chat, "!service restart nginx on web1 --when 'in 4s'")
    direct(chat, f"!approve {number}", "kim")
    direct(chat, "!freeze web until 2h audit", "ana")
    becomes(chat, number, State.VOID)
    assert chat.automation.store.job(number).error.startswith("web1 is frozen by ana until ")


def test_a_freeze_of_today_leaves_what_is_for_tomorrow(chat):
    number = asked(chat, "!service restart nginx on web1 --when 'tomorrow 22:00'")
    direct(chat, "!freeze web until 2h audit", "ana")
    looked_at(chat)
    assert "it runs at " in direct(chat, f"!approve {number}", "kim")
    looked_at(chat)
    assert chat.automation.store.job(number).state is State.SCHEDULED


def test_a_big_request_is_counted_first_and_approved_then(chat):
    chat.asks("!service stop nginx on web", "Type 3 to go on", who="joe", room="ops")
    number = int(chat.asks("3", "waits for approval", who="joe", room="ops")[1:].split()[0])
    chat.hears(f"#{number} joe asks")
    direct(chat, f"!approve {number}", "kim")
    becomes(chat, number, State.DONE)


def test_an_emergency_that_needs_approval_pages_when_it_runs_and_is_reviewed(chat):
    chat.asks("!freeze all until 2h audit", "frozen", who="ana")
    number = asked(chat, '!service restart nginx on web1 --emergency "shop is down"', who="eva")
    assert "No emergency waits" in direct(chat, "!reviews", "ana")
    chat.asks(f"!approve {number}", f"EMERGENCY: eva runs #{number} ", who="kim")
    wait(lambda: any(r == "approvals-room" and "EMERGENCY" in t for r, t in chat.surface.said), 5)
    becomes(chat, number, State.DONE)
    assert "shop is down" in direct(chat, "!reviews", "ana")


def test_approvers_read_that_it_is_an_emergency(chat):
    number = asked(chat, '!service restart nginx on web1 --emergency "shop is down"', who="eva")
    assert "EMERGENCY: shop is down" in direct(chat, f"!details {number}", "kim")


def test_approvers_read_that_it_goes_in_batches(chat):
    number = asked(chat, "!service restart nginx on web --canary 1,50%")
    assert re.search("batches +1, 50%, the rest", direct(chat, f"!details {number}", "kim"))


def test_batches_are_approved_as_one_and_run_one_after_the_other(chat):
    fake = chat.automation.dispatcher._context.drivers["fake"].behind
    number = asked(chat, "!service restart nginx on web --canary 1 --pause-after")
    direct(chat, f"!approve {number}", "kim")
    wait(lambda: [d for n, _, d in fake.ran if n == number] == ["web1"], 10)
    chat.hears("paused after batch 1 of 2")
    direct(chat, f"!continue {number}", "joe")
    becomes(chat, number, State.DONE)


def test_the_preview_of_batches_is_of_all_at_once(chat):
    number = asked(chat, "!note on web --canary 1 --pause-after")
    preview = chat.automation.store.job(chat.automation.store.approvals.find(number).preview)
    assert (preview.state, preview.canary, sum(preview.counts.values())) == (State.DONE, None, 3)


def test_an_approver_proves_themselves_where_the_rule_says_so(chat):
    number = asked(chat, "!service restart nginx on db1")
    assert "prove yourself first" in direct(chat, f"!approve {number}", "kim")
    secret = re.search(r"secret +([A-Z2-7 ]+)", direct(chat, "!totp enrol", "kim")).group(1).replace(" ", "")
    assert "proved yourself" in direct(chat, f"!totp {pyotp.TOTP(secret).now()}", "kim")
    assert "is approved by kim" in direct(chat, f"!approve {number}", "kim")
    becomes(chat, number, State.DONE)


def test_a_proof_is_of_the_time_of_typing_also_for_what_runs_later(chat):
    assert "prove yourself first" in direct(chat, "!service stop nginx on db1 --when 'in 2s'", "joe")
    secret = re.search(r"secret +([A-Z2-7 ]+)", direct(chat, "!totp enrol", "joe")).group(1).replace(" ", "")
    direct(chat, f"!totp {pyotp.TOTP(secret).now()}", "joe")
    number = int(direct(chat, "!service stop nginx on db1 --when 'in 2s'", "joe")[1:].split()[0])
    direct(chat, "!totp end", "joe")
    becomes(chat, number, State.DONE)


def test_a_linked_id_of_the_requester_approves_nothing(chat):
    direct(chat, "!person link joe test joe-phone", "ana")
    mine, other = (
        asked(chat, "!service restart nginx on web1"),
        asked(chat, "!service restart nginx on web2", "joe-phone"),
    )
    for who, number in (("joe-phone", mine), ("joe", other)):
        assert "nobody approves their own" in direct(chat, f"!approve {number}", who)
        assert "nobody approves their own" in direct(chat, f"!deny {number} no", who)
    direct(chat, "!person unlink test joe-phone", "ana")
    assert "no longer in the policy" in direct(chat, f"!approve {other}", "kim")


def test_an_account_that_an_admin_gave_approves_nothing_of_that_admin(chat):
    direct(chat, "!person link kim test kim-made", "ana")
    chat.hears("kim-made on test is kim from now on, by the word of ana", 10)
    number = asked(chat, "!service stop nginx on web1", "ana")
    assert "ana, who asks, made this account yours" in direct(chat, f"!approve {number}", "kim-made")
    direct(chat, "!person unlink test kim-made", "ana")
    chat.hears("kim-made on test is nobody from now on, and was kim", 10)


def test_a_vote_by_an_id_that_was_taken_away_is_none(chat):
    direct(chat, "!person link kim test kim-phone", "ana")
    number = asked(chat, "!service restart nginx on web1 --when 'in 3s'")
    assert "is approved by kim" in direct(chat, f"!approve {number}", "kim-phone")
    direct(chat, "!person unlink test kim-phone", "ana")
    becomes(chat, number, State.VOID)
    assert "needs" in chat.automation.store.job(number).error


def test_why_says_whose_approval_it_needs_and_how_that_went(chat):
    number = asked(chat, "!service restart nginx on web1")
    said = direct(chat, f"!why {number}", "joe")
    assert 'by rule "restarts". It needs approval by leads: needs leads until' in said
    direct(chat, f"!deny {number} not today", "kim")
    assert "It needs approval by leads: denied · kim: not today." in direct(chat, f"!why {number}", "joe")
    later = int(chat.asks("!service start nginx on web1 --when 'in 2h'", "runs at", who="joe")[1:].split()[0])
    assert "runs at" in direct(chat, f"!why {later}", "joe")
