"""Which operations have a way on which devices."""

from pathlib import Path

import pytest

from automation_bots.drivers.network.own_operations import SHOW
from automation_bots.drivers.salt.functions import GRAINS
from automation_bots.drivers.windows.ps_operation import PS
from automation_bots.model import Device, Operation
from automation_bots.operations import verbs
from automation_bots.operations.catalog import RUN
from automation_bots.operations.ways import has_way

VERBS = Path(__file__).parents[2] / "playbooks/verbs"
REBOOT, BGP, DISK = (verbs.load(VERBS / f"{name}.yml") for name in ("reboot", "bgp", "disk"))
SWITCH = Device("core1", variables={"driver": "network", "platform": "cisco_ios"})
OLD = Device("old1", variables={"driver": "network", "platform": "hp_comware"})
SERVER = Device("web1", variables={"driver": ["ssh", "salt"]})
WINDOWS = Device("win1", variables={"ansible_connection": "winrm"})


@pytest.mark.parametrize(
    ("operation", "able"),
    [
        (REBOOT, {"web1", "win1"}),
        (DISK, {"web1", "win1", "core1"}),
        (BGP, {"core1", "old1"}),
        (SHOW, {"core1", "old1"}),
        (PS, {"win1"}),
        (GRAINS, {"web1"}),
        (RUN, {"core1", "old1", "web1", "win1"}),
        (Operation("patch", "h", driver="ansible"), {"core1", "old1", "web1", "win1"}),
    ],
    ids=lambda value: value.name if isinstance(value, Operation) else "",
)
def test_an_operation_has_a_way_where_its_driver_and_its_words_reach(operation, able):
    assert {device.name for device in (SWITCH, OLD, SERVER, WINDOWS) if has_way(operation, device)} == able
