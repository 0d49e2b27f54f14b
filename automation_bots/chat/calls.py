"""Whom a message calls: on its way to a client a person stands in it as nothing that is said can look. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from automation_bots.model import Mention, one_line

# Control characters: what is said loses all of them before it is put together with these.
_BEGIN, _BETWEEN, _END = "\x02", "\x1f", "\x03"
_CALL = re.compile(f"{_BEGIN}([^{_BEGIN}{_BETWEEN}{_END}]*){_BETWEEN}([^{_BEGIN}{_BETWEEN}{_END}]*){_END}")
EVERYBODY = frozenset({"all", "here", "channel", "everyone", "room", "group"})  # they call all


def lines(people: Sequence[Mention], limit: int) -> list[str]:
    """One line that calls them, or one for each where that would be longer than a message."""
    if not people:
        return []
    whole = f"To: {', '.join(map(_call, people))}"
    return [whole] if len(whole) <= limit else list(map(_call, people))


def _call(person: Mention) -> str:
    return f"{_BEGIN}{one_line(person.account)}{_BETWEEN}{one_line(person.name)}{_END}"


def people(text: str) -> tuple[Mention, ...]:
    """Who is called in a text."""
    return tuple(Mention(*found) for found in _CALL.findall(text))


def written(text: str, write: Callable[[Mention], str]) -> str:
    """The text as a network wants it."""
    return _CALL.sub(lambda found: write(Mention(found[1], found[2])), text)


def parts(text: str) -> list[str | Mention]:
    """What stands between them, and they."""
    pieces = _CALL.split(text)  # words, account, name, words, …
    found: list[str | Mention] = [pieces[0]]
    for at in range(1, len(pieces), 3):
        found += [Mention(pieces[at], pieces[at + 1]), pieces[at + 2]]
    return [piece for piece in found if piece]
