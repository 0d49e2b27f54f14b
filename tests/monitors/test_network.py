"""Monitors on real links in namespaces: what is cut, and on whose side."""

from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from automation_bots.model import Monitor, MonitorTarget
from automation_bots.monitors.gateways import Gateways, default_gateways, is_here, near_networks
from automation_bots.monitors.monitors import MonitorContext, Monitors
from automation_bots.monitors.prober import Prober
from automation_bots.store import Store
from tests.fakes.netns import Row
from tests.monitors.site import ANA, ROOM, Room
from tests.support.chatbot import wait

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask
eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000
eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF
"""
ROUTES6 = """fd770000000000000000000000000000 40 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
00000000000000000000000000000000 00 00000000000000000000000000000000 00 fd770000000000000000000000000001 00000400 00000001 00000000 00000003     eth0
ff000000000000000000000000000000 08 00000000000000000000000000000000 00 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0
"""  # noqa: E501


def test_the_gateway_is_read_from_the_kernels_routes(tmp_path):
    (tmp_path / "route").write_text(ROUTES)
    assert default_gateways(tmp_path / "route") == {"10.0.0.1"}
    assert default_gateways(tmp_path / "nosuch") == frozenset()


def test_the_own_networks_are_read_from_the_kernels_routes(tmp_path):
    (tmp_path / "route").write_text(ROUTES)
    (tmp_path / "route6").write_text(ROUTES6)
    found = near_networks(tmp_path / "route", tmp_path / "route6")
    assert set(map(str, found)) == {"10.0.0.0/24", "fd77::/64"}


@pytest.mark.parametrize(
    ("host", "addresses", "near"),
    [("10.0.0.9", (), True), ("http://10.0.0.9:8080/x", (), True), ("192.0.2.1", (), False), ("fd77::5%eth0", (), True),
     ("web1.corp.example", (), None), ("web1.corp.example", ("10.0.0.7",), True), ("web1", ("192.0.2.7",), False)],
)  # fmt: skip
def test_a_host_is_near_where_this_machine_is_in_its_network(host, addresses, near):
    gateways = Gateways(frozenset, lambda: (ip_network("10.0.0.0/24"), ip_network("fd77::/64")))
    gateways.look(0.0)
    assert gateways.is_near(host, addresses) is near


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.3.2.1", True), ("::1", True), ("localhost", True), ("http://localhost:8080/x", True), ("192.0.2.1", False),
     ("https://www.corp.example/a", False), ("http://[::1]:80/", True), ("2001:db8::1", False)],
)  # fmt: skip
def test_addresses_of_this_machine_are_no_witness_of_its_network(host, here):
    assert is_here(host) is here


def test_a_gateway_that_never_answers_pings_is_no_witness():
    gateways = Gateways(lambda: frozenset({"192.0.2.254"}))
    ((probe,), _) = gateways.look(0.0)
    gateways.take(probe.number, 1.0, answered=False)
    assert gateways.answers is None
    gateways.take(probe.number, 2.0, answered=True)
    gateways.take(probe.number, 4.0, answered=False)
    assert gateways.answers is False


@pytest.fixture
def row():
    made = Row(4)
    yield made
    made.remove()


@pytest.fixture
def room():
    return Room()


@pytest.fixture
def watched(row, room, tmp_path):
    """Two machines, one behind the other, pinged each second from the first one."""
    store = Store.open(tmp_path / "data")
    context = MonitorContext(
        store=store, now=lambda: datetime.now(UTC), surface=lambda _place: room, zone=lambda: "UTC",
        judge=lambda _monitor: "", ask=lambda _monitor: "", groups=lambda _devices: {},
    )  # fmt: skip
    monitors = Monitors(context, lambda told: Prober(told, ("ip", "netns", "exec", row.all[0].name)))
    near = (ip_network("10.77.0.0/24"),)
    monitors._gateways = Gateways(lambda: frozenset({"10.77.0.2"}), lambda: near, ("10.77.2.2",))
    hosts = {"core1": "10.77.1.2", "core2": "10.77.2.2"}
    targets = [MonitorTarget(0, 0, name, name, {"host": host}) for name, host in hosts.items()]
    monitors.start()
    monitors.add(Monitor(0, "ana", ANA, ROOM, "ping", "ping core", "ping", interval=1.0), targets)
    wait(lambda: monitors.figures().targets["up"] == 2 and monitors._gateways.answers, 30)
    yield
    monitors.stop()
    store.close()


@pytest.mark.slow
@pytest.mark.usefixtures("watched")
def test_a_cut_of_the_own_link_is_the_bots_loss_and_a_cut_further_away_is_an_outage(row, room):
    def heard(words):
        wait(lambda: any(words in said for said in room.messages), 60, lambda: f"no {words!r} in {room.messages}")

    bot, router = row.all[:2]
    bot.run("ip", "link", "set", "right", "down")
    heard("the bot itself reaches nothing")
    bot.run("ip", "link", "set", "right", "up")
    for net in (1, 2):
        bot.run("ip", "route", "replace", f"10.77.{net}.0/24", "via", "10.77.0.2")
    heard("reaches the network again")
    assert not any(" down, " in said for said in room.messages)
    with router.dropping("ip", "daddr", "10.77.2.2"):
        heard("core2 down, 3 of 3 lost")
    heard("core2 down, 3 of 3 lost · back after")
    assert not any("core1 down" in said for said in room.messages)


@pytest.mark.slow
@pytest.mark.usefixtures("watched")
def test_a_cut_behind_the_own_router_is_no_outage_where_a_reference_is_silent_too(row, room):
    def heard(words):
        wait(lambda: any(words in said for said in room.messages), 60, lambda: f"no {words!r} in {room.messages}")

    router = row.all[1]
    router.run("ip", "link", "set", "right", "down")
    heard("nothing beyond the bot's gateway is reached: none of the reference addresses answers")
    router.run("ip", "link", "set", "right", "up")
    router.run("ip", "route", "replace", "10.77.2.0/24", "via", "10.77.1.2")
    heard("reaches the network again")
    assert not any(" down, " in said for said in room.messages)
