"""Each call of the gate is missed when it is gone: the scenario that holds with it is a bypass without it."""

import subprocess
import sys

import pytest

from tests.support.chatbot import ROOT
from tests.support.mutants import MUTANTS, main

pytestmark = [pytest.mark.slow, pytest.mark.works]


@pytest.fixture(scope="module")
def without():
    """What the scenarios say without their calls, and what was printed besides."""
    command = [sys.executable, "-m", "tests.support.mutants", *MUTANTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("name", MUTANTS)
def test_with_the_gate_in_its_place_nobody_gets_around_it(name):
    assert main(name, mutated=False) == "held"


@pytest.mark.parametrize("name", MUTANTS)
def test_without_one_call_of_the_gate_its_scenario_is_a_bypass(without, name):
    said, trouble = without
    assert f"bypassed\t{name}" in said, trouble
