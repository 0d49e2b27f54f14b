"""rules.yml as it is read: what is right, and what is said of what is wrong."""

import pytest

from automation_bots.alerts.event import Severity
from automation_bots.alerts.rules import rulebook
from automation_bots.alerts.rules.rule import Counting
from tests.alerts.rules.made import book, rule, windows

GOOD = """
- name: a lost neighbour is looked at
  when: {source: zabbix, text: "*BGP session*", severity: high, on: core}
  once_within: 10 minutes by device
  do: {post: "#netops", run: "bgp on {device}"}
- name: a full disk is offered to be cleaned
  when: {source: alertmanager, alertname: DiskFull}
  do: {propose: "disk-clean on {device}", to: "#linux"}
"""


def broken(text):
    return [str(one) for one in book(text).broken]


def wrong(more):
    """What is said of one rule with these lines."""
    (found,) = broken(f"- name: one\n  when: {{source: zabbix}}\n  do: {{post: '#ops'}}\n  {more}\n")
    return found


def test_the_rules_of_the_design_are_read():
    first, second = book(GOOD).rules
    assert (first.throttle.counting, first.throttle.by, first.do.run) == (
        Counting.ONCE_WITHIN, ("device",), "bgp on {device}",
    )  # fmt: skip
    assert (second.when[0].what, second.do.room, second.robot) == (("DiskFull",), "#linux", second.name)


def test_a_broken_rule_is_named_with_its_line_and_hurts_no_other():
    found = book(GOOD + "- name: third\n  when: {sorce: zabbix}\n  do: {post: '#ops'}\n")
    (problem,) = found.broken
    assert len(found.rules) == 2
    assert str(problem) == (
        "rules.yml, line 10: rule 'third': when.sorce: this key is not known here. Did you mean source?"
    )


def test_what_yaml_cannot_read_is_one_rule_too():
    text = GOOD + "- name: third\n  when: {source: zabbix}\n  do: {post: '#ops', run: bgp on {device}}\n"
    found = book(text + "- name: fourth\n  when: {source: zabbix}\n  do: {post: '#ops'}\n")
    assert [one.name for one in found.rules] == [one.name for one in book(GOOD).rules] + ["fourth"]
    assert found.rules[-1].line == 12
    (problem,) = found.broken
    assert str(problem).startswith("rules.yml, line 11: rule 'third': no valid YAML")
    assert "stands in quotes" in str(problem)


def test_a_file_that_is_no_list_of_rules_does_nothing_and_says_so():
    assert broken("name: one") == ["rules.yml, line 1: rules: is missing"]
    assert broken("just words") == ["rules.yml, line 1: has to be a list of rules, each beginning with `- name:`"]


def test_no_file_and_an_empty_one_are_no_rules(tmp_path):
    assert rulebook.load(tmp_path / "rules.yml", windows) == book("") == book("# nothing yet\n")


def test_all_rules_can_be_dry():
    assert book("dry: true\nrules:\n- {name: a, when: {source: x}, do: {post: '#a'}}\n").dry


@pytest.mark.parametrize("dry", ["dry: True", "dry: yes", '"dry": true', "dry :  on", "dry:\ttrue"])
def test_a_file_that_breaks_stays_dry(dry):
    rules = "rules:\n- {name: a, when: {source: x}, do: {post: '#a'}}\n- {name: [b\n"
    assert (book(f"{dry}\n{rules}").dry, book(f"dry: false # now\n{rules}").dry) == (True, False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("threshold: 5", "accumulate_within and threshold go together"),
        ("once_within: soon", "'soon' is no length of time"),
        ("once_within: 10 min by colour", "events cannot be grouped by 'colour'"),
        ("once_within: 10 min by device\n  group_by: what", "says by device already"),
        ("once_within: 10 min\n  once_after: 5 min", "write one of once_within, once_after"),
        ("group_by: device", "group_by goes with"),
        ("rate: fast", "'fast' is no rate"),
        ("once_withn: 10 min", "Did you mean once_within or once_after?"),
        ("unless: {}", "it asks for nothing"),
        ("unless: {severity: bad}", "'bad' is no severity"),
        ("unless: {time: nonsense}", "'nonsense' is no weekday"),
    ],
)
def test_what_is_wrong_is_said_in_words(more, said):
    assert said in wrong(more)


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("{run: uptime on web1}", "in which room?"),
        ("{mention: oncall}", "nothing is done"),
        ("{to: '#a', run: '{what} on web1'}", "begins with the name of an operation"),
        ("{to: '#a', run: 'uptime --{what}'}", "cannot be a flag"),
        ("{to: '#a', run: 'uptime on {devise}'}", "no {devise}. Did you mean device?"),
        ("{post: '#a', escalate: tomorrow}", "is no step"),
        ("{post: '#a', mention: '@here !'}", "names nobody"),
    ],
)
def test_what_cannot_be_done_is_refused_when_it_is_read(do, said):
    (found,) = broken(f"- name: one\n  when: {{source: zabbix}}\n  do: {do}\n")
    assert said in found


def test_two_rules_of_one_name_are_one_and_a_mistake():
    found = book(GOOD + GOOD.partition("\n- name: a full")[0])
    assert len(found.rules) == 2
    assert "another one in line 2 has that name" in str(found.broken[0])


def test_or_worse_reads_as_it_says():
    found = rule("{severity: warning or worse}").when[0].severity
    assert set(found) == {Severity.CRITICAL, Severity.HIGH, Severity.WARNING}
