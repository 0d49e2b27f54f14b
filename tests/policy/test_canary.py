"""A job in batches: growing, stopping where too many fail, waiting for a word."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.drivers.fake import Fake
from automation_bots.errors import BadParameter
from automation_bots.model import Canary, Outcome, State, Status
from automation_bots.policy import canary
from tests.support.chatbot import ChatBot, wait, write_folder

TEN = tuple(f"web{number}" for number in range(10))
FAILED = Outcome("", Status.FAILED, "no space left")


@pytest.mark.parametrize(
    ("steps", "sizes"),
    [("1,10%", [1, 1, 8]), ("1,50%", [1, 5, 4]), ("25%", [2, 8]), ("3,3,3,3", [3, 3, 3, 1]), ("50", [10]), ("", [10])],
)
def test_batches_grow_and_the_rest_comes_last(steps, sizes):
    assert [len(batch) for batch in canary.batches(canary.read(steps, 0), TEN)] == sizes


@given(
    st.lists(st.integers(1, 100).map(lambda n: f"{n}%") | st.integers(1, 20).map(str), max_size=5), st.integers(0, 40)
)
def test_every_device_is_in_exactly_one_batch(steps, count):
    devices = tuple(f"d{number}" for number in range(count))
    cut = canary.batches(Canary(tuple(steps)), devices)
    assert tuple(device for batch in cut for device in batch) == devices
    assert all(cut) or not devices


@pytest.mark.parametrize("steps", ["0", "x", "1,,2", "200%", "-1", "1;2", ",".join("1" * 11)])
def test_a_wrong_canary_is_said(steps):
    with pytest.raises(BadParameter):
        canary.read(steps, 0)


@pytest.mark.parametrize(
    ("bad", "share", "stops"), [(0, None, False), (1, None, True), (2, 0.2, False), (3, 0.2, True)]
)
def test_more_than_the_share_stops(bad, share, stops):
    assert canary.stops([Status.FAILED] * bad + [Status.OK] * (10 - bad), share) is stops


# -- in a real bot

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: web team, who: web, may: [service], on: web, limit: {failures: 50%}}
"""
HOSTS = 'all: {vars: {driver: fake}, children: {web: {hosts: {"web[0:9]": {}}}}}\n'
RESTART = "!service restart nginx on web"


def running(folder):
    fake = Fake()
    chat = ChatBot(write_folder(folder, policy=POLICY, hosts=HOSTS), drivers=(fake,))
    chat.fake = fake
    return chat


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with running(tmp_path_factory.mktemp("shared")) as chat:
        yield chat


@pytest.fixture
def chat(shared):
    """One bot for all, its devices as they were."""
    shared.fake.outcomes.clear()
    shared.fake.ran.clear()
    return shared


@pytest.fixture
def own(tmp_path):
    """A bot of the test's own, whose policy and freezes may change."""
    with running(tmp_path) as chat:
        yield chat


def paused(chat, flags, words):
    """Start a job that pauses; return its number."""
    said = chat.asks(f"{RESTART} {flags} --pause-after", words, who="joe")
    return re.search(r"!continue (\d+)", said)[1]


@pytest.mark.slow
def test_a_canary_that_fails_leaves_the_others_alone(chat):
    chat.fake.outcomes["web0"] = FAILED
    said = chat.asks(f"{RESTART} --canary 1,10%", "1 failed, 9 skipped", who="ana")
    assert "stopped after batch 1 of 3: 1 of 1 failed there" in said
    assert [device for _, _, device in chat.fake.ran] == ["web0"]
    assert chat.jobs[0].state is State.FAILED


@pytest.mark.slow
def test_the_share_of_the_rule_lets_some_fail(chat):
    chat.fake.outcomes["web1"] = FAILED
    chat.asks(f"{RESTART} --canary 4", "9 changed, 1 failed", who="joe")
    chat.fake.outcomes.update(dict.fromkeys(("web2", "web3"), FAILED))
    chat.asks(f"{RESTART} --canary 4", "1 changed, 3 failed, 6 skipped", who="joe")


@pytest.mark.slow
def test_a_pause_waits_for_a_word_and_shows_it(chat):
    number = paused(chat, "--canary 2", "paused after batch 1 of 2: !continue")
    assert len(chat.fake.ran) == 2
    assert "goes on" in chat.asks(f"!continue {number}", f"#{number} goes", who="joe")
    chat.hears("10 changed")
    assert "does not wait" in chat.asks(f"!continue {number}", "does not", who="joe")


@pytest.mark.slow
def test_a_paused_job_can_be_cancelled_and_says_what_was_not_reached(chat):
    number = paused(chat, "", "paused after batch 1 of 2")
    chat.asks(f"!cancel {number}", "being cancelled", who="joe")
    wait(lambda: chat.jobs[0].state is State.CANCELLED, 10)
    assert chat.jobs[0].counts == {"changed": 1, "cancelled": 9}


@pytest.mark.slow
@pytest.mark.parametrize("what", ["frozen", "gone"])
def test_what_is_closed_or_forbidden_during_a_pause_does_not_go_on(own, what):
    number = paused(own, "--canary 2", "paused after batch 1 of 2: !continue")
    if what == "frozen":
        own.asks("!freeze web9 until 2h audit", "frozen", who="ana")
    else:
        (own.folder / "policy.yml").write_text(POLICY.replace("groups: [web]", "groups: []"))
        own.automation.live.look()
    own.asks(f"!continue {number}", "goes on", who="ana")
    wait(lambda: own.jobs[0].state is State.FAILED, 10)
    assert (len(own.fake.ran), own.jobs[0].counts) == (2, {"changed": 2, "skipped": 8})


@pytest.mark.slow
@pytest.mark.parametrize("flags", ["--canary 0", "--pause-after=0", "--canary 1 --pause-after=2", "--canary"])
def test_a_wrong_flag_starts_nothing(chat, flags):
    before = len(chat.jobs)
    assert "--" in chat.asks(f"{RESTART} {flags}", who="joe")
    assert len(chat.jobs) == before
