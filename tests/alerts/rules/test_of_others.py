"""What users of other tools met, and rules as they write them there: said in our words, they do what they mean."""

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.rules import filling
from automation_bots.errors import UserError
from automation_bots.model import Operation, Parameter
from automation_bots.pipeline import filled
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.filled import Filling
from tests.alerts.rules.made import Running, book, event, result, rule

NAME = Parameter("name", match=r"[\w@.-]+")
RESTART = Operation("restart-nginx", "h", driver="ansible")
INTERFACE = Operation("interface-down", "h", driver="ansible",
                      parameters=(Parameter("interface", match=r"[\w/.-]+"), Parameter("message")))  # fmt: skip
CONTAINER = Operation("restart-container", "h", driver="ansible", parameters=(NAME,))


def asked(operation, found, stored):
    """The values and devices with which a rule asks for an operation."""
    line = found.do.run.partition(" ")[2]
    typed = filled.parse(operation, line, Filling(filling.values(stored, line), {"web1", "core1"}.__contains__))
    return grammar.checked(operation, typed), typed.pattern


# An Alertmanager rulebook: alertname NginxDown that is firing runs a playbook, once within 15 minutes by host
WEB = """
- name: restart nginx when it stops answering
  when: {kind: alertmanager, alertname: NginxDown}
  once_within: 15 minutes by device
  do: {to: "#web", run: "restart-nginx on {device}"}
"""
# A StackStorm rule of the napalm pack: a webhook of a syslog with host, interface and message runs a workflow
SYSLOG = """
- name: an interface went down
  when: {kind: syslog, what: "*UPDOWN", text: "*changed state to down*"}
  do: {to: "#netops", run: "interface-down {fields.interface} message={text} on {device}"}
"""
# An Event-Driven Ansible rulebook for containers: health_status unhealthy, once within 5 minutes by its name
CONTAINERS = """
- name: restart unhealthy containers
  when: {source: podman, fields: {Action: health_status, Actor.Attributes.health_status: unhealthy}}
  once_within: 5 minutes by fields.Actor.Attributes.name
  do: {to: "#apps", run: "restart-container {fields.Actor.Attributes.name} on {device}"}
"""


def test_a_web_server_is_restarted_once_in_a_quarter_of_an_hour_and_not_when_it_is_well_again():
    (found,) = book(WEB).rules
    running, down = Running(found), {"kind": "alertmanager", "what": "NginxDown", "device": "web1"}
    assert [running.sees(minute, **down).result.value for minute in (0, 14, 15)] == ["acts", "held back", "acts"]
    assert running.sees(40, **down, phase=Phase.RESOLVED).result == "no"
    assert asked(RESTART, found, event(1, **down)) == ({}, "web1")


def test_an_interface_that_went_down_is_looked_after_with_its_whole_message():
    (found,) = book(SYSLOG).rules
    text = "Interface GigabitEthernet0/1, changed state to down; on all"
    stored = event(1, kind="syslog", what="LINK-3-UPDOWN", phase=Phase.SINGLE, text=text,
                   fields={"interface": "GigabitEthernet0/1"})  # fmt: skip
    assert Running(found).sees(kind="syslog", what="LINK-3-UPDOWN", phase=Phase.SINGLE, text=text).result == "acts"
    values, devices = asked(INTERFACE, found, stored)
    assert (dict(values), devices) == ({"interface": "GigabitEthernet0/1", "message": text}, "core1")


def test_an_unhealthy_container_is_restarted_by_its_name():
    (found,) = book(CONTAINERS).rules
    fields = {
        "Action": "health_status",
        "Actor.Attributes.health_status": "unhealthy",
        "Actor.Attributes.name": "orders",
    }
    running = Running(found)
    assert running.sees(source="podman", fields=fields, device="web1").result == "acts"
    assert (
        running.sees(source="podman", fields=fields | {"Actor.Attributes.name": "db"}, device="web1").result == "acts"
    )
    assert running.sees(source="podman", fields=fields, device="web1").result == "held back"
    assert asked(CONTAINER, found, event(1, fields=fields, device="web1"))[0] == {"name": "orders"}


# -- what was reported there


def test_a_throttle_needs_no_group():
    assert result(rule(more="once_within: 5 minutes")) == "acts"


def test_what_is_not_there_can_be_asked_for():
    found = rule("{fields: {token: absent}}")
    assert (result(found), result(found, fields={"token": "x"})) == ("acts", "no")


@pytest.mark.parametrize(
    "name", ["/interfaces/interface/state/admin-status", "vendor-product.rule", "kubernetes.io/name"]
)
def test_names_of_fields_may_have_dashes_dots_and_slashes(name):
    found = rule(f"{{fields: {{'{name}': DOWN}}}}", do=f"{{post: '#a', text: '{{fields.{name}}} it is'}}")
    assert result(found, fields={name: "DOWN"}) == "acts"
    stored = event(1, fields={name: "DOWN"})
    assert filling.filled(found.do.text, filling.values(stored, found.do.text)) == "DOWN it is"


def test_numbers_and_truths_are_compared_as_they_are_written():
    found = rule("{fields: {port: 443, up: false}}")
    assert result(found, fields={"port": "443", "up": "false"}) == "acts"


def test_the_end_of_an_alert_lets_nothing_run():
    assert result(rule(do='{to: "#a", run: "kill on {device}"}'), phase=Phase.RESOLVED) == "no"


def test_a_value_that_the_event_lacks_is_a_refusal_with_its_name_and_no_empty_word():
    found = rule(do='{to: "#a", run: "restart-container {fields.name} on {device}"}')
    with pytest.raises(UserError, match=r"says nothing of \{fields.name\}"):
        asked(CONTAINER, found, event(1))


def test_three_times_an_hour_is_a_limit_of_its_own():
    running = Running(rule(more="rate: 3/h"))
    assert [running.sees(minute).result.value for minute in (0, 1, 2, 3, 61)] == [
        "acts", "acts", "acts", "too often", "acts",
    ]  # fmt: skip


def test_a_strange_type_of_a_value_breaks_no_rule():
    assert result(rule("{text: '(*)_check_[*'}"), text="") == "no"
    assert result(rule("{severity: [critical, high]}"), severity=Severity.UNKNOWN) == "no"
