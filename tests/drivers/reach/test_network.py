"""The reach driver in a network of its own: loss, delay, duplicates, errors, no route, no permission, no DNS."""

import os
import shutil
import socket
import time
from pathlib import Path

import pytest

from automation_bots.drivers.reach.driver import Reach
from automation_bots.errors import DriverError
from automation_bots.model import Status
from tests.drivers.reach.test_driver import PING, REACH, TCP, host, run, said
from tests.fakes.netns import Namespace
from tests.fakes.wire import Wire

pytestmark = pytest.mark.slow  # starts processes and waits
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@pytest.fixture(scope="module")
def machine():
    machine = Namespace(f"abreachnet{os.getpid()}")
    try:
        machine.run("ip", "route", "add", "unreachable", "198.19.0.0/16")
        machine.run("ip", "route", "add", "prohibit", "203.0.113.0/24")
        machine.run("ip", "route", "add", "blackhole", "192.0.2.0/24")
        machine.run("ip", "addr", "add", "fd00:77::1/64", "dev", "lo")
        machine.run("ip", "-6", "route", "add", "unreachable", "fd00:99::/64")
        yield machine
    finally:
        machine.remove()


@pytest.fixture(scope="module")
def wired(machine):
    wire = Wire(machine)
    yield wire
    wire.close()


@pytest.fixture
def wire(wired):
    wired.forget()
    return wired


@pytest.fixture
def driver(machine):
    return Reach(packets_per_second=0, through=("ip", "netns", "exec", machine.name))


@pytest.fixture
def unprivileged(machine):
    """Without any capability; which groups may ping without is up to the test."""

    def permit(groups):
        machine.run("sysctl", "-qw", f"net.ipv4.ping_group_range={groups}")
        return Reach(through=("ip", "netns", "exec", machine.name, *UNPRIVILEGED))

    yield permit
    machine.run("sysctl", "-qw", "net.ipv4.ping_group_range=1 0")


def always(*answers):
    return lambda _number: list(answers)


def test_a_silent_host_has_three_tries_of_a_second(tmp_path, driver, wire):
    began = time.monotonic()
    heard = run(tmp_path, REACH, host("dead", "198.18.0.1"), host("me", "127.0.0.1"), driver=driver)
    assert said(heard, "dead") == (Status.UNREACHABLE, "no answer to 3 pings")
    assert said(heard, "me")[0] is Status.OK
    assert time.monotonic() - began >= 3


def test_a_lost_ping_is_sent_again_and_counted_as_lost(tmp_path, driver, wire):
    wire.rules["198.18.0.2"] = lambda number: [(0, "reply", 0)] if number == 2 else []
    heard = run(tmp_path, REACH, host("lossy", "198.18.0.2"), driver=driver)
    assert said(heard, "lossy")[1].startswith("50% loss, ")


def test_loss_is_counted_over_all_pings(tmp_path, driver, wire):
    wire.rules["198.18.0.3"] = lambda number: [] if number in {2, 4} else [(0, "reply", 0)]
    heard = run(tmp_path, PING, host("lossy", "198.18.0.3"), driver=driver, count=5)
    assert "5 sent, 3 received" in heard.outcomes["lossy"].output


def test_latency_is_what_the_way_took(tmp_path, driver, wire):
    wire.rules["198.18.0.4"] = always((0.12, "reply", 0))
    summary = said(run(tmp_path, REACH, host("far", "198.18.0.4"), driver=driver), "far")[1]
    assert 115 < float(summary.split(", ")[1].removesuffix(" ms")) < 1000


def test_a_late_answer_counts_for_the_try_that_it_answers(tmp_path, driver, wire):
    wire.rules["198.18.0.5"] = always((1.5, "reply", 0))
    heard = run(tmp_path, REACH, host("slow", "198.18.0.5"), driver=driver)
    loss, took = said(heard, "slow")[1].split(", ")
    assert loss == "0% loss"
    assert 1490 < float(took.removesuffix(" ms")) < 2500  # of the second try it would be 500


def test_an_answer_that_comes_twice_counts_once(tmp_path, driver, wire):
    wire.rules["198.18.0.6"] = always((0, "reply", 0), (0.05, "reply", 0))
    output = run(tmp_path, PING, host("twice", "198.18.0.6"), driver=driver, count=3).outcomes["twice"].output
    assert "3 sent, 3 received" in output
    assert "came twice" in output


