"""People: composed of policy.yml and additions; linked by admins and by one-time codes; gone with the policy."""

import re

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Caller
from automation_bots.policy import people
from automation_bots.policy.people import Additions, IdentityLink, merge
from automation_bots.store import AuditKind
from tests.support.chatbot import POLICY, ChatBot, wait, write_folder
from tests.support.world import policy_of

TEXT = """
people:
  ana: {text: "@ana", groups: [netops]}
  joe: {text: "@joe", ldap: joseph}
rules: []
"""


@pytest.fixture
def policy(tmp_path):
    return policy_of(tmp_path, TEXT)


# -- composed


def test_a_link_is_one_more_id_of_a_person(policy):
    merged = merge(policy, Additions((IdentityLink("matrix", "@ana:x", "ana"),)))
    assert merged.person(Caller("matrix", "@ana:x")).name == "ana"
    assert merged.person(Caller("text", "@ana")).ids == {"text": "@ana", "matrix": "@ana:x"}


def test_the_file_wins_over_a_link(policy):
    merged = merge(policy, Additions((IdentityLink("text", "@joe", "ana"),)))
    assert merged.person(Caller("text", "@joe")).name == "joe"


def test_a_link_to_nobody_makes_nobody(policy):
    merged = merge(policy, Additions((IdentityLink("matrix", "@eve:x", "eve"),), {"eve": frozenset({"admins"})}))
    assert merged.person(Caller("matrix", "@eve:x")) is None and "eve" not in merged.people


def test_groups_of_the_directory_are_added(policy):
    merged = merge(policy, Additions(groups={"ana": frozenset({"dba"})}))
    assert merged.person(Caller("text", "@ana")).groups == {"netops", "dba"}
    assert policy.person(Caller("text", "@ana")).groups == {"netops"}


def test_the_name_in_the_directory_may_be_another(policy):
    assert people.logins(policy) == {"ana": "ana", "joe": "joseph"}


# -- in chat


@pytest.fixture
def chat(tmp_path):
    with ChatBot(write_folder(tmp_path), drivers=(Fake(),)) as chat:
        yield chat


def code_of(answer):
    return re.search(r"!person code (\S+)", answer).group(1)


def kinds(chat, kind):
    return chat.automation.store.audit_rows(kind=kind)


@pytest.mark.slow
def test_admins_see_everybody_and_others_only_themselves(chat):
    assert re.search(r"ana +admins +test", chat.asks("!people"))
    assert "for admins" in chat.asks("!people", who="joe")
    assert "for admins" in chat.asks("!person ana", who="joe")
    assert "policy.yml" in chat.asks("!person", who="joe")
    assert "nobody in policy.yml" in chat.asks("!person eve")


@pytest.mark.slow
def test_an_admin_links_an_id_and_takes_it_away(chat):
    assert "test id is nobody" not in chat.asks("!person link joe test joe2")
    chat.asks("!whoami", "You are joe.", who="joe2")
    chat.asks("!person joe", r"test +joe2 +linked in chat")
    chat.asks("!person unlink test joe2", "is nobody from now on")
    chat.asks("!whoami", "I do not know you", who="joe2")
    assert [len(kinds(chat, kind)) for kind in (AuditKind.LINKED, AuditKind.UNLINKED)] == [1, 1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!person link joe test kim", "kim on test is kim already"),
        ("!person link joe test", "→ !person link"),
        ("!person link eve test x", "nobody in policy.yml"),
        ("!person link joe 'x;y' z", "no chat network"),
        ("!person unlink test nobody", "no link"),
        ("!person unlink test kim", "stands in policy.yml"),
    ],
)
def test_what_cannot_be_linked_is_refused_with_the_reason(chat, typed, said):
    assert said in chat.asks(typed)


@pytest.mark.slow
def test_only_admins_link_others(chat):
    assert "for admins" in chat.asks("!person link joe test joe2", who="joe")
    assert "for admins" in chat.asks("!person invite kim", who="joe")


@pytest.mark.slow
def test_a_code_makes_another_account_the_same_person_once(chat):
    code = code_of(chat.asks("!person link", "person code", who="joe"))
    assert "direct message" in chat.asks(f"!person code {code}", who="joe9", room="ops")
    chat.asks(f"!person code {code.lower()}", "Welcome, joe", who="joe9")
    chat.asks(f"!person code {code}", "not good", who="eve")
    chat.asks(f"!person code {code}", "already", who="joe9")
    assert kinds(chat, AuditKind.LINKED)[0].body["of"] == "joe"


@pytest.mark.slow
def test_an_invitation_is_for_one_person_and_the_newest_counts(chat):
    first, second = (code_of(chat.asks("!person invite kim", "person code")) for _ in range(2))
    chat.asks(f"!person code {first}", "not good", who="kim2")
    chat.asks(f"!person code {second}", "Welcome, kim", who="kim2")


