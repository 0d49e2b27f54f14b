"""Short forms of commands: `service restart {name} on {devices}`, filled with what is typed behind. Pure."""

from __future__ import annotations

import re

from automation_bots.errors import BadCommand

NAME = re.compile(r"[a-z][a-z0-9_-]{0,29}")
_SLOT = re.compile(r"\{([a-z_][a-z0-9_]{0,29})\}")
_WORD = re.compile(r"(?:\"[^\"]*\"|'[^']*'|[^\s\"'])+|[\"']")


def slots(meaning: str) -> tuple[str, ...]:
    """What has to be filled in, in its order."""
    return tuple(dict.fromkeys(_SLOT.findall(meaning)))


def usage(name: str, meaning: str) -> str:
    """How it is typed."""
    return " ".join([name, *(f"<{slot}>" for slot in slots(meaning))])


def filled(name: str, meaning: str, line: str) -> str:
    """The command that is meant: a word for each slot, the last takes what is left; without slots it is put behind."""
    wanted = slots(meaning)
    if not wanted:
        return f"{meaning} {line}".strip()
    words = [found for found in _WORD.finditer(line) if found[0] != "on" or "on {" not in meaning]
    if len(words) < len(wanted):
        raise BadCommand(f"{name} needs {wanted[len(words)]}. → !{usage(name, meaning)}")
    values = {slot: word[0] for slot, word in zip(wanted, words, strict=False)}
    values[wanted[-1]] = line[words[len(wanted) - 1].start() :].strip()
    return _SLOT.sub(lambda slot: values[slot[1]], meaning)
