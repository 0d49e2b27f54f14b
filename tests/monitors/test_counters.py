"""How the counters of interfaces grow: errors, rates, and what nobody can say."""

import socket
import subprocess
from pathlib import Path

import pytest

from automation_bots.monitors import condition, counters
from automation_bots.monitors.counters import Counted
from automation_bots.monitors.track import Seen
from automation_bots.operations import verbs

HEADER = "interface  in_errors  out_errors  in_drops  out_drops  in_bytes  out_bytes  speed"
VERB = verbs.load(Path(__file__).parents[2] / "playbooks/verbs/counters.yml")
MEGABYTES = 7_500_000  # a minute at 1 Mbit/s


def table(**ports):
    """A device's table; what is not given it has counted none of."""
    usual = dict.fromkeys(HEADER.split()[1:7], 0) | {"speed": "1000M"}
    rows = ["  ".join(map(str, (name, *(usual | told).values()))) for name, told in ports.items()]
    return "\n".join((HEADER, *rows))


def looked(what, *texts, where="", seconds=60.0):
    """What the last of several looks saw."""
    return every(what, *texts, where=where, seconds=seconds)[0]


def every(what, *texts, where="", seconds=60.0):
    """What the last of several looks saw, and what it measured."""
    known, found, measured = Counted(), None, None
    wanted = condition.read(where) if where else ()
    for number, text in enumerate(texts):
        known, found, measured = counters.step(known, counters.read(text, number * seconds), what, wanted)
    return found, measured


def test_the_first_look_says_nothing_since_nothing_has_grown_yet():
    assert looked("errors", table(eth0={"in_errors": 900})) is None


def test_errors_that_grow_are_told_with_the_interface_and_how_many_a_minute():
    before, after = table(eth0={}, eth1={"in_errors": 7}), table(eth0={}, eth1={"in_errors": 67})
    assert looked("errors", before, after, seconds=300) == (Seen.POOR, "eth1 in_errors +60, 12 a minute")


def test_errors_of_before_are_no_news():
    text = table(eth0={"in_errors": 7}, eth1={"out_drops": 3})
    assert looked("errors", text, text) == (Seen.GOOD, "no new errors on 2 interfaces")


def test_drops_are_told_where_they_are_asked_for():
    before, after = table(eth0={}), table(eth0={"out_drops": 500})
    assert looked("errors", before, after)[0] is Seen.GOOD
    assert looked("errors", before, after, where="out_drops > 100") == (Seen.POOR, "eth0 out_drops 500")


@pytest.mark.parametrize("after", [0, 12, 66])
def test_errors_that_went_back_are_counted_anew_and_never_fine(after):
    texts = table(eth0={"in_errors": 67}), table(eth0={"in_errors": after})
    assert looked("errors", *texts) == (Seen.NOTHING, "eth0 is counted anew")
    assert looked("errors", *texts, texts[-1])[0] is Seen.GOOD


def test_a_reload_is_seen_by_the_bytes_though_no_error_was_ever_counted():
    before, after = table(eth0={"in_bytes": 900, "out_bytes": 900}), table(eth0={"in_bytes": 5, "out_bytes": 5})
    assert looked("errors", before, after) == (Seen.NOTHING, "eth0 is counted anew")


def test_bytes_that_wrap_at_32_bits_give_no_rate_and_leave_errors_alone():
    before, after = table(eth0={"in_bytes": 2**32 - 1000}), table(eth0={"in_bytes": 4000})
    assert looked("traffic", before, after) == (Seen.NOTHING, "eth0 is counted anew")
    assert looked("errors", before, after)[0] is Seen.GOOD


def test_errors_come_before_what_nobody_can_say():
    before = table(eth0={}, eth1={"in_errors": 9}, eth2={})
    found = looked("errors", before, table(eth0={"out_errors": 3}, eth1={}))
    assert found == (Seen.POOR, "eth0 out_errors +3, 3 a minute; eth2 is no longer there; eth1 is counted anew")


def test_an_interface_that_vanished_is_never_fine_until_it_is_back():
    both, one = table(eth0={}, eth1={}), table(eth0={})
    assert looked("errors", both, one) == (Seen.NOTHING, "eth1 is no longer there")
    assert looked("errors", both, one, one)[0] is Seen.NOTHING
    assert looked("errors", both, one, both)[0] is Seen.GOOD
    assert looked("errors", both, one, where="interface = eth0")[0] is Seen.GOOD


