"""Many people, many jobs, a long life: everybody is answered soon, and nothing is left behind."""

import re
import threading
import time
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import event

from automation_bots.app.bot import Bot
from automation_bots.commands.context import CommandCall
from automation_bots.jobs.counters import Entry, Start
from automation_bots.jobs.throttle import admit
from automation_bots.model import NO_LIMITS, Caller, Limits, Place, Risk
from automation_bots.store import AuditKind, Store
from bench import load as bench
from tests.support import big, chatbot, loading
from tests.support.bounds import rounds
from tests.support.chatbot import wait
from tests.support.cost import in_yardsticks
from tests.support.watching import children

pytestmark = [pytest.mark.slow, pytest.mark.works]


@pytest.fixture
def chat(tmp_path):
    with loading.load_bot(tmp_path / "netbot") as chat:
        loading.make_busy(chat)
        yield chat


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """A bot with no room for one more job, and ten thousand that wait."""
    folder = tmp_path_factory.mktemp("crowded") / "netbot"
    with loading.load_bot(folder, jobs=loading.BUSY, surface=chatbot.Surface()) as chat:
        loading.make_busy(chat)
        loading.fill_queue(chat, 10_000)
        yield chat


def test_while_50_jobs_run_and_one_person_floods_all_others_are_answered(chat):
    crowd = loading.Crowd(chat)
    spent = crowd.type(commands=rounds(80, 1000), seconds=rounds(3, 30), flood_per_second=30)
    assert len(spent) == rounds(80, 1000) and crowd.flooded  # how soon: `make bench NAME=load`
    crowd.settle()
    assert chat.automation.store.verify_audit()


def test_no_thread_no_file_and_no_process_is_left_behind(chat):
    crowd, sizes = loading.Crowd(chat), []
    while len(sizes) < 4 or sizes[-3:] != sizes[-1:] * 3:  # pools and caches fill, and are full; a leak goes on
        assert len(sizes) < 15, sizes
        crowd.type(commands=rounds(25, 330), seconds=rounds(1, 8))
        crowd.settle()
        sizes.append((threading.active_count(), loading.open_files(), len(children())))


def test_a_stopped_bot_leaves_no_thread_of_its_own(tmp_path):
    before = set(threading.enumerate())
    with loading.load_bot(tmp_path / "netbot") as chat:
        loading.make_busy(chat)
    left = lambda: [thread for thread in set(threading.enumerate()) - before if not thread.name.startswith("Thread-")]  # noqa: E731
    wait(lambda: not left(), 20, lambda: str(left()))


def test_a_bot_that_stopped_leaves_no_open_file_and_no_thread(tmp_path):
    sizes = []
    for number in range(4):  # without Errbot, which keeps the pipes of its own thread pools
        bot = Bot(chatbot.write_folder(tmp_path / str(number)), {"AUTOMATION_BOTS_DATA": str(tmp_path / f"d{number}")})
        bot.start(chatbot.Surface())
        bot.commands["status"](CommandCall(Caller("test", "ana"), Place("test", "ops")))
        bot.stop(grace_seconds=0)
        sizes.append((loading.open_files(), threading.active_count()))
    assert len(set(sizes[1:])) == 1, sizes


@pytest.mark.parametrize(
    "line", ["!queue", "!status", "!jobs", "!jobs mine", "!job 9000", "!look on d1", "!write on d1"]
)
def test_while_ten_thousand_jobs_wait_everybody_is_answered_at_once(crowded, line):
    crowded.asks(line, who="p1", seconds=10)  # how soon: `make bench NAME=load`
    assert crowded.automation.dispatcher.active[0] == loading.BUSY


def test_a_long_queue_is_shown_from_its_front(crowded):
    said = crowded.asks("!queue", "waiting", who="p0")
    assert "30." in said and "31." not in said and re.search(r"and 99\d\d more|and 1000\d more", said)


def test_a_start_that_is_remembered_for_rates_keeps_devices_only_where_a_rate_counts_them():
    entry = _entry(5)
    assert Start.of(1.0, entry).entry == replace(entry, devices=frozenset(), drivers=())
    by_driver = replace(entry, limits=Limits(rates=(("look", "driver", 1, 60.0),)))
    assert Start.of(1.0, by_driver).entry == replace(by_driver, devices=frozenset())
    by_device = replace(entry, limits=Limits(rates=(("look", "device", 1, 60.0),)))
    assert Start.of(1.0, by_device).entry == by_device


