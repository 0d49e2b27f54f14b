"""A change of a router's configuration that needs a second person: on real FRR, typed by people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.frr import Frr, wait
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = 'backend = "Test"\n[places]\nleads = "leads-room"\n[approvals]\nroom = "#leads"\n[drivers.ssh]\nagent = false\n'
POLICY = """
people:
  ana: {test: ana, groups: [netops]}
  kim: {test: kim, groups: [leads]}
rules:
  - {name: look, who: everyone, may: [reads], on: all}
  - name: the core needs a second pair of eyes
    who: netops
    may: [config, config-rollback]
    on: core
    approval: {by: leads, room: "#leads"}
"""
DESCRIBE = "\n```\ninterface wire0\n description to the other\n```"
BREAK_BGP = "\n```\nrouter bgp 65001\n neighbor 10.255.0.2 remote-as 64999\n```"


@pytest.fixture(scope="module")
def chat(frr: Frr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    folder: Path = tmp_path_factory.mktemp("bot")
    files = {"known_hosts": frr.known_hosts.read_text()}
    with ChatBot(write_folder(folder, toml=TOML, policy=POLICY, hosts=frr.inventory, files=files)) as chat:
        yield chat


def asked(chat: ChatBot, command: str) -> tuple[int, str]:
    """Type a change; return its number and what the approvers read."""
    number = int(chat.asks(command, "waits for approval")[1:].split(" ")[0])
    return number, chat.hears(f"#{number} ana asks for approval", 30)


def test_the_approver_sees_each_devices_difference_and_then_it_is_made(chat, frr):
    number, question = asked(chat, f"!config core --expect bgp --stay 1{DESCRIBE}")
    assert "── r1, r2\n+ interface wire0 │ description to the other" in question
    assert "description" not in frr.routers[0].ask("show running-config")
    chat.asks(f"!approve {number}", f"#{number} .* done in .*2 changed", who="kim", seconds=60)
    assert "description to the other" in frr.routers[0].ask("show running-config")


def test_what_was_approved_and_breaks_bgp_goes_back_by_itself(chat, frr):
    wait(frr.routers[0].established, 20)
    before = frr.routers[0].ask("show running-config")
    number, question = asked(chat, f"!config r1 --expect bgp --within 4{BREAK_BGP}")
    assert "+ router bgp 65001 │ neighbor 10.255.0.2 remote-as 64999" in question
    gone_back = r"BGP neighbour 10\.255\.0\.2 not back after \d+ s; rolled back to what it was before"
    chat.asks(f"!approve {number}", f"#{number} .* 1 failed[^#]*{gone_back}", who="kim", seconds=60)
    assert frr.routers[0].ask("show running-config") == before


@pytest.mark.parametrize("typed", ["!config r1 --replace", "!config --replace r1", "!config replace r1"])
def test_replacing_is_a_right_of_its_own(chat, typed):
    assert "No: config-replace on r1" in chat.asks(f"{typed}{DESCRIBE}", "No")


def test_a_flag_in_quotes_replaces_nothing(chat):
    number, _ = asked(chat, f'!config r1 --reason "do not --replace it"{DESCRIBE}')
    assert chat.automation.store.job(number).operation == "config"
    chat.asks(f"!withdraw {number}", "withdrawn")
