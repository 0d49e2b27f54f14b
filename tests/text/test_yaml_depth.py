"""YAML that is nested without end ends nothing else."""

import subprocess
import sys

import pytest

from automation_bots.text.yaml_depth import DEEPEST, is_deep

DEEP = ["[" * 100_000, "{a: " * 100_000, "- " * 50_000 + "x", "? " * 50_000 + "x", "[" * 3_000 + "]" * 3_000]
READ = """
import sys
from pathlib import Path
from automation_bots.errors import DefinitionError
from automation_bots.operations.playbook_files import read_yaml
from automation_bots.text.yaml_lines import parse_yaml
text = sys.stdin.read()
for read in (read_yaml, parse_yaml):
    try:
        read(Path("deep.yml"), text)
    except DefinitionError as error:
        print(error.reason)
"""


@pytest.mark.parametrize("text", DEEP[1:3])
def test_a_file_that_is_nested_too_deeply_is_told_as_wrong(text):
    told = subprocess.run([sys.executable, "-c", READ], input=text, capture_output=True, text=True)
    assert told.stdout.count("maximum recursion depth") == 2, told


@pytest.mark.parametrize("text", DEEP)
def test_what_is_deep_is_known_before_it_is_read(text):
    assert is_deep(text)


def test_what_is_long_is_not_deep_for_that():
    assert not is_deep("- {a: [1, 2], b: {c: d}}\n" * 2_000)
    assert not is_deep("[" * (DEEPEST - 1) + "]" * (DEEPEST - 1))
    assert not is_deep('"' + "[" * 1_000)
