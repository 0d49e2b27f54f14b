"""What rooms hear of what people watch there; the record is a real one, and each test takes the turns itself."""

import shutil
from dataclasses import dataclass, field, replace

import pytest

from automation_bots.model import Caller, Person, Place, Risk, RoomWatch, State, WatchedChange
from automation_bots.policy.approval import Approval
from automation_bots.policy.policy import Policy
from automation_bots.store import Store, Subject
from automation_bots.surface import Capabilities, Refusal
from automation_bots.watches.watcher import PACE_SECONDS, WatchContext, Watcher
from tests.store.conftest import JOB, Clock

OPS, ANA = Place("slack", "OPS"), Caller("slack", "U024BE7LH", "Ana")
PEOPLE = {("slack", ANA.id): Person("ana")}


@dataclass
class Site:
    """A record, a room, and what may be seen."""

    store: Store
    said: list = field(default_factory=list)
    admins: list = field(default_factory=list)
    policy: Policy = field(default_factory=lambda: Policy(ids=PEOPLE))
    seen: set = field(default_factory=lambda: {"web1", "web2", "web3"})
    asked_in: tuple = ()
    error: Exception | None = None
    time: float = 0.0
    killed: bool = False
    capabilities = Capabilities(buttons=True)

    def say(self, place, answer):
        if self.error:
            raise self.error
        self.said.append((place, answer))
        if self.killed:
            raise OSError("nobody knows whether it was said")

    def life(self):
        """One life of the program."""
        return Watcher(
            WatchContext(
                store=self.store,
                policy=lambda: self.policy,
                sees=lambda _person, job: self.seen.issuperset(job.devices),
                visible=lambda _person: self.seen,
                inside={"web": {"web1", "web2", "web3"}, "core": {"core1"}}.get,
                asked_in=lambda _job: self.asked_in,
                surface=lambda _place: self,
                admins=self.admins.append,
                clock=lambda: self.time,
            )
        )

    def watch(self, about, pattern="", place=OPS):
        return self.store.watches.add(RoomWatch(0, "ana", ANA, place, about, pattern))

    def job(self, state=State.FAILED, **more):
        number = self.store.add_job(replace(JOB, person="joe", **more)).number
        self.store.start(number)
        self.store.finish(number, state)
        return number

    @property
    def texts(self):
        return [answer.text for _, answer in self.said]


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty") / "data"
    Store.open(folder).close()
    return folder


@pytest.fixture
def site(tmp_path, empty):
    shutil.copytree(empty, tmp_path / "data")
    store = Store.open(tmp_path / "data", clock=Clock())
    yield Site(store)
    store.close()


@pytest.fixture
def watcher(site):
    return site.life()


def test_a_failed_job_is_told_where_it_is_watched_with_what_to_type_next(site, watcher):
    site.watch("jobs failed", "web")
    number = site.job()
    watcher.round()
    ((place, answer),) = site.said
    assert (place, answer.buttons[0].line) == (OPS, f"job {number}")
    assert answer.text.startswith(f"#{number} service")
    assert answer.text.endswith("joe")


@pytest.mark.parametrize(
    ("about", "pattern", "job"),
    [
        ("jobs failed", "", {"state": State.DONE}),
        ("jobs", "core", {}),
        ("changes", "", {"risk": Risk.READ}),
        ("changes", "", {"check": True}),
        ("approvals", "", {}),
        ("jobs", "", {"monitor": 1}),
        ("jobs", "", {"preview_of": 1}),
        ("jobs", "", {"place": OPS}),
        ("jobs", "", {"place": replace(OPS, thread="1.2")}),
        ("jobs", "gone", {}),
    ],
)
def test_what_is_not_wanted_or_told_there_anyway_is_not_told(site, watcher, about, pattern, job):
    site.watch(about, pattern)
    site.job(**job)
    watcher.round()
    assert site.said == []


def test_what_the_room_of_a_thread_hears_and_what_was_before_is_not_told(site, watcher):
    site.job()
    site.watch("jobs", place=replace(OPS, thread="9.9"))
    site.job(place=OPS)
    watcher.round()
    assert site.said == []


@pytest.mark.parametrize(("about", "pattern"), [("jobs failed", ""), ("jobs", "web"), ("changes", "web")])
def test_what_is_wanted_is_told_once(site, watcher, about, pattern):
    site.watch(about, pattern)
    site.job()
    for site.time in (0, 100, 200):
        watcher.round()
    assert len(site.said) == 1


def test_a_thread_does_not_hear_of_its_neighbour_by_itself(site, watcher):
    site.watch("jobs", place=replace(OPS, thread="9.9"))
    site.job(place=replace(OPS, thread="1.2"))
    watcher.round()
    assert len(site.said) == 1


