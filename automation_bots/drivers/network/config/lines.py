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
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]|\?$")
_SEPARATOR = re.compile(r"\s;|;\s")
_ONE_LINE = frozenset({"cisco_ios", "cisco_xe", "cisco_xr", "frr"})  # to them a ; is a character like any other
_DELETES = frozenset({"juniper_junos", "vyos"})
_DELETE = re.compile(r"delete\s+\S", re.IGNORECASE)
_XR_DELETE = re.compile(r"delete\s+(?:community|extcommunity|large-community)\s")  # in a route-policy
# A device that waits for the rest of a banner takes all that follows for it; FRR has words of its own.
_BANNER = re.compile(r"banner\s+\S+\s+(?!line\b|file\b|default\b)(\^C|\S)(.*)", re.IGNORECASE | re.DOTALL)
_EOF_BANNER = re.compile(r"banner\s+(?:motd|login)$", re.IGNORECASE)  # EOS
_HEAD = re.compile(
    r"(?:interface|router|vlan|line|route-map|ip access-list|ipv6 access-list|class-map|policy-map|vrf|key chain|bfd)\s"
)
_SUBHEAD = re.compile(r"(?:address-family|vrf|neighbor-group|peer-group template)\s")
_EXITS = {"exit", "quit", "exit-address-family", "exit-vrf", "!", "end"}
_ENDS = {"!", "exit", "quit", "end"}
Tree = Sequence[tuple[int, str]]


def blocks(lines: Iterable[str]) -> Iterator[str]:
    """Give the lines, those of a banner together as one text: none of them is a line of a configuration."""
    waiting: list[str] = []
    end = ""
    for line in lines:
        waiting.append(line)
        if len(waiting) == 1:
            end = _end_of(line)
        if not end or (len(waiting) > 1 and _ends(line, end)):
            yield "\n".join(waiting)
            waiting = []
    yield from waiting


def _end_of(line: str) -> str:
    """Return what ends the banner that begins here; empty: this line is all there is."""
    if _EOF_BANNER.match(line.rstrip()):
        return "EOF"
    found = _BANNER.match(line.rstrip())
    return found[1][0] if found and found[1][0] not in found[2] else ""


def _ends(line: str, end: str) -> bool:
    return line.strip() == end if end == "EOF" else end in line


def checked(lines: Iterable[str], *, platform: str = "", whole: bool = False) -> tuple[str, ...]:
    """Return the lines that are configuration, indented as they were; a BadParameter names one that is not.

    A `whole` configuration may be as a device shows it, with the words around it.
    """
    kept = tuple(_tidy(line) for line in blocks(lines) if _is_wanted(line, platform, whole=whole))
    nested = any(line.startswith(" ") for line in kept)
    for line in kept:
        if not (nested and line.strip() in _EXITS):  # the indentation says it already
            _check(line.strip(), platform)
    if not kept:
        raise BadParameter("There is no line to configure. Write the lines below the command, or in a code block.")
    return kept


def _is_wanted(line: str, platform: str, *, whole: bool) -> bool:
    if "\n" in line or (platform == "cisco_xr" and line.startswith(" ") and line.lstrip().startswith("#")):
        return True  # IOS XR keeps what is remarked in a policy or a set
    return bool(line.strip()) and not line.lstrip().startswith(("!", "#")) and not (whole and _NOISE.match(line))


def _tidy(line: str) -> str:
    return line if "\n" in line else line.rstrip().expandtabs()


def _check(text: str, platform: str) -> None:
    first, *rest = text.split("\n")
    if _end_of(first) and not (rest and _ends(rest[-1], _end_of(first))):
        banner = f"{one_line(first, 60)!r} does not end: its last line has to be {_end_of(first)}"
        raise BadParameter(f"{banner}, or all of it one line such as banner motd ^text^")
    deletes = (platform in _DELETES and _DELETE.match(text)) or (platform == "cisco_xr" and _XR_DELETE.match(text))
    if _NOT_CONFIGURATION.match(text) and not deletes:
        hint = " The sections follow from the indentation." if text in _ENDS else ""
        raise BadParameter(f"{one_line(text, 60)!r} is no line of a configuration; leave it out.{hint}")
    several = platform not in _ONE_LINE and _SEPARATOR.search(_unquoted(text) if platform == "juniper_junos" else text)
    if several or any(_CONTROL.search(line) for line in (first, *rest)):
        raise BadParameter(f"{one_line(text, 60)!r} holds a character that could start another command")


def _unquoted(text: str) -> str:
    return re.sub(r'"[^"]*"', '""', text)


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


# From one of these sections a device goes to the next of its kind by itself: none of them is a line inside another.
_SIDE_BY_SIDE = frozenset({"interface", "vlan", "route-map", "class-map", "policy-map", "line"})


def typed(tree: Tree) -> tuple[str, ...]:
    """Return what to send line by line, where the first refusal ends it: no `exit` between sections of one kind."""
    lines = list(walked(tree))
    return tuple(text for number, (depth, text) in enumerate(lines) if text != "exit" or not _goes_on(lines, number))


def _goes_on(lines: Sequence[tuple[int, str]], number: int) -> bool:
    """Whether an exit leads from a section to the next of its kind."""
    head = next((text for depth, text in reversed(lines[:number]) if depth == 0 and text != "exit"), "")
    following = next((text for _, text in lines[number + 1 :] if text != "exit"), "")
    after = next((depth for depth, text in lines[number + 1 :] if text != "exit"), 1)
    kind = head.partition(" ")[0]
    return after == 0 and kind in _SIDE_BY_SIDE and following.startswith(f"{kind} ")


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
    r"version .*-snapshot|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} +\d+ [\d:.]+ |"
    r"end$|exit$|exit-address-family$|\s*!|\s*exit$|\s*exit-address-family$|\s*exit-vrf$)"
)


# IOS sets what it denies below what it permits: `deny   ip any any`.
_ALIGNED = re.compile(r"^(\s*(?:(?:ip |ipv6 )?access-list \S+ )?(?:(?:seq )?\d+ )?deny) {2,}")


def plain(config: str) -> str:
    """Return a running configuration without what differs at every look, or stands there only for the eye."""
    kept = (_ALIGNED.sub(r"\1 ", block.rstrip()) for block in blocks(config.replace("\r", "").split("\n")))
    return "\n".join(line for line in kept if line and ("\n" in line or not _NOISE.match(line))) + "\n"