@pytest.mark.parametrize("case", bench.PASSES)
def test_a_pass_over_ten_thousand_waiting_jobs_is_short(case):
    caps, limits = bench.PASSES[case]
    queued = [_entry(number, limits) for number in range(1, 10_001)]
    recent = [Start(number / 100, entry) for number, entry in enumerate(queued)]
    look = partial(admit, queued[50:], queued[:50], caps, held={"d7": 3}, recent=recent, now=100.0)
    admission = look()
    assert len(admission.waits) + len(admission.start) == 9_950
    assert in_yardsticks(look, 4) < 4


def _entry(number, limits=NO_LIMITS):
    risk = Risk.READ if number % 3 else Risk.CHANGE
    devices = frozenset(f"d{(number * 7 + step) % 2_000}" for step in range(number % 5 + 1))
    return Entry(number, f"p{number % 200}", f"test/r{number % 30}", "service", risk, devices, ("ssh",), limits=limits)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def old(request, tmp_path_factory):
    """A record with 20,000 jobs and three times as many entries, in the soak of 100,000."""
    on_server = request.param == "postgresql"
    place = request.getfixturevalue("postgresql").fresh() if on_server else tmp_path_factory.mktemp("old") / "data"
    store = Store.open(place)
    big.fill(store, rounds(20_000, 100_000))
    yield store
    store.close()


LOOKS = {
    "all jobs": lambda store: store.jobs(limit=50),
    "mine": lambda store: store.jobs(person="p7", limit=50),
    "of nobody": lambda store: store.jobs(person="nobody", limit=50),
    "failed": lambda store: store.jobs(states=big.FAILED, limit=50),
    "running": lambda store: store.jobs(states=big.ALIVE, limit=50),
    "the queue": lambda store: store.queued(),
    "untold": lambda store: store.untold(),
    "audit": lambda store: store.audit_rows(limit=20),
    "of a person": lambda store: store.audit_rows(person="p7"),
    "of a person and a kind": lambda store: store.audit_rows(person="p7", kind=AuditKind.DENIED),
    "of a device": lambda store: store.audit_rows(device="d77"),
    "of a kind": lambda store: store.audit_rows(kind=AuditKind.DENIED),
    "of a job": lambda store: store.audit_rows(job=77),
    "lately": lambda store: store.audit_rows(since=store._clock()),
}


@pytest.mark.parametrize("look", LOOKS)
def test_no_look_into_a_big_record_walks_all_of_it(old, look):
    statements, engine = [], old._database._backend.readers
    event.listen(engine, "before_cursor_execute", keep := lambda *call: statements.append(call[2:4]))
    LOOKS[look](old)
    event.remove(engine, "before_cursor_execute", keep)
    with old._database.read() as connection:
        asked = [(text, values) for text, values in statements if text.startswith("SELECT")]
        plan = [step for text, values in asked for step in steps(connection, text, values)]
    # The newest few of all are read from the end; what is sorted is what a rare state or a person leaves over.
    walks = [step for step in plan if re.search("^SCAN|Seq Scan", step) and look not in {"all jobs", "audit", "lately"}]
    assert plan and not walks, plan


def steps(connection, statement, values):
    """What the database would do, in its own words."""
    explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
    return [row[-1] for row in connection.exec_driver_sql(f"{explain} {statement}", values)]


def test_old_jobs_are_forgotten_in_steps_between_which_others_write(tmp_path):
    store, written, over = Store.open(tmp_path / "data"), 0, threading.Event()
    big.fill(store, 12_000)
    forgetting = threading.Thread(target=lambda: (store.prune(keep_days=5), over.set()))
    forgetting.start()
    while not over.is_set():
        store.add_job(big.JOB)
        written += 1
        time.sleep(0.02)
    forgetting.join()
    assert written > 3  # in one step, all but the first would have waited for its end
    assert not store.outcomes(1) and store.outcomes(11_999) and store.job(1).counts == {"ok": 1}
    store.close()
