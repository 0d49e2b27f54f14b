"""What became of each line that was sent: it is new, was there before, or took away what was there; or none of these.

Devices write lines in their own way (`int gi0/1`, a password as its hash, a list of VLANs as one line), so that a line
is also found by its beginning in what is new. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from automation_bots.drivers.network.config import diff as plans
from automation_bots.render import many

_OPPOSITE = re.compile(r"(?:no|undo|default|delete|activate)\s+(.+)", re.IGNORECASE)
_NUMBERED = re.compile(r"^(?:seq\s+)?\d+\s+(?=permit\b|deny\b|remark\b)")
# Behind these words stands a text of somebody's own, whose beginning is another text.
_OWN_WORDS = re.compile(r"\b(?:desc\w*|rem|remark|name|contact|location|banner|message|hostname|switchname)\b")
_QUOTES = re.compile("[\"']")
_NAMED = 3
Section = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A line as it was sent, and where it belongs, in the device's spelling."""

    section: Section
    text: str

    @property
    def undoes(self) -> str:
        """The beginning of what it takes away; empty: it adds."""
        found = _OPPOSITE.match(self.text)
        if not found:
            return ""
        word = {"delete": "set ", "activate": "deactivate "}.get(self.text.split(None, 1)[0].lower(), "")
        return word + found[1]


class Account:
    """The configuration before and after, and what is new in it and gone from it."""

    def __init__(self, before: str, after: str) -> None:
        old, new = Counter(plans.placed(before)), Counter(plans.placed(after))
        self._here, self._gone = _by_section(new), _by_section(old - new)
        self._known = _by_section(new | old)
        self._new = tuple(new - old)
        self._seen = _with_sections(new)

    def missing(self, tree: plans.Tree, shown: str = "") -> tuple[str, ...]:
        """Return the lines that made nothing that can be seen, were not there before, and are not `shown` elsewhere."""
        sent = tuple(self._sent(tree))
        exact = {(it.section, it.text) for it in sent}
        free = tuple(line for line in self._new if line not in exact)  # what no line says word by word
        seen = self._seen | _with_sections(plans.placed(shown))
        found = {
            it
            for number, it in enumerate(sent)
            if (it.section, it.text) in seen or self._has_worked(it, sent[number + 1 :], free)
        }
        open_ = {it.section[:depth] for it in found for depth in range(1, len(it.section) + 1)}
        return tuple(dict.fromkeys(it.text for it in sent if it not in found and (*it.section, it.text) not in open_))

    def _sent(self, tree: plans.Tree) -> Iterator[_Sent]:
        section: list[str] = []
        for depth, text in tree:
            del section[depth:]
            spelled = _spelled(text, self._known.get(tuple(section), {}))
            yield _Sent(tuple(section), spelled)
            section.append(spelled)

    def _has_worked(self, it: _Sent, later: Sequence[_Sent], new: Iterable[tuple[Section, str]]) -> bool:
        """Whether it took away what is gone, was taken back by a later line, or is written in another way."""
        if beginning := it.undoes:
            gone, here = (texts.get(it.section, {}) for texts in (self._gone, self._here))
            again = (one.text for one in later if one.section == it.section)
            return any(_begins(text, beginning) for text in (*gone, *again)) or not any(
                _begins(text, beginning) for text in here
            )
        taken_back = any(_begins(it.text, one.undoes) for one in later if one.section == it.section and one.undoes)
        depth = len(it.section)
        return taken_back or any(section[:depth] == it.section and _rewritten(it.text, text) for section, text in new)


def _by_section(lines: Iterable[tuple[Section, str]]) -> dict[Section, dict[str, None]]:
    found: dict[Section, dict[str, None]] = {}
    for section, text in lines:
        found.setdefault(section, {})[text] = None
    return found


def _with_sections(lines: Iterable[tuple[Section, str]]) -> set[tuple[Section, str]]:
    """Return each line in each section around it too: a device may move it into one of its own (an address family)."""
    return {(section[:depth], text) for section, text in lines for depth in range(len(section) + 1)}


def _spelled(typed: str, known: Mapping[str, None]) -> str:
    """Return a line as the device writes it, which was perhaps typed in short, or in other quotes."""
    if typed in known:
        return typed
    if _QUOTES.search(typed):
        bare = _QUOTES.sub("", typed)
        return next((text for text in known if _QUOTES.sub("", text) == bare), typed)
    if _OWN_WORDS.search(typed):
        return typed
    return next((text for text in known if plans.means(typed, text)), typed)


def _begins(text: str, beginning: str) -> bool:
    words, wanted = text.split(), beginning.split()
    return len(words) >= len(wanted) and all(word.startswith(part) for word, part in zip(words, wanted, strict=False))


def _rewritten(sent: str, found: str) -> bool:
    """Whether a line that is new may be how the device writes this one: the first half of their words is the same."""
    typed, known = (_NUMBERED.sub("", text).split() for text in (sent, found))
    half = max(1, -(-min(len(typed), len(known)) // 2))
    return len(typed) >= half and all(b.startswith(a) for a, b in zip(typed[:half], known[:half], strict=True))


def told(lines: Sequence[str]) -> str:
    """Name the lines of which nobody knows what they did."""
    named = ", ".join(repr(line) for line in lines[:_NAMED]) + (", …" if len(lines) > _NAMED else "")
    be = "is" if len(lines) == 1 else "are"
    return f"{many(len(lines), 'line')} {be} not in the configuration, though the device said nothing: {named}"
