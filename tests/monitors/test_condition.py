"""Conditions on what a device printed: which rows hold, and what nobody can compare."""

import pytest

from automation_bots.errors import BadCommand
from automation_bots.monitors import condition
from automation_bots.monitors.track import Seen

DF = """Filesystem     Type  Size  Used Avail Use% Mounted on
/dev/vda1      ext4   98G   15G   79G  16% /
/dev/vdb1      xfs   200G  186G   14G  93% /var/lib
"""
IOS = """BGP router identifier 10.0.0.1, local AS number 65000
Neighbor        V    AS MsgRcvd MsgSent TblVer InQ OutQ Up/Down  State/PfxRcd
192.0.2.7       4 65001    1042    1041     12   0    0 01:02:03 Idle
192.0.2.9       4 65002    1042    1041     12   0    0 01:02:03 12
"""
GETTER = """vrf      neighbor   as     state        uptime  received  sent  description
default  10.0.0.2   65001  Established  2 h     5         5     to core2
default  10.0.0.3   65001  down                 0         0     to core3
"""


def seen(text, where):
    return condition.judged(text, condition.read(where))


def test_used_means_the_percentage_where_a_plain_number_is_compared():
    assert seen(DF, "used > 90") == (Seen.POOR, "/var/lib Use% 93%")
    assert seen(DF, "used > 95") == (Seen.GOOD, "")


def test_a_size_is_compared_with_the_column_of_sizes():
    assert seen(DF, "used > 100G") == (Seen.POOR, "/var/lib Used 186G")
    assert seen(DF, "avail < 20GiB")[0] is Seen.POOR


def test_several_comparisons_have_to_hold_in_one_row():
    assert seen(DF, "used > 10 and type = ext4") == (Seen.POOR, "/ Use% 16%, Type ext4")
    assert seen(DF, "used > 90 and type = ext4")[0] is Seen.GOOD


@pytest.mark.parametrize("where", ["nosuch > 1", "Type > 5", "Filesystem > 3"])
def test_what_cannot_be_compared_is_never_fine(where):
    found, why = seen(DF, where)
    assert found is Seen.NOTHING
    assert "there is Filesystem, Type, Size" in why


def test_nothing_printed_is_never_fine():
    assert seen("\n", "used > 90")[0] is Seen.NOTHING


def test_lines_of_names_and_values_are_a_table_of_one_row():
    text = "Description=nginx web server\nActiveState=failed\nMainPID=0\n"
    assert seen(text, "ActiveState != active") == (Seen.POOR, "nginx web server ActiveState failed")


def test_a_line_without_a_table_can_be_searched():
    assert seen("16:02 up 3 days, load average: 0.1", "line contains load")[0] is Seen.POOR


@pytest.mark.parametrize("where", ["used", "> 90", "used >", "used ~ 90", ""])
def test_a_condition_that_is_none_is_refused_with_an_example(where):
    with pytest.raises(BadCommand, match="where used > 90"):
        condition.read(where)


@pytest.mark.parametrize(("text", "words"), [(IOS, "192.0.2.7 is Idle"), (GETTER, "10.0.0.3 is down")])
def test_a_bgp_session_that_is_not_established_is_told(text, words):
    assert condition.meant("bgp")(text) == (Seen.POOR, words)


def test_sessions_that_are_up_or_shut_on_purpose_are_fine():
    assert condition.meant("bgp")(GETTER.replace("down ", "shut ")) == (Seen.GOOD, "")


def test_a_service_that_is_not_active_is_told():
    assert condition.meant("service")("Description=nginx\nActiveState=inactive")[1] == "nginx is inactive"
    assert condition.meant("service")("Description=nginx\nActiveState=active") == (Seen.GOOD, "")
    assert condition.meant("service")("permission denied")[0] is Seen.NOTHING


def test_the_column_that_is_compared_is_measured_row_by_row_and_the_worst_is_the_devices_figure():
    found = condition.measured(DF, condition.read("used > 90"))
    assert (found.unit, found.whole, dict(found.parts)) == ("%", 93.0, {"/": 16.0, "/var/lib": 93.0})
    assert dict(condition.measured(DF, condition.read("used > 90 and type = ext4")).parts) == {"/": 16.0}


@pytest.mark.parametrize("where", ["type = ext4", "nosuch > 5", "used > 100 apples"])
def test_what_has_no_figures_measures_nothing(where):
    assert condition.measured(DF, condition.read(where)).unit == ""


def test_sizes_are_measured_in_one_unit():
    text = "Filesystem  Avail\n/dev/sda1  900M\n/dev/sdb1  2T\n"
    found = condition.measured(text, condition.read("avail < 1G"))
    assert (found.unit, found.whole, found.parts["/dev/sdb1"]) == ("GB", 0.9, 2000.0)
