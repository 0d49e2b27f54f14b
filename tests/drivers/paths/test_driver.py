"""`!traceroute` and `!mtu` on a real network of five machines in a row, made of namespaces."""

import contextlib
import socket
import threading
import time
from dataclasses import replace

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.paths.driver import SYSTEM, Paths, Sight, find_tool, operations
from automation_bots.drivers.paths.hops import hop
from automation_bots.drivers.paths.system_tools import Tools
from automation_bots.errors import DriverError
from automation_bots.model import Device, Risk, Status
from automation_bots.pipeline.parser import checked, parse
from tests.drivers.contract import DriverContract, Lab, make_task, nothing_left_behind
from tests.drivers.network.test_frr import processes_with
from tests.fakes.netns import Row

pytestmark = pytest.mark.slow  # makes networks

TRACEROUTE, MTU, _ = operations()
FAR, FAR6, PORT = "10.77.3.2", "fd77:3::2", 443
NAMES = {"10.77.0.2": "gw.lab.test", "10.77.2.2": "core.lab.test"}


@pytest.fixture(scope="module")
def row():
    """The bot, three routers and a device; the second router refuses two nets, the third link takes 1,400 bytes."""
    made = Row(5)
    try:
        made.refuse(2, "unreachable", "10.99.0.0/24")
        made.refuse(2, "prohibit", "10.98.0.0/24")
        made.refuse(3, "blackhole", "10.97.0.0/24")
        made.narrow(2, 1400)
        with made.all[4].inside(), socket.create_server((FAR, PORT)):
            yield made
    finally:
        made.remove()


@pytest.fixture
def here(row):
    """The test's own thread, and what it starts, is the first machine of the row."""
    with row.all[0].inside():
        yield row


def run(tmp_path, operation, address, line="", sight=SYSTEM, **more):
    recorder = Recorder()
    devices = [Device(one, variables={"ansible_host": one}) for one in address.split()]
    values = checked(operation, parse(operation, f"{line} on {','.join(address.split())}"))
    Paths(sight=sight).run(make_task(operation, devices, tmp_path, parameters=values, **more), recorder)
    assert not recorder.repeated
    return recorder


def one(tmp_path, operation, address, line="", sight=SYSTEM, **more):
    return run(tmp_path, operation, address, line, sight, **more).outcomes[address]


def only(*names):
    return Sight(tool=lambda name: find_tool(name) if name in names else None)


class TestContract(DriverContract):
    """What every driver must hold. This one only looks, and prints a few lines: nothing to change, nothing to cut."""

    test_a_change_that_worked_is_called_changed = None
    test_output_is_cut_with_a_mark = None

    @pytest.fixture
    def lab(self, here, tmp_path):
        sleep = f"60.{time.monotonic_ns() % 1_000_000:06}"
        endless = tmp_path / "ping"  # a look that takes a minute
        endless.write_text(f"#!/bin/sh\nexec sleep {sleep}\n")
        endless.chmod(0o755)
        tool = lambda name: find_tool(name) if name == "traceroute" else str(endless)  # noqa: E731 - reads as a word
        return Lab(
            driver=Paths(sight=Sight(tool=tool, name=lambda address: "hello")),
            good=tuple(Device(f"r{n}", variables={"ansible_host": f"10.77.{n}.2"}) for n in (0, 1, 2)),
            broken=Device("broken", variables={"ansible_host": "no..name"}),
            unreachable=Device("far", variables={"ansible_host": "192.0.2.1"}),
            hello=TRACEROUTE,
            slow=replace(MTU, risk=Risk.CHANGE),
            loud=TRACEROUTE,
            touch=TRACEROUTE,
            touched=lambda: False,
            still_running=lambda: processes_with(f"sleep {sleep}"),
            output_limit=1000,
        )


BOTH = pytest.mark.parametrize("sight", [only("traceroute"), only("tracepath")], ids=["traceroute", "tracepath"])


@BOTH
@pytest.mark.parametrize("address", [FAR, FAR6])
def test_the_way_is_told_hop_by_hop_with_times(tmp_path, here, sight, address):
    outcome = one(tmp_path, TRACEROUTE, address, sight=sight)
    assert outcome.status is Status.OK
    assert outcome.summary.startswith("4 hops, ")
    hops = [line.split()[1] for line in outcome.output.splitlines()]
    assert hops == (["fd77::2", "fd77:1::2", "fd77:2::2", FAR6] if ":" in address else
                    ["10.77.0.2", "10.77.1.2", "10.77.2.2", FAR])  # fmt: skip
    assert all(line.endswith(" ms") for line in outcome.output.splitlines())


def test_hops_have_names_where_they_have_one(tmp_path, here):
    lines = one(tmp_path, TRACEROUTE, FAR, sight=Sight(name=lambda address: NAMES.get(address, ""))).output.splitlines()
    assert lines[0].startswith("1   gw.lab.test (10.77.0.2)  ")
    assert lines[1].startswith("2   10.77.1.2  ")


