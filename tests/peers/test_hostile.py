"""Messages that no bot would send: none runs anything, each is in the record of both, a flood of them as a number."""

from contextlib import ExitStack, closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automation_bots.model import Caller, Place
from automation_bots.peers.asking import NotAsked
from automation_bots.peers.messages import PURPOSE
from automation_bots.policy.peers import Human, caller_of
from automation_bots.secrets.envelopes import Route, closed, signed
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.store.peer_queue import Delivery
from tests.peers.ends import ANA, Clock, End
from tests.support.chatbot import wait


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """A data folder whose tables are made: to copy it is ten times as fast as to make them."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    Store.open(folder).close()
    return folder


@pytest.fixture
def ends(tmp_path, empty):
    """linuxbot and winbot, who trust each other."""
    clock, queue = Clock(), tmp_path / "queue"
    with ExitStack() as stack:
        lin, win = (
            stack.enter_context(closing(End(tmp_path, name, queue, clock, empty))) for name in ("linuxbot", "winbot")
        )
        lin.trusts(win)
        win.trusts(lin)
        yield lin, win


@pytest.fixture
def evil(tmp_path, empty, ends):
    """dbbot, whom both trust too."""
    lin, win = ends
    with closing(End(tmp_path, "dbbot", tmp_path / "queue", lin.clock, empty)) as made:
        made.trusts(lin, win)
        lin.trusts(made)
        win.trusts(made)
        yield made


def sent(lin, win, body):
    """Put it into the queue, and let both take what comes."""
    lin.queue.put("winbot", body)
    win.turn()
    lin.turn()


def test_what_is_in_order_runs_once_as_that_human(ends):
    lin, win = ends
    sent(lin, win, lin.sealed(lin.request(), win))
    assert (win.ran, win.refused, lin.refused) == (["status"], [], [])
    assert win.store.audit_rows(limit=1, kind=AuditKind.PEER_TOOK)[0].person == "ana"


@pytest.mark.parametrize("seconds", [0, 30, 59, 3600])
def test_what_is_sent_once_more_is_refused_and_both_know_it(ends, seconds):
    lin, win = ends
    body = lin.sealed(lin.request(), win)
    sent(lin, win, body)
    lin.clock.pass_seconds(seconds)
    sent(lin, win, body)
    assert win.ran == ["status"]
    assert win.refused == (["replayed"] if seconds < 60 else ["stale"])
    assert lin.refused == win.refused


def test_a_clock_that_is_ahead_makes_no_time_in_which_a_replay_is_forgotten(ends):
    lin, win = ends
    lin.clock = Clock()
    lin.clock.pass_seconds(60)
    body = lin.sealed(lin.request(), win)
    sent(lin, win, body)
    win.clock.pass_seconds(119)
    win.store.prune(1)
    sent(lin, win, body)
    assert (win.ran, win.refused) == (["status"], ["replayed"])


def test_the_same_message_many_times_at_once_runs_once(ends):
    lin, win = ends
    body = lin.sealed(lin.request(), win)
    for _ in range(8):
        lin.queue.put("winbot", body)
    win.turn()
    assert (win.ran, win.refused) == (["status"], ["replayed"] * 7)


def test_what_the_queue_gives_out_again_after_a_kill_runs_no_second_time_and_is_no_attack(ends):
    lin, win = ends
    lin.queue.put("winbot", lin.sealed(lin.request(), win))
    (delivery,) = win.queue.take("winbot", 1_000_000)
    for _ in range(2):  # the first life was killed before it could let it go
        win.exchange._taken(delivery)
        win.turn()
    assert (win.ran, win.refused) == (["status"], [])


def test_a_clock_that_is_ahead_or_behind_is_said(ends):
    lin, win = ends
    lin.clock = Clock()
    lin.clock.pass_seconds(95)
    sent(lin, win, lin.sealed(lin.request(), win))
    lin.clock.pass_seconds(-190)
    sent(lin, win, lin.sealed(lin.request(), win))
    assert (win.ran, win.refused) == ([], ["clock ahead", "stale"])
    assert "95 s" in win.store.audit_rows(limit=2, kind=AuditKind.PEER_REFUSED)[1].body["reason"]


def test_what_evil_signs_as_another_is_forged_and_who_is_named_hears_of_it(ends, evil):
    lin, win = ends
    inner = signed(PURPOSE, Route("linuxbot", "winbot"), lin.request().body, evil.keys.signs)
    by = lin.keys.signs.public.fingerprint
    sent(lin, win, closed(PURPOSE, Route("linuxbot", "winbot"), inner, by, win.keys.signs.public))
    assert (win.ran, win.refused, lin.refused) == ([], ["forged"], ["forged"])


def test_what_was_written_to_another_bot_is_not_taken_from_it(ends):
    lin, win = ends
    request = lin.request(reader="dbbot")
    inner = signed(PURPOSE, Route("linuxbot", "dbbot"), request.body, lin.keys.signs)
    by = lin.keys.signs.public.fingerprint
    for route in (Route("linuxbot", "winbot"), Route("linuxbot", "dbbot")):
        sent(lin, win, closed(PURPOSE, route, inner, by, win.keys.signs.public))
    assert (win.ran, win.refused, lin.refused) == ([], ["meant for another"] * 2, ["meant for another"] * 2)


def test_a_key_that_was_changed_without_a_word_is_refused_and_noticed_without_end(ends):
    lin, win = ends
    lin.keys.prepare()
    lin.keys.go_over()
    sent(lin, win, lin.sealed(lin.request(), win))
    assert (win.ran, win.refused) == ([], ["unknown sender"])
    for _ in range(3):
        lin.turn()
        win.turn()
    assert (win.refused, lin.refused) == (["unknown sender"], ["meant for another"])  # the notice was for the old key


def test_a_bot_that_was_revoked_is_refused_from_then_on(ends):
    lin, win = ends
    win.trust.write(win.trust.now.without("linuxbot"))
    sent(lin, win, lin.sealed(lin.request(), win))
    assert (win.ran, win.refused) == ([], ["unknown sender"])


@pytest.mark.parametrize(
    ("other", "why"),
    [({"via": ["dbbot", "farbot", "linuxbot"], "hops": 3}, "hops"),
     ({"via": ["winbot", "linuxbot"], "hops": 2}, "loop"),
     ({"via": ["dbbot"]}, "malformed"), ({"hops": 2}, "malformed"), ({"hops": 0}, "unreadable"),
     ({"person": {"name": "eve", "network": "slack", "id": "U9", "robot": False}}, "unknown person"),
     ({"person": {"name": "ana/slack/U1", "network": "slack", "id": "U9", "robot": False}}, "unreadable"),
     ({"person": {"name": "ana", "network": "@winbot", "id": "U1", "robot": False}}, "unreadable"),
     ({"line": "x" * 40_001}, "unreadable"), ({"line": ""}, "unreadable"), ({"kind": "order"}, "unreadable"),
     ({"at": "2026-03-01 12:00"}, "unreadable"), ({"more": 1}, "unreadable"), ({"text": "\x00"}, "unreadable")],
)  # fmt: skip
def test_what_a_trusted_bot_may_not_send_either(ends, other, why):
    lin, win = ends
    sent(lin, win, lin.sealed(lin.request(), win, **other))
    assert (win.ran, win.refused, lin.refused) == ([], [why], [why])


def test_what_is_too_long_is_not_even_opened(ends):
    lin, win = ends
    sent(lin, win, "x" * 5_000_000)
    sent(lin, win, lin.sealed(lin.request(), win, text="x" * 100_000, line="y" * 40_000, where="z" * 300))
    assert (len(win.ran), win.refused) == (1, ["too long"])


def test_what_is_too_long_is_not_sent(ends):
    lin, win = ends
    win.exchange.round()
    with pytest.raises(NotAsked, match="at most"):
        lin.asking.ask(lin.job(), "winbot", "x" * 300_000)
    assert win.queue.take("winbot", 1_000_000) == []


def test_a_reply_to_what_nobody_asked_or_by_whom_nobody_asked_says_nothing(ends, evil):
    lin, win = ends
    win.exchange.round()
    call = lin.asking.ask(lin.job(), "winbot", "status")
    for bot in (win, evil):
        reply = bot.answering._reply(
            "linuxbot", "f" * 32 if bot is win else call.request.nonce, "ended", bot.answer.answer
        )
        bot.exchange.send(reply)
    lin.turn()
    assert (lin.refused, call.inbox.empty()) == (["unasked"] * 2, True)


def test_a_bot_asks_nobody_by_whom_it_was_asked_and_no_third(ends):
    _, win = ends
    place = Place("@linuxbot", "@linuxbot", "a" * 32)
    facts = {"via": ["farbot", "linuxbot"], "hops": 2, "where": "", "human": "ana", "theirs": 1}
    win.store.peers.take("linuxbot", "a" * 32, "1", facts, Subject())
    job = win.job(place)
    for bot, why in (("linuxbot", "came by linuxbot already"), ("dbbot", "that is hop 3")):
        with pytest.raises(NotAsked, match=why):
            win.asking.ask(job, bot, "status")
    assert win.refused == ["loop", "hops"]


def test_a_flood_is_refused_and_written_down_as_a_number(ends):
    lin, win = ends
    for _ in range(60):
        lin.queue.put("winbot", "rubbish")
    for _ in range(4):
        win.turn()
    lin.clock.pass_seconds(61)
    sent(lin, win, "rubbish")
    assert (len(win.refused), win.refusals.counts["unreadable"]) == (22, 61)
    assert win.store.audit_rows(limit=2, kind=AuditKind.PEER_REFUSED)[1].body["reason"].startswith("40 more")


def test_more_requests_than_anybody_types_are_refused(ends):
    lin, win = ends
    for _ in range(25):
        lin.queue.put("winbot", lin.sealed(lin.request(), win))
    for _ in range(3):
        win.turn()
    assert (len(win.ran), win.refused) == (20, ["too many"] * 5)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=50), st.integers(0, 500), st.integers(1, 127))
def test_whatever_comes_nothing_runs_and_the_next_message_is_taken(ends, rubbish, place, other):
    lin, win = ends
    lin.clock.pass_seconds(61)
    good, ran = lin.sealed(lin.request(), win), len(win.ran)
    changed = chr((ord(good[place]) + other) % 128)
    for number, body in enumerate((rubbish, good[:place] + changed + good[place + 1 :], good[: place or 1])):
        assert win.exchange._read(Delivery(f"x{number}", body))
    assert len(win.ran) == ran
    win.exchange._read(Delivery("good", good))
    wait(lambda: len(win.ran) == ran + 1, 10)


def test_somebody_whom_a_bot_speaks_for_keeps_the_account_that_they_spoke_with():
    caller = caller_of("linuxbot", ANA)
    assert caller == Caller("@linuxbot", "ana/slack/U1", "ana")
    assert caller_of("winbot", Human("ana", "slack", "U1")).id == caller.id
