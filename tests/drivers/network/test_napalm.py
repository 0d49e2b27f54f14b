"""Candidates by NAPALM on real FRR routers, with a driver that goes back by itself; the routers are asked past it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver, process_for_devices, router
from tests.fakes.frr import Frr, wait

pytestmark = pytest.mark.slow
DRIVERS = str(Path(__file__).resolve().parents[2] / "fakes" / "napalm_drivers")
BREAKS_BGP = ("router bgp 65001", " neighbor 10.255.0.2 remote-as 64999")
DESCRIBED = ("interface wire0", " description to r2")


@pytest.fixture(scope="module", autouse=True)
def _drivers():
    sys.path.append(DRIVERS)
    yield
    sys.path.remove(DRIVERS)


@pytest.fixture
def r1(frr: Frr) -> Device:
    it = frr.routers[0]
    wait(it.established, 20)
    arguments = {"folder": str(it.folder)}
    return router(frr, it, napalm_driver="frrlab", napalm_optional_args=arguments)


@pytest.fixture(scope="module")
def chat(frr: Frr, tmp_path_factory) -> Chat:
    folder = tmp_path_factory.mktemp("chat")
    return Chat(driver(frr.known_hosts, folder / "data"), folder / "work", ansible_password=frr.password)


@pytest.fixture
def running(frr: Frr):
    return lambda: frr.routers[0].ask("show running-config")


def test_the_difference_is_the_drivers_and_nothing_is_sent(chat, r1, running):
    outcome = chat.one(ops.CONFIG, r1, lines=DESCRIBED, check=True)
    assert (outcome.status, outcome.output) == (Status.OK, "+  description to r2")
    assert "description" not in running()


def test_a_candidate_is_committed_confirmed_and_taken_back(chat, r1, frr, running):
    before = running()
    assert chat.one(ops.CONFIG, r1, lines=DESCRIBED, expect=("bgp",), stay=1).status is Status.CHANGED
    assert "description to r2" in running()
    assert not (frr.routers[0].folder / "pending").exists()
    assert chat.one(ops.ROLLBACK, r1, job=42).status is Status.CHANGED
    assert running() == before


def test_a_candidate_that_breaks_bgp_is_rolled_back(chat, r1, frr, running):
    before = running()
    outcome = chat.one(ops.CONFIG, r1, lines=BREAKS_BGP, expect=("bgp",), within=3)
    assert outcome.status is Status.FAILED
    assert "BGP neighbour 10.255.0.2 not back" in outcome.summary
    assert "rolled back to what it was before" in outcome.summary
    assert running() == before


def test_a_line_that_is_refused_is_refused_before_anything_changes(chat, r1, running):
    before = running()
    outcome = chat.one(ops.CONFIG, r1, lines=("interface wire0", " nonsense 1"))
    assert outcome.status is Status.FAILED
    assert "refuses the candidate" in outcome.summary
    assert running() == before


def test_a_device_goes_back_by_itself_when_the_bot_dies_in_the_middle(chat, r1, frr, running):
    r1.variables["napalm_optional_args"]["hurry"] = 60  # its minutes are seconds
    before = running()
    pending = frr.routers[0].folder / "pending"
    values = {"lines": BREAKS_BGP, "expect": ("bgp",), "within": 100}
    job = threading.Thread(target=chat.one, args=(ops.CONFIG, r1), kwargs=values)
    job.start()
    wait(lambda: pending.exists() and "64999" in running(), 20)
    os.kill(process_for_devices(), signal.SIGKILL)
    job.join(20)
    wait(lambda: running() == before, 20)
    wait(lambda: not pending.exists(), 20)  # or its timer takes away the mark of the next change


@pytest.mark.parametrize("napalm", [True, False])
def test_a_whole_configuration_is_replaced(chat, r1, frr, running, napalm):
    device = r1 if napalm else router(frr, frr.routers[0])
    before = running()
    whole = before.replace(f"hostname {socket.gethostname()}\n", "").splitlines()  # which is only where we ask
    first = chat.one(ops.CONFIG, device, lines=("ip route 198.51.100.0/24 blackhole",))
    assert first.status is Status.CHANGED, first.summary
    lines = (*whole[:4], "ip route 203.0.113.0/24 blackhole", *whole[4:])
    plan = chat.one(ops.REPLACE, device, lines=lines, check=True).output
    assert {"- ip route 198.51.100.0/24 blackhole", "+ ip route 203.0.113.0/24 blackhole"} <= set(plan.splitlines())
    assert chat.one(ops.REPLACE, device, lines=lines, expect=("bgp",), stay=1).status is Status.CHANGED
    assert chat.one(ops.REPLACE, device, lines=whole).status is Status.CHANGED
    assert running() == before


@pytest.mark.parametrize(("name", "words"), [("junos", "opens connections of its own"), ("nowhere", "pip install")])
def test_a_napalm_driver_that_cannot_be_used_is_told(chat, frr, name, words):
    device = router(frr, frr.routers[0], napalm_driver=name)
    assert words in chat.one(ops.CONFIG, device, lines=DESCRIBED, check=True).summary