def test_hops_are_shown_as_they_come(tmp_path, here):
    texts = run(tmp_path, TRACEROUTE, FAR).texts
    assert [text.count("\n") for text in texts] == [1, 2, 3, 4]
    assert texts[0].startswith("\n1   10.77.0.2")


def test_a_slow_link_is_seen_in_the_times(tmp_path, here):
    slow = ["tbf", "rate", "16kbit", "burst", "128", "latency", "2s"]  # an answer of 102 bytes takes 50 ms
    here.all[1].run("tc", "qdisc", "add", "dev", "left", "root", *slow)
    try:
        outcome = one(tmp_path, TRACEROUTE, "10.77.0.2")
        assert max(float(word) for word in outcome.output.split()[2:-1]) >= 40
    finally:
        here.all[1].run("tc", "qdisc", "del", "dev", "left", "root")


def test_several_devices_are_traced_at_once(tmp_path, here):
    found = run(tmp_path, TRACEROUTE, "10.97.0.9 10.97.0.8 10.77.1.2", "--hops 4").outcomes
    assert found["10.97.0.9"].summary == "lost after hop 2 (10.77.1.2)"
    assert found["10.77.1.2"].summary.startswith("2 hops")


@BOTH
def test_host_unreachable_is_said_in_words(tmp_path, here, sight):
    outcome = one(tmp_path, TRACEROUTE, "10.99.0.1", sight=sight)
    assert (outcome.status, outcome.summary) == (Status.UNREACHABLE, "host unreachable, says 10.77.1.2")
    assert "host unreachable" in outcome.output


def test_a_filter_is_said_in_words(tmp_path, here):
    outcome = one(tmp_path, TRACEROUTE, "10.98.0.1")
    assert (outcome.status, outcome.summary) == (Status.UNREACHABLE, "forbidden by a filter, says 10.77.1.2")


@BOTH
def test_no_route_at_all_is_told_apart(tmp_path, here, sight):
    outcome = one(tmp_path, TRACEROUTE, "192.0.2.1", sight=sight)
    assert (outcome.status, outcome.summary) == (Status.UNREACHABLE, "no route to its network")


@pytest.mark.parametrize(("port", "said"), [(PORT, "open"), (81, "refused")])
def test_tcp_traces_to_a_port_and_says_what_it_answers(tmp_path, here, port, said):
    outcome = one(tmp_path, TRACEROUTE, FAR, f"--tcp {port}")
    assert outcome.status is Status.OK
    assert outcome.summary.startswith("4 hops, ")
    assert outcome.summary.endswith(f"; TCP {port} is {said}")
    assert "privilege" not in outcome.output


def test_tcp_passes_a_filter_that_drops_everything_else(tmp_path, here):
    with here.all[3].dropping("ip", "daddr", FAR, "meta", "l4proto", "udp"):
        assert one(tmp_path, TRACEROUTE, FAR, "--hops 5").summary == "lost after hop 3 (10.77.2.2)"
        assert one(tmp_path, TRACEROUTE, FAR, f"--tcp {PORT} --hops 5").status is Status.OK


def test_without_the_privilege_udp_shows_the_way_and_the_line_that_gives_it(tmp_path, here):
    tool = tmp_path / "traceroute"
    tool.write_text(f'#!/bin/sh\nexec setpriv --reuid 65534 --clear-groups {find_tool("traceroute")} "$@"\n')
    tool.chmod(0o755)
    outcome = one(tmp_path, TRACEROUTE, FAR, f"--tcp {PORT}", Sight(tool=lambda _name: str(tool)))
    assert outcome.summary.endswith(f"; TCP {PORT} is open")
    assert len(outcome.output.splitlines()) == 6
    assert f"sudo setcap cap_net_raw+ep {tool}" in outcome.output


def test_without_a_tool_the_package_is_named(tmp_path):
    with pytest.raises(DriverError, match="apt install traceroute"):
        run(tmp_path, TRACEROUTE, FAR, sight=only())
    with pytest.raises(DriverError, match="apt install iputils-ping"):
        run(tmp_path, MTU, FAR, sight=only())


@pytest.mark.parametrize("operation", [TRACEROUTE, MTU])
def test_a_name_that_does_not_resolve_is_no_silent_device(tmp_path, operation):
    outcome = one(tmp_path, operation, "nosuch.invalid")
    assert outcome.status is Status.FAILED
    assert "name does not resolve" in outcome.summary


def test_a_device_is_never_taken_for_an_option(tmp_path):
    assert one(tmp_path, TRACEROUTE, "-F").status is Status.FAILED


def test_the_family_can_be_chosen(tmp_path):
    device = Device("me", variables={"ansible_host": "localhost"})
    recorder = Recorder()
    task = make_task(TRACEROUTE, [device], tmp_path, parameters={"family": "ipv4", "hops": 2})
    Paths().run(task, recorder)
    assert "(127.0.0.1)" in recorder.outcomes["me"].output


@contextlib.contextmanager
def cancelled_after(seconds):
    cancel = Cancel()
    timer = threading.Timer(seconds, cancel.set, ("ana said stop",))
    timer.start()
    yield cancel
    timer.join()


