"""Devices that gave the same answer, told once: the common answer, then what differs. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from automation_bots.model import GOOD, Outcome, one_line

GROUPS_SHOWN = 8  # answers shown at most; with more kinds, no one is common enough to help
_NAMES_SHOWN = 8
_COMPARED = 400  # lines; beyond them, a comparison costs more than it tells
_NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Alike:
    """Devices with the same answer; the text is looked up only when it is shown."""

    devices: tuple[str, ...]
    text: str = ""


def plain(text: str) -> str:
    """Return the text as it is compared: without white space at the ends of lines and at the end."""
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def grouped(outcomes: Iterable[Outcome], digests: Mapping[str, str]) -> tuple[Alike, ...]:
    """Group the good devices by what they printed, the most common answer first; empty: grouping tells nothing."""
    good = (outcome.device for outcome in outcomes if outcome.status in GOOD)
    return alike({device: digests[device] for device in good if device in digests})


def alike(answers: Mapping[str, Hashable]) -> tuple[Alike, ...]:
    """Group devices by their answers, the most common one first; empty: grouping tells nothing."""
    found: dict[Hashable, list[str]] = {}
    for device, answer in answers.items():
        found.setdefault(answer, []).append(device)
    groups = sorted((tuple(devices) for devices in found.values()), key=lambda devices: (-len(devices), devices))
    if not groups or len(groups[0]) < 2 or (len(groups) > GROUPS_SHOWN and len(groups[0]) * 2 < len(answers)):
        return ()
    return tuple(Alike(devices) for devices in groups)


def sentence(groups: Sequence[Alike]) -> str:
    """`42 devices: same; 3 differ: db1, db2, db3`."""
    common, *others = groups
    if not others:
        return f"{len(common.devices)} devices: same"
    differing = tuple(device for group in others for device in group.devices)
    verb = "differs" if len(differing) == 1 else "differ"
    return f"{len(common.devices)} devices: same; {len(differing)} {verb}: {short(differing, 5)}"


def block(groups: Sequence[Alike], lines: int) -> str:
    """The common answer, then each other one with its devices, cut to that many lines."""
    shown, left = groups[:GROUPS_SHOWN], len(groups) - GROUPS_SHOWN
    texts = [plain(group.text) for group in shown]
    more = [f"… and {left} more answers"] if left > 0 else []
    if not any("\n" in text for text in texts):
        return "\n".join([*_rows(shown, texts), *more])
    each = max(3, (lines - 2 * len(shown)) // len(shown))
    first = max(each, lines - (len(shown) - 1) * (each + 2) - 2)
    parts = [_titled(shown[0], f"{len(shown[0].devices)} devices: same", texts[0].split("\n"), first)]
    for group, text in zip(shown[1:], texts[1:], strict=True):
        changed = _difference(texts[0], text)
        how = "differs" if len(group.devices) == 1 else "differ"
        title = f"{len(group.devices)} {how}" + (", only what is other (- there, + here)" if changed else "")
        parts.append(_titled(group, title, changed or text.split("\n"), each))
    return "\n".join([*parts, *more])


def _rows(groups: Sequence[Alike], texts: Sequence[str]) -> list[str]:
    """Answers of one line read best as a table."""
    counts = [f"{len(group.devices)}×" for group in groups]
    width, text_width = max(map(len, counts)), min(90, max(len(text) for text in texts))
    return [
        f"{count.rjust(width)}  {one_line(text, 90).ljust(text_width)}  {short(group.devices)}".rstrip()
        for count, text, group in zip(counts, texts, groups, strict=True)
    ]


def _titled(group: Alike, title: str, lines: Sequence[str], limit: int) -> str:
    kept = list(lines[:limit])
    if len(lines) > limit:
        kept[-1:] = [f"… {len(lines) - limit + 1} more lines"]
    return "\n".join([f"── {title}: {short(group.devices)}", *kept])


def _difference(common: str, text: str) -> list[str]:
    """The lines that are other, when they are fewer than the text; empty: show the text itself."""
    old, new = common.split("\n"), text.split("\n")
    if max(len(old), len(new)) > _COMPARED:
        return []
    found = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
    changed = [f"{line[0]} {line[1:]}" for line in found if not line.startswith("@@")]
    return changed if len(changed) < len(new) else []


def short(devices: Sequence[str], limit: int = _NAMES_SHOWN) -> str:
    """List devices in little room: `web1–web38, db2 and 7 more`."""
    runs = _runs(devices)
    kept = runs if len(runs) <= limit else runs[: limit - 1]
    text = ", ".join(run[0] if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in kept)
    left = len(devices) - sum(map(len, kept))
    return f"{text} and {left} more" if left else text


def _runs(devices: Sequence[str]) -> list[list[str]]:
    """Split into runs that count up one by one; two in a row stay apart, since both names are as short."""
    runs: list[list[str]] = []
    for device in sorted(devices, key=_natural):
        if runs and _follows(runs[-1][-1], device):
            runs[-1].append(device)
        else:
            runs.append([device])
    return [piece for run in runs for piece in ([run] if len(run) > 2 else [[name] for name in run])]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part]


def _follows(before: str, name: str) -> bool:
    one, two = _NUMBERED.fullmatch(before), _NUMBERED.fullmatch(name)
    if one is None or two is None or (one[1], one[3]) != (two[1], two[3]):
        return False
    return int(two[2]) == int(one[2]) + 1 and two[2] == str(int(two[2])).zfill(len(one[2]))
