"""Typed parameters: what their descriptions may say, and what becomes of typed values."""

import pytest

from automation_bots.errors import BadParameter
from automation_bots.operations import parameters
from tests.support.cost import in_yardsticks


def parameter(**spec):
    return parameters.from_mapping({"name": spec})[0]


@pytest.mark.parametrize(
    ("match", "good", "bad"),
    [
        (r"[\w@.-]+", "nginx@1.service", "a b"),
        (r"(a+)+b", "aaab", "a" * 60),
        (r"(([a-z0-9]+-?)+\.)*[a-z0-9]+", "db1.corp.example", "a-" * 40 + "!"),
        (r"^web\d{1,3}$", "web12", "web1234"),
        (r"(?i)yes|no", "YES", "maybe"),
    ],
)
def test_a_value_is_held_against_its_expression_in_linear_time(match, good, bad):
    assert parameters.check(parameter(match=match), good) == good

    def refused():
        with pytest.raises(BadParameter, match="name cannot be"):
            parameters.check(parameter(match=match), bad)

    assert in_yardsticks(refused, 20) < 20  # Python's own engine needs years for some of these


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ("[", "not a regular expression"),
        (r"(?=x)x", "know no assert"),
        (r"(a)\1", "know no groupref"),
        ("(a{500}){500}", "too complex"),
    ],
)
def test_an_expression_that_cannot_be_looked_at_in_time_is_refused_when_it_is_read(match, why):
    with pytest.raises(ValueError, match=why):
        parameter(match=match)


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("list", "a,b", ("a", "b")),
        ("list", "[a, 'b c', 3]", ("a", "b c", "3")),
        ("list", "[::1],x", ("[::1]", "x")),
        ("dict", "{a: 1, b: [x, y]}", {"a": 1, "b": ["x", "y"]}),
        ("dict", "a=1,b=x y", {"a": 1, "b": "x y"}),
        ("dict", "{}", {}),
        ("str", "[db1]", "[db1]"),
        ("str", "{x}", "{x}"),
    ],
)
def test_brackets_are_a_list_or_a_table_where_a_parameter_is_one(kind, typed, value):
    assert parameters.check(parameter(type=kind), typed) == value


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("str", "[a, b]", "is one value, and '.a, b.' is a list"),
        ("str", "{a: 1}", "is one value, and .* is a table"),
        ("dict", "red", "takes names with values, such as {a: 1, b: x} or a=1,b=x"),
        ("dict", "[a, b]", "takes names with values"),
        ("dict", "{a: *b}", "takes names with values"),
        ("dict", "{a: 2026-01-01}", "takes names with values"),
    ],
)
def test_what_is_no_list_and_no_table_is_refused_in_words(kind, typed, why):
    with pytest.raises(BadParameter, match=why):
        parameters.check(parameter(type=kind), typed)


def test_a_refused_value_is_told_what_is_wrong_with_it_and_what_it_is_and_no_expression():
    name = parameter(match=r"[\w@.-]+", help="its unit, such as nginx")
    with pytest.raises(BadParameter) as refused:
        parameters.check(name, "my unit")
    assert str(refused.value) == "name cannot be 'my unit': it takes no blank; it is its unit, such as nginx"