def test_a_cancel_ends_it_at_once_and_keeps_the_hops_so_far(tmp_path, here):
    began = time.monotonic()
    with nothing_left_behind(), cancelled_after(0.7) as cancel:
        outcome = one(tmp_path, TRACEROUTE, "10.97.0.9", "--tcp 80", cancel=cancel)
    assert time.monotonic() - began < 3
    assert (outcome.status, outcome.summary) == (Status.CANCELLED, "stopped after 1 s: ana said stop")
    assert outcome.output.startswith("1   10.77.0.2")


def test_the_time_limit_ends_it_and_is_told(tmp_path, here):
    with nothing_left_behind():
        outcome = one(tmp_path, TRACEROUTE, "10.97.0.9", seconds=0.5)
    assert outcome.status is Status.FAILED
    assert "the time limit is over" in outcome.summary


def test_what_was_cancelled_before_is_not_begun(tmp_path):
    cancel = Cancel()
    cancel.set("too late")
    assert one(tmp_path, MTU, "127.0.0.1", cancel=cancel).summary == "not started: too late"


def test_where_a_device_is_not_reached_the_recap_shows_how_far_it_came(tmp_path, here):
    recorder = run(tmp_path, TRACEROUTE, f"{FAR} 10.97.0.9", "--hops 5")
    (said,) = recorder.conclusions
    assert said.block.startswith(f"── {FAR}: 4 hops, ")
    assert "── 10.97.0.9: lost after hop 2 (10.77.1.2)\n1   10.77.0.2" in said.block
    assert not run(tmp_path, TRACEROUTE, FAR).conclusions  # the recap shows good outputs by itself


def test_no_device_is_no_work(tmp_path):
    assert run(tmp_path, MTU, "").outcomes == {}


@pytest.mark.parametrize(("address", "router"), [(FAR, "10.77.1.2"), (FAR6, "fd77:1::2")])
def test_the_mtu_of_the_way_and_the_router_before_the_narrow_link_are_found(tmp_path, here, address, router):
    for _ in range(2):  # the second time the kernel knows already, and no ping is refused
        outcome = one(tmp_path, MTU, address)
        assert outcome.summary == f"MTU 1400 bytes; the way is narrow behind {router}"


def test_a_wide_way_is_as_wide_as_this_machine_sends(tmp_path, here):
    assert one(tmp_path, MTU, "10.77.0.2").summary == "MTU 1500 bytes, as much as this machine sends"


def test_packets_that_vanish_without_a_word_are_found_too(tmp_path, here):
    with here.all[3].dropping("ip", "daddr", FAR, "ip", "length", ">", "1300"):
        outcome = one(tmp_path, MTU, FAR)
    assert outcome.summary.startswith("MTU 1300 bytes; larger packets vanish without a word")


def test_the_mtu_of_what_does_not_answer_is_not_invented(tmp_path, here):
    outcome = one(tmp_path, MTU, "10.97.0.9")
    assert (outcome.status, outcome.summary) == (
        Status.UNREACHABLE,
        "no answer to ping, so that nothing can be measured",
    )
    assert one(tmp_path, MTU, "192.0.2.1").summary == "no route to it: network is unreachable"


def test_no_tool_is_read_for_ever():
    tools = Tools(time.monotonic() + 5)
    assert len(tools.run(["/usr/bin/yes"]).text) < 300_000


@pytest.mark.parametrize(
    ("line", "number", "addresses", "lost", "refusal"),
    [
        (" 3  10.0.0.1  1.5 ms 10.0.0.2  2 ms *", 3, ("10.0.0.1", "10.0.0.2"), 1, ""),
        (" 2:  no reply", 2, (), 1, ""),
        (" 4  fe80::1%eth0  1 ms !N", 4, ("fe80::1%eth0",), 0, "network unreachable"),
        (" 5  10.0.0.1  1 ms !F-1400", 5, ("10.0.0.1",), 0, "packet too big (1400 bytes at most)"),
        (" 6  10.0.0.1  1 ms !<13>", 6, ("10.0.0.1",), 0, "unreachable (ICMP code 13)"),
        (" 7:  10.0.0.1   0.1ms asymm  3 ", 7, ("10.0.0.1",), 0, ""),
    ],
)
def test_odd_lines_are_read_too(line, number, addresses, lost, refusal):
    found = hop(line)
    assert (found.number, found.addresses, found.lost, found.refusal) == (number, addresses, lost, refusal)


@pytest.mark.parametrize("line", ["traceroute to a (10.0.0.1), 20 hops max", " 1?: [LOCALHOST]  pmtu 1500", ""])
def test_what_is_no_hop_is_left_out(line):
    assert hop(line) is None


def test_the_operations_only_look_and_say_how_they_are_used():
    for operation in operations():
        assert (operation.risk, operation.driver, operation.group) == (Risk.READ, "paths", "Reach")
        assert all(parameter.help for parameter in operation.parameters)


def test_the_spelling_with_flags_is_read():
    typed = parse(TRACEROUTE, "core1 --tcp 443")
    assert (typed.pattern, checked(TRACEROUTE, typed)["tcp"]) == ("core1", 443)
