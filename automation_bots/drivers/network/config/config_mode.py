"""Lines of a configuration typed one after the other; each answer is judged, what is asked back affirmed. Pure.

Whoever holds the command line types what comes out of these generators, and sends back what the device printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session.typed_line import Steps, TypedLine, affirmed, asked
from automation_bots.model import one_line
from automation_bots.render import many

_QUESTIONS = 3  # that one line may lead to
_RENAMES = re.compile(r"(?:no )?(?:hostname|switchname)\b")
_LINES_NAMED = 3


class ConfigMode:
    """A platform in configuration mode; with `renames` a new hostname is effective at once."""

    def __init__(self, platform: str, *, renames: bool = False) -> None:
        self._platform, self._renames = platform, renames

    def entered(self, steps: Steps[None], command: str = "configure terminal") -> Steps[None]:
        """Go to the configuration mode, type, and leave it."""
        said = yield from self.entered_by(command)
        if "(" not in said.rstrip().rpartition("\n")[2]:
            raise Problem(self._not_entered(said, command))
        try:
            yield from steps
        except Problem:
            yield TypedLine("end", moves=True)
            raise
        yield TypedLine("end", moves=True)

    def entered_by(self, command: str) -> Steps[str]:
        """Go to the configuration mode; a Problem says why that is refused."""
        said = yield TypedLine(command, moves=True)
        if judge.refusal(judge.without_echo(_without_prompt(said), command), self._platform):
            raise Problem(self._not_entered(said, command))
        return said

    def _not_entered(self, said: str, command: str) -> str:
        answer = one_line(judge.without_echo(_without_prompt(said), command), 200)
        return f"the device does not go to its configuration mode: {answer}"

    def type(self, lines: Sequence[str]) -> Steps[None]:
        """Type all lines; a Problem quotes what is said against one, and names those behind it, which are not sent."""
        for number, line in enumerate(lines):
            if said := (yield from self._objection(line)):
                behind = [text for text in lines[number + 1 :] if text != "exit"]
                raise Problem(f"the device refuses {line!r}: {said}{_not_sent(behind)}")

    def type_what_goes(self, tree: config_lines.Tree) -> Steps[None]:
        """Type all lines, as one that is refused now may be needless later; but none into another section."""
        closed: int | None = None
        for depth, line in config_lines.walked(tree):
            if closed is not None and (depth > closed or (line == "exit" and depth == closed)):
                continue
            closed = depth if (yield from self._objection(line)) else None

    def _objection(self, line: str) -> Steps[str]:
        """Type one line, or a block such as a banner; return what the device says against it."""
        typed = TypedLine(line, moves=self._renames and bool(_RENAMES.match(line)))
        text = yield typed
        for _ in range(_QUESTIONS):
            question = asked(text)
            if not question:
                break
            # It is meant, by all who approved it; what was asked is no objection any more.
            typed = affirmed(question)
            text = yield typed
        return judge.objection(_without_prompt(text), typed.text, self._platform)


def _without_prompt(text: str) -> str:
    return text.rstrip().rpartition("\n")[0]


def _not_sent(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    named = ", ".join(repr(line) for line in lines[:_LINES_NAMED]) + (", …" if len(lines) > _LINES_NAMED else "")
    return f"; not sent any more: {many(len(lines), 'line')} ({named})"


def shown_with_defaults(ask: Callable[[str], str], platform: str) -> str:
    """Ask a device for its configuration with what is so by default; empty where it knows no such question."""
    command = judge.with_defaults(platform)
    text = ask(command) if command else ""
    return "" if judge.refusal(text, platform) else text
