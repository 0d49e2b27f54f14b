"""Before and after: the worst first, and nothing that could not be read is called the same."""

import pytest

from automation_bots.model import Outcome, Status
from automation_bots.monitors import comparison
from automation_bots.monitors.comparison import Rank

BGP = "vrf  neighbor  as  state\ndef  10.0.0.2  1  {}\ndef  10.0.0.3  1  Established\n"
IFS = "interface  up  enabled\nlo  yes  yes\nwire0  {}  yes\n"
ROUTES = "C>* 10.255.0.0/30 is directly connected, wire0\nB>* 192.0.2.2/32 [20/0] via 10.255.0.2\n"
SYSTEMD = """  UNIT                LOAD   ACTIVE SUB     DESCRIPTION
  cron.service        loaded active running Regular background program processing daemon
  nginx.service       loaded {} running A high performance web server

LOAD   = Reflects whether the unit definition was properly loaded.
2 loaded units listed.
"""


def snapshot(**texts):
    return {"r1": {kind.replace("_", "-"): aspect(kind.replace("_", "-"), text) for kind, text in texts.items()}}


def aspect(kind, text, status=Status.OK):
    return comparison.aspect(kind, Outcome("r1", status, text, text))


def told(before, after):
    return [(one.rank, one.text) for one in comparison.compared(before, after)]


def test_a_session_that_was_up_and_is_not_is_worse():
    assert told(snapshot(bgp=BGP.format("Established")), snapshot(bgp=BGP.format("Idle"))) == [
        (Rank.WORSE, "BGP 10.0.0.2 was Established, is Idle")
    ]


def test_an_interface_that_came_up_is_better_and_one_that_is_gone_is_worse():
    assert told(snapshot(interfaces=IFS.format("no")), snapshot(interfaces=IFS.format("yes"))) == [
        (Rank.BETTER, "wire0 was no, is yes")
    ]
    gone = "interface  up  enabled\nlo  yes  yes\n"
    assert told(snapshot(interfaces=IFS.format("yes")), snapshot(interfaces=gone)) == [
        (Rank.WORSE, "wire0 was yes, is gone")
    ]


def test_linux_interfaces_and_services_are_read():
    ip = "lo  UNKNOWN  127.0.0.1/8\neth0  {}  192.0.2.5/24\n"
    assert (
        told(snapshot(interfaces=ip.format("UP")), snapshot(interfaces=ip.format("DOWN")))[0][1]
        == "eth0 was UP, is DOWN"
    )
    (one,) = told(snapshot(services=SYSTEMD.format("active")), snapshot(services=SYSTEMD.format("failed")))
    assert one == (Rank.WORSE, "service nginx.service was active, is failed")


def test_routes_are_counted_and_those_that_are_gone_are_named():
    after = ROUTES.splitlines()[0]
    assert told(snapshot(routes=ROUTES), snapshot(routes=after)) == [(Rank.OTHER, "routes 2 → 1 (gone: 192.0.2.2/32)")]


def test_lines_of_the_configuration_are_counted():
    diff = "interface wire0\n+ description line card\n- shutdown\n+ mtu 9000\n"
    assert told(snapshot(config_diff=""), snapshot(config_diff=diff)) == [(Rank.OTHER, "configuration +2 −1")]


def test_what_cannot_be_read_any_more_is_never_the_same():
    after = {"r1": {"bgp": aspect("bgp", "connection refused", Status.UNREACHABLE)}}
    assert told(snapshot(bgp=BGP.format("Established")), after) == [
        (Rank.UNSURE, "BGP: I cannot say, connection refused")
    ]
    assert told(snapshot(bgp=BGP.format("Established")), {}) == [(Rank.UNSURE, "BGP: I cannot say, it was not read")]


def test_a_device_that_answered_and_does_not_is_the_worst():
    before = {"r1": {"ping": aspect("ping", "0% loss")}}
    after = {"r1": {"ping": aspect("ping", "no answer", Status.UNREACHABLE)}}
    assert told(before, after) == [(Rank.WORSE, "reachability was up, is down")]


@pytest.mark.parametrize(
    ("ranks", "words"),
    [([], "Everything is as it was."), ([Rank.OTHER, Rank.WORSE], "Worse"),
     ([Rank.OTHER, Rank.UNSURE], "Nobody can say"),
     ([Rank.OTHER], "Nothing is worse"), ([Rank.BETTER], "Better")],
)  # fmt: skip
def test_the_verdict_is_that_of_the_worst(ranks, words):
    assert comparison.verdict([comparison.Difference(rank, "r1", "") for rank in ranks]).startswith(words)


def test_a_snapshot_says_what_it_has():
    found = snapshot(
        ping="0% loss", bgp=BGP.format("Idle"), interfaces=IFS.format("yes"), routes=ROUTES, config_diff=""
    )
    assert comparison.measured(found) == "reachability, 2 BGP sessions, 2 interfaces, 2 routes, configuration"