@pytest.mark.parametrize(
    ("what", "reason"), [("3/1", "host unreachable"), ("3/13", "prohibited by a filter"), ("11/0", "routing loop")]
)
def test_what_a_router_says_is_the_reason(tmp_path, driver, wire, what, reason):
    wire.rules["198.18.0.7"] = always((0, what, 0))
    status, summary = said(run(tmp_path, REACH, host("behind", "198.18.0.7"), driver=driver), "behind")
    assert status is Status.UNREACHABLE
    assert summary.startswith("no answer to 3 pings (")
    assert reason in summary


def test_a_packet_that_is_too_big_to_pass_whole_says_what_passes(tmp_path, driver, wire):
    wire.rules["198.18.0.8"] = always((0, "3/4", 1300))
    heard = run(tmp_path, REACH, host("narrow", "198.18.0.8"), driver=driver, size=1400, df=True)
    assert said(heard, "narrow") == (Status.UNREACHABLE, "too big to pass whole; at most 1300 bytes pass")


def test_a_packet_too_big_for_our_own_interface_says_so(tmp_path, driver, wire):
    heard = run(tmp_path, REACH, host("a", "198.18.0.9"), driver=driver, size=4000, df=True)
    assert said(heard, "a") == (Status.UNREACHABLE, "too big to leave this machine whole")


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("198.19.0.1", "no route"),
        ("8.8.8.8", "no route"),
        ("203.0.113.1", "no route: prohibited"),
        ("192.0.2.1", "no route: a black hole"),
        ("fd00:99::1", "no route"),
        ("fd00:98::1", "no route"),
    ],
)
def test_no_route_is_known_at_once(tmp_path, driver, address, reason):
    heard = run(tmp_path, REACH, host("away", address), host("six", "fd00:77::1"), driver=driver)
    assert said(heard, "away") == (Status.UNREACHABLE, reason)  # and not "no answer", after three tries
    assert said(heard, "six")[0] is Status.OK


def test_ten_thousand_without_a_route_do_not_keep_the_others_waiting(tmp_path, driver):
    away = [host(f"d{n}", f"198.19.{n // 250}.{n % 250 + 1}") for n in range(10_000)]
    heard = run(tmp_path, REACH, *away, host("me", "127.0.0.1"), driver=driver)
    assert [said(heard, device.name)[1] for device in away] == ["no route"] * 10_000
    assert said(heard, "me")[0] is Status.OK


def test_ten_thousand_silent_ones_take_no_longer_than_one(tmp_path, driver, wire):
    dead = [host(f"d{n}", f"198.18.{n // 250 + 1}.{n % 250 + 1}") for n in range(10_000)]
    began = time.monotonic()
    heard = run(tmp_path, REACH, *dead, host("me", "127.0.0.1"), driver=driver)
    assert {said(heard, device.name) for device in dead} == {(Status.UNREACHABLE, "no answer to 3 pings")}
    assert said(heard, "me")[0] is Status.OK
    assert time.monotonic() - began < 60  # one after another: 30,000


def test_an_interface_that_is_down_concerns_only_what_is_behind_it(tmp_path, machine, driver):
    machine.run("ip", "link", "add", "veth9", "type", "veth", "peer", "name", "veth8")
    machine.run("ip", "addr", "add", "198.51.100.1/24", "dev", "veth9")
    heard = run(tmp_path, REACH, host("behind", "198.51.100.7"), host("me", "127.0.0.1"), driver=driver)
    assert said(heard, "behind") == (Status.UNREACHABLE, "no route")
    assert said(heard, "me")[0] is Status.OK


def test_a_neighbour_that_is_not_there_is_told_by_this_machine(tmp_path, machine, driver):
    machine.run("ip", "link", "add", "veth7", "type", "veth", "peer", "name", "veth6")
    for words in (
        ("addr", "add", "198.51.101.1/24", "dev", "veth7"),
        ("link", "set", "veth7", "up"),
        ("link", "set", "veth6", "up"),
    ):
        machine.run("ip", *words)
    status, summary = said(run(tmp_path, PING, host("gone", "198.51.101.9"), driver=driver, count=5), "gone")
    assert status is Status.UNREACHABLE
    assert summary == "no answer to 5 pings (host unreachable)"


