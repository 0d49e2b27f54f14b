"""What a device printed as rows, where ntc-templates knows the command. Each template is read once."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_TEMPLATE_OF = {
    "frr": "cisco_ios",
    "cisco_xe": "cisco_ios",
    "huawei": "huawei_vrp",
    "huawei_vrpv8": "huawei_vrp",
    "h3c_comware": "hp_comware",
}  # fmt: skip - platforms whose output reads like another's
_FRR_ONLY = ("show version", "show running-config")  # but not these


@functools.cache
def _index(platform: str) -> tuple[Path, tuple[tuple[re.Pattern[str], str], ...]]:
    """Return the commands of a platform and their templates; ntc-templates' own reader compiles those of all."""
    import ntc_templates

    folder = Path(ntc_templates.__file__).parent / "templates"
    lines = (folder / "index").read_text().splitlines()
    rows = (line.split(",", 3) for line in lines if not line.startswith("#"))
    mine = [row for row in rows if len(row) == 4 and re.fullmatch(row[2].strip(), platform)]
    complete = re.compile(r"\[\[(.+?)\]\]")
    made = ((complete.sub(_optional, row[3].strip()), row[0].strip()) for row in mine)
    return folder, tuple((re.compile(command), name) for command, name in made)


def _optional(found: re.Match[str]) -> str:
    """`sh[[ow]]` in the index is `show` as far as it was typed."""
    text = found[1]
    return "(?:" + "(?:".join(text) + ")?" * len(text)


@functools.cache
def _template(platform: str, command: str) -> Any:
    """Return the template of a command, or None."""
    import textfsm

    folder, rows = _index(platform)
    name = next((name for pattern, name in rows if pattern.match(command)), "")
    if not name or ":" in name:
        return None
    with (folder / name).open() as file:
        return textfsm.TextFSM(file)


def parsed(platform: str, command: str, text: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]] | None:
    """Return header and rows; None: there is no template, or the text is none of its kind."""
    import textfsm

    if platform == "frr" and command.startswith(_FRR_ONLY):
        return None
    template = _template(_TEMPLATE_OF.get(platform, platform), command)
    if template is None:
        return None
    template.Reset()
    try:
        found = template.ParseText(text)
    except textfsm.TextFSMError:
        return None
    rows = tuple(tuple(_cell(cell) for cell in row) for row in found)
    return (tuple(name.lower() for name in template.header), rows) if rows else None


def _cell(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))
