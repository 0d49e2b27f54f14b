"""Which of the bot's own commands run at times: what only looks, what changes something, and why the rest does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from automation_bots.operations.own_commands import OWN, Late

_ALL = r".*"
_LOOK_FIRST = "somebody has to look at it first"
_NUMBER = r"[a-z#]?\d+"


@dataclass(frozen=True, slots=True)
class Timed:
    """Patterns of the words behind a command: those that look, those that change something; no others run at times."""

    looks: str = ""
    changes: str = ""
    why: str = "it is for somebody who is there"
    devices: str = ""  # the word of the line that names them, as the group `devices` of a pattern


_CHANGES = Timed(changes=_ALL)
_CLOSES = Timed(changes=_ALL, devices=r"(?P<devices>\S+)")
TIMED: Mapping[str, Timed] = MappingProxyType({
    "ack": Timed(why=_LOOK_FIRST),
    "approve": Timed(why=_LOOK_FIRST),
    "at": Timed(why="a schedule sets no other"),
    "audit": Timed(looks=_ALL),
    "cancel": _CHANGES,
    "change": Timed(rf"(?:{_NUMBER}.*)?", r"(?:start|end)\b.*", devices=r"start (?P<devices>\S+)"),
    "continue": Timed(why=_LOOK_FIRST),
    "cron": Timed(why="a schedule sets no other"),
    "deny": Timed(why=_LOOK_FIRST),
    "device": Timed(r"(?!(?:un)?trust\b).+", why=_LOOK_FIRST),
    "every": Timed(why="a schedule sets no other"),
    "events": Timed(r"(?!follow\b).*"),
    "freeze": _CLOSES,
    "lock": _CLOSES,
    "monitor": Timed(rf"{_NUMBER}\b(?! ack\b).*", rf"(?!{_NUMBER}\b).+", why="who looks after it says so"),
    "mute": _CHANGES,
    "oncall": Timed(r"(?!(?:take|back)\b).*"),
    "person": Timed(r"(?!(?:link|unlink|invite|code)\b).*", why="accounts are for somebody who is there"),
    "playbook": Timed(r"(?:list|show .+)?", why="name the playbook itself, as in !at 22:00 patch on web"),
    "repos": Timed(why=_LOOK_FIRST),
    "retry": _CHANGES,
    "review": Timed(why=_LOOK_FIRST),
    "rule": Timed(r"(?!(?:pause|resume)\b).+"),
    "schedule": Timed(_NUMBER, rf"{_NUMBER} (?:pause|resume|remove)", why="give that schedule other times instead"),
    "totp": Timed(why="only who holds the authenticator proves something"),
    "unfreeze": _CLOSES,
    "unlock": _CLOSES,
    "unmonitor": _CHANGES,
    "watch": Timed(why="it goes on by itself; type it once"),
    "withdraw": Timed(changes=_NUMBER),
})  # fmt: skip


def of(name: str) -> Timed:
    """What of a command runs at times; one of which nothing is said here only where it only looks."""
    return TIMED.get(name) or Timed(looks=_ALL if OWN[name].late is Late.LOOKS else "")


def only_looks(name: str, line: str) -> bool:
    """Whether a command with these words changes nothing."""
    return _fits(of(name).looks, line)


def refused(name: str, line: str) -> str:
    """Say why a command with these words does not run at times; empty where it does."""
    timed = of(name)
    return "" if _fits(timed.looks, line) or _fits(timed.changes, line) else timed.why


def devices(name: str, line: str) -> str:
    """Return the pattern of devices that a command is about; empty for none."""
    found = re.match(of(name).devices, line.strip(), re.IGNORECASE) if of(name).devices else None
    return found["devices"] if found else ""


def _fits(pattern: str, line: str) -> bool:
    return bool(pattern) and re.fullmatch(pattern, " ".join(line.split()).lower(), re.DOTALL) is not None
