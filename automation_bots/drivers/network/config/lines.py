"""Configuration lines as a person writes them: which may never be sent, and which stand in which section. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from automation_bots.errors import BadParameter
from automation_bots.model import one_line

# They leave the configuration, act at once, or make it permanent: that is for the driver to do, in its own order.
_NOT_CONFIGURATION = re.compile(
    r"(?:end|do|exit|quit|run|commit|abort|rollback|configure|conf\s*t|write|copy|reload|delete|erase|format|"
    r"clear|request|top|up|load|save|bash|python|guestshell|start-shell|start)(?:\s|$)",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"\s;|;\s|[\x00-\x08\x0b-\x1f\x7f]|\?$")
# A device that waits for the rest of a banner takes all that follows for it; FRR has words of its own.
_BANNER = re.compile(r"banner\s+\S+\s+(?!line\b|file\b|default\b)(\S)(.*)", re.IGNORECASE)
_HEAD = re.compile(
    r"(?:interface|router|vlan|line|route-map|ip access-list|ipv6 access-list|class-map|policy-map|vrf|key chain|bfd)\s"
)
_SUBHEAD = re.compile(r"(?:address-family|vrf|neighbor-group|peer-group template)\s")
_EXITS = {"exit", "quit", "exit-address-family", "exit-vrf", "!", "end"}
_ENDS = {"!", "exit", "quit", "end"}
Tree = Sequence[tuple[int, str]]


def checked(lines: Iterable[str], *, whole: bool = False) -> tuple[str, ...]:
    """Return the lines that are configuration, indented as they were; a BadParameter names one that is not.

    A `whole` configuration may be as a device shows it, with the words around it.
    """
    if whole:
        lines = [line for line in lines if not _NOISE.match(line)]
    kept = tuple(
        line.rstrip().expandtabs() for line in lines if line.strip() and not line.lstrip().startswith(("!", "#"))
    )
    nested = any(line.startswith(" ") for line in kept)
    for line in kept:
        text = line.strip()
        if nested and text in _EXITS:
            continue  # the indentation says it already
        if _NOT_CONFIGURATION.match(text):
            hint = " The sections follow from the indentation." if text in _ENDS else ""
            raise BadParameter(f"{one_line(text, 60)!r} is no line of a configuration; leave it out.{hint}")
        if not whole and (banner := _BANNER.match(text)) and banner[1] not in banner[2]:
            raise BadParameter(
                f"{one_line(text, 60)!r} has to end on the same line, such as banner motd {banner[1]}text{banner[1]}"
            )
        if _SEPARATORS.search(text):
            raise BadParameter(f"{one_line(text, 60)!r} holds a character that could start another command")
    if not kept:
        raise BadParameter("There is no line to configure. Write the lines below the command, or in a code block.")
    return kept


def structured(lines: Sequence[str]) -> tuple[tuple[int, str], ...]:
    """Return (depth, line): by the indentation, or, where there is none, by the words that open a section."""
    if any(line.startswith(" ") for line in lines):
        return tuple(_by_indentation(lines))
    return tuple(_by_words(lines))


def _by_indentation(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    open_at: list[int] = []
    for line in lines:
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text in _EXITS:
            continue
        while open_at and open_at[-1] >= indent:
            open_at.pop()
        yield len(open_at), text
        open_at.append(indent)


def _by_words(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    depth = 0
    for line in lines:
        text = line.strip()
        if text.startswith("exit-"):
            depth = max(0, depth - 1)
        elif _HEAD.match(text):
            yield 0, text
            depth = 1
        elif depth and _SUBHEAD.match(text):
            yield 1, text
            depth = 2
        else:
            yield depth, text


def flat(tree: Tree) -> tuple[str, ...]:
    """Return what to send: each section is left before a line that is not in it."""
    return tuple(text for _, text in walked(tree))


def whole(tree: Tree) -> str:
    """Return the same as one text, indented."""
    return "\n".join(f"{' ' * depth}{text}" for depth, text in walked(tree)) + "\n"


def walked(tree: Tree) -> Iterator[tuple[int, str]]:
    """Give what to send, each line with its depth; an `exit` has the depth of the section that it leaves."""
    for number, (depth, text) in enumerate(tree):
        before = tree[number - 1][0] if number else 0
        yield from ((level, "exit") for level in range(before - 1, depth - 1, -1))
        if number and depth == before == 0 and _HEAD.match(tree[number - 1][1]):
            yield 0, "exit"
        yield depth, text


def indented(tree: Tree) -> str:
    """Return the lines as a configuration shows them."""
    return "\n".join(f"{' ' * depth}{text}" for depth, text in tree)


_NOISE = re.compile(
    r"^(?:!|Building configuration|Current configuration|Last configuration change|ntp clock-period|## Last commit|"
    r"version .*-snapshot|end$|exit$|exit-address-family$|\s*!|\s*exit$|\s*exit-address-family$|\s*exit-vrf$)"
)


def plain(config: str) -> str:
    """Return a running configuration without what differs at every look: comments, times, ends of sections."""
    kept = (line.rstrip() for line in config.replace("\r", "").split("\n"))
    return "\n".join(line for line in kept if line and not _NOISE.match(line)) + "\n"
