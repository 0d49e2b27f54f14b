"""What the words of Salt's operations mean, without any Salt."""

import pytest

from automation_bots.drivers.salt.functions import may_be_a_minion
from automation_bots.model import Device


@pytest.mark.parametrize(
    ("variables", "may"),
    [
        ({}, True),
        ({"driver": ["ssh", "salt"]}, True),
        ({"driver": "ssh"}, False),
        ({"platform": "cisco_ios"}, False),
        ({"ansible_network_os": "arista.eos.eos"}, False),
        ({"platform": "cisco_nxos", "salt_minion": "proxy-1"}, True),
        ({"ansible_connection": "winrm"}, True),
    ],
)
def test_salt_is_not_expected_on_a_switch_and_where_other_drivers_are_named(variables, may):
    assert may_be_a_minion(Device("x", variables=variables)) is may
