"""The map for newcomers is true: what it names is there, and every folder and module has its line."""

import re
import subprocess
import sys

import pytest

from tests.support.chatbot import ROOT

PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
CODE = ("automation_bots", "backends", "errbot-plugins")
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")


def tops():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line.split("/")[0] for line in listed.splitlines()}


@pytest.mark.parametrize("page", PAGES)
def test_what_the_map_names_is_there(page):
    known = tops()
    named = {path for path in _PATH.findall((ROOT / page).read_text()) if "/" in path and path.split("/")[0] in known}
    assert named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_folder_of_the_code_stands_in_the_readme():
    folders = {path.parent.relative_to(ROOT) for top in CODE for path in (ROOT / top).rglob("*.py")}
    first = {
        "/".join(folder.parts[:2] if folder.parts[0] == "automation_bots" else folder.parts[:1]) for folder in folders
    }
    text = (ROOT / "README.md").read_text()
    assert sorted(folder for folder in first - {"automation_bots"} if f"`{folder}/`" not in text) == []


def test_every_module_says_what_it_is_in_one_line_and_stands_in_the_index():
    made = subprocess.run(
        [sys.executable, ROOT / "tools/module-index", "--print"], capture_output=True, text=True, check=True
    )
    assert made.stdout == (ROOT / "MODULES.md").read_text(), "make index"
    rows = re.findall(r"^\| `([\w.]+)` \| (.*) \|$", made.stdout, re.MULTILINE)
    assert len(rows) > 300
    assert [name for name, line in rows if len(line) < 15] == []
