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
        with pytest.raises(BadParameter, match="must match"):
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
