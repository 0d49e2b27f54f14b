"""The reach driver: what ping and traceroute print, and how it behaves when they are slow, missing or forbidden."""

import os
import shutil
import socket
import stat
import threading
import time

import pytest

from automation_bots.drivers import Cancel, Task
from automation_bots.drivers import reach_output as output
from automation_bots.drivers.reach import Reach, address_of, operations
from automation_bots.drivers.reach_output import Printed
from automation_bots.errors import DriverError
from automation_bots.model import Caller, Device, Job, Place, Risk, State, Status

pytestmark = pytest.mark.slow  # starts programs and opens files

(PING,) = operations()
GOOD = """\
PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.

--- 127.0.0.1 ping statistics ---
3 packets transmitted, {got} received, {loss}% packet loss, time 403ms
rtt min/avg/max/mdev = 0.031/0.046/0.066/0.014 ms
"""
BUSYBOX = "3 packets transmitted, 3 packets received, 0% packet loss\nround-trip min/avg/max = 11.1/12.6/13.0 ms\n"
NONE = "3 packets transmitted, 0 received, 100% packet loss, time 2041ms\n"


class Heard:
    """A report that remembers."""

    def __init__(self):
        self.outcomes = {}
        self.order = []

    def outcome(self, outcome):
        self.outcomes.setdefault(outcome.device, outcome)
        self.order.append(outcome.device)

    def progress(self, text):
        pass

    def said(self, device):
        return self.outcomes[device].status, self.outcomes[device].summary


def task(tmp_path, operation, *devices, seconds=20.0, cancel=None, **values):
    names = tuple(device.name for device in devices)
    caller, place = Caller("test", "U1"), Place("test", "room")
    job = Job(1, State.RUNNING, "ana", caller, place, operation.name, values, "all", names, Risk.READ, ("reach",))
    return Task(job, operation, devices, tmp_path, time.monotonic() + seconds, cancel or Cancel())


def host(name, address="", **variables):
    return Device(name, variables={"ansible_host": address, **variables} if address else variables)


@pytest.fixture
def tool(tmp_path):
    def write(script):
        path = tmp_path / "tool"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return lambda _name: str(path)

    return write


@pytest.mark.parametrize(
    ("printed", "status", "summary"),
    [
        (Printed(0, GOOD.format(got=3, loss=0)), Status.OK, "0% loss, 0.05 ms"),
        (Printed(0, GOOD.format(got=2, loss="33.3333")), Status.OK, "33% loss, 0.05 ms"),
        (Printed(0, BUSYBOX), Status.OK, "0% loss, 13 ms"),
        (Printed(1, NONE), Status.UNREACHABLE, "no answer to 3 pings"),
        (
            Printed(1, "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n" + NONE),
            Status.UNREACHABLE,
            "no answer to 3 pings (host unreachable)",
        ),
        (
            Printed(2, "", "ping: connect: Network is unreachable\n"),
            Status.UNREACHABLE,
            "no answer to 3 pings (network is unreachable)",
        ),
        (Printed(2, "", "ping: nosuch: Name or service not known\n"), Status.FAILED, "name does not resolve"),
        (Printed(1, "", "ping: bad address 'nosuch'\n"), Status.FAILED, "name does not resolve"),
        (Printed(2, "", "ping: sprained an ankle\n"), Status.FAILED, "ping: sprained an ankle"),
        (Printed(2, ""), Status.FAILED, "exit status 2"),
    ],
)
def test_what_ping_prints_becomes_one_line(printed, status, summary):
    found = output.ping(printed, 3)
    assert (found.status, found.summary) == (status, summary)


@pytest.mark.parametrize("said", ["ping: socket: Operation not permitted", "ping: permission denied (are you root?)"])
def test_a_system_that_forbids_ping_is_recognised(said):
    assert output.ping(Printed(2, "", said), 3) is None


def test_a_local_device_is_this_machine_and_others_are_where_the_inventory_says():
    assert address_of(host("bot", ansible_connection="local")) == "127.0.0.1"
    assert address_of(host("bot", "10.0.0.9", ansible_connection="local")) == "10.0.0.9"
    assert address_of(host("web1")) == "web1"


