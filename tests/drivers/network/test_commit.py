"""Candidates and commit timers as EOS, Junos, IOS and IOS XR take them: what is sent, and what runs afterwards."""

from __future__ import annotations

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.fakes.clis import PASSWORD, USER, Manner, Shelf
from tests.fakes.clis_config import Configurable, Eos, Ios, Junos, Vyos, Xr

pytestmark = pytest.mark.slow
OLD, NEW = "interface Et1\tdescription old", "interface Et1\tdescription new"
LINES = ("interface Et1", " description new")
SET_OLD, SET_NEW = "set interfaces ge-0/0/0 description old", "set interfaces ge-0/0/1 description new"
KINDS = {
    "arista_eos": (Eos, ("hostname d1", "interface Et1", OLD), LINES, NEW),
    "cisco_ios": (Ios, ("hostname d1", "interface Et1", OLD), LINES, NEW),
    "cisco_xr": (Xr, ("hostname d1", "interface Et1", OLD), LINES, NEW),
    "juniper_junos": (Junos, (SET_OLD,), (SET_NEW,), SET_NEW),
}
SESSION = "configure session automation_bots_42"
COMMITS = {
    "arista_eos": [f"{SESSION} commit timer 00:03:00", f"{SESSION} commit"],
    "cisco_ios": ["configure terminal revert timer 3", "configure confirm"],
    "cisco_xr": ["commit confirmed 180", "commit"],
    "juniper_junos": ["commit confirmed 3 and-quit", "commit and-quit"],
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    with Shelf(tmp_path_factory.mktemp("shelf") / "known_hosts") as shelf:
        yield shelf


@pytest.fixture(scope="module")
def chat(shelf: Shelf, tmp_path_factory) -> Chat:
    folder = tmp_path_factory.mktemp("chat")
    return Chat(driver(shelf.known_hosts, folder / "data"), folder / "work", ansible_password=PASSWORD)


def put(shelf: Shelf, it: Configurable, platform: str) -> Device:
    login = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(it), "ansible_user": USER}
    return Device(it.name, variables={**login, "platform": platform})


@pytest.fixture(params=sorted(KINDS))
def platform(request) -> str:
    return request.param


@pytest.fixture
def it(platform: str) -> Configurable:
    kind, lines, _, _ = KINDS[platform]
    return kind("d1", *lines)


@pytest.fixture
def device(shelf: Shelf, it: Configurable, platform: str) -> Device:
    return put(shelf, it, platform)


def test_the_difference_is_shown_and_nothing_stays_behind(chat, it, device, platform):
    outcome = chat.one(ops.CONFIG, device, lines=KINDS[platform][2], check=True)
    assert outcome.status is Status.OK, outcome.summary
    assert "description new" in outcome.output
    assert it.running == KINDS[platform][1]
    assert not getattr(it, "sessions", {})


def test_a_change_is_committed_on_trial_looked_at_and_confirmed(chat, it, device, platform):
    outcome = chat.one(ops.CONFIG, device, lines=KINDS[platform][2], within=20)
    assert outcome.status is Status.CHANGED, outcome.summary
    assert KINDS[platform][3] in it.running
    assert [line for line in it.heard if line in COMMITS[platform]] == COMMITS[platform]
    assert (it.pending, it.saved) == (False, 0)


def test_a_refused_line_leaves_what_ran_before(chat, it, device, platform):
    bad = ("interface Et1", " nonsense 1") if platform != "juniper_junos" else ("nonsense 1",)
    outcome = chat.one(ops.CONFIG, device, lines=bad)
    assert outcome.status is Status.FAILED
    assert it.running == KINDS[platform][1]
    assert not it.pending


def test_what_a_job_replaced_comes_back(chat, it, device, platform):
    chat.one(ops.CONFIG, device, lines=KINDS[platform][2])
    outcome = chat.one(ops.ROLLBACK, device, job=42)
    assert outcome.status is Status.CHANGED, outcome.summary
    assert sorted(it.running) == sorted(KINDS[platform][1])


def test_a_replacement_removes_what_it_does_not_name(chat, it, device, platform):
    lines = ("hostname d1", *LINES) if platform != "juniper_junos" else (SET_NEW,)
    outcome = chat.one(ops.REPLACE, device, lines=lines)
    assert outcome.status is Status.CHANGED, outcome.summary
    assert KINDS[platform][3] in it.running
    assert not [line for line in it.running if line.endswith("old")]


def test_a_device_that_went_back_by_itself_is_not_called_changed(chat, it, device, platform):
    it.impatient = True
    outcome = chat.one(ops.CONFIG, device, lines=KINDS[platform][2])
    assert outcome.status is Status.FAILED
    assert "went back by itself" in outcome.summary
    assert it.running == KINDS[platform][1]


