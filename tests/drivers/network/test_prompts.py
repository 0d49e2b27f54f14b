"""Prompts as they are in the field: with blanks, signs and clocks, scrolled, or with a log behind them."""

from __future__ import annotations

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import PASSWORD, USER, Cli, Scripted, Shelf

pytestmark = pytest.mark.slow
ANSWERS = {"show clock": "10:22:33 UTC", "terminal length 0": "", "terminal width 511": ""}
LOG = "*Nov 30 10:22:33.123: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    with Shelf(tmp_path_factory.mktemp("shelf") / "known_hosts") as shelf:
        yield shelf


@pytest.fixture
def chat(shelf: Shelf, tmp_path) -> Chat:
    return Chat(driver(shelf.known_hosts, tmp_path / "data"), tmp_path / "work", ansible_password=PASSWORD)


def put(shelf: Shelf, it: Cli, platform: str = "cisco_ios") -> Device:
    login = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(it), "ansible_user": USER}
    return Device(it.name, variables={**login, "platform": platform})


@pytest.mark.parametrize(
    "prompt",
    ["core 1#", "core+1#", "bob's#", "a|b#", "a&b#", "a*b#", "10:22:33 R1#", "R1(standby)#", "[admin@MikroTik] > "],
)
def test_a_prompt_is_read_whatever_its_name(chat, shelf, prompt):
    outcome = chat.one(ops.SHOW, put(shelf, Scripted("sw1", prompt, ANSWERS, "% Invalid input")), command=("clock",))
    assert (outcome.status, outcome.output.strip()) == (Status.OK, "10:22:33 UTC"), outcome.summary


def test_a_log_behind_the_prompt_is_no_part_of_the_answer(chat, shelf):
    it = Scripted("sw1", f"sw1#\r\n{LOG}\r\n", ANSWERS, "% Invalid input")
    outcome = chat.one(ops.SHOW, put(shelf, it), command=("clock",))
    assert (outcome.status, outcome.output.strip()) == (Status.OK, "10:22:33 UTC"), outcome.summary


LONG = ("ip", "bgp", "neighbors", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "advertised-routes", "wide")


@pytest.mark.parametrize("platform", ["cisco_ios", "cisco_nxos", "cisco_xr", "arista_eos"])
def test_a_line_that_is_longer_than_a_screen_is_wide_has_the_screen_made_wider_first(chat, shelf, platform):
    it = Scripted("sw1", "sw1#", ANSWERS | {f"show {' '.join(LONG)}": "none"}, "% Invalid input")
    device = put(shelf, it, platform)
    assert chat.one(ops.SHOW, device, command=("clock",)).status is Status.OK
    assert "terminal width 511" not in it.heard
    assert chat.one(ops.SHOW, device, command=LONG).output.strip() == "none"
    assert it.heard[-2:] == ["terminal width 511", f"show {' '.join(LONG)}"]


def test_a_platform_whose_word_for_the_width_nobody_knows_is_told_none(chat, shelf):
    it = Scripted("sw1", "sw1#", ANSWERS | {f"show {' '.join(LONG)}": "none"}, "% Unknown command")
    assert chat.one(ops.SHOW, put(shelf, it, "frr"), command=LONG).output.strip() == "none"
    assert it.heard == ["terminal length 0", f"show {' '.join(LONG)}"]


def test_the_line_with_the_time_of_ios_xr_stands_in_no_answer_and_in_no_comparison(chat, shelf):
    answers = dict(ANSWERS)
    device = put(shelf, Scripted("xr1", "RP/0/RP0/CPU0:xr1#", answers, "% Invalid input"), "cisco_xr")
    for second in range(2):
        stamp = f"Mon Nov 30 10:22:3{second}.123 UTC"
        answers["show running-config"] = f"{stamp}\nBuilding configuration...\nhostname xr1\nend"
        answers["show bgp"] = f"{stamp}\n10.0.0.0/8"
        assert chat.one(ops.SHOW, device, command=("bgp",)).output == "10.0.0.0/8"
        said = chat.run(ops.BACKUP, device).conclusions[0].text
    assert said == "nothing is other than before."
    config = chat.network.archive.config("xr1")
    assert config.splitlines()[0] == "Building configuration..."