def test_the_operations_only_look_and_say_how_they_are_used():
    for operation in operations():
        assert (operation.risk, operation.driver, operation.group) == (Risk.READ, "reach", "Reach")
        assert operation.help
        assert all(example.startswith(operation.name) for example in operation.examples)
        assert all(parameter.help for parameter in operation.parameters)


@pytest.mark.skipif(not shutil.which("ping"), reason="no ping here")
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_real_ping_of_this_machine_answers(tmp_path, address):
    if address == "::1" and not os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110
        pytest.skip("no IPv6 here")
    heard = Heard()
    Reach().run(task(tmp_path, PING, host("me", address, ansible_port=1), count=1), heard)
    assert heard.outcomes["me"].status is Status.OK


def test_a_device_is_never_taken_for_an_option(tmp_path, tool):
    heard = Heard()
    Reach(find=tool('echo "$@"')).run(task(tmp_path, PING, host("-f"), count=1), heard)
    assert heard.outcomes["-f"].output.endswith("-n -- -f")


def test_each_device_is_told_as_it_finishes(tmp_path, tool):
    heard = Heard()
    slow_first = "for last; do :; done; [ $last = slow ] && sleep 0.5; exit 1"
    Reach(find=tool(slow_first)).run(task(tmp_path, PING, host("slow"), host("fast")), heard)
    assert heard.order == ["fast", "slow"]


def test_no_more_than_the_allowed_number_run_at_once(tmp_path, tool):
    heard, started = Heard(), time.monotonic()
    Reach(parallel=2, find=tool("sleep 0.2; exit 1")).run(task(tmp_path, PING, *map(host, "abcd")), heard)
    assert len(heard.outcomes) == 4
    assert time.monotonic() - started >= 0.4


def test_a_cancelled_run_kills_its_tools_and_tells_nothing_untrue(tmp_path, tool):
    heard, cancel, started = Heard(), Cancel(), time.monotonic()
    threading.Timer(0.3, cancel.set).start()
    forever = tool(f"echo $$ > {tmp_path}/pid; exec sleep 30")
    Reach(parallel=1, find=forever).run(task(tmp_path, PING, host("a"), host("b"), cancel=cancel), heard)
    assert time.monotonic() - started < 5
    assert heard.outcomes == {}
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_time_limit_ends_a_run_too(tmp_path, tool):
    heard, started = Heard(), time.monotonic()
    Reach(find=tool("exec sleep 30")).run(task(tmp_path, PING, host("a"), host("b"), seconds=0.3), heard)
    assert time.monotonic() - started < 5
    assert heard.outcomes == {}


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_without_ping_a_tcp_connection_tells_and_says_so(tmp_path, listening):
    heard = Heard()
    Reach(find=lambda _name: None).run(task(tmp_path, PING, host("a", "127.0.0.1", ansible_port=listening)), heard)
    status, summary = heard.said("a")
    assert status is Status.OK
    assert summary.startswith(f"answers on TCP {listening} in ")
    assert summary.endswith("(no ping tool here)")


def test_where_ping_is_forbidden_tcp_tells_instead(tmp_path, tool, listening):
    heard = Heard()
    forbidden = tool("echo 'ping: socket: Operation not permitted' >&2; exit 2")
    Reach(find=forbidden).run(task(tmp_path, PING, host("a", "127.0.0.1", ansible_port=str(listening))), heard)
    assert heard.said("a")[1].endswith("(ping is not permitted here)")


def test_a_refused_connection_is_an_answer(tmp_path, listening):
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    heard = Heard()
    Reach(find=lambda _name: None).run(task(tmp_path, PING, host("a", "127.0.0.1", ansible_port=free)), heard)
    assert heard.said("a")[0] is Status.OK
    assert "refuses TCP" in heard.said("a")[1]


def test_a_name_that_does_not_resolve_fails_without_ping_too(tmp_path):
    heard = Heard()
    Reach(find=lambda _name: None).run(task(tmp_path, PING, host("a", "nosuch.invalid"), host("b", "a..b")), heard)
    assert heard.said("a") == heard.said("b") == (Status.FAILED, "name does not resolve")


def test_a_tool_that_cannot_start_is_a_driver_error(tmp_path):
    with pytest.raises(DriverError, match="could not be started"):
        Reach(find=lambda _name: "/nowhere/ping").run(task(tmp_path, PING, host("a")), Heard())