def test_ios_without_its_archive_is_configured_line_by_line(chat, shelf):
    it = Ios("d3", "interface Et1", OLD)
    it.archive = False
    assert chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=LINES).status is Status.CHANGED
    assert NEW in it.running
    assert "configure confirm" not in it.heard


@pytest.mark.parametrize("asks", ["Do you want to continue? [confirm]", "Continue? [yes/no]: "])
def test_a_line_that_the_device_asks_about_is_meant_also_when_it_is_undone(chat, shelf, asks):
    it = Ios("d8", "interface Et1", "username old")
    it.archive, it.asks = False, asks
    device = put(shelf, it, "cisco_ios")
    assert chat.one(ops.CONFIG, device, lines=("no username old", "username new")).status is Status.CHANGED
    assert it.running == ("interface Et1", "username new")
    outcome = chat.one(ops.CONFIG, device, lines=("username another", "nonsense"))
    assert outcome.summary.endswith("rolled back to what it was before")
    assert it.running == ("interface Et1", "username new")


@pytest.mark.parametrize("archive", [True, False])
def test_a_change_that_locks_everybody_out_goes_back_over_the_session_that_is_open(chat, shelf, archive):
    it = Ios("d7", "interface Et1", OLD)
    it.archive = archive
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=("interface Et1", " shutdown"), within=2)
    assert outcome.status is Status.FAILED
    assert "a new login does not work" in outcome.summary
    assert "rolled back to what it was before" in outcome.summary
    assert it.running == ("interface Et1", OLD)


def test_a_new_hostname_is_followed(chat, shelf):
    it = Ios("d4", "hostname d4")
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=("hostname another", "interface Et1"))
    assert (outcome.status, it.running) == (Status.CHANGED, ("hostname another", "interface Et1"))


def test_a_commit_that_junos_refuses_is_told_and_dropped(chat, shelf):
    it = Junos("d5", SET_OLD)
    outcome = chat.one(ops.CONFIG, put(shelf, it, "juniper_junos"), lines=("set system bad",))
    assert "configuration check-out failed" in outcome.summary
    assert it.running == (SET_OLD,)


def test_saving_is_done_only_where_it_is_wanted(chat, shelf):
    it = Eos("d6", "interface Et1")
    chat.one(ops.CONFIG, put(shelf, it, "arista_eos"), lines=LINES, save=True)
    assert it.saved == 1


def test_what_cannot_be_saved_is_told_and_taken_back(chat, shelf):
    it = Ios("d10", "interface Et1", OLD)
    it.archive, it.full = False, True
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=LINES, save=True)
    assert "does not save its configuration: % Error opening nvram" in outcome.summary
    assert (outcome.status, it.running, it.saved) == (Status.FAILED, ("interface Et1", OLD), 0)


def test_a_prompt_that_only_netmiko_finds_is_configured_by_netmiko(chat, shelf):
    it = Ios("d11", "interface Et1", OLD)
    it.archive, it.manner = False, Manner(mute=True)
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=("hostname new", *LINES), save=True)
    assert (outcome.status, it.saved) == (Status.CHANGED, 1), outcome.summary
    assert NEW in it.running


REFUSALS = [
    ("cisco_ios", "Command rejected: Conflict between IP and VLAN."),
    ("cisco_ios", "%Inconsistent address and mask"),
    ("cisco_ios", "% Policy map GOLD not configured"),
    ("cisco_ios", "BGP is already running; AS is 65001"),
    ("arista_eos", "% Address 10.0.0.1/24 is already assigned to interface Et2"),
    ("cisco_xr", "% Only one OSPF process may be configured"),
    ("juniper_junos", "             ^\nmissing argument."),
]


@pytest.mark.parametrize(("platform", "says"), REFUSALS)
def test_a_line_that_the_device_speaks_against_is_not_made_and_takes_the_others_back(chat, it, device, platform, says):
    lines = KINDS[platform][2]
    it.says = {(bad := "set system bad" if platform == "juniper_junos" else "description bad"): says}
    outcome = chat.one(ops.CONFIG, device, lines=(*lines, *([bad] if platform == "juniper_junos" else [f" {bad}"])))
    assert outcome.status is Status.FAILED
    assert f"refuses {bad!r}: {says.splitlines()[-1].strip()}" in outcome.summary
    assert it.running == KINDS[platform][1]


