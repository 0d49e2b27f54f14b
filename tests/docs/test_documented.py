"""Everything that can be typed says what it is, and its examples can be typed."""

from pathlib import Path

import pytest

from automation_bots.drivers import own_operations
from automation_bots.operations import catalog
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import parser as grammar

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = catalog.load(
    catalog.Folders(
        (ROOT / "playbooks/verbs",), (ROOT / "playbooks",), (ROOT / "bots/demo/plugins",), own_operations.operations()
    )
)


def test_every_shipped_file_loads():
    assert not SHIPPED.problems
    assert {"uptime", "patch", "dns", "ping", "traceroute", "run"} <= set(SHIPPED.operations)


@pytest.mark.parametrize("operation", SHIPPED.operations.values(), ids=lambda operation: operation.name)
def test_every_operation_and_parameter_is_documented(operation):
    assert operation.help
    assert operation.declared
    assert operation.examples
    assert all(parameter.help for parameter in operation.parameters)


def _text_of(operation):
    return "a line" if any(parameter.text for parameter in operation.parameters) else ""


@pytest.mark.parametrize("operation", SHIPPED.operations.values(), ids=lambda operation: operation.name)
def test_every_example_can_be_typed(operation):
    for example in operation.examples:
        typed = example.removeprefix("!").replace(operation.name.replace("-", " "), operation.name, 1)
        name, _, line = typed.partition(" ")
        assert name == operation.name
        values = grammar.checked(operation, grammar.parse(operation, line, _text_of(operation)))
        assert not isinstance(values, grammar.Missing), example


@pytest.mark.parametrize("name", OWN)
def test_every_command_of_the_bot_has_usage_meaning_and_examples(name):
    assert OWN[name].help
    assert OWN[name].examples
    assert all(example.startswith(f"!{name}") for example in OWN[name].examples)
    assert f"!{name}" in (ROOT / "docs/use.md").read_text()
