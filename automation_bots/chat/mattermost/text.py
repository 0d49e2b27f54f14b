"""What Mattermost makes of text, and how to keep it from doing so. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from automation_bots.chat.calls import EVERYBODY
from automation_bots.model import Mention

# A stroke below inside of a word means nothing; "<" is shown as it is, and "\\<" would be too.
_MARKUP = re.compile(r"([\\`*{}\[\]>#~|$])|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_CALL = re.compile(r"@(?=[\w.-])")
_EMOJI = re.compile(r":(?=[\w+-]+:)")
_LIST = re.compile(r"^([ \u00a0]*)([-+])(?= )|^([ \u00a0]*\d+)([.)])(?= )", re.MULTILINE)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
_LINE = re.compile(r"^([ \u00a0]*)(=+|-{2,})([ \u00a0]*)$", re.MULTILINE)
_ID = re.compile(r"^[a-z0-9]{26}$")
_APART = "\u200b"  # of no width
NO_ID = "none"


def escape(text: str) -> str:
    """Show a text as it is: no markup, no emoji, nobody called."""
    text = _INDENT.sub(lambda found: "\u00a0" * len(found.group().expandtabs(4)), text)
    text = _ENTITY.sub(f"&{_APART}", _MARKUP.sub(r"\\\g<0>", text))
    text = _LIST.sub(lambda found: f"{found[1] or ''}{found[3] or ''}\\{found[2] or found[4]}", text)
    text = _LINE.sub(rf"\1{_APART}\2\3", text)
    return _EMOJI.sub(f":{_APART}", _CALL.sub(f"@{_APART}", text))


def fence(text: str) -> str:
    """A block of fixed width; marks of its own inside it cannot end it."""
    return "```\n" + text.replace("```", f"`{_APART}``") + "\n```" if text else ""


def without_mention(text: str, name: str) -> tuple[str, bool]:
    """Take the bot's name away from the beginning of a text; say whether it stood there."""
    found = re.match(rf"\s*@{re.escape(name)}(?![\w-])(?!\.\w)[:,]?\s*", text, re.IGNORECASE)
    return (text[found.end() :], True) if found else (text, False)


def id_of(given: object) -> str:
    """An id of Mattermost's; empty when it is none, so that it can go into no address."""
    return given if isinstance(given, str) and _ID.match(given) else NO_ID


def called(person: Mention, names: Mapping[str, str]) -> str:
    """Somebody's name so that it calls: only one that the server has just told."""
    name = names.get(person.account, "")
    return f"@{name}" if name and name not in EVERYBODY else escape(person.name)
