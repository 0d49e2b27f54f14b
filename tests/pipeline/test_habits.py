"""What people of the field type by habit leads to the operation that they mean."""

import pytest

from automation_bots.pipeline.habits import meant

KNOWN = {"config", "show", "service", "ps", "reboot", "disk", "get-report"}


@pytest.mark.parametrize(
    ("typed", "name", "line"),
    [
        ("conf t", "config", ""),
        ("configure terminal", "config", ""),
        ("config t", "config", ""),
        ("config core1", "config", "core1"),
        ("sh ip route on core1", "show", "ip route on core1"),
        ("display version on hw1", "show", "version on hw1"),
        ("sudo service nginx restart on web", "service", "nginx restart on web"),
        ("sudo systemctl restart nginx on web", "service", "restart nginx on web"),
        ("get system status on fw1", "show", "get system status on fw1"),
        ("sudo", "sudo", ""),
        ("get-service spooler on win1", "ps", "get-service spooler on win1"),
        ("Set-Service spooler -StartupType Automatic", "ps", "Set-Service spooler -StartupType Automatic"),
        ("get-report x", "get-report", "x"),
        ("df on web", "disk", "on web"),
        ("free on web", "free", "on web"),
        ("uptme on web", "uptme", "on web"),
    ],
)
def test_habits_lead_to_what_is_there_and_all_else_stays_as_it_was_typed(typed, name, line):
    first, _, rest = typed.partition(" ")
    assert meant(first, rest, KNOWN.__contains__) == (name, line)
