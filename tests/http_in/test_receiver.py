"""Who may call: tokens, signatures, replays, rates."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import pytest

from automation_bots.http_in.rates import Rates, at_once
from automation_bots.http_in.receiver import Proof

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
TOKEN = Proof(token="right-token")
SIGNED = Proof(secret="key", signature_header="X-Signature")
TIMED = Proof(secret="key", signature_header="X-Signature", timestamp_header="X-Time", replay_seconds=300)


def basic(text):
    return {"authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}


def signature(text):
    return hmac.new(b"key", text, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("headers", [{"authorization": "Bearer right-token"}, basic("am:right-token")])
def test_a_token_comes_as_a_bearers_or_as_a_password(headers):
    assert TOKEN.knows(headers)


@pytest.mark.parametrize("headers", [
    {}, {"authorization": ""}, {"authorization": "right-token"}, {"authorization": "Bearer"},
    {"authorization": "Bearer right-toke"}, {"authorization": "Bearer right-token2"}, basic("right-token"),
    basic("right-token:wrong"), {"authorization": "Basic right-token"}, {"authorization": "Basic é"},
    {"x-token": "right-token"}, {"authorization": "Bearer \udcff"},
])  # fmt: skip
def test_nothing_else_is_the_token(headers):
    assert not TOKEN.knows(headers)


def test_a_token_may_stand_in_a_header_of_its_own_and_then_only_there():
    proof = Proof(token="right-token", header="X-Auth-Token")
    assert proof.knows({"x-auth-token": "right-token"})
    assert not proof.knows({"authorization": "Bearer right-token"})


@pytest.mark.parametrize("given", [signature(b"body"), f"sha256={signature(b'body')}", signature(b"body").upper()])
def test_a_body_is_signed(given):
    assert SIGNED.signed({"x-signature": given}, b"body", NOW)


@pytest.mark.parametrize("given", ["", "sha256=", signature(b"other"), signature(b"body")[:-1], "é"])
def test_nothing_else_is_a_signature(given):
    assert not SIGNED.signed({"x-signature": given}, b"body", NOW)


@pytest.mark.parametrize(("age", "heard"), [(0, True), (299, True), (-299, True), (301, False), (-301, False)])
def test_a_replay_is_refused_by_its_time(age, heard):
    stamp = str(int(NOW.timestamp()) - age)
    headers = {"x-time": stamp, "x-signature": signature(f"{stamp}:body".encode())}
    assert TIMED.signed(headers, b"body", NOW) is heard


@pytest.mark.parametrize("stamp", ["", "x", "-1", "1e9", "٣", "9" * 400])
def test_a_time_that_is_none_proves_nothing(stamp):
    headers = {"x-time": stamp, "x-signature": signature(f"{stamp}:body".encode())}
    assert not TIMED.signed(headers, b"body", NOW)


def test_a_time_is_signed_with_the_body():
    stamp = str(int(NOW.timestamp()))
    assert not TIMED.signed({"x-time": stamp, "x-signature": signature(b"body")}, b"body", NOW)


def test_secrets_do_not_stand_in_what_a_proof_is_written_as():
    assert "right" not in repr(TOKEN)
    assert "key" not in repr(SIGNED)


def test_a_bucket_fills_with_time():
    rates = Rates()
    assert [rates.wait("a", 60, 0.0) for _ in range(int(at_once(60)))] == [0.0] * 10
    assert rates.wait("a", 60, 0.0) == pytest.approx(1.0)
    assert rates.wait("a", 60, 1.0) == 0.0
    assert rates.wait("b", 60, 0.0) == 0.0


def test_a_million_callers_take_no_more_room_than_a_few_thousand():
    rates = Rates(callers=100)
    for number in range(10_000):
        rates.wait(str(number), 60, 0.0)
    assert len(rates._buckets) == 100
