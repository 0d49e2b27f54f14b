"""policy.yml: what it says, and what is said when it is wrong."""

import pytest

from automation_bots.errors import ConfigError
from automation_bots.model import Caller, Risk
from automation_bots.policy.policy import load
from tests.support.world import PATCH, SERVICE, UNDECLARED, UPTIME, policy_of

GOOD = """
people:
  ana: {slack: U1, text: "@ana", groups: [netops]}
rules:
  - name: look
    who: netops
    may: [reads]
"""


def test_a_person_is_found_by_the_networks_id_alone(tmp_path):
    policy = policy_of(tmp_path, GOOD)
    assert policy.person(Caller("slack", "U1", name="whoever")).name == "ana"
    assert policy.person(Caller("slack", "U2", name="ana")) is None
    assert policy.person(Caller("text", "U1")) is None


@pytest.mark.parametrize(
    ("wrong", "line", "reason"),
    [
        (GOOD + "    colour: red\n", 8, "not known here"),
        (GOOD.replace("may: [reads]", "may: [reads]\n    deny: [reads]"), None, "either `may` or `deny`"),
        (GOOD + "    when: Mon-Foo\n", 8, "no weekday"),
        (GOOD + "    needs: a coffee\n", 8, "approval by <group>"),
        (GOOD + "    limit: {rate: often}\n", 8, "10/min"),
        (GOOD.replace("rules:", "  eve: {slack: U1}\nrules:"), 4, "already ana"),
        (GOOD + "  - {name: look, who: netops, may: [changes]}\n", 8, "two rules are called"),
        (GOOD + "\tx", 8, "no valid YAML"),
        ("people: {}", None, "rules: "),
    ],
)
def test_a_wrong_policy_stops_with_file_line_and_reason(tmp_path, wrong, line, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        policy_of(tmp_path, wrong)
    assert caught.value.path.name == "policy.yml"
    if line:
        assert caught.value.line == line


@pytest.mark.parametrize(
    ("may", "operation", "spoken", "matches"),
    [
        ("reads", UPTIME, (), True),
        ("reads", PATCH, (), False),
        ("changes", PATCH, (), True),
        ("everything", PATCH, (), True),
        ("driver:ansible", PATCH, (), True),
        ("driver:ssh", PATCH, (), False),
        ("up*", UPTIME, (), True),
        ("service", SERVICE, ("restart", "nginx"), True),
        ("service restart *", SERVICE, ("restart", "nginx"), True),
        ("service restart *", SERVICE, ("status", "nginx"), False),
        ("service restart nginx", SERVICE, ("restart", "nginx"), True),
        ("service restart nginx", SERVICE, ("restart", "nginx", "x"), False),
        ("service restart", SERVICE, ("restart", "nginx"), False),
        ("*", UNDECLARED, (), False),
        ("changes", UNDECLARED, (), False),
        ("everything", UNDECLARED, (), False),
        ("strange", UNDECLARED, (), True),
    ],
)
def test_words_of_a_rule_match_operations(tmp_path, may, operation, spoken, matches):
    rule = policy_of(tmp_path, GOOD.replace("[reads]", f'["{may}"]')).rules[0]
    risk = operation.risk_of({"action": spoken[0]} if spoken else {})
    assert rule.what[0].match(operation, risk, spoken, admin=False) is matches


def test_what_says_nothing_about_itself_is_for_admins(tmp_path):
    rule = policy_of(tmp_path, GOOD.replace("[reads]", "[everything]")).rules[0]
    assert rule.what[0].match(UNDECLARED, Risk.CHANGE, (), admin=True)


@pytest.mark.parametrize("where", ["timezone: {}\n", "timezone: UTC\n"])
def test_an_empty_or_unknown_time_zone_is_refused_and_none_is_that_of_the_policy(tmp_path, where):
    def read(zone):
        person = "" if "{}" in where else f", zone: {zone}"
        rules = "rules: [{name: a, who: everyone, may: [reads]}]\n"
        text = f"{where.format(zone)}people: {{ana: {{text: '@ana'{person}}}}}\n{rules}"
        (tmp_path / "policy.yml").write_text(text)
        found = load(tmp_path / "policy.yml")
        return found.zone(found.people["ana"])

    assert read("Europe/Madrid") == "Europe/Madrid"
    with pytest.raises(ConfigError, match=r"'Mars/Base' is no time zone; write one such as Europe/Madrid"):
        read("Mars/Base")
    if "{}" in where:
        with pytest.raises(ConfigError, match="no time zone"):
            read("''")
    else:
        assert read("''") == "UTC"