def test_what_its_owner_may_not_see_at_that_moment_is_not_told(site, watcher):
    site.watch("jobs")
    site.seen.discard("web3")
    site.job()
    watcher.round()
    site.seen.add("web3")
    site.time = 100
    watcher.round()
    assert site.said == []


def test_many_at_once_are_one_message_with_counts(site, watcher):
    site.watch("jobs")
    for at in range(14):
        site.job(State.FAILED if at < 3 else State.DONE)
    watcher.round()
    ((_, answer),) = site.said
    assert answer.text == "14 jobs ended, 3 of them failed:"
    assert answer.block.endswith("… and 4 more")


def test_a_place_hears_one_message_in_ten_seconds(site, watcher):
    site.watch("jobs")
    for site.time in (0, 1, PACE_SECONDS - 1, PACE_SECONDS):
        site.job()
        watcher.round()
    assert [text.split()[0] for text in site.texts] == ["#1", "3"]


def test_two_who_watch_the_same_there_let_it_be_told_once(site, watcher):
    site.watch("jobs")
    site.watch("jobs failed", "web")
    site.job()
    watcher.round()
    site.time = 100
    watcher.round()
    assert len(site.said) == 1


def test_a_request_that_waits_is_told_but_not_where_approvers_are_asked(site, watcher):
    site.watch("approvals")
    site.store.approvals.add(replace(JOB, state=State.WAITING, parked=True), Approval(0, "bound", ()))
    site.asked_in = (OPS,)
    watcher.round()
    assert site.said == []
    site.asked_in = ()
    site.store.approvals.add(replace(JOB, state=State.WAITING, parked=True), Approval(0, "bound", ()))
    watcher.round()
    assert [button.line for button in site.said[0][1].buttons] == ["details 2", "approve 2"]


def test_the_end_of_a_watched_change_is_told(site, watcher):
    site.watch("changes", "web")
    change = WatchedChange(0, "joe", ANA, Place("slack", "C1"), "web1", ("web1",), "card")
    site.store.watched_changes.end(site.store.watched_changes.add(change), "same", Subject("joe"))
    watcher.round()
    assert site.texts == ["C1 ended: web1 · card · joe"]


def test_what_happened_while_the_bot_was_away_is_told_after_its_start(site):
    site.watch("jobs")
    site.job()
    site.life().round()
    site.job()
    site.life().round()
    site.life().round()
    assert [text.split()[0] for text in site.texts] == ["#1", "#2"]


def test_said_and_killed_before_it_was_noted_it_is_the_same_message_again(site):
    site.watch("jobs")
    site.job()
    site.killed = True
    site.life().round()
    site.killed = False
    site.life().round()
    assert site.said[0][1].mark == site.said[1][1].mark
    assert len(site.said) == 2


def test_a_network_that_is_away_hears_later_and_nothing_is_left_out(site, watcher):
    site.watch("jobs")
    site.error = OSError("away")
    site.job()
    watcher.round()
    site.error, site.time = None, 29
    watcher.round()
    assert site.said == []
    site.job()
    site.time = 31
    watcher.round()
    assert site.texts == ["2 jobs ended, 2 of them failed:"]


def test_a_room_that_does_not_take_it_holds_up_no_other(site, watcher):
    site.watch("jobs")
    site.job()
    site.error = Refusal("no such room")
    watcher.round()
    assert watcher.unheard == {OPS: "no such room"}
    site.error, site.time = None, 100
    site.job()
    watcher.round()
    assert (site.texts[0].split()[0], watcher.unheard) == ("#2", {})


def test_the_watches_of_who_left_the_policy_end_and_admins_hear_it_once(site, watcher):
    site.watch("jobs")
    site.policy = Policy()
    site.job()
    watcher.round()
    watcher.round()
    assert (site.store.watches.all(), site.said, len(site.admins)) == ((), [], 1)


def test_while_the_policy_is_broken_nobody_hears_and_nothing_ends(site, watcher):
    site.watch("jobs")
    site.job()
    site.policy = Policy(problem="line 3")
    watcher.round()
    assert (site.said, site.admins) == ([], [])
    site.policy = Policy(ids=PEOPLE)
    watcher.round()
    assert len(site.said) == 1


def test_who_has_another_account_now_hears_nothing(site, watcher):
    site.watch("jobs")
    site.policy = Policy(ids={("slack", ANA.id): Person("kim")})
    site.job()
    watcher.round()
    assert (site.said, len(site.admins)) == ([], 1)


def test_rows_without_news_are_not_read_again_for_ever(site, watcher):
    made = site.watch("jobs", "core")
    for _ in range(340):
        site.job()
    watcher.round()
    watcher.round()
    watcher.round()
    assert site.store.watches.all()[0].seq > made.seq + 1_000
