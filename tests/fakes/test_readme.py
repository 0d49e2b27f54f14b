"""The README of the test servers has a line for each of them."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TEXT = (HERE / "README.md").read_text()


def test_each_test_server_stands_there():
    servers = {
        path.name + "/" * path.is_dir() for path in HERE.iterdir() if not path.name.startswith(("test_", "__init__"))
    }
    assert servers - {"README.md", "__pycache__/"} - set(re.findall(r"`([\w/]+(?:\.py)?)`", TEXT)) == set()


def test_what_stands_there_is_there():
    paths = set(re.findall(r"`((?:\w+/)*\w+(?:\.py|/|\.jsonl))`", TEXT))
    beside = {path.name for path in HERE.rglob("*.jsonl")}
    assert [
        path for path in paths - beside if not any((folder / path).exists() for folder in (HERE, HERE.parents[1]))
    ] == []


def test_each_server_of_our_own_was_checked_by_a_client_of_others():
    own = TEXT.partition("## Servers of our own")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in own.splitlines() if line.startswith("| `")]
    assert len(rows) > 10
    assert [row[0] for row in rows if len(row) != 4 or not all(row)] == []
