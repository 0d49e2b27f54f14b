"""From one configuration to another: what would change, and the lines that undo it. By hier-config."""

from __future__ import annotations

import difflib
import functools
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.messages import Problem

logging.getLogger("hier_config").setLevel(logging.ERROR)
_PLATFORMS = {"cisco_ios": "CISCO_IOS", "cisco_xe": "CISCO_IOS", "cisco_nxos": "CISCO_NXOS",
              "arista_eos": "ARISTA_EOS", "frr": "CISCO_IOS"}  # fmt: skip
# FRR takes a description back only without its text, and nobody a banner with it.
_NO_TEXT = re.compile(r"^(no (?:(?:neighbor \S+ )?description|banner \S+))\b.*", re.DOTALL)
# hier-config has its own mind of banners and of blanks in a text: both are sealed before it sees them.
_BLANKS = re.compile(r"(?<=\S) {2,}(?=\S)")
_SEALS = {" ": "\ue000", "\n": "\ue001", "\t": "\ue002"}
_OPENED = str.maketrans({seal: char for char, seal in _SEALS.items()})
_BANNERS = ("motd", "login", "exec", "incoming", "slip-ppp", "prompt-timeout", "asdm")
_UNCHANGING = re.compile(r"no (?:neighbor \S+ )?(description|shutdown)$")
_ENTRY = re.compile(
    r"(?:(?P<list>(?:(?:ip|ipv6) (?:prefix|access)|access)-list \S+) )?(?:seq )?"
    r"(?P<number>\d+) (?:permit|deny|remark)\b"
)
Tree = config_lines.Tree


def load() -> None:
    """Import what goes back and forth between configurations; a missing package is told before a change begins."""
    try:
        import hier_config  # noqa: F401 - only whether it is there
    except ImportError as error:
        raise Problem(f"!config needs the Python package {error.name}: pip install hier-config") from error


def _driver(platform: str) -> Any:
    """Return what hier-config knows of a platform, less what would hide lines (`! …` in a password, remarks …).

    Where lines are undone it may hide `no ip address`, whose opposite is no command, and the version, which is none.
    """
    import hier_config

    driver = hier_config.get_hconfig_driver(getattr(hier_config.Platform, _PLATFORMS.get(platform, "GENERIC")))
    hides, reads = driver.rules.per_line_sub, driver.rules.post_load_callbacks
    hides[:] = [rule for rule in hides if "no ip address" in rule.search or rule.search.startswith("^version")]
    reads[:] = [read for read in reads if "remark" not in read.__name__]
    return driver


def predicted(platform: str, running: str, tree: Tree) -> str:
    """Return what would be other in the configuration with these lines."""
    import hier_config
    from hier_config import models

    driver = _driver(platform)
    # Whoever approves has to see each line that is sent as it is, and none that stays.
    driver.rules.per_line_sub.clear()
    driver.rules.post_load_callbacks.clear()
    known = driver.rules.idempotent_commands
    name = hier_config.MatchRule(startswith=("hostname ", "switchname "))
    known[:] = [rule for rule in known if not _is_list(rule)]
    known.append(models.IdempotentCommandsRule(match_rules=(name,)))
    for kind in _BANNERS:
        banner = hier_config.MatchRule(startswith=f"BANNER {kind} ")
        known.append(models.IdempotentCommandsRule(match_rules=(banner,)))
    tree = _once(_completed(tree, running))
    now = hier_config.get_hconfig(driver, _sealed(_without_replaced(running, tree)))
    more = hier_config.get_hconfig(driver, _sealed(config_lines.indented(_changing(platform, tree, running))))
    return foreseen(running, _text(now.future(more)))


def _sealed(config: str) -> str:
    """Return a configuration with each banner as one line, and the blanks of texts kept."""
    blocks = config_lines.blocks(config_lines.plain(config).splitlines())
    return "\n".join(_seal(block) for block in blocks) + "\n"


def _seal(block: str) -> str:
    if "\n" not in block and not block.startswith("banner "):
        return _BLANKS.sub(lambda found: " " + _SEALS[" "] * (len(found[0]) - 1), block)
    _, kind, *text = block.split(None, 2)
    for char, seal in _SEALS.items():
        text = [part.replace(char, seal) for part in text]
    return " ".join(("BANNER", kind, *text))


def _unsealed(text: str) -> str:
    return re.sub(r"^(\s*(?:no )?)BANNER ", r"\1banner ", text.translate(_OPENED))


def _entry(section: tuple[str, ...], text: str) -> tuple[tuple[str, ...], str, str] | None:
    found = _ENTRY.match(text)
    return (section, found["list"] or "", found["number"]) if found else None


