"""The gate on what people do about alerts: on its device; of no device only by a rule that says so."""

import pytest

from automation_bots.drivers.alerts.driver import OPERATIONS
from automation_bots.policy import gate
from tests.support.world import NOON, request, scope_of

ACK = next(one for one in OPERATIONS if one.name == "ack-alert")
PEOPLE = 'people: {joe: {text: "@joe", groups: [noc]}, bea: {text: "@bea", groups: [admins]}}\nrules:\n'
ADMINS = "  - {name: admins, who: admins, may: [everything]}\n"


def decide(tmp_path, rule, *devices, who="joe"):
    scope = scope_of(tmp_path, f"{PEOPLE}{ADMINS}  - {rule}\n")
    return gate.decide(scope, request(who, ACK, *devices, where="#noc", alert="A1"), NOON)


@pytest.mark.parametrize(
    ("rule", "devices", "verdict"),
    [
        ('{name: n, who: noc, may: ["driver:alerts"], on: web}', ("web1",), "allow"),
        ('{name: n, who: noc, may: ["driver:alerts"], on: web}', ("core1",), "deny"),
        ("{name: n, who: noc, may: [reads]}", ("web1",), "deny"),
        ("{name: n, who: noc, may: [changes], on: web}", ("web1",), "allow"),
        ("{name: n, who: noc, may: [ack-alert]}", (), "allow"),
        ("{name: n, who: noc, may: [ack-alert], on: web}", (), "deny"),
        ('{name: n, who: noc, may: ["driver:alerts"]}', (), "deny"),
        ("{name: n, who: noc, may: [everything]}", (), "deny"),
        ("{name: n, who: noc, deny: [ack-alert]}", ("web1",), "deny"),
    ],
)
def test_an_alert_is_judged_on_its_device_and_without_one_by_a_rule_for_all_that_names_it(
    tmp_path, rule, devices, verdict
):
    assert decide(tmp_path, rule, *devices).verdict == verdict


def test_admins_do_it_about_no_device_too_and_others_hear_why_not(tmp_path):
    nobody = "{name: n, who: noc, may: [reads]}"
    assert decide(tmp_path, nobody, who="bea").verdict == "allow"
    assert "the alert is of no device of the inventory, and no rule names it" in decide(tmp_path, nobody).reason


def test_approval_is_asked_for_where_a_rule_wants_it(tmp_path):
    assert decide(tmp_path, "{name: n, who: noc, may: [ack-alert], on: web, needs: approval by admins}", "web1").needs
