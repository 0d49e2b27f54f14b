"""What people reported of other tools that type at network devices, tried here on devices of that kind."""

from __future__ import annotations

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import PASSWORD, USER, Cli, Scripted, Shelf
from tests.fakes.clis_config import Ios, Junos, Xr

pytestmark = pytest.mark.slow
OLD, NEW = "interface Et1\tdescription old", "interface Et1\tdescription new"
LINES = ("interface Et1", " description new")
LOAD = "Load for five secs: 2%/0%; one minute: 2%\nTime source is NTP, 06:34:25.527 MES Fri Dec 3 2021\n\n"


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    with Shelf(tmp_path_factory.mktemp("shelf") / "known_hosts") as shelf:
        yield shelf


@pytest.fixture(scope="module")
def chat(shelf: Shelf, tmp_path_factory) -> Chat:
    folder = tmp_path_factory.mktemp("chat")
    return Chat(driver(shelf.known_hosts, folder / "data"), folder / "work", ansible_password=PASSWORD)


def put(shelf: Shelf, it: Cli, platform: str = "cisco_ios") -> Device:
    login = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(it), "ansible_user": USER}
    return Device(it.name, variables={**login, "platform": platform})


def ios(name: str, **manner: object) -> Ios:
    it = Ios(name, "interface Et1", OLD)
    it.archive = False
    for word, value in manner.items():
        setattr(it, word, value)
    return it


@pytest.mark.parametrize(
    "it",
    [
        ios("THIS.IS.A.PARTICULARLY.LONG"),  # netmiko 2755
        ios("Loc-S123987345", prompt_text="Loc-S123987345-STP-1234"),  # netmiko 2956
        ios("EWM_20555_XPT", prompt_text="0073-LSB-Ext_Fgvz"),  # netmiko 1708
        ios("stamped", stamp=LOAD),  # cisco.ios 462
    ],
    ids=lambda it: it.name,
)
def test_a_device_that_calls_itself_otherwise_in_configuration_mode_is_configured(chat, shelf, it):
    outcome = chat.one(ops.CONFIG, put(shelf, it), lines=LINES)
    assert (outcome.status, outcome.output) == (
        Status.CHANGED,
        "- interface Et1 │ description old\n+ interface Et1 │ description new",
    ), outcome.summary
    assert NEW in it.running


def test_a_new_name_and_back_are_followed_where_the_device_goes_back_itself(chat, shelf):
    it = ios("first", archive=True, says={"neighbor 1": "% Bad neighbor"})
    outcome = chat.one(ops.CONFIG, put(shelf, it), lines=("hostname second", "neighbor 1"))
    assert outcome.summary.endswith("% Bad neighbor; rolled back to what it was before")
    assert it.running == ("interface Et1", OLD)


def test_a_device_that_asks_before_it_saves_is_told_that_it_is_meant(chat, shelf):  # netmiko 1037
    it = ios("asks", asks_to_save="Overwrite the previous NVRAM configuration?[confirm]")
    outcome = chat.one(ops.CONFIG, put(shelf, it), lines=LINES, save=True)
    assert (outcome.status, it.saved) == (Status.CHANGED, 1), outcome.summary


def test_a_prompt_right_behind_an_answer_takes_nothing_of_it_away(chat, shelf):  # netmiko 1232
    answers = {"show led": "Location\n0/RP0/CPU0   907   ", "terminal length 0": ""}
    it = Scripted("ECR7", "RP/0/RP0/CPU0:ECR7#", answers, "% Invalid input")
    it.unended = True
    outcome = chat.one(ops.SHOW, put(shelf, it, "cisco_xr"), command=("led",))
    assert (outcome.status, outcome.output.split()) == (Status.OK, ["Location", "0/RP0/CPU0", "907"])


def test_a_line_of_a_log_with_words_of_a_failure_is_an_answer(chat, shelf):  # cisco.iosxr 632
    log = "RP/0/RP0/CPU0:Jun 19 13:42:57.617 UTC: tacacsd[1144]: %SECURITY-TACACSD-6-SERVER_DOWN : Connection timed out"
    it = Scripted("xr1", "RP/0/RP0/CPU0:xr1#", {"show logging": log}, "% Invalid input")
    assert chat.one(ops.SHOW, put(shelf, it, "cisco_xr"), command=("logging",)).status is Status.OK


def test_a_commit_that_ios_xr_refuses_is_told_with_the_line_that_it_is_about(chat, shelf):  # ansible 72640
    it = Xr("xr2", "hostname xr2", "interface Et1", OLD)
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_xr"), lines=("interface Et1", " description bad"))
    assert "the device refuses the commit: 'description bad': No such thing" in outcome.summary
    assert it.running == ("hostname xr2", "interface Et1", OLD)


def test_a_name_that_junos_commits_stands_in_the_next_prompt(chat, shelf):  # netmiko 905
    it = Junos("old-name", "set system host-name old-name")
    device = put(shelf, it, "juniper_junos")
    outcome = chat.one(ops.CONFIG, device, lines=("set system host-name new-name", "delete system host-name old-name"))
    assert (outcome.status, it.name) == (Status.CHANGED, "new-name"), outcome.summary
