"""Two names of one device are found: by address, port and way, and by what names mean where they can be looked up."""

import threading
import time

import pytest

from automation_bots.inventory import same_device
from automation_bots.inventory.addresses import Addresses
from automation_bots.inventory.same_device import endpoint, found

DB1 = {"ansible_host": "10.0.0.5"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (DB1, DB1, True),
        (DB1, {"ansible_host": "10.0.0.5", "ansible_port": "22"}, True),
        (DB1, {"ansible_host": "10.0.0.5", "ansible_connection": "ansible.netcommon.network_cli"}, True),
        (DB1, {"ansible_host": "10.0.0.5", "driver": "network", "platform": "cisco_ios"}, True),
        (DB1, {"ansible_host": "10.0.0.6"}, False),
        (DB1, {"ansible_host": "10.0.0.5", "ansible_port": 2222}, False),
        (DB1, {"ansible_host": "10.0.0.5", "ansible_connection": "winrm"}, False),
        (DB1, {"ansible_host": "10.0.0.5", "jump": "bastion-of-another-site"}, False),
        (DB1, {"ansible_host": "10.0.0.5", "ansible_connection": "community.docker.docker"}, False),
        ({"ansible_host": "DB1.corp."}, {"ansible_host": "db1.corp"}, True),
        ({"ansible_host": "2001:DB8::1"}, {"ansible_host": "[2001:db8:0:0::1]"}, True),
        ({"ansible_host": "::ffff:10.0.0.5"}, DB1, True),
        ({}, {"ansible_host": "one"}, True),
        ({"ansible_connection": "winrm"}, {"ansible_host": "one", "driver": "powershell"}, True),
        ({"ansible_connection": "local"}, {"ansible_connection": "local"}, False),
        ({"driver": "salt"}, {"driver": "salt", "salt_minion": "one"}, True),
    ],
)
def test_a_device_is_what_it_is(one, other, same):
    places = {name: place for name, known in {"one": one, "two": other}.items() if (place := endpoint(name, known))}
    assert found(places, {}).all_names(["one"]) == ({"one", "two"} if same else {"one"})


def places(**hosts):
    return {name: endpoint(name, {"ansible_host": host}) for name, host in hosts.items()}


def test_names_that_mean_one_address_are_one_device_and_several_meet_over_a_third():
    every = places(a="10.0.0.5", b="db.corp", c="10.0.0.6", d="10.0.0.7")
    known = found(every, {"db.corp": ("10.0.0.5", "10.0.0.6")})
    assert known.groups == [{"a", "b", "c"}]
    assert known.all_names(["c", "d"]) == {"a", "b", "c", "d"}


def test_ten_thousand_names_of_one_device_are_kept_once():
    known = found(places(**{f"h{n}": "10.0.0.5" for n in range(10_000)}), {})
    assert len({id(names) for names in known.names.values()}) == 1


class Names:
    """What the lookup needs of an inventory."""

    def __init__(self, *names):
        self.names, self.learned = names, None

    def names_to_look_up(self):
        return self.names

    def learn(self, addresses):
        self.learned = addresses


def test_a_name_server_that_hangs_keeps_nobody_waiting_and_the_others_are_known():
    hangs, names = threading.Event(), Names("slow", *(f"n{n}" for n in range(50)))

    def look(name):
        if name == "slow":
            hangs.wait(60)
        return () if name == "n7" else (f"192.0.2.{name[1:]}",)

    began = time.monotonic()
    Addresses(names, look=look).look(1.0)
    assert time.monotonic() - began < 30
    hangs.set()
    assert set(names.learned) == {f"n{n}" for n in range(50) if n != 7}


def test_what_is_an_address_is_not_looked_up():
    assert [same_device.is_name(host) for host in ("10.0.0.5", "2001:db8::1", "db1", "1.example")] == [
        False, False, True, True]  # fmt: skip
