"""The map for newcomers is true: what it names is there, and every folder and module has its line."""

import re
import subprocess
import sys

import pytest

from tests.support.chatbot import ROOT

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")))
CODE = ("automation_bots", "backends", "errbot-plugins")
_EXAMPLE = re.compile(r"^(`.+`)\n```", re.MULTILINE)
_PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)*/?)`")


def tops():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {line.split("/")[0] for line in listed.splitlines()}


@pytest.mark.parametrize("page", PAGES)
def test_what_the_map_names_is_there(page):
    known = tops()
    text = (ROOT / page).read_text()
    made = set(_PATH.findall("".join(_EXAMPLE.findall(text))))  # files that the reader is shown how to write
    named = {path for path in _PATH.findall(text) if "/" in path and path.split("/")[0] in known} - made
    assert sorted(path for path in named if not (ROOT / path).exists() and not path.startswith("bots/netbot/")) == []


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
