"""Platforms that only netmiko knows, as people type to them: Huawei's VRP and Comware, which say `display`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.clis import PASSWORD, USER, Scripted, Shelf
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'
POLICY = """
people:
  ana: {test: ana, groups: [netops]}
rules:
  - {name: look, who: netops, may: ["show *", backup, config-diff, facts], on: all}
  - {name: no configurations, who: everyone, deny: ["show current-configuration"], on: all}
"""
UNKNOWN = "                ^\nError: Unrecognized command found at '^' position."
CONFIG = "#\nsysname {name}\n#\nsnmp-agent community read cipher {community}\n#\nreturn"
INTERFACES = """\
PHY: Physical
*down: administratively down
InUti/OutUti: input utility/output utility
Interface                   PHY   Protocol  InUti OutUti   inErrors  outErrors
GigabitEthernet0/0/1        up    up        0.01%  0.01%          0          0
GigabitEthernet0/0/2        *down down         0%     0%          0          0"""


def huawei(name: str) -> Scripted:
    answers = {
        "screen-length 0 temporary": "Info: The configuration takes effect on the current user terminal interface.",
        "display interface brief": INTERFACES,
        "display clock": "2026-11-29 10:00:00\nSunday\nTime Zone(UTC) : UTC",
        "display current-configuration": CONFIG.format(name=name, community="F1rstC0mm"),
    }
    return Scripted(name, f"<{name}>", answers, UNKNOWN)


DEVICES = {"vrp1": huawei("vrp1"), "vrp2": huawei("vrp2"), "h3c1": huawei("h3c1")}
DEVICES["vrp2"].answers["display version"] = """\
Huawei Versatile Routing Platform Software
VRP (R) software, Version 5.170 (S5720 V200R011C10SPC600)
Copyright (C) 2000-2018 HUAWEI TECH Co., Ltd.
HUAWEI S5720-28X-LI-AC Routing Switch uptime is 10 weeks, 1 day, 2 hours, 3 minutes"""
DEVICES["h3c1"].answers["screen-length disable"] = ""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    folder: Path = tmp_path_factory.mktemp("bot")
    with Shelf(folder / "known_hosts") as shelf:
        login = f"driver: network, ansible_user: {USER}, ansible_password: {PASSWORD}, ansible_host: 127.0.0.1"
        hosts = f"all:\n  vars: {{{login}}}\n  hosts:\n"
        for name, device in DEVICES.items():
            platform = "hp_comware" if name == "h3c1" else "huawei"
            hosts += f"    {name}: {{platform: {platform}, ansible_port: {shelf.put(device)}}}\n"
        with ChatBot(write_folder(folder, toml=TOML, policy=POLICY, hosts=hosts)) as chat:
            yield chat


def test_show_is_display_there_and_a_table(chat):
    said = chat.asks(
        "!show interface brief | columns interface,phy,protocol on vrp1,vrp2", "done in .*2 ok", seconds=40
    )
    assert said.splitlines()[0].endswith("2 devices: same.")
    assert said.splitlines()[2:] == [
        "interface             phy    protocol",
        "GigabitEthernet0/0/1  up     up",
        "GigabitEthernet0/0/2  *down  down",
    ]
    heard = DEVICES["vrp1"].heard
    assert "screen-length 0 temporary" in heard, "netmiko prepares the session"
    assert heard[-1] == "display interface brief"


def test_a_word_too_many_reaches_no_device_past_the_rules(chat):
    before = len(DEVICES["vrp1"].heard)
    said = chat.asks("!show display current-configuration on vrp1", "done in .*1 failed")
    assert "leave out the second word: !show current-configuration" in said
    assert len(DEVICES["vrp1"].heard) == before


def test_comware_is_asked_in_the_same_words(chat):
    assert "Time Zone(UTC) : UTC" in chat.asks("!show clock on h3c1", "done in .*1 ok", seconds=40)
    assert DEVICES["h3c1"].heard[-1] == "display clock"


def test_facts_come_from_what_the_device_says_of_its_version(chat):
    said = chat.asks("!facts on vrp2,h3c1", "done in .*1 ok, 1 skipped", seconds=40)
    header, row, *_ = said.splitlines()[1:]
    assert header.split() == ["device", "vendor", "model", "version", "uptime"]
    assert "S5720-28X-LI-AC Routing Switch  S5720 V200R011C10SPC600  10 weeks" in row
    assert re.search("^h3c1 +skipped +no command for platform hp_comware", said, re.MULTILINE)


def test_what_the_device_does_not_know_is_told_in_its_words(chat):
    said = chat.asks("!show version on vrp1", "done in .*1 failed", seconds=40)
    assert "Error: Unrecognized command found at '^' position." in said


def test_a_command_that_a_rule_denies_is_not_sent(chat):
    assert "No" in chat.asks("!show current-configuration on vrp1", "^No")
    assert "display current-configuration" not in DEVICES["vrp1"].heard


def test_a_backup_and_its_difference_show_no_community(chat):
    chat.asks("!backup vrp1", "done in .*1 ok", seconds=40)
    DEVICES["vrp1"].answers["display current-configuration"] = CONFIG.format(name="vrp1", community="0therC0mm")
    said = chat.asks("!config diff vrp1", "done in .*1 ok", seconds=40)
    assert "‹redacted›" in said
    assert "C0mm" not in said
