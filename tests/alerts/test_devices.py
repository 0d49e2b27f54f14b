"""Which device a sender means: by name, address, with a port; never one of several."""

from types import SimpleNamespace

import pytest

from automation_bots.alerts.devices import Devices, plain
from automation_bots.inventory.same_device import Endpoint, SameDevice
from automation_bots.inventory.snapshot import Snapshot
from tests.alerts.site import FIRED, replace

HOSTS = {"core1": "192.0.2.1", "core2.corp.example": "core2.corp.example", "web1": "web1", "Web2": "2001:db8::2",
         "nat1": "198.51.100.1", "nat2": "198.51.100.1", "one": "203.0.113.1", "again": "203.0.113.1",
         "db.madrid": "db.madrid", "db.paris": "db.paris"}  # fmt: skip
BOTH = frozenset({"one", "again"})


def inventory(hosts=HOSTS, addresses=None):
    places = {name: Endpoint(host, "22", "") for name, host in hosts.items()}
    state = Snapshot(
        tuple(hosts), endpoints=places, same=SameDevice(dict.fromkeys(BOTH, BOTH)), _lines=dict.fromkeys(hosts, b"")
    )
    return SimpleNamespace(state=state, addresses=addresses or {})


@pytest.fixture(scope="module")
def devices():
    return Devices(inventory(addresses={"web1": ("192.0.2.80",)}))


@pytest.mark.parametrize(("written", "device"), [
    ("core1", "core1"), ("CORE1", "core1"), ("192.0.2.1", "core1"), ("192.0.2.1:9100", "core1"),
    ("https://core1/health", "core1"), ("http://ana:x@192.0.2.1:8080/x", "core1"), ("core1.corp.example", "core1"),
    ("core2", "core2.corp.example"), ("core2.corp.example:161", "core2.corp.example"),
    ("[2001:db8::2]:443", "Web2"), ("2001:0db8::0002", "Web2"), ("192.0.2.80", "web1"), ("web1.", "web1"),
    ("203.0.113.1", "again"),  # two names of one device
    ("198.51.100.1", ""),  # two devices behind one address
    ("core2.other.example", ""), ("db", ""),  # another whole name; one of two
    ("192.0.2.99", ""), ("", ""), ("   ", ""), ("*", ""), ("core1,web1", ""), ("all", ""), ("core", ""),
])  # fmt: skip
def test_a_device_is_known_by_what_senders_call_it(devices, written, device):
    assert devices.named(written) == device


def test_the_first_field_that_names_a_device_counts(devices):
    event = replace(FIRED, device="", about="unknown:9100", fields={"peer": "web1", "instance": "core1:9100"})
    assert devices.of(event) == "core1"
    assert devices.of(replace(event, about="web1")) == "web1"
    assert devices.of(replace(event, fields={"peer": "web1"})) == ""


def test_what_a_source_calls_a_device_is_looked_up_too(devices):
    assert devices.of(replace(FIRED, device="nothing of ours", about="", fields={})) == ""


def test_a_changed_inventory_is_seen():
    place = inventory()
    devices = Devices(place)
    assert devices.named("new1") == ""
    place.state = inventory({"new1": "192.0.2.7"}).state
    assert devices.named("192.0.2.7") == "new1"


@pytest.mark.parametrize("written", ["[", "]:", "a:b:c:d", "http://", "::", "x" * 10_000, "\x00", "é:1"])
def test_strange_texts_are_no_device(devices, written):
    assert devices.named(written) == ""
    assert isinstance(plain(written), str)
