"""Every line that was sent is in the difference, or was there before, or is named."""

import pytest

from automation_bots.drivers.network.config import lines
from automation_bots.drivers.network.config.accounting import Account

BEFORE = """hostname a
enable secret 9 $9$old
interface GigabitEthernet0/1
 description uplink
 ip address 10.0.0.1 255.255.255.0
 switchport trunk allowed vlan 10,20
router bgp 65001
 neighbor 10.0.0.2 remote-as 65002
 address-family ipv4 unicast
  neighbor 10.0.0.2 route-map RED in
ip access-list extended X
 10 permit tcp any any eq www
"""


def missing(typed: str, after: str = BEFORE) -> tuple[str, ...]:
    return Account(BEFORE, after).missing(lines.structured(typed.splitlines()))


@pytest.mark.parametrize(
    "typed",
    [
        "hostname a",
        "interface GigabitEthernet0/1\n description uplink",
        "int gi0/1\n ip add 10.0.0.1 255.255.255.0",
        "interface GigabitEthernet0/1\n no shutdown\n no ip ospf cost",
        "no interface Loopback9",
        "router bgp 65001\n neighbor 10.0.0.2 route-map RED in",
    ],
)
def test_what_was_there_before_is_so_already(typed):
    assert missing(typed) == ()


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("router bgp 65001\n neighbor 10.9.9.9 description x", ("neighbor 10.9.9.9 description x",)),
        ("int gi0/1\n description up", ("description up",)),
        ("interface GigabitEthernet0/1\n speed auto", ("speed auto",)),
        ("interface GigabitEthernet0/1\n no ip address", ("no ip address",)),
        ("no hostname a", ("no hostname a",)),
        ("service-policy GOLD", ("service-policy GOLD",)),
        ("router bgp 65009\n neighbor 10.0.0.9 remote-as 1", ("router bgp 65009", "neighbor 10.0.0.9 remote-as 1")),
    ],
)
def test_what_left_no_trace_is_named(typed, left):
    assert missing(typed) == left


@pytest.mark.parametrize(
    ("typed", "old", "new"),
    [
        ("enable secret hunter2", "9 $9$old", "9 $9$new"),
        ("interface GigabitEthernet0/1\n switchport trunk allowed vlan add 30", "10,20", "10,20,30"),
        ("interface GigabitEthernet0/1\n no ip address", " ip address 10.0.0.1 255.255.255.0\n", ""),
        ("ip access-list extended X\n permit tcp any any eq 44", "www\n", "www\n 20 permit tcp any any eq 44\n"),
        ("ip access-list extended X\n permit tcp any any eq 80 log", "www\n", "www\n 20 permit tcp any any eq 8 log\n"),
        ("no router bgp 65001", BEFORE[BEFORE.index("router") : BEFORE.index("ip access")], ""),
        ("no ip access-list extended X\nip access-list extended X\n 10 permit tcp any any eq www", "a\n", "a\n"),
    ],
)  # fmt: skip
def test_what_a_device_writes_in_its_own_way_is_found(typed, old, new):
    assert missing(typed, BEFORE.replace(old, new)) == ()


def test_a_line_that_was_refused_beside_one_that_was_taken_is_named():
    after = BEFORE.replace("hostname a", "hostname b")
    assert missing("hostname b\nrouter bgp 65001\n neighbor 10.0.0.2 peer-group GRP", after) == (
        "neighbor 10.0.0.2 peer-group GRP",
    )


def test_junos_says_set_and_delete():
    before = "set system host-name r1\nset system name-server 192.0.2.1\n"
    account = Account(before, "set system host-name r1\n")
    tree = lines.structured(("delete system name-server 192.0.2.1", "delete system host-name", "set system x y"))
    assert account.missing(tree) == ("delete system host-name", "set system x y")


def test_what_is_so_by_default_is_seen_where_the_device_shows_it():
    tree = lines.structured(("interface GigabitEthernet0/1", " speed auto", " duplex half"))
    whole = BEFORE.replace("description uplink", "description uplink\n speed auto\n duplex auto")
    assert Account(BEFORE, BEFORE).missing(tree, whole) == ("duplex half",)
