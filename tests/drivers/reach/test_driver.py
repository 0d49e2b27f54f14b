"""The reach driver on this machine: real pings and connections over loopback."""

import os
import re
import socket
import threading
import time
from dataclasses import replace

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.reach.driver import Reach, operations
from automation_bots.drivers.reach.lines import Wording
from automation_bots.model import Device, Parameter, Risk, Status
from automation_bots.sweep.plan import NO_NAME, NO_NAME_SERVER
from tests.drivers.contract import DriverContract, Lab, make_task
from tests.fakes.netns import Namespace

pytestmark = pytest.mark.slow  # starts processes and waits

PING, REACH, TCP = operations()


def host(name, address="", **variables):
    return Device(name, variables={"ansible_host": address, **variables} if address else variables)


def run(tmp_path, operation, *devices, driver=None, seconds=30.0, cancel=None, **values):
    heard = Recorder()
    more = {"cancel": cancel} if cancel else {}
    (driver or Reach()).run(make_task(operation, devices, tmp_path, seconds=seconds, parameters=values, **more), heard)
    return heard


def said(heard, device):
    return heard.outcomes[device].status, heard.outcomes[device].summary


@pytest.fixture(scope="module")
def apart():
    """A machine without any way out."""
    machine = Namespace(f"abreachapart{os.getpid()}")
    yield machine
    machine.remove()


class TestContract(DriverContract):
    """What every driver must hold. This one only looks, and prints a few lines: nothing to change, nothing to cut."""

    test_a_change_that_worked_is_called_changed = None
    test_output_is_cut_with_a_mark = None

    @pytest.fixture
    def lab(self, apart):
        with_count = Parameter("count", "int", default=300)  # 300 pings, five a second: a minute
        return Lab(
            driver=Reach(through=("ip", "netns", "exec", apart.name)),
            good=tuple(host(f"hello{n}", f"127.0.0.{n}") for n in (1, 2, 3)),
            broken=host("broken", "no..name"),
            unreachable=host("far", "198.18.0.1"),
            hello=REACH,
            slow=replace(PING, parameters=(with_count,), risk=Risk.CHANGE),
            loud=REACH,
            touch=REACH,
            touched=lambda: False,
            output_limit=1000,
        )


def test_a_ping_of_this_machine_answers_in_both_families(tmp_path):
    heard = run(tmp_path, PING, host("four", "127.0.0.1"), host("six", "::1"), count=2)
    for device in ("four", "six"):
        status, summary = said(heard, device)
        assert status is Status.OK
        assert re.match(r"0% loss, \d", summary)
        assert "2 sent, 2 received" in heard.outcomes[device].output


def test_a_local_device_is_this_machine_and_others_are_where_the_inventory_says():
    assert host("bot", ansible_connection="local").address == "127.0.0.1"
    assert host("bot", "10.0.0.9", ansible_connection="local").address == "10.0.0.9"
    assert host("web1").address == "web1"


def test_the_operations_only_look_and_say_how_they_are_used():
    for operation in operations():
        assert (operation.risk, operation.driver, operation.group) == (Risk.READ, "reach", "Reach")
        assert operation.help
        assert all(example.startswith(operation.name) for example in operation.examples)


def test_two_devices_of_one_address_have_an_outcome_each(tmp_path):
    heard = run(tmp_path, REACH, host("one", "127.0.0.7"), host("other", "127.0.0.7"))
    assert {outcome.status for outcome in heard.outcomes.values()} == {Status.OK}
    assert len(heard.outcomes) == 2


def test_a_name_that_does_not_resolve_is_told_apart_from_a_host_that_does_not_answer(tmp_path):
    heard = run(tmp_path, REACH, host("a", "a..b"), host("b", "nosuch.invalid"), host("c", "localhost"))
    assert said(heard, "a") == (Status.FAILED, NO_NAME)
    assert said(heard, "b")[0] is Status.FAILED
    assert said(heard, "b")[1] in {NO_NAME, NO_NAME_SERVER}  # the second where there is no name server
    assert said(heard, "c")[0] is Status.OK


def test_more_than_65535_probes_are_told_apart(tmp_path):
    hosts = [host(f"d{n}", f"127.{1 + n // 62500}.{n // 250 % 250}.{n % 250 + 1}") for n in range(70_000)]
    heard = run(tmp_path, REACH, *hosts, driver=Reach(packets_per_second=0), seconds=60)
    assert len(heard.outcomes) == 70_000
    assert {outcome.status for outcome in heard.outcomes.values()} == {Status.OK}
    assert not heard.repeated


