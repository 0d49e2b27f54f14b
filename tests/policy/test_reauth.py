"""Proving oneself: codes of an authenticator app, each once, and rules that ask for a proof."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.drivers.fake import Fake
from automation_bots.errors import ConfigError, StoreError
from automation_bots.model import Verdict
from automation_bots.policy import gate, reauth
from automation_bots.policy.reauth import Reauth, Side
from automation_bots.secrets.sealed import Seal, key_file
from automation_bots.store import AuditKind
from tests.support.chatbot import BOT_TOML, POLICY, ChatBot, write_folder
from tests.support.world import NOON, PATCH, UPTIME, policy_of, request, scope_of

RULES = """
people:
  ana: {text: "@ana", groups: [netops]}
rules:
  - {name: look, who: netops, may: [reads]}
  - {name: patch, who: netops, may: [patch], on: web, reauth: {within: 15m}}
  - {name: core, who: netops, may: [patch], on: db, reauth: {within: 1h, who: both}, needs: approval by leads}
  - {name: second, who: netops, may: [patch], on: core, reauth: {within: 5m, who: approver}, needs: approval by leads}
"""
MINUTE = timedelta(minutes=1)

# -- what rules demand


@pytest.mark.parametrize(
    ("proved", "verdict"),
    [
        (None, Verdict.DENY),
        (NOON - 16 * MINUTE, Verdict.DENY),
        (NOON - 15 * MINUTE, Verdict.ALLOW),
        (NOON, Verdict.ALLOW),
    ],
)
def test_a_rule_asks_for_a_proof_that_is_not_too_old(tmp_path, proved, verdict):
    scope = replace(scope_of(tmp_path, RULES), proved=lambda caller, person: proved)
    assert gate.decide(scope, request("ana", PATCH, "web1"), NOON).verdict is verdict


def test_the_refusal_says_what_to_do(tmp_path):
    decision = gate.decide(scope_of(tmp_path, RULES), request("ana", PATCH, "web1"), NOON)
    assert 'rule "patch" asks you to prove yourself' in decision.reason and "!totp <code>" in decision.reason


def test_where_no_rule_asks_nobody_is_asked(tmp_path):
    def nobody(caller, person):
        raise AssertionError

    scope = replace(scope_of(tmp_path, RULES), proved=nobody)
    assert gate.decide(scope, request("ana", UPTIME, "web1"), NOON).verdict is Verdict.ALLOW


def test_the_shortest_time_of_all_devices_counts(tmp_path):
    scope = replace(scope_of(tmp_path, RULES), proved=lambda caller, person: NOON - 30 * MINUTE)
    assert gate.decide(scope, request("ana", PATCH, "db1"), NOON).verdict is Verdict.APPROVAL
    assert gate.decide(scope, request("ana", PATCH, "db1", "web1"), NOON).verdict is Verdict.DENY


def test_what_is_asked_of_the_approver_goes_with_the_decision(tmp_path):
    scope = replace(scope_of(tmp_path, RULES), proved=lambda caller, person: NOON)
    times = {
        name: gate.decide(scope, request("ana", PATCH, name), NOON).approver_proof for name in ("web1", "db1", "core1")
    }
    assert times == {"web1": None, "db1": 60 * MINUTE, "core1": 5 * MINUTE}
    assert gate.decide(scope, request("ana", PATCH, "db1", "core1"), NOON).approver_proof == 5 * MINUTE


def test_the_proof_of_an_approver_is_not_asked_of_the_requester(tmp_path):
    assert gate.decide(scope_of(tmp_path, RULES), request("ana", PATCH, "core1"), NOON).verdict is Verdict.APPROVAL


@given(st.integers(-1000, 100_000), st.integers(1, 86_400))
def test_a_proof_is_due_exactly_when_it_is_older_than_allowed(age, within):
    proved = NOON - timedelta(seconds=age)
    assert reauth.due(timedelta(seconds=within), proved, NOON) is (age > within)


@pytest.mark.parametrize("text", ["{within: 15}", "{within: 0m}", "{within: 25h}", "{}", "{within: 5m, who: me}"])
def test_a_demand_that_cannot_be_meant_is_refused_with_its_line(tmp_path, text):
    wrong = RULES.replace("{within: 15m}", text)
    with pytest.raises(ConfigError, match=r"policy.yml, line 6: rules.1.reauth"):
        policy_of(tmp_path, wrong)


def test_demands_of_several_rules():
    both, mine = Reauth(5 * MINUTE, Side.BOTH), Reauth(MINUTE)
    assert reauth.demanded([both, None, mine], Side.APPROVER) == 5 * MINUTE
    assert reauth.demanded([both, None, mine], Side.REQUESTER) == MINUTE


# -- secrets at rest


def test_what_is_sealed_opens_for_its_owner_and_key_only():
    seal = Seal(b"k" * 32)
    sealed = seal.close("JBSWY3DP", "ana")
    assert b"JBSWY3DP" not in sealed and seal.open(sealed, "ana") == "JBSWY3DP"
    for other, owner in ((seal, "joe"), (Seal(b"x" * 32), "ana")):
        with pytest.raises(StoreError, match="cannot be opened"):
            other.open(sealed, owner)


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys/seal.key"
    assert key_file(path, b"1" * 32) == key_file(path, b"2" * 32) == b"1" * 32
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        key_file(path, b"")


# -- in chat

STRICT = POLICY.replace(
    'may: ["service restart *"], on: web}', 'may: ["service restart *"], on: web, reauth: {within: 15m}}'
)


@pytest.fixture
def chat(tmp_path):
    with ChatBot(write_folder(tmp_path, policy=STRICT), drivers=(Fake(),)) as chat:
        chat.clock = datetime.now(UTC)
        for owner, name in (
            (chat.automation.groups["people"]._context, "now"),
            (chat.automation.store.people, "_clock"),
        ):
            object.__setattr__(owner, name, lambda: chat.clock)
        yield chat


def enrolled(chat, who="joe"):
    secret = re.search(r"secret +([A-Z2-7 ]+)", chat.asks("!totp enrol", "secret", who=who)).group(1).replace(" ", "")
    return pyotp.TOTP(secret)


def code(chat, totp):
    return totp.at(chat.clock)


@pytest.mark.slow
def test_a_person_proves_themselves_and_then_may(chat):
    chat.asks("!service restart nginx on web1", "prove yourself first", who="joe")
    totp = enrolled(chat)
    chat.asks(f"!totp {code(chat, totp)}", "proved yourself", who="joe")
    chat.asks("!service restart nginx on web1", "done in", who="joe", room="ops")
    chat.asks("!service restart nginx on web1", "prove yourself first", who="kim")
    chat.asks("!totp end", "not proved now", who="joe")
    chat.asks("!service restart nginx on web1", "prove yourself first", who="joe")


@pytest.mark.slow
def test_a_code_counts_once_also_an_older_one(chat):
    totp = enrolled(chat)
    first = code(chat, totp)
    chat.asks(f"!totp {first}", "enrolled, and you have proved", who="joe")
    chat.asks(f"!totp {first}", "used already", who="joe")
    chat.asks(f"!totp {totp.at(chat.clock - timedelta(seconds=30))}", "used already", who="joe")
    chat.clock += timedelta(seconds=60)
    chat.asks(f"!totp {code(chat, totp)[:3]} {code(chat, totp)[3:]}", "Thank you", who="joe")


@pytest.mark.slow
def test_clocks_may_differ_by_half_a_minute_and_not_more(chat):
    totp = enrolled(chat)
    chat.asks(f"!totp {totp.at(chat.clock - timedelta(seconds=90))}", "wrong", who="joe")
    chat.asks(f"!totp {totp.at(chat.clock + timedelta(seconds=30))}", "enrolled", who="joe")


@pytest.mark.slow
def test_guessing_locks_the_person_for_a_while_also_after_a_new_enrolment(chat):
    totp = enrolled(chat)
    wrong = f"{(int(code(chat, totp)) + 500_000) % 1_000_000:06}"
    said = [chat.asks(f"!totp {wrong}", who="joe") for _ in range(5)]
    assert "is wrong" in said[3] and "Too many" in said[4]
    chat.asks(f"!totp {code(chat, totp)}", "Too many", who="joe")
    chat.asks(f"!totp {code(chat, enrolled(chat))}", "Too many", who="joe")
    chat.clock += timedelta(minutes=16)
    totp = enrolled(chat)
    chat.asks(f"!totp {code(chat, totp)}", "enrolled", who="joe")


@pytest.mark.slow
def test_in_a_room_nothing_is_shown_and_a_code_is_burnt(chat):
    chat.asks("!totp enrol", "direct message", who="joe", room="ops")
    totp = enrolled(chat)
    chat.asks(f"!totp {code(chat, totp)}", "enrolled", who="joe")
    chat.clock += timedelta(seconds=60)
    chat.asks(f"!totp {code(chat, totp)}", "used up", who="joe", room="ops")
    chat.asks(f"!totp {code(chat, totp)}", "used already", who="joe")


@pytest.mark.slow
def test_an_enrolment_cannot_be_replaced_but_by_an_admins_reset(chat):
    chat.asks(f"!totp {code(chat, enrolled(chat))}", "enrolled", who="joe")
    chat.asks("!totp enrol", "enrolled already", who="joe")
    chat.asks("!totp reset joe", "for admins", who="joe")
    chat.asks("!totp reset ana", "another admin")
    chat.asks("!totp reset joe", "can enrol anew")
    chat.asks("!service restart nginx on web1", "prove yourself first", who="joe")


@pytest.mark.slow
def test_a_proof_is_of_the_account_that_typed_it(chat):
    chat.asks("!person link joe test joe2", "from now on")
    chat.asks(f"!totp {code(chat, enrolled(chat))}", "enrolled", who="joe")
    chat.asks("!service restart nginx on web1", "prove yourself first", who="joe2")
    chat.asks("!service restart nginx on web1", "done in", who="joe")


@pytest.mark.slow
def test_the_secret_stands_nowhere_in_the_data(chat, caplog):
    totp = enrolled(chat)
    chat.asks(f"!totp {code(chat, totp)}", "enrolled", who="joe")
    everything = b"".join(path.read_bytes() for path in chat.automation.data.rglob("*") if path.is_file())
    assert totp.secret.encode() not in everything
    assert totp.secret not in caplog.text


@pytest.mark.slow
def test_the_picture_is_a_qr_code_for_the_app(chat):
    taken = []
    say = chat.surface.say
    chat.surface.say = lambda place, answer: (taken.extend(answer.files), say(place, answer))[1]
    enrolled(chat)
    assert [(file.name, file.content[:8], file.passing) for file in taken] == [("totp.png", b"\x89PNG\r\n\x1a\n", True)]


@pytest.mark.slow
def test_every_try_is_in_the_record(chat):
    totp = enrolled(chat)
    for typed in ("000000", code(chat, totp), code(chat, totp)):
        chat.asks(f"!totp {typed}", who="joe")
    kinds = [row.kind for row in reversed(chat.automation.store.audit_rows(person="joe"))]
    expected = [
        AuditKind.ENROLMENT,
        AuditKind.PROOF_REFUSED,
        AuditKind.ENROLMENT,
        AuditKind.PROVED,
        AuditKind.PROOF_REFUSED,
    ]
    assert kinds == expected


@pytest.mark.slow
def test_the_sealing_key_may_come_from_a_reference(tmp_path):
    toml = BOT_TOML + '[people]\nseal_key = "file:seal"\n'
    folder = write_folder(tmp_path, toml=toml, files={"seal": "correct horse battery staple"})
    (folder / "seal").chmod(0o600)
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        totp = enrolled(chat)
        chat.asks(f"!totp {totp.now()}", "enrolled", who="joe")
        assert not (chat.automation.data / "keys/seal.key").exists()