def test_a_table_without_the_counter_is_never_fine():
    text = table(eth0={"in_errors": "-", "out_errors": "-"})
    assert looked("errors", text, text) == (Seen.NOTHING, "no interface tells in_errors or out_errors")
    assert looked("errors", table(eth0={}), text)[1].startswith("eth0 is without in_errors or out_errors now")


@pytest.mark.parametrize("text", ["", HEADER, "% Invalid input", "Filesystem  Use%\n/dev/vda1  16%"])
def test_what_is_no_table_of_counters_is_never_fine(text):
    assert looked("traffic", text) == (Seen.NOTHING, "what it printed has no counters of interfaces")


def test_a_name_that_no_interface_has_is_told_with_those_that_there_are():
    found = looked("errors", table(eth0={}, eth1={}), where="interface = eth9")
    assert found == (Seen.NOTHING, "no such interface; there are eth0, eth1")


def test_traffic_is_told_as_rates_with_the_speed():
    texts = [table(eth0={"in_bytes": sum(range(n + 1)) * 100 * MEGABYTES, "speed": "10000M"}) for n in range(4)]
    assert looked("traffic", *texts) == (Seen.GOOD, "eth0 in 300Mbit/s, out 0bit/s of 10Gbit/s")


def test_an_interface_that_is_nearly_full_is_told_where_its_speed_is_known():
    before, after = table(eth0={}), table(eth0={"out_bytes": 950 * MEGABYTES})
    assert looked("traffic", before, after) == (Seen.POOR, "eth0 in 0bit/s, out 950Mbit/s of 1Gbit/s")
    unknown = [text.replace("1000M", "-") for text in (before, after)]
    assert looked("traffic", *unknown)[0] is Seen.GOOD


def test_each_interface_is_measured_each_way_and_the_busiest_is_the_devices_figure():
    before, after = table(eth0={}, eth1={}), table(eth0={"out_bytes": 9 * MEGABYTES}, eth1={"in_bytes": MEGABYTES})
    _, measured = every("traffic", before, after)
    assert (measured.unit, measured.whole) == ("Mbit/s", 9.0)
    assert measured.parts == {"eth0 in": 0.0, "eth0 out": 9.0, "eth1 in": 1.0, "eth1 out": 0.0}


def test_an_interface_that_is_counted_anew_measures_nothing():
    before, after = table(eth0={"in_errors": 9}, eth1={}), table(eth0={}, eth1={"in_errors": 3})
    _, measured = every("errors", before, after)
    assert (measured.unit, dict(measured.parts)) == ("a minute", {"eth1": 3.0})


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        ("in_rate > 900M", Seen.POOR),
        ("in_rate > 0.9 Gbit/s", Seen.POOR),
        ("in_rate > 960Mbps", Seen.GOOD),
        ("in_use > 90", Seen.POOR),
        ("in_use > 90 and interface = eth1", Seen.GOOD),
        ("in_rate > 12 apples", Seen.NOTHING),
        ("nosuch > 5", Seen.NOTHING),
    ],
)
def test_conditions_are_held_against_what_has_grown(where, seen):
    before, after = table(eth0={}, eth1={}), table(eth0={"in_bytes": 950 * MEGABYTES}, eth1={})
    assert looked("traffic", before, after, where=where)[0] is seen


def test_a_clock_that_went_back_gives_no_rate():
    assert looked("traffic", table(eth0={}), table(eth0={"in_bytes": 5}), seconds=-60) is None


@pytest.mark.parametrize("argv", [VERB.body.command(kind, {}).argv for kind in ("linux", "frr")])
def test_the_bytes_that_this_machine_sends_itself_are_counted(argv):
    def ports():
        done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True)
        return counters.read(done.stdout, 0.0)

    before = ports()["lo"].counts
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here:
        for _ in range(100):
            here.sendto(bytes(1000), ("127.0.0.1", 9))
    after = ports()["lo"].counts
    assert after["in_bytes"] - before["in_bytes"] >= 100_000
    assert after.keys() == before.keys() >= {"in_errors", "out_drops"}
