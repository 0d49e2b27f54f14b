"""A sweep summed up: the table, the reasons, what changed, the file and the picture."""

import subprocess
import sys

import pytest

from automation_bots.drivers.reach import plot
from automation_bots.drivers.reach.lines import Seen
from automation_bots.drivers.reach.summary import NAMED, Tally, changed
from automation_bots.errors import DriverError
from automation_bots.model import Device, Status
from tests.support.cost import in_yardsticks


def up(name, *times, sent=3, ports=()):
    return Seen(name, Status.OK, "192.0.2.1", sent, len(times), times, ports, "")


def down(name, reason="no answer", address="192.0.2.9"):
    return Seen(name, Status.UNREACHABLE if address else Status.FAILED, address, 3, 0, (), (), reason)


def device(name, *groups, site=""):
    return Device(name, frozenset({"all", *groups}), {"site": site} if site else {})


def said(**statuses):
    return {name: Status(status).value for name, status in statuses.items()}


def conclude(seen, devices, before):
    places = {one.name: number for number, one in enumerate(devices)}
    tally = Tally(devices)
    for one in seen:
        tally.add(places[one.device], one)
    return tally.conclude(before)


SEEN = [up("web1", 1.0, 2.0, 3.0), up("web2", 20.0, 40.0), down("db1"), down("db2", "name does not resolve", "")]
DEVICES = [device("web1", "web", site="oslo"), device("web2", "web"), device("db1", "db"), device("db2", "db")]


def test_many_unreachable_ones_are_told_by_reason_and_names_that_do_not_resolve_are_apart():
    found = [*(down(f"n{n}", "name does not resolve", "") for n in range(30)), down("r"), SEEN[2]]
    block = conclude(found, [device(one.device) for one in found], {}).block
    assert block.splitlines()[:3] == [
        "2 no answer: r, db1",
        "30 name does not resolve: n0, n1, n2, n3, n4 and 25 more",
        "",
    ]


def test_the_table_has_a_line_for_each_group_each_site_and_all():
    assert [line.split() for line in conclude(SEEN, DEVICES, {}).block.splitlines()[2:]] == [
        ["answer", "loss", "median", "worst"],
        ["db", "0/2", "-", "-", "-"],
        ["web", "2/2", "16.7", "%", "16", "ms", "40", "ms"],
        ["site", "oslo", "1/1", "0", "%", "2.00", "ms", "3.00", "ms"],
        ["all", "2/4", "16.7", "%", "16", "ms", "40", "ms"],
    ]


def test_open_ports_are_counted():
    found = [up("a", 1.0, ports=((22, "open"), (443, "refused"))), up("b", 1.0, ports=((22, "open"),))]
    block = conclude(found, [device("a"), device("b")], {}).block.splitlines()
    assert block[0].split()[4:] == ["tcp", "22", "tcp", "443"]
    assert block[-1].endswith("2/2      0/2")


def test_what_changed_since_the_last_time_is_named():
    before = said(web1="unreachable", web2="ok", db1="ok", db2="failed")
    last = conclude(SEEN, DEVICES, before).text
    assert last == "Since the last time: 1 newly down: db1; 1 back: web1; 1 still down."


def test_no_news_is_told_too_and_nothing_where_nobody_asked_before():
    same = said(web1="ok", web2="ok", db1="unreachable", db2="failed")
    assert conclude(SEEN, DEVICES, same).text == "Nothing has changed since the last time."
    assert "last time" not in conclude(SEEN, DEVICES, {}).text


def test_what_was_cancelled_the_last_time_is_no_news():
    assert changed(SEEN, said(web1="cancelled", db1="unknown")).known == 0


def test_devices_that_were_not_looked_at_do_not_count_as_answering():
    assert "2/4" in conclude(SEEN[:2], DEVICES, {}).block


def test_many_unreachable_ones_are_a_file_with_all_that_is_known():
    names = [f"sw{number}" for number in range(NAMED + 1)]
    found = conclude(list(map(down, names)), [device(n, "core", site="oslo") for n in names], said(sw0="ok"))
    lines = found.files[0].content.decode().splitlines()
    assert found.files[0].name == "unreachable.csv"
    assert len(lines) == NAMED + 2
    assert lines[1] == '"sw0","192.0.2.9","oslo","core","no answer","0","3","ok"'
    assert "21 no answer: sw0, sw1, sw2, sw3, sw4 and 16 more" in found.block
    assert found.text.endswith("1 newly down: sw0. All 21 that do not answer are in unreachable.csv.")


def test_few_unreachable_ones_are_named_without_a_file_and_failures_are_left_to_the_recap():
    said = conclude(SEEN, DEVICES, {})
    assert (said.text, said.files) == ("", ())
    assert said.block.startswith("1 no answer: db1\n\n")
    assert "db2" not in said.block


def test_nothing_seen_is_not_an_error():
    assert conclude([], [], {}).block == ""
    assert "0/1" in conclude([], [device("a")], {}).block


@pytest.mark.slow
def test_sixty_thousand_devices_are_summed_up_soon():
    devices = [device(f"h{n}", f"rack{n % 500}", "even" if n % 2 else "odd", site=f"s{n % 9}") for n in range(60_000)]
    found = [down(one.name) if n % 20 == 0 else up(one.name, 1.0, 2.0, 3.0) for n, one in enumerate(devices)]
    before = {one.name: "ok" for one in devices}
    assert "57,000/60,000" in conclude(found, devices, before).block
    assert in_yardsticks(lambda: conclude(found, devices, before), 20) < 20


PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
def test_a_picture_is_drawn_whatever_the_groups_are_called():
    assert plot.latency({"web": [1.0, 2.0, 90.0], "$x_{": [0.3], "naïve 网": [5.0] * 50, "none": []}).startswith(PNG)


def test_there_is_no_picture_of_nothing():
    with pytest.raises(DriverError, match="no device answered"):
        plot.latency({"web": [], "db": [float("nan")]})


@pytest.mark.slow
def test_the_bot_itself_never_loads_the_drawing_library():
    draw = "import sys; from automation_bots.drivers.reach import plot; plot.latency({'a': [1.0]});"
    look = f"{draw} print('matplotlib' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", look], text=True) == "False\n"
