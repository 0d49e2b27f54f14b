"""Monitors on real links in namespaces: what is cut, and on whose side."""

from datetime import UTC, datetime

import pytest

from automation_bots.model import Monitor, MonitorTarget
from automation_bots.monitors.gateways import Gateways, default_gateways, is_here
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


def test_the_gateway_is_read_from_the_kernels_routes(tmp_path):
    (tmp_path / "route").write_text(ROUTES)
    assert default_gateways(tmp_path / "route") == {"10.0.0.1"}
    assert default_gateways(tmp_path / "nosuch") == frozenset()


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
    monitors._gateways = Gateways(lambda: frozenset({"10.77.0.2"}))
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
