"""Devices that come first: which words of a command name them."""

import pytest

from automation_bots.drivers.salt.functions import FUNCTION, GRAINS, STATE
from automation_bots.errors import BadCommand
from automation_bots.model import Risk
from automation_bots.pipeline import parser as grammar


@pytest.mark.parametrize(
    ("line", "target", "function", "args"),
    [
        ("web* test.ping", "web*", "test.ping", None),
        ("web1,web2 test.ping", "L@web1,web2", "test.ping", None),
        ("-L web1,web2 test.ping", "L@web1,web2", "test.ping", None),
        ("-G role:web test.ping", "G@role:web", "test.ping", None),
        ("-E 'web[0-9],x' test.ping", "E@web[0-9],x", "test.ping", None),
        ("-C 'G@a:b and c*' test.ping", "G@a:b and c*", "test.ping", None),
        ("G@role:web and web* test.ping", "G@role:web and web*", "test.ping", None),
        ("'G@role:web and web*' test.ping", "G@role:web and web*", "test.ping", None),
        ("not db1 and ( G@a:b or c ) cmd.run id on x", "not db1 and ( G@a:b or c )", "cmd.run", ("id", "on", "x")),
        ("web1 cmd.run 'echo --check' name=a", "web1", "cmd.run", ("echo --check", "name=a")),
    ],
)
def test_a_target_of_each_kind(line, target, function, args):
    typed = grammar.parse(FUNCTION, line)
    assert (typed.pattern, typed.values["function"], typed.values.get("args")) == (target, function, args)


def test_flags_stand_anywhere():
    typed = grammar.parse(STATE, "--check web* nginx --test")
    assert (typed.pattern, typed.check, typed.values) == ("web*", True, {"sls": "nginx", "test": "yes"})


def test_a_pattern_of_the_inventory_may_come_first():
    typed = grammar.parse(GRAINS, "web:!web3 os role")
    assert (typed.pattern, typed.values) == ("web:!web3", {"items": ("os", "role")})


def test_a_word_too_many_is_told():
    with pytest.raises(BadCommand, match="'more'"):
        grammar.parse(STATE, "web* nginx yes more")


def test_devices_are_asked_for_first():
    assert grammar.checked(FUNCTION, grammar.parse(FUNCTION, "")) == grammar.Missing(None, "salt")


@pytest.mark.parametrize("function", ["test.ping,cmd.run", "['test.ping']", "cmd", "../x.y", "test.ping;id"])
def test_exactly_one_function_can_be_named(function):
    with pytest.raises(Exception, match="function cannot be"):
        grammar.checked(FUNCTION, grammar.parse(FUNCTION, f"web* {function}"))


def test_what_is_not_known_to_look_only_is_a_change():
    risks = {
        name: FUNCTION.risk_of({"function": name}) for name in ("test.ping", "cmd.run", "pillar.items", "nosuch.f")
    }
    assert [name for name, risk in risks.items() if risk is Risk.READ] == ["test.ping"]
