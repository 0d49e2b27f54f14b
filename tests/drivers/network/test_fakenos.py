"""The network driver on thirty Cisco-like devices at once (FakeNOS): enable mode, tables, NAPALM."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation_bots.drivers.network import own_operations as ops
from automation_bots.model import GOOD, Device, Status
from automation_bots.operations import playbooks, verbs
from tests.drivers.network.bench import Chat, driver
from tests.fakes.fakenos import FakeNos

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def lab() -> Iterator[FakeNos]:
    if FakeNos.missing:
        pytest.skip(FakeNos.missing)
    with FakeNos(30) as lab:
        yield lab


@pytest.fixture
def devices(lab: FakeNos) -> tuple[Device, ...]:
    login = {"ansible_host": "127.0.0.1", "ansible_user": lab.user, "platform": "cisco_ios", "ansible_become": True}
    return tuple(Device(f"sw{n}", variables={**login, "ansible_port": port}) for n, port in enumerate(lab.ports, 1))


@pytest.fixture(scope="module")
def chat(lab: FakeNos, tmp_path_factory: pytest.TempPathFactory) -> Chat:
    """One driver for all tests; patient, since thirty devices in one process take their time on a busy machine."""
    folder = tmp_path_factory.mktemp("chat")
    patient = driver(lab.known_hosts, folder / "data", connect_seconds=60, read_seconds=60)
    return Chat(patient, folder / "work", ansible_password=lab.password)


def test_what_thirty_devices_answer_alike_is_told_once(chat, devices):
    heard = chat.run(ops.SHOW, *devices, command=("ip", "interface", "brief"), columns=("interface", "status"))
    assert {outcome.status for outcome in heard.outcomes.values()} == {Status.OK}
    said = heard.conclusions[0]
    assert said.text == "30 devices: same."
    first, header, *_ = said.block.splitlines()
    assert (first, header.split()) == ("── 30 devices: same: sw1–sw30", ["interface", "status"])


def test_two_devices_with_one_row_each_are_one_table(chat, devices):
    heard = chat.run(ops.SHOW, *devices[:2], command=("version",), columns=("version", "hostname"))
    lines = heard.conclusions[0].block.splitlines()
    assert lines[0].split() == ["device", "version", "hostname"]
    assert [line.split()[0] for line in lines[1:]] == ["sw1", "sw2"]


def test_a_table_can_be_a_csv_file(chat, devices):
    file = chat.run(ops.SHOW, *devices[:2], command=("ip", "interface", "brief"), csv=True).conclusions[0].files[0]
    assert file.name == "show-42.csv"
    assert file.text.splitlines()[0].startswith('"device",')


def test_a_column_that_is_not_there_is_told_with_those_that_are(chat, devices):
    outcome = chat.one(ops.SHOW, devices[0], command=("version",), columns=("colour",))
    assert outcome.status is Status.FAILED
    assert "no column colour; there are" in outcome.summary


@pytest.mark.parametrize("name", ["interfaces", "mac", "lldp"])
def test_napalm_answers_over_our_own_connection(chat, devices, name):
    outcome = chat.one(verbs.load(ROOT / f"playbooks/verbs/{name}.yml"), devices[0])
    assert outcome.status is Status.OK, outcome.summary
    assert outcome.output


def test_facts_are_asked_of_network_devices_in_their_own_way(chat, devices):
    outcome = chat.one(playbooks.load(ROOT / "playbooks/facts.yml"), devices[0])
    assert outcome.status is Status.OK, outcome.summary
    assert outcome.output.splitlines()[0].split()[:2] == ["hostname", "vendor"]
    assert "Cisco" in outcome.output


def test_a_backup_of_all_is_one_commit(chat, devices):
    heard = chat.run(ops.BACKUP, *devices, seconds=180)
    assert {outcome.summary for outcome in heard.outcomes.values() if outcome.status not in GOOD} == set()
    assert "30 for the first time" in heard.conclusions[0].text
    assert chat.one(ops.HISTORY, devices[0]).summary == "1 version"
