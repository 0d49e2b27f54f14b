"""Each call of the gate is missed when it is gone: the scenario that holds with it is a bypass without it."""

import subprocess
import sys

import pytest

from tests.support.chatbot import ROOT
from tests.support.mutants import MUTANTS, main

pytestmark = [pytest.mark.slow, pytest.mark.works]


def mutated(name):
    """In a process of its own, so that what was taken out is missing nowhere else."""
    command = [sys.executable, "-m", "tests.support.mutants", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    return done.stdout.strip(), done.stderr[-2000:]


@pytest.mark.parametrize("name", MUTANTS)
def test_with_the_gate_in_its_place_nobody_gets_around_it(name):
    assert main(name, mutated=False) == "held"


@pytest.mark.parametrize("name", MUTANTS)
def test_without_one_call_of_the_gate_its_scenario_is_a_bypass(name):
    said, trouble = mutated(name)
    assert said == "bypassed", trouble
