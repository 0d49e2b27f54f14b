"""Turn an argument list into what a device reads, quoted by the rules of its platform."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from automation_bots.errors import DriverError
from automation_bots.model import POSIX, Command

# What starts a second command: NX-OS and others split at `;`. FRR and VyOS often answer with a Unix shell, or with a
# CLI that sits on one, and which of the two a device has is not known before; so nothing a shell acts on may pass.
_SEPARATOR = re.compile(";")
_SHELL_ACTIVE = re.compile(r"[;&|<>`]|\$[({\w]")
_UNSAFE = {"frr": _SHELL_ACTIVE, "vyos": _SHELL_ACTIVE}


@runtime_checkable
class HasCommand(Protocol):
    """The body of an operation that is one command per platform."""

    def command(self, platform: str, parameters: Mapping[str, Any]) -> Command | None:
        """Return the command for that platform; None: there is none."""


def quoted(command: Command, platform: str) -> str:
    """Return the line to send; a DriverError says which word cannot be sent to that platform."""
    refuse_windows(platform)
    if not command.argv or not command.argv[0].strip():
        raise DriverError("the command is empty: its first word says what is to be run")
    if platform in POSIX:
        return shlex.join(_no_nul(word) for word in command.argv)
    return " ".join(_plain(word, platform) for word in command.argv)


def refuse_windows(platform: str) -> None:
    """Send Windows to its own driver: its shells quote by rules that no argument list survives."""
    if platform == "windows":
        raise DriverError("a Windows device needs the powershell driver: set ansible_connection=winrm (or psrp) for it")


def _no_nul(word: str) -> str:
    if "\0" in word:
        raise DriverError(f"{word!r} holds a NUL character, which no command can carry")
    return word


def _plain(word: str, platform: str) -> str:
    if not word.strip():
        raise DriverError(f"an empty word is none to a {platform} command line; leave it out")
    if not word.isprintable():
        raise DriverError(f"{word!r} holds a line break or control character, which a {platform} command cannot carry")
    if found := _UNSAFE.get(platform, _SEPARATOR).search(word):
        raise DriverError(f"{word!r} holds {found.group()!r}, which could start another command on {platform}")
    return word
