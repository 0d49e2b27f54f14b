"""Signed and sealed messages: only what its sender wrote, to this reader, for this purpose, is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.secrets.envelopes import (
    BadEnvelope,
    Flaw,
    Keys,
    PublicKeys,
    Route,
    canonical,
    closed,
    seal,
    signed,
    strict,
    unseal,
)

LINUX, WIN, EVIL = (Keys(bytes([number]) * 64) for number in (1, 2, 3))
TO_WIN, TO_EVIL = Route("linuxbot", "winbot"), Route("linuxbot", "evilbot")
BODY = {"line": "service status spooler on dc1", "hops": 1}
BOTS = {"linuxbot": LINUX, "evilbot": EVIL}
SEALED = seal("peer", TO_WIN, BODY, LINUX, WIN.public)


def trusted(name, fingerprint):
    keys = BOTS.get(name)
    return keys.public if keys and keys.public.fingerprint == fingerprint else None


def read(text, me="winbot", mine=(WIN,), purpose="peer"):
    return unseal(purpose, me, text, mine, trusted)


def flaw(text, **how):
    with pytest.raises(BadEnvelope) as caught:
        read(text, **how)
    return caught.value.flaw


def test_what_was_sealed_is_read_with_who_sent_it_to_whom():
    assert read(SEALED) == {**BODY, "from": "linuxbot", "to": "winbot"}


def test_nobody_on_the_way_can_read_it_or_tell_that_it_is_the_same():
    assert "spooler" not in SEALED
    assert seal("peer", TO_WIN, BODY, LINUX, WIN.public) != SEALED


@given(st.data())
def test_a_message_that_was_changed_in_any_place_is_refused(data):
    place = data.draw(st.integers(0, len(SEALED) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda one: one != SEALED[place]))
    flaw(SEALED[:place] + other + SEALED[place + 1 :])


def test_what_was_written_to_one_bot_cannot_be_sent_on_to_another():
    inner = signed("peer", TO_EVIL, BODY, LINUX)  # which evilbot has, since it was sent to it
    by = LINUX.public.fingerprint
    assert flaw(closed("peer", TO_WIN, inner, by, WIN.public)) is Flaw.ELSEWHERE
    assert flaw(closed("peer", TO_EVIL, inner, by, WIN.public)) is Flaw.ELSEWHERE


def test_what_somebody_else_signed_is_forged_whoever_it_claims_to_be_from():
    by = LINUX.public.fingerprint
    assert flaw(closed("peer", TO_WIN, signed("peer", TO_WIN, BODY, EVIL), by, WIN.public)) is Flaw.FORGED
    as_evil = signed("peer", Route("linuxbot", "winbot"), BODY, EVIL)
    assert flaw(closed("peer", Route("evilbot", "winbot"), as_evil, EVIL.public.fingerprint, WIN.public)) is Flaw.FORGED


def test_a_sender_without_a_trusted_key_is_unknown():
    assert flaw(seal("peer", Route("newbot", "winbot"), BODY, LINUX, WIN.public)) is Flaw.UNKNOWN_SENDER
    assert flaw(seal("peer", TO_WIN, BODY, EVIL, WIN.public)) is Flaw.UNKNOWN_SENDER


def test_what_was_signed_for_one_purpose_counts_for_no_other():
    inner = signed("job", TO_WIN, BODY, LINUX)
    assert flaw(closed("peer", TO_WIN, inner, LINUX.public.fingerprint, WIN.public)) is Flaw.FORGED
    assert flaw(SEALED, purpose="job") is Flaw.FORGED


def test_while_keys_change_both_open_what_was_sealed_for_either():
    old, new = WIN, EVIL
    assert all(read(seal("peer", TO_WIN, BODY, LINUX, one.public), mine=(old, new)) for one in (old, new))
    assert flaw(SEALED, mine=(new,)) is Flaw.ELSEWHERE


@pytest.mark.parametrize("inner", ['{"body": 1}', "[]", "x", '{"body":"{}","body":"{}","signature":""}', "[" * 9999])
def test_what_is_sealed_but_no_signed_text_is_unreadable(inner):
    text = closed("peer", TO_WIN, inner, LINUX.public.fingerprint, WIN.public)
    assert flaw(text) in {Flaw.UNREADABLE, Flaw.FORGED}


ANYTHING = st.recursive(st.none() | st.text() | st.integers(), st.lists) | st.dictionaries(
    st.sampled_from(sorted(json.loads(SEALED))), st.text() | st.integers()
)


@given(st.text() | ANYTHING.map(json.dumps))
def test_whatever_comes_is_refused_in_words(text):
    assert flaw(text) in set(Flaw)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '{"a":NaN}', '{"a":Infinity}', "[" * 100_000])
def test_nothing_is_read_that_could_mean_two_things(text):
    with pytest.raises(ValueError, match=r"twice|no number|deep|Expecting"):
        strict(text)


def test_the_same_values_are_the_same_text_and_what_is_no_json_is_refused():
    assert canonical({"b": 1, "a": "é"}) == canonical({"a": "é", "b": 1}) == '{"a":"\\u00e9","b":1}'
    with pytest.raises(ValueError, match="JSON"):
        canonical({"a": float("nan")})


@pytest.mark.parametrize("text", ["", "AAAA", "é" * 88, WIN.public.text[:-1] + "A", None, WIN.public.text + "\n"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueError, match=r"base64|64 bytes|padding|characters"):
        PublicKeys.of_text(text)


def test_a_key_of_which_everybody_knows_the_secret_opens_nothing():
    weak = json.loads(SEALED) | {"key": PublicKeys(bytes(32), bytes(32)).text[:43] + "="}
    assert flaw(json.dumps(weak)) in {Flaw.FORGED, Flaw.UNREADABLE}