def test_an_unprivileged_socket_pings_as_well(tmp_path, wire, unprivileged):
    wire.rules |= {"198.18.0.10": always((0, "3/1", 0)), "198.18.0.11": always((0.05, "reply", 0))}
    hosts = [host("six", "::1"), host("behind", "198.18.0.10"), host("far", "198.18.0.11"), host("no", "198.19.0.1")]
    heard = run(tmp_path, PING, *hosts, driver=unprivileged("0 2147483647"), count=2)
    assert [said(heard, device.name)[0] for device in hosts] == [
        Status.OK,
        Status.UNREACHABLE,
        Status.OK,
        Status.UNREACHABLE,
    ]
    assert said(heard, "behind")[1] == "no answer to 3 pings (host unreachable)"
    assert said(heard, "no")[1] == "no route"


def test_an_unprivileged_socket_hears_of_packets_that_are_too_big(tmp_path, wire, unprivileged):
    wire.rules["198.18.0.12"] = always((0, "3/4", 1300))
    hosts = [host("narrow", "198.18.0.12"), host("wide", "198.18.0.13"), host("me", "127.0.0.1")]
    heard = run(tmp_path, REACH, *hosts, driver=unprivileged("0 2147483647"), size=1400, df=True)
    assert said(heard, "narrow")[1] == "too big to pass whole; at most 1300 bytes pass"
    assert said(heard, "wide")[1] == "no answer to 3 pings"
    assert said(heard, "me")[0] is Status.OK


@pytest.fixture
def listening(machine):
    with machine.inside(), socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_where_ping_is_not_permitted_a_connection_tells(tmp_path, unprivileged, listening):
    driver = unprivileged("1 0")
    hosts = [host("a", "127.0.0.1", ansible_port=listening), host("b", "127.0.0.1", ansible_port="1")]
    heard = run(tmp_path, PING, *hosts, driver=driver)
    assert said(heard, "a")[0] is said(heard, "b")[0] is Status.OK
    assert said(heard, "a")[1].startswith(f"answers on TCP {listening} in ")
    assert "permitted" not in said(heard, "a")[1]  # it is said once, for all
    assert heard.conclusions[0].text.count("not permitted") == 1
    assert said(heard, "b")[1].startswith("refuses TCP 1, so it is up, in ")
    assert "ping_group_range" in heard.conclusions[0].text


def test_what_only_a_ping_can_tell_says_how_to_permit_it(tmp_path, unprivileged):
    with pytest.raises(DriverError, match=r"ping_group_range='0 2147483647'.*CAP_NET_RAW.*setcap cap_net_raw\+ep"):
        run(tmp_path, REACH, host("a", "127.0.0.1"), driver=unprivileged("1 0"), size=1000)


def test_a_port_behind_a_silent_filter_is_told_from_a_refused_one(tmp_path, machine, driver):
    machine.run("nft", "add table inet lab; add chain inet lab in { type filter hook input priority 0; }")
    machine.run("nft", "add rule inet lab in tcp dport 81 drop")
    try:
        status, summary = said(run(tmp_path, TCP, host("a", "127.0.0.1"), driver=driver, ports=(80, 81)), "a")
    finally:
        machine.run("nft", "delete table inet lab")
    assert status is Status.FAILED
    assert summary.startswith("80 refused, 81 no answer, ")


def test_a_filter_of_our_own_is_named(tmp_path, machine, driver):
    machine.run("nft", "add table inet lab; add chain inet lab out { type filter hook output priority 0; }")
    machine.run("nft", "add rule inet lab out ip daddr 127.0.0.9 drop")
    try:
        heard = run(tmp_path, REACH, host("a", "127.0.0.9"), driver=driver)
    finally:
        machine.run("nft", "delete table inet lab")
    assert said(heard, "a") == (Status.UNREACHABLE, "a firewall of this machine forbids it")


def test_with_the_name_servers_down_addresses_answer_all_the_same(tmp_path, machine, driver):
    folder = Path("/etc/netns") / machine.name  # what `ip netns exec` shows as /etc there
    folder.mkdir(parents=True)
    (folder / "resolv.conf").write_text("nameserver 198.19.0.53\n")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    began = time.monotonic()
    try:
        names = [host(f"n{n}", f"web{n}.corp.example") for n in range(500)]
        heard = run(tmp_path, REACH, *names, host("me", "127.0.0.1"), driver=driver)
    finally:
        shutil.rmtree(folder)
    assert {said(heard, device.name) for device in names} == {(Status.FAILED, "name server does not answer")}
    assert said(heard, "me")[0] is Status.OK
    assert time.monotonic() - began < 120  # one after another: 2,500
