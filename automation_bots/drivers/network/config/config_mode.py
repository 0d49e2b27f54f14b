"""Lines of a configuration typed one after the other; each answer is judged, what is asked back affirmed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from netmiko.exceptions import ReadTimeout

from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.render import many

_ASKS = re.compile(r"\[confirm\]\s*$|[\[(]y(?:es)?[/,]no?[\])](?:\s*[\[(]no?[\])])?\s*[:?]?\s*$", re.IGNORECASE)
_QUESTIONS = 3  # that one line may lead to
_RENAMES = re.compile(r"(?:no )?(?:hostname|switchname)\b")
_RENAMED = re.compile(r"(?:^|[\r\n])[^\r\n]*\)[#>]\s*$")
_NAME_SHOWN = 16  # characters of a long name that every platform shows in its prompt
_ECHO_SHOWN = 12
_TAIL = 400
_TICK_SECONDS = 0.1
_NO_ECHO_SECONDS = 0.4  # without an echo a prompt may be the one before; after so long it is this one's
_LINES_NAMED = 3


class ConfigMode:
    """netmiko's connection in configuration mode; with `renames` a new hostname is effective at once."""

    def __init__(self, connection: Any, platform: str, *, renames: bool = False) -> None:
        self._connection, self._platform, self._renames = connection, platform, renames
        name = re.escape(str(connection.base_prompt)[:_NAME_SHOWN])
        self._prompt = re.compile(rf"(?:^|[\r\n])[^\r\n]*{name}[^\r\n]*[#>$%\]]\s*$")

    def type(self, lines: Sequence[str]) -> None:
        """Type all lines; a Problem quotes what is said against one, and names those behind it, which are not sent."""
        for number, line in enumerate(lines):
            if said := self.objection(line):
                behind = [text for text in lines[number + 1 :] if text != "exit"]
                raise Problem(f"the device refuses {line!r}: {said}{_not_sent(behind)}")

    def type_what_goes(self, tree: config_lines.Tree) -> None:
        """Type all lines, as one that is refused now may be needless later; but none into another section."""
        closed: int | None = None
        for depth, line in config_lines.walked(tree):
            if closed is not None and (depth > closed or (line == "exit" and depth == closed)):
                continue
            closed = depth if self.objection(line) else None

    def objection(self, line: str) -> str:
        """Type one line, or a block such as a banner; return what the device says against it."""
        text = self._answer(line, line)
        if self._renames and _RENAMES.match(line):
            self._follow(text)
        for _ in range(_QUESTIONS):
            asked = _ASKS.search(text[-_TAIL:].rstrip())
            if not asked:
                break
            # It is meant, by all who approved it; what was asked is no objection any more.
            line = "" if "confirm" in asked[0].lower() else "yes"
            text = self._answer(line, line)
        return judge.objection(_without_prompt(text), line, self._platform)

    def _follow(self, text: str) -> None:
        self._connection.base_prompt = text.rstrip().rpartition("\n")[2].partition("(")[0]
        self.__init__(self._connection, self._platform, renames=True)  # type: ignore[misc]

    def _answer(self, typed: str, echo: str) -> str:
        connection = self._connection
        connection.read_channel()  # a prompt that came late is not this line's
        connection.write_channel(f"{typed}{connection.RETURN}")
        ends = _RENAMED if self._renames and _RENAMES.match(echo) else self._prompt
        return "".join(self._until(ends, "".join(echo.split())[:_ECHO_SHOWN]))

    def _until(self, ends: re.Pattern[str], echo: str) -> Iterator[str]:
        text, heard = "", time.monotonic()
        while True:
            now = time.monotonic()
            if more := self._connection.read_channel():
                text, heard = text + more, now
                yield more
            tail = text[-_TAIL:]
            if ends.search(tail) or _ASKS.search(tail.rstrip()):
                if echo in "".join(text.split()) or now - heard > _NO_ECHO_SECONDS:
                    return
            elif now - heard > self._connection.read_timeout_override:
                raise ReadTimeout("the prompt did not come back")
            if not more:
                self._connection.remote_conn.wait(_TICK_SECONDS)


def _without_prompt(text: str) -> str:
    return text.rstrip().rpartition("\n")[0]


def _not_sent(lines: Sequence[str]) -> str:
    if not lines:
        return ""
    named = ", ".join(repr(line) for line in lines[:_LINES_NAMED]) + (", …" if len(lines) > _LINES_NAMED else "")
    return f"; not sent any more: {many(len(lines), 'line')} ({named})"


def shown_with_defaults(connection: Any, platform: str) -> str:
    """Ask a device for its configuration with what is so by default; empty where it knows no such question."""
    command = judge.with_defaults(platform)
    if not command:
        return ""
    with said():
        text = str(connection.send_command(command))
    return "" if judge.refusal(text, platform) else text
