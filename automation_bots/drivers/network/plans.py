"""From one configuration to another: what would change, and the lines that undo it. By hier-config."""

from __future__ import annotations

import difflib
import logging
import re
from collections import Counter
from collections.abc import Sequence

from automation_bots.drivers.network import lines as config_lines
from automation_bots.drivers.network.work import Problem

logging.getLogger("hier_config").setLevel(logging.ERROR)
_PLATFORMS = {"cisco_ios": "CISCO_IOS", "cisco_xe": "CISCO_IOS", "cisco_nxos": "CISCO_NXOS",
              "arista_eos": "ARISTA_EOS", "frr": "CISCO_IOS"}  # fmt: skip
_NO_TEXT = re.compile(r"^(no (?:neighbor \S+ )?description)\b.*")  # FRR takes it back only without the text
Tree = Sequence[tuple[int, str]]


def load() -> None:
    """Import what goes back and forth between configurations; a missing package is told before a change begins."""
    try:
        import hier_config  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise Problem(f"!config needs the Python package {error.name}: pip install hier-config") from error


def predicted(platform: str, running: str, tree: Tree) -> str:
    """Return the configuration as it would be with these lines."""
    import hier_config

    kind = getattr(hier_config.Platform, _PLATFORMS.get(platform, "GENERIC"))
    now = hier_config.get_hconfig(kind, config_lines.plain(running))
    more = hier_config.get_hconfig(kind, config_lines.indented(tree))
    return "\n".join(child.cisco_style_text() for child in now.future(more).all_children()) + "\n"


def undoing(platform: str, running: str, wanted: str) -> Tree:
    """Return the lines that lead from what runs to what is wanted."""
    import hier_config

    kind = getattr(hier_config.Platform, _PLATFORMS.get(platform, "GENERIC"))
    now = hier_config.get_hconfig(kind, config_lines.plain(running))
    then = hier_config.get_hconfig(kind, config_lines.plain(wanted))
    found = hier_config.WorkflowRemediation(now, then).remediation_config
    lines = ((child.depth() - 1, child.text) for child in found.all_children_sorted() if child.text != "exit")
    return tuple((depth, _NO_TEXT.sub(r"\1", text)) for depth, text in lines)


def difference(old: str, new: str) -> str:
    """Return a unified diff, each change with the section that it stands in."""
    found = difflib.unified_diff(_with_sections(old), _with_sections(new), lineterm="", n=0)
    return "\n".join(_shown(line) for line in found if not line.startswith(("---", "+++", "@@")))


def foreseen(running: str, wanted: str) -> str:
    """Return what a prediction adds and takes away; it knows nothing of the order in which a device shows sections."""
    old, new = Counter(_with_sections(running)), Counter(_with_sections(wanted))
    lines = [*(f"-{line}" for line in (old - new)), *(f"+{line}" for line in (new - old))]
    return "\n".join(_shown(line) for line in lines)


def _shown(line: str) -> str:
    section, _, text = line[1:].rpartition("\t")
    return f"{line[0]} {section} │ {text}" if section else f"{line[0]} {text}"


def _with_sections(config: str) -> list[str]:
    """Put its sections before each line, so that equal lines of two interfaces are not taken for one."""
    parents: list[tuple[int, str]] = []
    found = []
    for line in config_lines.plain(config).splitlines():
        indent = len(line) - len(line.lstrip())
        while parents and parents[-1][0] >= indent:
            parents.pop()
        found.append("\t".join([" › ".join(text for _, text in parents), line.strip()]) if parents else line.strip())
        parents.append((indent, line.strip()))
    return found