@pytest.mark.slow
def test_a_code_is_never_shown_in_a_room_and_stands_nowhere_in_the_data(chat):
    assert "direct message" in chat.asks("!person invite kim", room="ops")
    code = code_of(chat.asks("!person invite kim", "person code"))
    data = b"".join(path.read_bytes() for path in chat.automation.data.rglob("*") if path.is_file())
    assert code.encode() not in data and code.replace("-", "").encode() not in data


@pytest.mark.slow
def test_guessing_codes_ends_after_five(chat):
    code = code_of(chat.asks("!person invite kim", "person code"))
    for _ in range(5):
        chat.asks("!person code AAAAA-AAAAA", "not good", who="eve")
    chat.asks(f"!person code {code}", "Too many wrong codes", who="eve")
    chat.asks(f"!person code {code}", "Welcome", who="kim2")


@pytest.mark.slow
def test_a_code_ends_with_its_time(tmp_path):
    folder = write_folder(tmp_path, toml='name = "netbot"\nbackend = "Test"\n[people]\ncode_minutes = 1\n')
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        code = code_of(chat.asks("!person invite kim", "person code"))
        store = chat.automation.store.people
        later = store._clock
        store._clock = lambda: later() + __import__("datetime").timedelta(seconds=61)
        chat.asks(f"!person code {code}", "not good", who="kim2")


@pytest.mark.slow
def test_links_outlive_a_restart(tmp_path):
    folder = write_folder(tmp_path)
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        chat.asks("!person link joe test joe2", "from now on")
    with ChatBot(folder, drivers=(Fake(),)) as chat:
        chat.asks("!whoami", "You are joe.", who="joe2")


@pytest.mark.slow
def test_who_leaves_the_policy_loses_the_links_at_once_and_for_good(chat):
    chat.asks("!person link joe test joe2", "from now on")
    gone = re.sub(r"  joe:.*\n", "", POLICY)
    (chat.folder / "policy.yml").write_text(gone)
    wait(lambda: "joe" not in chat.automation.live.policy.people, 10)
    chat.asks("!whoami", "I do not know you", who="joe2")
    wait(lambda: kinds(chat, AuditKind.FORGOTTEN), 5)
    (chat.folder / "policy.yml").write_text(POLICY)
    wait(lambda: "joe" in chat.automation.live.policy.people, 10)
    chat.asks("!whoami", "I do not know you", who="joe2")


@pytest.mark.slow
def test_a_broken_policy_forgets_nobody(chat):
    chat.asks("!person link joe test joe2", "from now on")
    (chat.folder / "policy.yml").write_text("people: [")
    wait(lambda: chat.automation.live.policy_problem, 10)
    chat.asks("!whoami", "the rules cannot be read", who="joe2")
    (chat.folder / "policy.yml").write_text(POLICY)
    wait(lambda: not chat.automation.live.policy_problem, 10)
    chat.asks("!whoami", "You are joe.", who="joe2")


FOUR_EYES = POLICY.replace("rules:", "  ben: {test: ben, groups: [admins]}\naccounts: {four_eyes: yes}\nrules:", 1)


@pytest.mark.slow
def test_four_eyes_on_people_want_the_same_of_a_second_admin(tmp_path):
    with ChatBot(write_folder(tmp_path, policy=FOUR_EYES), drivers=(Fake(),)) as chat:
        for _ in range(2):  # twice by the same admin is one admin
            assert "another admin types the same" in chat.asks("!person link joe test joe2")
        assert "is joe from now on" in chat.asks("!person link joe test joe2", who="ben")
        assert kinds(chat, AuditKind.LINKED)[0].body["by"] == ["ana", "ben"]
        told(chat, "joe2 on test is joe from now on, by the word of ana and ben")
        chat.asks("!person invite kim", "another admin")
        code = code_of(chat.asks("!person invite kim", "person code", who="ben"))
        chat.asks(f"!person code {code}", "Welcome, kim", who="kim2")
        assert chat.automation.live.policy.linked["test", "kim2"].by == ("ana", "ben")
        told(chat, "kim2 is kim from now on, by a one-time code")


def told(chat, sentence):
    """Wait until the person, and an admin who did not do it, have heard of it."""
    wait(
        lambda: {"ana", sentence.split(" is ")[1].split()[0]} <= {r for r, t in chat.surface.said if sentence in t}, 10
    )


@pytest.mark.slow
def test_words_that_are_not_understood_enrol_and_show_nobody(chat):
    assert "Everybody enrols their own app: joe types it" in chat.asks("!totp enrol joe", who="kim")
    assert chat.automation.store.people.enrolment("kim") is None
    assert "'joe' is no code" in chat.asks("!totp joe", who="kim")
    assert "'end joe' is no code" in chat.asks("!totp end joe", who="kim")
