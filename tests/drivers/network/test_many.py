"""Many network devices that answer alike: equal tables are told once, through a whole bot."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.clis import PASSWORD, USER, Cli, Manner, Shelf
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'
HEAD = "Interface              IP-Address      OK? Method Status                Protocol\n"


class Switch(Cli):
    """A switch with interfaces of its own address and state."""

    def __init__(self, *interfaces: tuple[str, str, str]) -> None:
        super().__init__("sw", Manner())
        self.interfaces = interfaces

    def answer(self, line: str, *, privileged: bool) -> str:
        if line == "show ip interface brief":
            return HEAD + "\n".join(f"{n:22} {ip:15} YES NVRAM  {up:21} {up}" for n, ip, up in self.interfaces)
        return super().answer(line, privileged=privileged)


UP = [(f"GigabitEthernet0/{number}", "unassigned", "up") for number in range(1, 5)]
KINDS = {
    "sw[1:42]": Switch(*UP),
    "core[1:2]": Switch(*UP[:3], ("GigabitEthernet0/4", "unassigned", "down")),
    "old1": Switch(("Vlan1", "192.0.2.1", "up")),
    "bare1": Switch(),
}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    folder: Path = tmp_path_factory.mktemp("bot")
    with Shelf(folder / "known_hosts") as shelf:
        login = f"driver: network, platform: cisco_ios, ansible_user: {USER}, ansible_password: {PASSWORD}"
        hosts = "".join(
            f"    '{name}': {{ansible_host: 127.0.0.1, ansible_port: {shelf.put(device)}}}\n"
            for name, device in KINDS.items()
        )
        files = f"all:\n  vars: {{{login}}}\n  hosts:\n{hosts}    gone1: {{ansible_host: 127.0.0.1, ansible_port: 1}}\n"
        with ChatBot(write_folder(folder, toml=TOML, hosts=files)) as chat:
            yield chat


SW, CORE, OLD = "sw*", "core1,core2", "old1"


def test_equal_tables_are_told_once_and_what_differs_by_its_lines(chat):
    said = chat.asks(f"!show ip interface brief on {SW},{CORE},{OLD}", "done in .*45 ok")
    assert "45 ok. 42 devices: same; 3 differ: core1, core2, old1" in said.splitlines()[0]
    assert said.splitlines()[1:] == [
        "── 42 devices: same: sw1–sw42",
        "interface           ip_address  status  proto",
        "GigabitEthernet0/1  unassigned  up      up",
        "GigabitEthernet0/2  unassigned  up      up",
        "GigabitEthernet0/3  unassigned  up      up",
        "GigabitEthernet0/4  unassigned  up      up",
        "── 2 differ, only what is other (- there, + here): core1, core2",
        "- GigabitEthernet0/4  unassigned  up      up",
        "+ GigabitEthernet0/4  unassigned  down    down",
        "── 1 differs: old1",
        "interface           ip_address  status  proto",
        "Vlan1               192.0.2.1   up      up",
    ]


def test_the_same_columns_of_all_are_one_answer(chat):
    said = chat.asks(f"!show ip interface brief | columns interface | match 0/4 on {SW},{CORE}", "done in .*44 ok")
    assert said.splitlines()[0].endswith("44 ok. 44 devices: same.")
    assert said.splitlines()[2:] == ["interface", "GigabitEthernet0/4"]


def test_where_most_have_no_row_that_is_said_once(chat):
    said = chat.asks(f"!show ip interface brief | match down on {SW},{CORE}", "done in .*44 ok")
    assert "── 42 devices: same: sw1–sw42\n(no row)\n── 2 differ: core1, core2" in said
    assert said.splitlines()[-1].split() == ["GigabitEthernet0/4", "unassigned", "down", "down"]


def test_where_all_differ_they_stay_one_table(chat):
    said = chat.asks(f"!show ip interface brief | match 0/4|Vlan on core1,{OLD}", "done in .*2 ok").splitlines()
    assert [line.split()[0] for line in said[1:]] == ["device", "core1", "old1"]


def test_a_csv_file_has_every_device_by_itself(chat):
    said = chat.asks(f"!show ip interface brief | csv on {SW},{OLD}", "done in .*43 ok")
    table = '"device","interface"' + said.partition('"device","interface"')[2]
    rows = list(csv.DictReader(io.StringIO(table)))
    assert len(rows) == 42 * 4 + 1
    assert {row["device"] for row in rows} == {*(f"sw{number}" for number in range(1, 43)), "old1"}
    assert "42 devices: same; 1 differs: old1" in said


def test_devices_without_a_table_and_those_out_of_reach_are_told_beside_it(chat):
    said = chat.asks(f"!show ip interface brief on {SW},bare1,gone1", "done in .*43 ok, 1 unreachable", seconds=40)
    assert "42 devices: same" in said.splitlines()[0]
    assert "gone1  unreachable" in said
    assert "bare1  ok           Interface              IP-Address" in said


def test_what_is_other_than_the_last_time_is_told_once_too(chat):
    KINDS["sw[1:42]"].interfaces = tuple(UP)
    chat.asks(f"!show ip interface brief on {SW}", "done in .*42 ok")
    KINDS["sw[1:42]"].interfaces = (*UP, ("Vlan7", "192.0.2.7", "up"))
    said = chat.asks(f"!show ip interface brief --diff on {SW}", "done in .*42 ok")
    KINDS["sw[1:42]"].interfaces = tuple(UP)
    assert said.splitlines()[1] == "── sw1–sw42"
    assert "+ Vlan7" in said
    assert said.count("+ Vlan7") == 1
