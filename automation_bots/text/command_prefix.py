"""Our texts write commands with `!`; what a bot with another prefix says is put right once, where it leaves. Pure."""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import replace

from automation_bots.model import Answer

USUAL = "!"
_COMMAND = re.compile(r"(?<![\w!])!(@?[a-z][\w-]*)")


def spelled(answer: Answer, prefix: str, names: Container[str]) -> Answer:
    """Write the commands of these names with the bot's own prefix; whatever else begins with `!` is no command."""
    if prefix == USUAL:
        return answer

    def own(text: str) -> str:
        return _COMMAND.sub(lambda found: f"{prefix}{found[1]}" if found[1] in names else found[0], text)

    return replace(answer, text=own(answer.text), block=own(answer.block), hint=own(answer.hint))
