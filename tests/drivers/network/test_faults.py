"""The network driver on devices that page, ask for enable, are slow, old, busy, or lose their prompt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.jobs.throttle import Caps
from automation_bots.model import Device, Status
from tests.drivers.network.bench import Chat, driver
from tests.drivers.ssh.bench import closed_port
from tests.fakes.clis import ENABLE, PASSWORD, USER, Cli, Manner, Shelf
from tests.fakes.frr import wait

pytestmark = pytest.mark.slow


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf(tmp_path / "known_hosts") as shelf:
        yield shelf


@pytest.fixture
def chat(shelf: Shelf, tmp_path: Path) -> Chat:
    network = driver(shelf.known_hosts, tmp_path / "data")
    return Chat(network, tmp_path / "work", ansible_password=PASSWORD, ansible_become_password=ENABLE)


@pytest.fixture
def device(shelf: Shelf):
    def made(name: str = "sw1", *, options: Manner, **variables: object) -> Device:
        port = shelf.put(Cli(name, options))
        usual = {"ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": USER, "platform": "cisco_ios"}
        return Device(name, variables={**usual, **variables})

    return made


VERSION = {"command": ("version",)}
RUNNING = {"command": ("running-config",)}


def test_enable_is_asked_for_and_given(chat, device):
    outcome = chat.one(ops.SHOW, device(options=Manner(enable=ENABLE)), **RUNNING)
    assert (outcome.status, outcome.output.splitlines()[0]) == (Status.OK, "hostname sw1")


def test_a_wrong_enable_password_is_told(chat, device):
    outcome = chat.one(ops.SHOW, device(options=Manner(enable="another")), **RUNNING)
    assert outcome.status is Status.FAILED
    assert "the enable password is refused" in outcome.summary


def test_a_wrong_enable_password_is_told_by_the_lane_for_changes_too(chat, device):
    outcome = chat.one(ops.CONFIG, device(options=Manner(enable="another")), lines=("hostname x",))
    assert outcome.status is Status.FAILED
    assert "the enable password is refused" in outcome.summary


@pytest.mark.parametrize(
    ("operation", "values"), [(ops.SHOW, RUNNING), (ops.BACKUP, {}), (ops.CONFIG, {"lines": ("hostname x",)})]
)
def test_a_missing_enable_password_is_thought_of(chat, device, operation, values):
    chat.known = {"ansible_password": PASSWORD}
    outcome = chat.one(operation, device(options=Manner(enable=ENABLE)), **values)
    assert outcome.status is Status.FAILED
    assert "not in the enable mode: see ansible_become_password" in outcome.summary


def test_pages_are_turned_and_leave_no_trace(chat, device):
    # `terminal length 0` is refused by a device that pages for ever
    target = device(options=Manner(pages=5, stubborn=True))
    output = chat.one(ops.SHOW, target, **RUNNING).output
    assert output.split("\n") == ["hostname sw1", "!", "interface Gi0/1", " description x", "!", "end"]


def test_a_prompt_that_does_not_come_back_is_given_up_and_quoted(chat, device):
    target = device(options=Manner(silent="show version"), network_read_seconds=1)
    outcome = chat.one(ops.SHOW, target, **VERSION)
    assert outcome.status is Status.FAILED
    assert "the prompt did not come back within 1 s after 'show version'; the device shows: working" in outcome.summary


def test_a_slow_device_has_the_time_that_its_inventory_gives_it(chat, device):
    slow = Manner(slow_seconds=1.5)
    assert chat.one(ops.SHOW, device(options=slow, network_read_seconds=1), **VERSION).status is Status.FAILED
    assert chat.one(ops.SHOW, device("sw2", options=slow, network_read_seconds=5), **VERSION).status is Status.OK


@pytest.mark.parametrize("seconds", ["soon", "-1", [5], "1e9"])
def test_seconds_that_are_none_concern_that_device_only(chat, device, seconds):
    wrong = device("sw2", options=Manner(), network_read_seconds=seconds)
    found = chat.run(ops.SHOW, device(options=Manner()), wrong, **VERSION).outcomes
    assert found["sw1"].status is Status.OK
    assert "network_read_seconds in its inventory has to be seconds" in found["sw2"].summary


def test_netmiko_s_expressions_are_not_told(chat, device):
    target = device(options=Manner(silent="show version"), platform="cisco_asa", network_read_seconds=2)
    assert chat.one(ops.SHOW, target, **VERSION).summary == (
        "the prompt did not come back in time; see network_read_seconds in the inventory"
    )


def test_a_banner_with_a_line_like_a_prompt_is_no_prompt(chat, device):
    target = device(options=Manner(banner="*** authorised only ***\r\nrouter1#\r\n"))
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.OK


def test_an_old_device_is_reached_only_when_the_inventory_says_so(chat, device):
    options = Manner(old=True)
    refused = chat.one(ops.SHOW, device(options=options), **VERSION)
    assert refused.status is Status.UNREACHABLE
    assert "ssh_legacy: true" in refused.summary
    assert chat.one(ops.SHOW, device("sw2", options=options, ssh_legacy=True), **VERSION).status is Status.OK


def test_a_device_whose_sessions_are_taken_is_tried_again(chat, shelf):
    cli = Cli("sw1", Manner(sessions=1, busy=2))
    target = Device("sw1", variables={"ansible_host": "127.0.0.1", "ansible_port": shelf.put(cli),
                                      "ansible_user": USER, "platform": "cisco_ios"})  # fmt: skip
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.OK


def test_a_read_needs_one_session_only(chat, shelf):
    cli = Cli("sw1", Manner())
    target = Device("sw1", variables={"ansible_host": "127.0.0.1", "ansible_port": shelf.put(cli),
                                      "ansible_user": USER, "platform": "cisco_ios"})  # fmt: skip
    chat.one(ops.SHOW, target, **VERSION)
    assert cli.most == 1


def test_the_next_read_goes_over_the_session_that_is_open(chat, shelf):
    cli, target = counted(shelf)
    assert {chat.one(ops.SHOW, target, **VERSION).status for _ in range(3)} == {Status.OK}
    assert chat.one(ops.BACKUP, target).status is Status.OK
    assert cli.logins == 1


def test_a_device_that_hung_up_meanwhile_is_logged_in_to_again(chat, shelf):
    cli, target = counted(shelf)
    chat.one(ops.SHOW, target, **VERSION)
    shelf.hang_up(cli)
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.OK
    assert cli.logins == 2


def test_a_device_with_another_name_meanwhile_is_still_read(chat, shelf):
    cli, target = counted(shelf)
    chat.one(ops.SHOW, target, **VERSION)
    cli.name = "another"
    assert chat.one(ops.SHOW, target, **RUNNING).output.startswith("hostname another")


def test_another_password_is_never_given_the_session_of_the_one_before(chat, shelf):
    _, target = counted(shelf)
    chat.one(ops.SHOW, target, **VERSION)
    chat.known = {"ansible_password": "wrong"}
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.UNREACHABLE


def test_a_session_that_is_kept_makes_way_for_a_change(chat, shelf):
    cli, target = counted(shelf, Manner(sessions=1))
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.OK
    assert chat.one(ops.CONFIG, target, lines=("hostname x",), check=True).status is Status.OK
    assert cli.most == 1


def test_a_session_is_kept_only_as_long_as_it_may(shelf, tmp_path):
    network = driver(shelf.known_hosts, tmp_path / "data", keep_seconds=0.5)
    chat, (cli, target) = Chat(network, tmp_path / "work", ansible_password=PASSWORD), counted(shelf)
    chat.one(ops.SHOW, target, **VERSION)
    wait(lambda: cli.connections == 0, 5)


def test_a_device_with_five_sessions_never_gets_more(chat, shelf):
    cli, target = counted(shelf, Manner(sessions=5, slow_seconds=0.2))
    chat.one(ops.SHOW, target, **VERSION)
    with ThreadPoolExecutor() as jobs:  # as many as the throttle lets read at once
        others = [Chat(chat.network, chat.folder / str(n), **chat.known) for n in range(Caps().device)]
        found = list(jobs.map(lambda it: it.one(ops.SHOW, target, **VERSION).status, others))
    assert set(found) == {Status.OK}
    assert cli.most <= 5
    assert cli.turned_away == 0


def counted(shelf: Shelf, options: Manner = Manner()) -> tuple[Cli, Device]:  # noqa: B008 - it is frozen
    cli = Cli("sw1", options)
    login = {"ansible_host": "127.0.0.1", "ansible_port": shelf.put(cli), "ansible_user": USER}
    return cli, Device("sw1", variables={**login, "platform": "cisco_ios"})


def test_a_device_that_is_not_there_spoils_no_other(chat, device):
    gone = Device("gone", variables={**device(options=Manner()).variables, "ansible_port": closed_port()})
    outcomes = chat.run(ops.SHOW, gone, device("sw2", options=Manner()), **VERSION).outcomes
    assert outcomes["gone"].status is Status.UNREACHABLE
    assert outcomes["sw2"].status is Status.OK


def test_passwords_stand_in_no_argument_and_no_environment(chat, device):
    chat.one(ops.SHOW, device(options=Manner()), **VERSION)
    child, _ = chat.network.processes._kept
    for place in ("cmdline", "environ"):
        assert PASSWORD.encode() not in Path(f"/proc/{child._group.pid}/{place}").read_bytes()


def test_a_process_that_was_killed_is_started_again(chat, device):
    target = device(options=Manner())
    chat.one(ops.SHOW, target, **VERSION)
    kept, _ = chat.network.processes._kept
    kept.terminate()
    wait(kept.ended, 5)
    assert chat.one(ops.SHOW, target, **VERSION).status is Status.OK


def test_a_device_behind_a_jump_host_is_reached_through_it(chat, device, shelf, sshd):
    with shelf.known_hosts.open("a") as file:
        file.write(sshd.known_hosts.read_text())
    jump = f"{sshd.user}@{sshd.addresses[0]}:{sshd.port}"
    behind = device(options=Manner(), jump=jump, ansible_ssh_private_key_file=str(sshd.key_file))
    outcome = chat.one(ops.SHOW, behind, **VERSION)
    assert (outcome.status, "15.0(2)SE11" in outcome.summary) == (Status.OK, True)


def test_a_jump_host_that_is_not_trusted_is_named(chat, device, sshd):
    jump = f"{sshd.user}@{sshd.addresses[0]}:{sshd.port}"
    behind = device(options=Manner(), jump=jump, ansible_ssh_private_key_file=str(sshd.key_file))
    outcome = chat.one(ops.SHOW, behind, **VERSION)
    assert f"the host key of {sshd.addresses[0]}:{sshd.port} is not known" in outcome.summary
