"""A change on real routers: what nobody meant is found, and what was meant is told as other."""

import pytest

from tests.fakes.frr import Frr
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(Frr.missing), reason=Frr.missing)]

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
rules:
  - {name: admins, who: admins, may: [everything]}
"""


@pytest.fixture(scope="module")
def frr():
    with Frr() as lab:
        yield lab


@pytest.fixture(scope="module")
def chat(frr, tmp_path_factory):
    toml = f'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "{frr.known_hosts}"\n'
    folder = write_folder(tmp_path_factory.mktemp("bot"), toml=toml, policy=POLICY, hosts=frr.inventory)
    with ChatBot(folder) as chat:
        yield chat


def test_a_changed_thing_that_nobody_meant_is_found(chat, frr):
    started = chat.asks('!change start core "new line card"', "C1 started", seconds=60)
    assert "(reachability, 2 BGP sessions, 4 interfaces, 6 routes, configuration)" in started
    frr.routers[0].ask("configure terminal", "router bgp 65001", "neighbor 10.255.0.2 shutdown", "end")
    wait(lambda: not frr.routers[1].established(), 30)
    chat.asks("!config r2\ninterface lo\n description ours", "config .* done", seconds=60)
    ended = chat.asks("!change end", "C1 ended after", seconds=60)
    lines = ended.splitlines()
    assert lines[0].endswith("Worse than before:")
    assert [line.split()[:3] for line in lines[1:3]] == [["r1", "BGP", "10.255.0.2"], ["r2", "BGP", "10.255.0.1"]]
    assert "r2  configuration +1 −0" in ended
    assert "routes 3 → 2 (gone: 192.0.2.2/32)" in ended
    assert "In between: #" in ended
    assert "config (2 lines) on r2 (ana)" in ended
    assert "+ interface lo" in chat.asks("!change 1 diff r2", "what is other now")
    assert "M1" not in chat.asks("!monitors", "Nothing is watched|M1")


def test_what_stays_is_as_it_was_and_others_see_nothing_of_it(chat, frr):
    frr.routers[0].ask("configure terminal", "router bgp 65001", "no neighbor 10.255.0.2 shutdown", "end")
    wait(lambda: all("\nB>" in it.ask("show ip route") for it in frr.routers), 60)  # what tries again does not stay
    chat.asks("!change start r2", "C2 started", seconds=60)
    chat.asks("!change 2", "There is no change C2", who="joe")
    chat.asks("!change end", "Which one|You have 0 changes", who="joe")
    assert "Everything is as it was." in chat.asks("!change end 2", "C2 ended", seconds=60)
    chat.asks("!change", r"C2 ended .* · r2 · ana")
