"""The filters of a router behind the bot's own lists: `!jobs | include web`, `!devices | count`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from automation_bots.commands.context import CommandCall
from automation_bots.errors import BadCommand
from automation_bots.model import Answer
from automation_bots.text import filters

Command = Callable[[CommandCall], Answer | None]


def filtered(command: Command) -> Command:
    """Give a command that prints a list the filters behind a `|`; they see all of the list, not what fits a message."""

    def answer(ask: CommandCall) -> Answer | None:
        words, found = _apart(ask.words)
        if not found:
            return command(ask)
        said = command(replace(ask, line=" ".join(words), whole=True))
        return _narrowed(said, found) if said else None

    return answer


def _apart(words: Sequence[str]) -> tuple[Sequence[str], tuple[filters.Filter, ...]]:
    """Return the words before the first `|`, and the filters behind it."""
    spread = [part for word in words for part in (("|", word[1:]) if word[0] == "|" and word[1:] else (word,))]
    if "|" not in spread:
        return words, ()
    first = spread.index("|")
    at = [first, *(n for n in range(first + 1, len(spread) - 1) if spread[n] == "|" and filters.known(spread[n + 1]))]
    found = tuple(filters.read(spread[one + 1 : two]) for one, two in zip(at, [*at[1:], len(spread)], strict=True))
    if other := next((name for name, _ in found if name in {"columns", "csv"}), ""):
        raise BadCommand(f"| {other} is for what devices answer; here there are {', '.join(filters.LINES)}.")
    return spread[:first], found


def _narrowed(said: Answer, found: Sequence[filters.Filter]) -> Answer:
    if not said.block:
        return said
    return replace(said, block=filters.applied(said.block, found) or "(no line of it)")
