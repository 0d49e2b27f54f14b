"""What every driver must hold, whatever it speaks: subclass `DriverContract` and give a `lab` fixture."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from automation_bots.drivers import Cancel, Driver, Task, no_secrets
from automation_bots.drivers.fake import Recorder
from automation_bots.errors import DriverError
from automation_bots.jobs.reports import OutcomeCollector
from automation_bots.jobs.throttle import Caps
from automation_bots.model import GOOD, NOTHING, Caller, Device, Job, Operation, Outcome, Place, Risk, State, Status
from automation_bots.redaction.patterns import MARK
from automation_bots.redaction.redactor import Redactor
from automation_bots.store import Store
from tests.support.watching import children

STOPPED = {Status.CANCELLED, Status.UNKNOWN}


@dataclass
class Logins:
    """How a driver logs in, and how a test sees that it did."""

    count: Callable[[], int]  # how often somebody logged in there so far
    password: str  # what it logs in with, or another secret that the bot knows
    prints: Callable[[str], Operation]  # a read whose output has this text in it
    wrong: tuple[Driver, Device, Callable[[str], Mapping[str, str]]]  # one whose login is refused
    wrong_password: str


@dataclass
class Lab:
    """One driver, devices it can reach, and operations whose effect a test can see."""

    driver: Driver
    good: tuple[Device, ...]  # three that work
    broken: Device  # `hello` fails on it
    unreachable: Device
    hello: Operation  # a read that prints "hello"
    slow: Operation  # a change that takes a minute
    loud: Operation  # a read that prints more than the driver keeps
    touch: Operation  # a change that leaves a trace
    touched: Callable[[], bool]
    output_limit: int
    still_running: Callable[[], bool] | None = None  # whether `slow` goes on somewhere, where that can be seen
    secrets: Callable[[str], Mapping[str, str]] = no_secrets
    inventory: tuple[Path, ...] = ()
    patience: float = 40  # seconds in which a stop must have worked, on the busiest of machines: `slow` takes more
    begun: Callable[[], bool] | None = None  # whether `slow` has begun, where `still_running` does not tell that
    logins: Logins | None = None  # where one logs in: see LoginContract


def make_task(
    operation: Operation,
    devices: Iterable[Device],
    workdir: Path,
    *,
    seconds: float = 120,  # what ends by itself may take long on a busy machine
    check: bool = False,
    parameters: Mapping[str, Any] = NOTHING,
    **more: Any,
) -> Task:
    """Return a task as the dispatcher makes it."""
    devices = tuple(devices)
    job = Job(
        number=42,
        state=State.RUNNING,
        person="ana",
        caller=Caller("test", "U1", "ana"),
        place=Place("test", "room"),
        operation=operation.name,
        parameters=parameters,
        pattern=",".join(device.name for device in devices),
        devices=tuple(device.name for device in devices),
        risk=operation.risk_of(parameters),
        drivers=("test",),
        check=check,
    )
    return Task(job, operation, devices, workdir, time.monotonic() + seconds, **more)


class Bench:
    """Runs a driver, and looks that nothing is left in the work directory."""

    def __init__(self, driver: Driver, workdir: Path, **usual: Any) -> None:
        self.driver = driver
        self.workdir = workdir
        self.usual = usual
        self.seconds = 0.0

    def run(self, operation: Operation, *devices: Device, **options: Any) -> Mapping[str, Outcome]:
        """Return the outcomes by device."""
        recorder, began = Recorder(), time.monotonic()
        self.driver.run(make_task(operation, devices, self.workdir, **{**self.usual, **options}), recorder)
        self.seconds = time.monotonic() - began
        assert not recorder.repeated
        assert not list(self.workdir.iterdir())
        return recorder.outcomes


@contextlib.contextmanager
def cancelled_once_it_runs(lab: Lab) -> Iterator[Cancel]:
    """Give a cancel that ana sets when `slow` is seen to run, or may be taken to."""
    cancel, over = Cancel(), threading.Event()

    def look() -> None:
        begun = lab.begun or lab.still_running
        while begun and not begun() and not over.wait(0.05):
            pass
        over.wait(0.2 if begun else 1.5)
        cancel.set("ana said stop")

    looking = threading.Thread(target=look)
    looking.start()
    yield cancel
    over.set()
    looking.join()


@contextlib.contextmanager
def nothing_left_behind():
    """Fail when a thread, an open file or a child process outlives the block."""
    before = _mine()
    yield
    end = time.monotonic() + 2
    while any(left := [_more(now, old) for now, old in zip(_mine(), before, strict=True)]):
        assert time.monotonic() < end, f"left behind: threads, files, processes {left}"
        time.sleep(0.05)


def _more(now: set[Any], old: set[Any]) -> set[Any]:
    """What there is besides; one that took the place of another, such as a process kept for the next job, is not."""
    return now - old if len(now) > len(old) else set()


def _mine() -> tuple[set[Any], ...]:
    files = {name for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")}  # noqa: PTH208
    return set(threading.enumerate()), files, children()


class DriverContract:
    """Every test here holds for every driver."""

    @pytest.fixture
    def lab(self) -> Lab:
        raise NotImplementedError

    @pytest.fixture
    def bench(self, lab: Lab, tmp_path: Path) -> Bench:
        workdir = tmp_path / "work"
        workdir.mkdir()
        return Bench(lab.driver, workdir, secrets=lab.secrets, inventory=lab.inventory)

    @pytest.fixture(autouse=True)
    def _nothing_outlives_a_run(self, bench: Bench, lab: Lab):
        bench.run(lab.hello, lab.good[0])  # what is imported or opened once for all is not a leak
        with nothing_left_behind():
            yield

    def test_each_device_has_one_outcome(self, bench: Bench, lab: Lab):
        outcomes = bench.run(lab.hello, *lab.good)
        assert set(outcomes) == {device.name for device in lab.good}
        assert {outcome.status for outcome in outcomes.values()} == {Status.OK}
        assert all("hello" in outcome.output for outcome in outcomes.values())

    def test_a_change_that_worked_is_called_changed(self, bench: Bench, lab: Lab):
        assert bench.run(lab.touch, lab.good[0])[lab.good[0].name].status is Status.CHANGED
        assert lab.touched()

    def test_one_device_that_fails_spoils_no_other(self, bench: Bench, lab: Lab):
        outcomes = bench.run(lab.hello, lab.good[0], lab.broken, lab.good[1])
        assert [outcomes[device.name].status for device in lab.good[:2]] == [Status.OK] * 2
        assert outcomes[lab.broken.name].status is Status.FAILED
        assert outcomes[lab.broken.name].summary

    def test_a_device_that_cannot_be_reached_says_so(self, bench: Bench, lab: Lab):
        outcomes = bench.run(lab.hello, lab.unreachable, lab.good[0])
        assert outcomes[lab.good[0].name].status is Status.OK
        assert outcomes[lab.unreachable.name].status is Status.UNREACHABLE
        assert outcomes[lab.unreachable.name].summary

    def test_the_time_limit_ends_a_run(self, bench: Bench, lab: Lab):
        outcomes = bench.run(lab.slow, *lab.good, seconds=1.5)
        assert bench.seconds < 1.5 + lab.patience
        assert {outcome.status for outcome in outcomes.values()} <= STOPPED
        assert all("time limit" in outcome.summary for outcome in outcomes.values())

    def test_a_read_over_its_time_is_not_called_good(self, bench: Bench, lab: Lab):
        outcomes = bench.run(replace(lab.slow, risk=Risk.READ), lab.good[0], seconds=1.5)
        assert not [outcome for outcome in outcomes.values() if outcome.status in GOOD]

    def test_a_cancelled_change_ends_soon_and_is_never_called_undone(self, bench: Bench, lab: Lab):
        with cancelled_once_it_runs(lab) as cancel:
            outcomes = bench.run(lab.slow, *lab.good, cancel=cancel)
        assert bench.seconds < lab.patience
        assert {outcome.status for outcome in outcomes.values()} <= STOPPED, outcomes
        assert Status.UNKNOWN in {outcome.status for outcome in outcomes.values()}
        assert all("ana said stop" in outcome.summary for outcome in outcomes.values())

    def test_a_cancelled_run_leaves_nothing_running(self, bench: Bench, lab: Lab):
        with cancelled_once_it_runs(lab) as cancel:
            bench.run(lab.slow, lab.good[0], cancel=cancel)
        end = time.monotonic() + lab.patience
        while (going_on := lab.still_running and lab.still_running()) and time.monotonic() < end:
            time.sleep(0.05)
        assert not going_on

    def test_a_run_cancelled_before_it_began_does_nothing(self, bench: Bench, lab: Lab):
        cancel = Cancel()
        cancel.set("too late")
        outcomes = bench.run(lab.touch, *lab.good, cancel=cancel)
        assert {outcome.status for outcome in outcomes.values()} <= {Status.CANCELLED}
        assert not lab.touched()

    def test_output_is_cut_with_a_mark(self, bench: Bench, lab: Lab):
        output = bench.run(lab.loud, lab.good[0])[lab.good[0].name].output
        assert output.rstrip().endswith("]")
        assert "[output cut at " in output
        assert len(output) < lab.output_limit * 1.1 + 100

    def test_check_changes_nothing(self, bench: Bench, lab: Lab):
        outcomes = bench.run(lab.touch, *lab.good, check=True)
        assert not lab.touched()
        # What a command would change its driver need not know beforehand.
        assert {outcome.status for outcome in outcomes.values()} <= {*GOOD, Status.UNKNOWN}

    def test_jobs_on_the_same_device_share_its_session_slots(self, bench: Bench, lab: Lab, tmp_path: Path):
        heard = [Recorder() for _ in range(Caps().device)]

        def job(number: int) -> None:
            folder = tmp_path / f"job{number}"
            folder.mkdir()
            lab.driver.run(make_task(lab.hello, lab.good[:1], folder, **bench.usual), heard[number])

        threads = [threading.Thread(target=job, args=(number,)) for number in range(len(heard))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        outputs = [recorder.outcomes[lab.good[0].name].output for recorder in heard]
        assert all("hello" in output for output in outputs)

    def test_what_is_kept_for_the_next_job_is_good_after_a_cancelled_one(self, bench: Bench, lab: Lab):
        cancel = Cancel()
        threading.Timer(1, cancel.set).start()
        bench.run(lab.slow, lab.good[0], cancel=cancel)
        assert "hello" in bench.run(lab.hello, lab.good[0])[lab.good[0].name].output

    def test_no_device_is_no_work(self, bench: Bench, lab: Lab):
        assert bench.run(lab.hello) == {}


class LoginContract(DriverContract):
    """What holds besides for every driver that logs in: `lab.logins` is given."""

    def test_wrong_credentials_are_told_and_not_shown(self, lab: Lab, tmp_path: Path):
        driver, device, secrets = lab.logins.wrong
        recorder = Recorder()
        try:
            driver.run(make_task(lab.hello, [device], tmp_path, secrets=secrets), recorder)
            said = "; ".join(outcome.summary for outcome in recorder.outcomes.values())
        except DriverError as error:  # the login is the driver's own, whatever the device
            said = str(error)
        assert not [outcome for outcome in recorder.outcomes.values() if outcome.status in GOOD]
        assert re.search("authentication failed|refused the login", said), said
        assert lab.logins.wrong_password not in said + repr(recorder.outcomes)

    def test_a_secret_that_a_device_prints_is_stored_nowhere(self, bench: Bench, lab: Lab, tmp_path: Path):
        secret, device = lab.logins.password, lab.good[0]
        task = make_task(lab.logins.prints(f"it is {secret}, yes"), [device], bench.workdir, **bench.usual)
        with contextlib.closing(Store.open(tmp_path / "data")) as store:
            job = store.add_job(replace(task.job, number=0, state=State.QUEUED))
            collector = OutcomeCollector(job, {}, store, Redactor([secret]))
            collector.secrets_known.set()
            lab.driver.run(task, collector)
            collector.flush()
            assert f"it is {MARK}, yes" in store.output(job.number, device.name)
        assert not [path for path in (tmp_path / "data").rglob("*") if secret.encode() in _content(path)]

    def test_the_next_job_uses_the_login_of_the_one_before(self, bench: Bench, lab: Lab):
        bench.run(lab.hello, lab.good[0])
        before = lab.logins.count()
        bench.run(lab.hello, lab.good[0])
        assert before > 0
        assert lab.logins.count() == before


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""