def test_a_refused_head_of_a_section_stops_its_block(chat, shelf):
    it = Ios("d9", "router 1")
    it.archive, it.says = False, {"router bgp 65009": "BGP is already running; AS is 65001"}
    lines = ("router bgp 65009", " neighbor 192.0.2.9 remote-as 1", "hostname other")
    outcome = chat.one(ops.CONFIG, put(shelf, it, "cisco_ios"), lines=lines)
    assert (
        "refuses 'router bgp 65009': BGP is already running; AS is 65001; not sent any more: 2 lines" in outcome.summary
    )
    assert "neighbor 192.0.2.9 remote-as 1" not in it.heard


def test_what_a_device_forgets_without_a_word_is_not_called_ok(chat, it, device, platform):
    line = "set system gone" if platform == "juniper_junos" else "neighbor 192.0.2.1 description x"
    it.silent = (line,)
    alone = chat.one(ops.CONFIG, device, lines=(line,))
    assert (alone.status, alone.summary.startswith("nothing changed, and 1 line is not")) == (Status.FAILED, True)
    beside = chat.one(ops.CONFIG, device, lines=(line, *KINDS[platform][2]))
    assert beside.status is Status.CHANGED
    assert repr(line) in beside.summary


def test_a_line_that_changes_nothing_is_so_already(chat, it, device, platform):
    lines = ("interface Et1", " description old") if platform != "juniper_junos" else (SET_OLD,)
    outcome = chat.one(ops.CONFIG, device, lines=lines)
    assert (outcome.status, outcome.summary) == (Status.OK, "nothing to change: it is so already")


def test_more_devices_than_threads_are_changed_at_once(chat, shelf):
    """The threads wait for the loop, which logs in: it needs threads of its own."""
    chat.network.threads = 2
    devices = [put(shelf, Ios(f"m{number}", "interface Et1", OLD), "cisco_ios") for number in range(4)]
    heard = chat.run(ops.CONFIG, *devices, lines=LINES, seconds=120)
    assert {outcome.status for outcome in heard.outcomes.values()} == {Status.CHANGED}, heard.outcomes


HOST = "set system host-name 'v1'"


@pytest.fixture
def vyos() -> Vyos:
    return Vyos("v1", "set interfaces ethernet eth0 description 'to r2'", HOST)


@pytest.fixture
def v1(shelf, vyos) -> Device:
    return put(shelf, vyos, "vyos")


def test_vyos_compares_commits_and_saves(chat, vyos, v1):
    lines = ("set interfaces ethernet eth1 address 192.0.2.1/24", "delete interfaces ethernet eth0 description")
    check = chat.one(ops.CONFIG, v1, lines=lines, check=True)
    assert (
        check.output
        == "- interfaces ethernet eth0 description 'to r2'\n+ interfaces ethernet eth1 address '192.0.2.1/24'"
    )
    assert vyos.running[-1] == HOST
    outcome = chat.one(ops.CONFIG, v1, lines=lines, save=True)
    assert (outcome.status, vyos.saved) == (Status.CHANGED, 1), outcome.summary
    assert vyos.running == ("set interfaces ethernet eth1 address '192.0.2.1/24'", HOST)
    assert chat.one(ops.ROLLBACK, v1, job=42).status is Status.CHANGED
    assert vyos.running == ("set interfaces ethernet eth0 description 'to r2'", HOST)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ("set sytem host-name v2",),
            "refuses 'set sytem host-name v2': Configuration path: [sytem host-name v2] is not valid",
        ),
        (("set system host-name v_2",), "refuses the commit: [ system host-name v_2 ]; invalid host name v_2"),
        (("delete interface ethernet eth0",), "refuses 'delete interface ethernet eth0': Configuration path: "),
    ],
)
def test_what_vyos_refuses_is_told_and_forgotten(chat, vyos, v1, lines, words):
    before = vyos.running
    outcome = chat.one(ops.CONFIG, v1, lines=("set service ssh port 22", *lines))
    assert (outcome.status, words in outcome.summary) == (Status.FAILED, True), outcome.summary
    assert vyos.running == before


def test_what_is_so_on_vyos_is_ok_however_it_is_quoted_and_a_new_name_is_followed(chat, vyos, v1):
    lines = ('set interfaces ethernet eth0 description "to r2"', "set system host-name v1", "delete service ssh")
    assert chat.one(ops.CONFIG, v1, lines=lines).summary == "nothing to change: it is so already"
    assert chat.one(ops.CONFIG, v1, lines=("set system host-name v2",)).status is Status.CHANGED
    assert chat.one(ops.REPLACE, v1, lines=(HOST,)).status is Status.CHANGED
    assert vyos.running == (HOST,)
