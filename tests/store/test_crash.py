"""Threads, kills in the middle, and any order of moves: nothing lost, nothing twice, never backwards."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from automation_bots.model import FINAL, Outcome, Risk, State, Status
from automation_bots.store import AuditKind
from tests.support.bounds import examples, rounds

WRITER = Path(__file__).parent / "stream_of_writes.py"
ROUNDS = rounds(4, 40)


def in_threads(count, work):
    failures = []

    def guarded(number):
        try:
            work(number)
        except Exception as error:  # noqa: BLE001  # a thread must hand its failure to the test
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.slow
def test_eight_threads_lose_nothing(store, job):
    def live(_):
        for _ in range(15):
            number = store.add_job(job()).number
            assert store.start(number)
            assert store.add_outcomes(number, [Outcome(name, Status.OK) for name in job().devices]) == 3
            assert store.finish(number, State.DONE)

    in_threads(8, live)
    assert store.verify_audit() == 3 * 120
    assert [(j.number, j.counts) for j in store.jobs(limit=1_000)] == [(n, {"ok": 3}) for n in range(120, 0, -1)]


@pytest.mark.slow
def test_eight_threads_that_want_the_same_jobs_start_each_once(store, job):
    numbers = [store.add_job(job()).number for _ in range(20)]
    won = defaultdict(list)

    def grab(thread):
        for number in random.Random(thread).sample(numbers, len(numbers)):
            moved = store.start(number) if thread % 2 else store.cancel_queued(number, "joe")
            if moved:
                won[number].append(thread)

    in_threads(8, grab)
    assert {number: len(threads) for number, threads in won.items()} == dict.fromkeys(numbers, 1)
    assert store.verify_audit() == 40


@pytest.mark.slow
def test_a_message_delivered_to_eight_threads_is_seen_first_by_one(store):
    first = []
    in_threads(8, lambda _: first.extend(n for n in range(20) if store.first_seen("slack", str(n))))
    assert sorted(first) == list(range(20))


def killed_in_the_middle(url, seed, seconds):
    """Let a child write for a while, kill it, and return what it said was done: {word: numbers}."""
    command = [sys.executable, WRITER, url, str(seed)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=WRITER.parents[2])
    said = [child.stdout.readline()]
    time.sleep(seconds)
    child.kill()
    said += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    done = defaultdict(set)
    for line in said:
        if line.endswith("\n"):  # the last one may be cut
            word, number = line.split()
            done[word].add(int(number))
    return done


@pytest.mark.slow
@pytest.mark.parametrize("seed", [20260301])
def test_killed_in_the_middle_of_writing_the_record_tells_the_truth(url, open_store, seed):
    dice = random.Random(seed)
    for round_ in range(ROUNDS):
        done = killed_in_the_middle(url, f"{seed}-{round_}", dice.uniform(0.02, 0.3))
        assert done["added"], "the child did not get to write"
        store = open_store()
        check_after_kill(store, done)
        store.close()


def check_after_kill(store, done):
    store.verify_audit()
    running = {job.number for job in store.running()}
    states = {job.number: job.state for job in store.jobs(limit=100_000)}
    assert done["added"] <= set(states)
    assert all(states[n] in {State.RUNNING, State.DONE} for n in done["started"])
    assert all(states[n] is State.DONE for n in done["finished"])
    assert store.holds() == {}
    lost = store.recover()
    assert {job.number for job in lost} == running
    check_holds(store, lost)
    starts = Counter(row.job for row in store.audit_rows(kind=AuditKind.STARTED, limit=100_000))
    assert set(starts.values()) <= {1}
    assert running | done["started"] <= set(starts)
    store.verify_audit()


def check_holds(store, lost):
    """Every device of a lost change whose outcome nobody knows is held; then all are let go."""
    changes = {job.number for job in lost if job.risk is Risk.CHANGE}
    unknown = {o.device for number in changes for o in store.outcomes(number, Status.UNKNOWN)}
    assert set(store.holds()) == unknown
    for number in changes:
        store.acknowledge(number, "ana")
    assert store.holds() == {}


ORDER = {State.QUEUED: 0, State.RUNNING: 1} | dict.fromkeys(FINAL, 2)
DEVICES = st.sampled_from(["web1", "web2", "web3"])
PICK = st.integers(0, 1_000)


class Life(RuleBasedStateMachine):
    """Does anything in any order to one store, with a plain dict as the model beside it."""

    store = None
    job = None

    def __init__(self):
        super().__init__()
        self.known = {}
        self.first = {}
        self.add(Risk.CHANGE)

    def one(self, pick):
        return sorted(self.known)[pick % len(self.known)]

    def moved(self, number, allowed, state, really):
        assert really == (self.known[number] in allowed)
        if really:
            self.known[number] = state

    @rule(risk=st.sampled_from(Risk))
    def add(self, risk):
        self.known[self.store.add_job(self.job(risk=risk)).number] = State.QUEUED

    @rule(pick=PICK)
    def start(self, pick):
        number = self.one(pick)
        self.moved(number, {State.QUEUED}, State.RUNNING, self.store.start(number))

    @rule(pick=PICK, state=st.sampled_from(sorted(FINAL)))
    def finish(self, pick, state):
        number = self.one(pick)
        self.moved(number, {State.RUNNING}, state, self.store.finish(number, state))

    @rule(pick=PICK)
    def cancel(self, pick):
        number = self.one(pick)
        self.moved(number, {State.QUEUED}, State.CANCELLED, self.store.cancel_queued(number, "joe"))

    @rule(pick=PICK, device=DEVICES, status=st.sampled_from(Status))
    def report(self, pick, device, status):
        number = self.one(pick)
        stored = {o.device: o.status for o in self.store.outcomes(number)}
        self.store.add_outcomes(number, [Outcome(device, status)])
        if stored.get(device, Status.UNKNOWN) is Status.UNKNOWN:
            stored[device] = status
        assert {o.device: o.status for o in self.store.outcomes(number)} == stored

    @rule()
    def crash(self):
        lost = {j.number for j in self.store.recover()}
        assert lost == {n for n, state in self.known.items() if state is State.RUNNING}
        self.known |= dict.fromkeys(lost, State.INTERRUPTED)

    @rule(pick=PICK)
    def acknowledge(self, pick):
        number = self.one(pick)
        held = number in self.store.holds().values()
        assert self.store.acknowledge(number, "joe") or not held
        assert number not in self.store.holds().values()

    @rule(pick=PICK)
    def tell(self, pick):
        number = self.one(pick)
        told = self.store.job(number).told
        assert self.store.mark_told(number) == (self.known[number] in FINAL and not told)

    @invariant()
    def nothing_went_backwards(self):
        seen = {j.number: j.state for j in self.store.jobs(limit=len(self.known)) if j.number in self.known}
        assert seen == self.known
        assert all(ORDER[seen[n]] >= ORDER[self.first.get(n, State.QUEUED)] for n in seen)
        self.first = seen

    def teardown(self):
        self.store.recover()  # the next life must not find this one's jobs running
        self.store.verify_audit()


@pytest.mark.slow
def test_whatever_happens_in_whatever_order_a_state_never_goes_backwards(store, job):
    calm = settings(max_examples=examples(15), stateful_step_count=25, suppress_health_check=list(HealthCheck))
    life = type("LifeOfOneStore", (Life,), {"store": store, "job": staticmethod(job)})
    run_state_machine_as_test(life, settings=calm)
