"""Configurations are read strictly, with platform and section; prose is left in peace."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from automation_bots.cli.redact import shown
from automation_bots.drivers.network.device_requests import is_of_configuration
from automation_bots.jobs.reports import OutcomeCollector
from automation_bots.model import Caller, Job, Outcome, Place, Risk, State, Status
from automation_bots.redaction.configurations import documented
from automation_bots.redaction.mark import MARK
from automation_bots.redaction.redactor import Redactor

ON_ONE_PLATFORM = [
    ("fortinet", 'config system snmp community\n    edit 1\n        set name "{}"\n'),
    ("mikrotik_routeros", "/snmp community\nadd address=::/0 name={}\n"),
    ("cisco_viptela", "snmp\n community {}\n"),
    ("f5_tmsh", "sys snmp {{\n    traps {{\n        t1 {{\n            community {}\n"),
    ("network", "+ snmp │ community {}\n"),
    ("network", " snmp\n-  community {}\n"),
]


@pytest.mark.parametrize(("platform", "text"), ON_ONE_PLATFORM)
def test_what_only_its_section_shows_is_taken_out_of_a_configuration(platform, text):
    whole = text.format("winterberry")
    assert Redactor().text(whole, configuration_of=platform) == text.format(MARK)


HARMLESS = [
    ("fortinet", 'config system interface\n    edit "port1"\n        set name "winterberry"\n'),
    ("mikrotik_routeros", "/interface bridge\nadd address=::/0 name=winterberry\n"),
    ("cisco_ios", "route-map IN permit 10\n set community 65000:1\n match community winterberry\n"),
    ("cisco_xr", "community-set winterberry\n  65000:1\nend-set\n"),
]


@pytest.mark.parametrize(("platform", "text"), HARMLESS)
def test_the_same_line_in_another_section_is_none(platform, text):
    assert Redactor().text(text, configuration_of=platform) == text


def test_in_prose_no_section_is_looked_for():
    text = "snmp\n community winterberry\n"
    assert Redactor().text(text) == text


@pytest.mark.parametrize("platform", ["cisco_ios", ""])
def test_an_outcome_says_whether_it_is_a_configuration(platform):
    job = Job(
        1, State.RUNNING, "ana", Caller("t", "1"), Place("t", "r"), "show", {}, "", ("r1",), Risk.READ, ("network",)
    )
    collector = OutcomeCollector(job, {}, None, Redactor())
    collector.secrets_known.set()
    outcome = Outcome("r1", Status.OK, "", "snmp\n community winterberry\n", configuration_of=platform)
    (told,) = collector._cleaned([outcome])
    assert (MARK in told.output) == bool(platform)


@pytest.mark.parametrize(
    ("kind", "command", "expected"),
    [
        ("config", "", True),
        ("running", "", True),
        ("show", "show run | include snmp", True),
        ("show", "show running-config interface Gi1", True),
        ("show", "display current-configuration", True),
        ("show", "show configuration | display set", True),
        ("show", "/snmp export", True),
        ("show", "show ip interface brief", False),
        ("show", "show version", False),
        ("getter", "", False),
    ],
)
def test_what_a_command_shows_is_a_configuration_or_not(kind, command, expected):
    assert is_of_configuration(SimpleNamespace(kind=kind, values={"command": command})) == expected


def test_an_admin_sees_the_row_of_a_section():
    said = "\n".join(shown(Redactor(), "snmp\n community winterberry\n", "cisco_viptela"))
    assert "by SNMP community: below snmp: ^community <secret>" in said


def test_the_documents_show_the_rows_of_sections():
    assert documented() in (Path(__file__).resolve().parents[2] / "docs" / "security.md").read_text("utf-8")
