"""Whether new names would take the place of names that are there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from automation_bots import render
from automation_bots.errors import BadRepository


def commands(new: Iterable[str], taken: Collection[str]) -> None:
    """Refuse commands of the bot's names, and longer ones that would catch what is typed behind a name of the bot."""
    for name in new:
        words = name.split("_")
        for length in range(1, len(words) + 1):
            first = "_".join(words[:length])
            if first in taken:
                typed = name.replace("_", " ")
                raise BadRepository(f"It brings !{typed}, but !{first.replace('_', ' ')} is a command here already.")


def others(what: str, new: Iterable[str], taken: Collection[str]) -> None:
    """Refuse names of plugins or modules that are there already; two of one name cannot live in one bot."""
    if both := sorted(set(new) & set(taken)):
        raise BadRepository(f"It brings a {what} called {render.names(both)}, which is there already.")
