"""netmiko's connection for whoever changes a configuration line by line: each line waits for its own prompt."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, cast

from netmiko.exceptions import ReadTimeout

from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.drivers.network.session.prompt_reader import DIALECTS, NOT_ENABLED
from automation_bots.drivers.network.session.typed_line import Steps, T, TypedLine, asked

_ANY = re.compile(r"(?:^|[\r\n])[^\r\n]+[#>$%\]]\s*$")
_NAME_SHOWN = 16  # characters of a long name that every platform shows in its prompt
_TAIL = 400
_TICK_SECONDS = 0.1
_NO_ECHO_SECONDS = 0.4  # without an echo a prompt may be the one before; after so long it is this one's


class NetmikoLine:
    """A command line that netmiko holds."""

    def __init__(self, connection: Any, platform: str) -> None:
        self._connection, self._platform = connection, platform

    @property
    def hint(self) -> str:
        """Why it may refuse what others may ask."""
        dialect = DIALECTS.get(self._platform)
        at_user = bool(dialect and dialect.enable) and str(self._connection.find_prompt()).rstrip().endswith(">")
        return NOT_ENABLED if at_user else ""

    def ask(self, command: str) -> str:
        """Send one line and return its answer."""
        with said():
            return str(self._connection.send_command(command))

    def run(self, steps: Steps[T]) -> T:
        """Type what comes out, and give back what the device prints."""
        with said():
            return typed(self._connection, steps)

    def save(self) -> None:
        """Save for the next start."""
        with said():
            self._connection.save_config()


def typed(connection: Any, steps: Steps[T]) -> T:
    """Type what comes, and give back what is printed."""
    try:
        line = next(steps)
        while True:
            line = steps.send(_answer(connection, line))
    except StopIteration as end:
        return cast("T", end.value)


def _answer(connection: Any, line: TypedLine) -> str:
    connection.read_channel()  # a prompt that came late is not this line's
    connection.write_channel(f"{line.text}{connection.RETURN}")
    patience = line.seconds or connection.read_timeout_override
    text = "".join(_until(connection, _ANY if line.moves else _prompt(connection), line.echo, patience))
    if line.moves and (shown := _ANY.search(text[-_TAIL:])):
        connection.base_prompt = re.split(r"[(#>$%]", shown[0].strip())[0]
    return text


def _prompt(connection: Any) -> re.Pattern[str]:
    name = re.escape(str(connection.base_prompt)[:_NAME_SHOWN])
    return re.compile(rf"(?:^|[\r\n])[^\r\n]*{name}[^\r\n]*[#>$%\]]\s*$")


def _until(connection: Any, ends: re.Pattern[str], echo: str, patience: float) -> Iterator[str]:
    text, heard = "", time.monotonic()
    while True:
        now = time.monotonic()
        if more := connection.read_channel():
            text, heard = text + more, now
            yield more
        if ends.search(text[-_TAIL:]) or asked(text):
            if echo in "".join(text.split()) or now - heard > _NO_ECHO_SECONDS:
                return
        elif now - heard > patience:
            raise ReadTimeout("the prompt did not come back")
        if not more:
            connection.remote_conn.wait(_TICK_SECONDS)