def _without_replaced(running: str, tree: Tree) -> str:
    """Leave out the entries of lists whose number is given to another one."""
    given = {key: text for section, text in placed(config_lines.indented(tree)) if (key := _entry(section, text))}
    if not given:
        return running
    kept = []
    blocks = config_lines.plain(running)
    for line, (section, text) in zip(config_lines.blocks(blocks.splitlines()), placed(running), strict=True):
        key = _entry(section, text)
        if not key or given.get(key, text) == text:
            kept.append(line)
    return "\n".join(kept)


def _changing(platform: str, tree: Tree, running: str) -> Tree:
    """Leave out `no shutdown` and `no description` where there is none; ports of NX-OS are shut without a word."""
    there = {(section, text.split()[0]) for section, text in placed(running)}
    there |= {(section, "description") for section, text in placed(running) if " description " in text}
    kept: list[tuple[int, str]] = []
    section: list[str] = []
    for depth, text in tree:
        section[depth:] = [text]
        found = None if platform == "cisco_nxos" else _UNCHANGING.match(text)
        if not found or (tuple(section[:-1]), found[1]) in there:
            kept.append((depth, text))
    return tuple(kept)


def _once(tree: Tree) -> Tree:
    """Put the lines of a section that was opened twice together, and a line that was typed twice where it was last."""
    root: dict[str, Any] = {}
    open_sections = [root]
    for depth, text in tree:
        section = open_sections[depth]
        inside = section[text] if section.get(text) else section.pop(text, {})
        section[text] = inside
        open_sections[depth + 1 :] = [inside]
    return tuple(_flat(root))


def _flat(section: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[int, str]]:
    for text, inside in section.items():
        yield depth, text
        yield from _flat(inside, depth + 1)


def _completed(tree: Tree, running: str) -> Tree:
    """Write interfaces as the device does (`int gi0/1`), where it has exactly one that they can mean."""
    heads = [(line, _pieces(line)) for line in running.splitlines() if line.startswith("interface ")]
    return tuple((depth, text if depth else _whole(text, heads)) for depth, text in tree)


def _whole(text: str, heads: Sequence[tuple[str, list[str]]]) -> str:
    typed = _pieces(text)
    found = {head.strip() for head, pieces in heads if _means(typed, pieces)}
    return found.pop() if len(found) == 1 else text


@functools.lru_cache(maxsize=20_000)
def _pieces(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+|[^\sa-z\d]", text.lower())


def means(typed: str, known: str) -> bool:
    """Whether a line is one that the device knows, its words perhaps in short."""
    return _means(_pieces(typed), _pieces(known))


def _means(typed: Sequence[str], pieces: Sequence[str]) -> bool:
    """Whether each word is the beginning of the device's; numbers are whole."""
    return len(typed) == len(pieces) and all(
        piece.startswith(word) if word.isalpha() else piece == word for word, piece in zip(typed, pieces, strict=True)
    )


def _is_list(rule: Any) -> bool:
    """Whether it takes a line for a new value that may also add to a list (`allowed vlan add 30`)."""
    return "allowed vlan" in str(rule.match_rules[-1].startswith)


def _text(config: Any) -> str:
    return "\n".join(_unsealed(child.cisco_style_text()) for child in config.all_children()) + "\n"


def undoing(platform: str, running: str, wanted: str) -> Tree:
    """Return the lines that lead from what runs to what is wanted."""
    import hier_config

    driver = _driver(platform)
    now = hier_config.get_hconfig(driver, _sealed(running))
    then = hier_config.get_hconfig(driver, _sealed(wanted))
    found = hier_config.WorkflowRemediation(now, then).remediation_config
    lines = ((child.depth() - 1, child.text) for child in found.all_children_sorted() if child.text != "exit")
    return tuple((depth, _NO_TEXT.sub(r"\1", _unsealed(text))) for depth, text in lines)


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
    text = text.replace("\n", f"\n{line[0]} ")
    return f"{line[0]} {section} │ {text}" if section else f"{line[0]} {text}"


def _with_sections(config: str) -> list[str]:
    """Put its sections before each line, so that equal lines of two interfaces are not taken for one."""
    return ["\t".join([" › ".join(section), text]) if section else text for section, text in placed(config)]


def placed(config: str) -> list[tuple[tuple[str, ...], str]]:
    """Return each line with the sections that it stands in."""
    parents: list[tuple[int, str]] = []
    found = []
    for line in config_lines.blocks(config_lines.plain(config).splitlines()):
        indent = len(line) - len(line.lstrip())
        while parents and parents[-1][0] >= indent:
            parents.pop()
        found.append((tuple(text for _, text in parents), line.strip()))
        parents.append((indent, line.strip()))
    return found
