"""What a device printed as rows, where ntc-templates knows the command. Each template is read once."""

from __future__ import annotations

import functools
import importlib.util
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


_FACTS = {  # the names of ntc-templates for what `!facts` tells, the best first
    "hostname": ("hostname",),
    "model": ("model", "hardware", "hardware_model", "device_type"),
    "version": ("version", "os_version", "product_version", "vrp_version", "sw_version", "image_version"),
    "serial": ("serial", "serial_number"),
    "uptime": ("uptime",),
}
Table = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]


@functools.cache
def known(platform: str, command: str) -> bool:
    """Whether there is a template of exactly this command; nothing is loaded for it, as the bot itself asks."""
    spec = importlib.util.find_spec("ntc_templates")
    name = f"{_TEMPLATE_OF.get(platform, platform)}_{command.replace(' ', '_')}.textfsm"
    places = (spec.submodule_search_locations if spec else None) or ()
    return any((Path(place) / "templates" / name).is_file() for place in places)


def facts(platform: str, found: Table) -> Table:
    """Put what `show version` said into the columns that `!facts` has everywhere."""
    header, rows = found
    maker = _TEMPLATE_OF.get(platform, platform).partition("_")[0]
    vendor = maker.upper() if len(maker) < 4 else maker.title()
    told = []
    for row in rows:
        cells = dict(zip(header, row, strict=True))
        by_name = {name: next(filter(None, map(cells.get, names)), "") for name, names in _FACTS.items()}
        told.append((by_name.pop("hostname"), vendor, *by_name.values()))
    return ("hostname", "vendor", *tuple(_FACTS)[1:]), tuple(told)


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


def can_be(platform: str, command: str) -> bool:
    """Whether an answer can be a table at all."""
    of_another = platform == "frr" and command.startswith(_FRR_ONLY)
    return not of_another and _template(_TEMPLATE_OF.get(platform, platform), command) is not None


def parsed(platform: str, command: str, text: str) -> Table | None:
    """Return header and rows; None: there is no template, or the text is none of its kind."""
    import textfsm

    if not can_be(platform, command):
        return None
    template = _template(_TEMPLATE_OF.get(platform, platform), command)
    template.Reset()
    try:
        found = template.ParseText(text)
    except textfsm.TextFSMError:
        return None
    rows = tuple(tuple(_cell(cell) for cell in row) for row in found)
    return (tuple(name.lower() for name in template.header), rows) if rows else None


def _cell(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(map(str, value))