def test_no_more_packets_leave_in_a_second_than_was_set(tmp_path):
    began = time.monotonic()
    hosts = [host(f"d{n}", f"127.0.1.{n + 1}") for n in range(100)]
    heard = run(tmp_path, REACH, *hosts, driver=Reach(packets_per_second=200))
    assert len(heard.outcomes) == 100
    assert time.monotonic() - began > 0.4


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def test_open_and_refused_ports_are_told_apart(tmp_path, listening, free):
    heard = run(tmp_path, TCP, host("a", "127.0.0.1"), ports=(listening, free))
    status, summary = said(heard, "a")
    assert status is Status.FAILED
    assert f"{listening} open" in summary
    assert f"{free} refused" in summary


def test_a_device_whose_ports_are_all_open_is_ok(tmp_path, listening):
    status, summary = said(run(tmp_path, REACH, host("a", "127.0.0.1"), tcp=(listening,)), "a")
    assert status is Status.OK
    assert summary.startswith(f"{listening} open, ")


def test_with_few_file_handles_connections_take_turns(tmp_path, listening):
    driver = Reach(through=("prlimit", "--nofile=64:64"))
    hosts = [host(f"d{n}", "127.0.0.1") for n in range(300)]
    heard = run(tmp_path, TCP, *hosts, driver=driver, ports=(listening,))
    assert {said(heard, device.name)[0] for device in hosts} == {Status.OK}


def test_without_any_file_handle_left_each_device_says_so(tmp_path, listening):
    driver = Reach(through=("prlimit", "--nofile=6:6"))  # what the worker itself needs
    heard = run(tmp_path, TCP, *(host(f"d{n}", "127.0.0.1") for n in range(3)), driver=driver, ports=(listening,))
    assert {outcome.status for outcome in heard.outcomes.values()} == {Status.FAILED}
    assert {outcome.summary for outcome in heard.outcomes.values()} == {
        f"{listening} this machine has no file handle left"
    }


def test_many_devices_are_summed_up_and_one_is_not(tmp_path):
    assert run(tmp_path, REACH, host("a", "127.0.0.1")).conclusions == []
    (conclusion,) = run(tmp_path, REACH, host("a", "127.0.0.1"), host("b", "127.0.0.2")).conclusions
    assert "2/2" in conclusion.block


def test_a_picture_comes_with_plot(tmp_path):
    heard = run(tmp_path, REACH, host("a", "127.0.0.1"), host("b", "127.0.0.2"), plot=True)
    (picture,) = heard.conclusions[0].files
    assert picture.name == "latency.png"
    assert picture.content.startswith(b"\x89PNG")


def test_two_sweeps_at_once_do_not_mix_and_a_cancel_ends_only_its_own(tmp_path):
    driver, cancel, heard = Reach(), Cancel(), {}

    def sweep(name, **options):
        heard[name] = run(tmp_path, PING, host(name, "127.0.0.1"), driver=driver, count=10, **options)

    threads = [
        threading.Thread(target=sweep, args=("a",)),
        threading.Thread(target=sweep, args=("b",), kwargs={"cancel": cancel}),
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.8)
    cancel.set("ana said stop")
    for thread in threads:
        thread.join(20)
    assert said(heard["a"], "a")[0] is Status.OK
    assert heard["b"].outcomes["b"].status is Status.CANCELLED


def test_after_a_cancelled_sweep_the_next_one_works(tmp_path):
    driver, cancel = Reach(), Cancel()
    threading.Timer(0.5, cancel.set).start()
    run(tmp_path, PING, host("a", "127.0.0.1"), driver=driver, cancel=cancel, count=20)
    assert said(run(tmp_path, PING, host("a", "127.0.0.1"), driver=driver), "a")[0] is Status.OK


def test_the_wording_of_many_devices_keeps_no_outputs():
    wording = Wording((host("a"),), ports=False, outputs=False)
    row = (0, "10.0.0.1", 3, 2, [1.0, 3.0], "", [], 0)
    outcome = wording.outcome(wording.seen(row), row)
    assert (outcome.summary, outcome.output) == ("33% loss, 2.00 ms", "")


def test_a_few_pings_are_told_one_by_one(tmp_path):
    assert run(tmp_path, PING, host("a", "127.0.0.1"), host("b", "127.0.0.2"), count=1).conclusions == []
    many = [host(f"d{n}", f"127.0.0.{n + 1}") for n in range(21)]
    assert run(tmp_path, PING, *many, count=1).conclusions
