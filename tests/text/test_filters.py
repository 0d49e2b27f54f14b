"""Filters as typed at a router, on any text."""

import pytest

from automation_bots.errors import BadCommand
from automation_bots.text import filters

CONFIG = """hostname core1
interface Gi0/1
 description to core2
 ip address 10.0.0.1 255.255.255.0
interface Gi0/2
 shutdown
line vty 0 4
 login"""
SERVICES = """Status   Name     DisplayName
Running  w3svc    World Wide Web
Stopped  spooler  Print Spooler"""


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (["include ^interface|description"], ["interface Gi0/1", " description to core2", "interface Gi0/2"]),
        (["i ^interface", "exclude Gi0/1"], ["interface Gi0/2"]),
        (["incl vty", "match line"], ["line vty 0 4"]),
        (["begin vty"], ["line vty 0 4", " login"]),
        (["section Gi0/1"], CONFIG.split("\n")[1:4]),
        (["include interface", "count"], ["Number of lines which match regexp = 2"]),
        (["count ^line"], ["Number of lines which match regexp = 1"]),
        (["match (?i)HOST"], ["hostname core1"]),
        (["columns name"], CONFIG.split("\n")),
    ],
)
def test_what_is_left_is_what_a_router_would_leave(typed, left):
    chain = [filters.read(text.split()) for text in typed]
    assert filters.applied(CONFIG, chain).split("\n") == left


def test_columns_of_a_text_that_is_a_table_are_picked():
    assert filters.applied(SERVICES, [("columns", "name,Status")]).split("\n")[1] == "w3svc    Running"
    assert filters.table(SERVICES.split("\n"))[1][1] == ("Stopped", "spooler", "Print Spooler")
    assert filters.table(["a b", "c"]) == (("line",), [("a b",), ("c",)])


@pytest.mark.parametrize(
    ("typed", "why"), [("tee x", "is no filter; there are include, exclude"), ("include", "needs what to look for"),
                       ("include (", "no regular expression|not a regular expression"), ("columns", "name,state")]
)  # fmt: skip
def test_what_is_no_filter_is_refused_in_words(typed, why):
    with pytest.raises(BadCommand, match=why):
        filters.read(typed.split())


def test_a_table_with_empty_cells_is_read_by_where_its_columns_begin():
    lines = ["interface  up   speed  mac", "lo         yes", "wire0      yes  10G    aa:bb"]
    assert filters.table(lines)[1] == [("lo", "yes", "", ""), ("wire0", "yes", "10G", "aa:bb")]
    assert filters.applied("\n".join(lines), [("columns", "interface,mac")]).splitlines()[2] == "wire0      aa:bb"


def test_a_last_column_with_blanks_is_one_cell():
    lines = ["Filesystem Type Use% Mounted on", "/dev/vda1 ext4 16% /", "/dev/vdb1 xfs 93% /var/lib"]
    assert filters.table(lines)[0] == ("Filesystem", "Type", "Use%", "Mounted on")
    assert filters.table(["PID USER COMMAND", "1 root init", "2 ana vi a b"])[1][1] == ("2", "ana", "vi a b")
