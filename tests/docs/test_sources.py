"""The tables of sources that the pages show are read as bot.toml's are."""

import re
import textwrap
import tomllib

import pytest

from automation_bots.alerts.sources import registry
from tests.support.chatbot import ROOT

_BLOCK = re.compile(r"^ *```toml\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def _tables():
    for page in sorted((ROOT / "docs").glob("*.md")):
        for block in _BLOCK.findall(page.read_text()):
            if "[events.sources." in block:
                sources = tomllib.loads(textwrap.dedent(block))["events"]["sources"]
                yield from (pytest.param(name, table, id=f"{page.stem}-{name}") for name, table in sources.items())


@pytest.mark.parametrize(("name", "table"), list(_tables()))
def test_a_source_of_a_page_is_read(name, table):
    assert registry.settings_of(name, table).kind == table["kind"]
