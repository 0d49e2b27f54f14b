"""A backup is what the device said, whole and as it said it; what it replaces comes back."""

from __future__ import annotations

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import PASSWORD, USER, Cli, Scripted, Shelf
from tests.fakes.clis_config import Ios

pytestmark = pytest.mark.slow
TOLD = """Building configuration...

Current configuration : 1234 bytes
!
! Last configuration change at 10:22:33 UTC Mon Nov 30 2026
!
hostname sw1
!
banner motd ^C
! no entry   here
exit-address-family
!
 core1#
^C
!
router bgp 65001
 address-family ipv4
  network 192.0.2.0
 exit-address-family
!
end"""


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


def scripted(config: str, name: str = "sw1", command: str = "show running-config") -> Scripted:
    answers = {command: config, "terminal length 0": "", "terminal width 511": "", "show clock": "10:22:33"}
    return Scripted(name, f"{name}#", answers, "% Invalid input detected at '^' marker.")


def test_a_backup_is_what_the_device_said(chat, shelf):
    assert chat.one(ops.BACKUP, put(shelf, scripted(TOLD))).status is Status.OK
    assert chat.network.archive.config("sw1") == f"{TOLD}\n"


def test_what_is_other_at_every_look_makes_no_new_backup(chat, shelf):
    it = scripted(TOLD)
    device = put(shelf, it)
    chat.run(ops.BACKUP, device)
    it.answers["show running-config"] = TOLD.replace("10:22:33", "11:00:00").replace("1234", "1235")
    assert chat.run(ops.BACKUP, device).conclusions[0].text == "nothing is other than before."
    it.answers["show running-config"] = TOLD.replace("! no entry", "! welcome")
    assert chat.run(ops.BACKUP, device).conclusions[0].text == "1 other than in the backup before."


def test_a_large_configuration_is_kept_whole(chat, shelf):
    config = "\n".join(
        [*(f"access-list 100 permit ip host 10.0.0.1 host 10.1.{n}.9 log" for n in range(60_000)), "end"]
    )
    assert len(config) > 3_300_000
    outcome = chat.one(ops.BACKUP, put(shelf, scripted(config)))
    assert (outcome.status, outcome.summary) == (Status.OK, "60001 lines")
    assert chat.network.archive.config("sw1") == f"{config}\n"


@pytest.mark.parametrize(
    ("config", "why"), [("hostname x\n" * 5000 + "end", "longer than 50,000 bytes"), ("hostname x", "no end")]
)
def test_a_backup_that_is_not_whole_fails(chat, shelf, config, why, tmp_path):
    chat.network = driver(shelf.known_hosts, tmp_path / "data", config_limit=50_000)
    outcome = chat.one(ops.BACKUP, put(shelf, scripted(config)))
    assert outcome.status is Status.FAILED
    assert why in outcome.summary
    assert not chat.network.archive.history("sw1")


def test_replacing_by_a_backup_gives_back_what_was_there(chat, shelf):
    it = Ios("d1", "hostname d1", "interface Et1", "interface Et1\tdescription old")
    it.archive = False
    device = put(shelf, it)
    before = it.running
    chat.run(ops.BACKUP, device)
    chat.run(ops.CONFIG, device, lines=("interface Et1", " description new", "interface Et2", " description other"))
    assert it.running != before
    outcome = chat.one(ops.REPLACE, device, lines=tuple(chat.network.archive.config("d1").splitlines()))
    assert outcome.status is Status.CHANGED, outcome.summary
    assert sorted(it.running) == sorted(before)
