"""Events are followed at least once, in their order, whatever happens to whoever follows them."""

import pytest

from automation_bots.alerts.event import Finding
from automation_bots.alerts.intake import MAX_FIELDS, bounded
from automation_bots.errors import StoreError
from tests.alerts.site import FIRED, Site, many, replace


class Follower:
    name = "rules"

    def __init__(self):
        self.seen, self.fails = [], None

    def follow(self, events):
        if self.fails:
            raise self.fails
        self.seen += [one.number for one in events]
        return [Finding(one.number, "a rule", "looked") for one in events]


@pytest.fixture
def follower():
    return Follower()


@pytest.fixture
def followed(tmp_path, follower):
    made = Site(tmp_path, followers=(follower,))
    made.intake.start()
    made.intake.stop()
    yield made
    made.store.close()


def test_events_are_followed_in_their_order_and_what_was_said_is_kept(followed, follower):
    followed.takes(*many(3))
    followed.intake.round()
    assert follower.seen == [1, 2, 3]
    assert [one.said for one in followed.store.events.findings(2)] == ["looked"]


def test_after_a_kill_what_was_not_followed_is_followed_and_nothing_else(followed, follower):
    followed.takes(*many(2))
    followed.intake.round()
    followed.takes(FIRED)
    followed.store.close()
    followed.begin()
    followed.intake.start()
    followed.intake.stop()
    followed.intake.round()
    assert follower.seen == [1, 2, 3]


def test_a_new_follower_begins_with_the_next_event(tmp_path, follower):
    site = Site(tmp_path, followers=(follower,))
    site.takes(FIRED)
    site.intake.start()
    site.intake.stop()
    site.takes(*many(1))
    site.intake.round()
    site.store.close()
    assert follower.seen == [2]


def test_one_that_breaks_is_told_of_the_event_and_the_next_is_followed(followed, follower):
    follower.fails = RuntimeError("broken")
    followed.takes(FIRED)
    followed.intake.round()
    assert "could not look at it" in followed.store.events.findings(1)[0].said
    follower.fails = None
    followed.takes(*many(1))
    followed.intake.round()
    assert follower.seen == [2]


def test_while_the_record_is_away_the_same_is_followed_again(followed, follower):
    follower.fails = StoreError("away")
    followed.takes(FIRED)
    with pytest.raises(StoreError):
        followed.intake.round()
    follower.fails = None
    followed.intake.round()
    assert follower.seen == [1]


def test_what_is_longer_than_anybody_reads_is_left_out():
    fields = {f"k{n}": "v" * 10_000 for n in range(1_000)}
    short = bounded(replace(FIRED, what="w\n" * 10_000, text="t" * 100_000, fields=fields))
    assert len(short.fields) == MAX_FIELDS
    assert max(map(len, (*short.fields.values(), short.text))) == 4_000
    assert "\n" not in short.what
    assert len(short.what) == 300


def test_secrets_that_strangers_send_are_not_kept(tmp_path):
    site = Site(tmp_path)
    site.store.redact_with(lambda text: text.replace("hunter2", "•"))
    fields = {"db_password": "swordfish", "note": "it is hunter2"}
    site.takes(replace(FIRED, text="login hunter2 failed", what="x hunter2", note="hunter2", fields=fields))
    kept = f"{site.store.events.latest(1)} {site.store.alerts.latest(1)}"
    site.store.close()
    assert "hunter2" not in kept
    assert "swordfish" not in kept
