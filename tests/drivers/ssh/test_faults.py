"""Devices that break in every way: each gets an outcome of its own, soon, and the others go on."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from automation_bots.drivers import Driver
from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.model import Operation, Risk, Status
from tests.drivers.contract import Bench
from tests.drivers.ssh.bench import LIMIT, device, verb
from tests.fakes import faulty_ssh as lab
from tests.fakes import strange
from tests.fakes.faulty_ssh import Faulty, Good
from tests.fakes.sshd import Sshd

pytestmark = pytest.mark.slow

CONNECT_SECONDS = 1.5
TIME_LIMIT = 4.0
PATIENCE = 3.0  # beyond the time limit: the rest of a busy machine's second


def ssh_driver(known_hosts: Path) -> Driver:
    """The driver under test, with short limits."""
    return Ssh(known_hosts, connect_seconds=CONNECT_SECONDS, output_limit=LIMIT, allow_agent=False)


def end(driver: Driver) -> None:
    """Let go of what the driver keeps between runs, where it keeps something."""
    if callable(close := getattr(driver, "close", None)):
        close()


@pytest.fixture
def known_hosts(sshd: Sshd, tmp_path: Path) -> Path:
    path = tmp_path / "known_hosts"
    path.write_text(sshd.known_hosts.read_text())
    return path


@pytest.fixture
def serve(known_hosts: Path):
    """Start a faulty server whose host key is known."""
    with contextlib.ExitStack() as stack:

        def one(fault: type[Good]) -> Faulty:
            faulty = stack.enter_context(lab.running(fault))
            with known_hosts.open("a") as file:
                file.write(f"{faulty.known}\n")
            return faulty

        yield one


@pytest.fixture
def bench(known_hosts: Path, tmp_path: Path):
    (tmp_path / "work").mkdir()
    bench = Bench(ssh_driver(known_hosts), tmp_path / "work", seconds=TIME_LIMIT)
    yield bench
    end(bench.driver)


@pytest.fixture
def beside(bench: Bench, sshd: Sshd):
    """Run on a bad device with a good one beside it; return the outcome of the bad one."""

    def run(operation: Operation, bad, **options):
        outcomes = bench.run(operation, bad, device(sshd, 3, platform="good"), **options)
        assert outcomes["web4"].status in {Status.OK, Status.CHANGED}
        assert "fine" in outcomes["web4"].output
        assert bench.seconds < TIME_LIMIT + PATIENCE
        return outcomes[bad.name]

    return run


def asks(*, risk: Risk = Risk.READ, become: bool = False) -> Operation:
    """What is asked: of the faulty device one thing, of the good one another that needs no sudo."""
    return verb("hello", risk=risk, become=become, good=_fine())


def _fine():
    return verb("echo", "fine").body.commands["linux"]


FAULTS = [
    (lab.ClosesAfterHandshake, Status.UNREACHABLE, "closed the connection"),
    (lab.ClosesAfterLogin, Status.UNREACHABLE, "closed the connection"),
    (lab.ClosesInOutput, Status.FAILED, "broke half-way"),
    (lab.ResetsInOutput, Status.FAILED, "broke half-way"),
    (lab.ResetsAtOnce, Status.UNREACHABLE, "closed the connection before SSH began"),
    (lab.HangsAfterLogin, Status.UNREACHABLE, "no session"),
    (lab.NeverAnswersExec, None, "time limit"),
    (lab.NeverEnds, None, "time limit"),
    (lab.Floods, None, "time limit"),
    (lab.RefusesPassword, Status.UNREACHABLE, "authentication failed for user lab"),
    (lab.NoSession, Status.UNREACHABLE, "no session"),
    (lab.KilledBySignal, Status.FAILED, "killed by a signal"),
    (lab.OldAlgorithms, Status.UNREACHABLE, "it offers only old ones"),
    (lab.LongBanner, Status.OK, "hello"),
    (lab.LongPreamble, Status.OK, "hello"),
]


@pytest.mark.parametrize(("fault", "status", "words"), FAULTS, ids=lambda value: getattr(value, "__name__", None))
def test_each_fault_has_its_own_outcome_and_spoils_no_other(beside, serve, fault, status, words):
    outcome = beside(asks(), serve(fault).device())
    assert words in outcome.summary
    assert outcome.status in ({status} if status else {Status.CANCELLED, Status.UNKNOWN, Status.FAILED})


@pytest.mark.parametrize("fault", [lab.ClosesInOutput, lab.ResetsInOutput, lab.NeverAnswersExec, lab.Floods])
def test_a_change_that_began_there_is_never_called_undone(beside, serve, fault):
    outcome = beside(asks(risk=Risk.CHANGE), serve(fault).device())
    assert outcome.status is Status.UNKNOWN
    assert "still" in outcome.summary


def test_a_server_that_says_nothing_at_all(beside, serve):
    with strange.server(strange.silent) as port:
        outcome = beside(asks(), serve(lab.Good).device("silent", ansible_port=port))
    assert outcome.status is Status.UNREACHABLE
    assert "no SSH greeting" in outcome.summary


def test_what_was_printed_before_the_break_is_kept(beside, serve):
    assert beside(asks(), serve(lab.ClosesInOutput).device()).output == "begun"


def test_a_flood_is_cut_with_a_mark_and_costs_little_memory(beside, serve):
    outcome = beside(asks(), serve(lab.Floods).device())
    assert "[output cut at 20,000 bytes]" in outcome.output
    assert len(outcome.output) < LIMIT * 1.1


def test_a_changed_host_key_is_refused_with_both_fingerprints(bench, beside, serve, known_hosts):
    faulty = serve(lab.ChangesKey)
    assert beside(asks(), faulty.device()).status is Status.OK
    end(bench.driver)
    bench.driver = ssh_driver(known_hosts)  # a connection that is still open shows no key again
    outcome = beside(asks(), faulty.device())
    assert outcome.status is Status.FAILED
    assert "changed" in outcome.summary
    assert faulty.key.fingerprint in outcome.summary
    assert faulty.later.fingerprint in outcome.summary


def test_a_device_with_one_session_serves_one_job_after_the_other(beside, serve):
    faulty = serve(lab.OneSession)
    assert [beside(asks(), faulty.device()).status for _ in range(2)] == [Status.OK] * 2


@pytest.mark.parametrize("fault", [lab.SudoNeverAsks, lab.SudoAsksOtherwise])
def test_a_sudo_that_does_not_ask_as_it_should_gets_no_password(beside, serve, fault):
    target = serve(fault).device(ansible_become_password="s3cr3t-of-lab")
    outcome = beside(asks(risk=Risk.CHANGE, become=True), target)
    assert outcome.status in {Status.UNKNOWN, Status.FAILED}
    assert "s3cr3t" not in f"{outcome.summary}{outcome.output}"
    assert "wrong password" not in outcome.output


def test_all_faults_at_once_leave_a_good_device_alone(bench, serve, sshd):
    wanted = {fault.__name__.lower(): status for fault, status, _ in FAULTS}
    bad = [serve(fault).device() for fault, _, _ in FAULTS]
    outcomes = bench.run(asks(), *bad, device(sshd, 3, platform="good"))
    assert bench.seconds < TIME_LIMIT + PATIENCE
    assert outcomes["web4"].status is Status.OK
    assert not [name for name, status in wanted.items() if status and outcomes[name].status is not status]
    assert len({outcome.summary for outcome in outcomes.values()}) >= 10
