"""Words of rules that nothing matches are found: in a `deny` they would leave open what somebody closed."""

import pytest

from automation_bots.model import Operation, Parameter, Risk
from automation_bots.operations.catalog import RUN, SSH
from automation_bots.policy import rule_words
from tests.support.world import DNS, PATCH, SERVICE, UPTIME, policy_of

PORTS = Operation("ports", "h", parameters=(Parameter("open", "numbers"), Parameter("force", "bool", required=False)))
SHOW = Operation("show", "h", Risk.READ, driver="network", parameters=(Parameter("command", rest=True),))
PS = Operation("ps", "h", cmdlets=True, parameters=(Parameter("cmdlet"), Parameter("arguments", rest=True)))
CONFIG = Operation("config", "h", parameters=(Parameter("lines", "list", text=True),), driver="network")
SALT = Operation("salt", "h", leading="devices", parameters=(Parameter("function"), Parameter("rest", rest=True)))
BATCH = Operation("batch", "h", parameters=(Parameter("size", "int", required=False, default=1),))
OPERATIONS = (DNS, PATCH, SERVICE, UPTIME, PORTS, RUN, SSH, SHOW, PS, CONFIG, SALT, BATCH)
KNOWN = rule_words.Vocabulary(
    {one.name: one for one in OPERATIONS}, {"ssh", "ansible"}, lambda: {"plugin_activate", "echo"}
)


def found(tmp_path, rule):
    people = "people: {joe: {text: '@joe', groups: [support]}}\n"
    policy = policy_of(tmp_path, f"{people}rules:\n  - {{name: one, who: support, {rule}}}\n")
    return list(rule_words.never(policy.rules[0], KNOWN))


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("deny: [servce]", "'servce' is no operation of this bot, nor a command of its plugins. Did you mean service?"),
        ('deny: ["serv1ce*"]', "'serv1ce*' is no operation"),
        ("deny: [Changes]", "'Changes' is no operation"),
        (
            'deny: ["plugin activate"]',
            "'plugin' is no operation of this bot, nor a command of its plugins. Did you mean plugin_activate?",
        ),
        ("deny: [approve]", "'approve' is a command of the bot itself, about which no rule is asked"),
        ('deny: ["echo hello"]', "rules see no words"),
        ('deny: ["driver:shh"]', "'driver:shh' is no driver of this bot; there are ansible, ssh"),
        ('deny: ["service restrt nginx"]', "it is service status|restart <name>"),
        ('deny: ["service nginx restart"]', "it is service status|restart <name>"),
        ('deny: ["patch now"]', "it is patch."),
        ('deny: ["ports 8O"]', "'ports 8O' can never be said"),
        ('deny: ["ports 80 maybe"]', "it is ports <open> [<force>]"),
        ('deny: ["batch many"]', "it is batch <size>"),
        ("deny: [service], with: {actoin: restart}", "'actoin' is no parameter of what it names. Did you mean action?"),
        ("deny: [everything], with: {action: restrt}", "action 'restrt' is no value that it can have; it is one of"),
        ("may: [uptme]", "'uptme' is no operation"),
        ('may: ["service restart"]', "Write * behind it"),
    ],
)
def test_what_nothing_matches_is_named(tmp_path, rule, said):
    assert any(said in text for text in found(tmp_path, rule)), found(tmp_path, rule)


@pytest.mark.parametrize(
    "rule",
    [
        "deny: [everything]",
        "deny: [reads, changes, patch, review, audit, freeze, echo]",
        'deny: ["plugin_*", "driver:s*"]',
        'deny: ["service restart"]',
        'deny: ["service re* nginx", "service * nginx", "service *"]',
        'deny: ["ports 80", "ports 80 443", "ports 80 yes", "ports *"]',
        'deny: ["run reload in 5", "ssh show *", "show running-config"]',
        'deny: ["ps Remove-*"]',
        'deny: ["salt web* cmd.*", "salt cmd.run", "salt * state.single"]',
        'deny: [config], with: {lines: ["router *"]}',
        "deny: [everything], with: {action: re*}",
        "deny: [ports], with: {force: yes, open: 22}",
        'may: ["service restart *", "service * nginx", "batch 3", "ps Get-Service", "ports 80"]',
    ],
)
def test_what_something_matches_is_not(tmp_path, rule):
    assert found(tmp_path, rule) == []
