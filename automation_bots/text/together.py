"""Which sites or groups explain most of many names: what a room hears of them in one sentence. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

_NAMED = 3  # sites and groups in one sentence
_EXPLAINED = 0.8  # share of a site that is among them, so that it is named


def together(names: Collection[str], groups: Mapping[str, Sequence[str]]) -> list[str]:
    """Say which sites or groups explain most of these targets, the one that explains most first.

    `groups` has the targets of each; a target may be in several.
    """
    left, said = set(names), []
    while left:
        ratios = ((name, left.intersection(members), members) for name, members in groups.items())
        found = [(len(hit), -len(members), name) for name, hit, members in ratios if _explains(hit, members, names)]
        if not found:
            break
        _, _, name = max(found)
        hit = set(names).intersection(groups[name])
        every = len(hit) == len(groups[name])
        said.append(f"{name}: all {len(hit):,}" if every else f"{name}: {len(hit):,} of {len(groups[name]):,}")
        left -= hit
        if len(said) == _NAMED:
            break
    return said


def _explains(hit: Collection[str], members: Sequence[str], names: Collection[str]) -> bool:
    if len(hit) < 2 or len(hit) * 10 < len(names):  # one that explains next to nothing is not worth a word
        return False
    return len(set(names).intersection(members)) >= _EXPLAINED * len(members)
