"""Which hosts stand between the bot and a device: by `jump`, Ansible's arguments for ssh, or ssh_config."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from automation_bots.errors import DriverError

_NONE = {"none", "no", "false", ""}


class Place(NamedTuple):
    """A jump host as it is written: [user@]host[:port]."""

    user: str
    host: str
    port: int


def words(device: str, known: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the jump hosts of a device in order, the first one being the one that the bot itself connects to."""
    if "jump" in known:
        wish = known["jump"]
        listed = [str(word) for word in wish] if isinstance(wish, list | tuple) else str(wish or "").split(",")
        return _clean(listed)
    arguments = " ".join(str(known.get(name) or "") for name in ("ansible_ssh_common_args", "ansible_ssh_extra_args"))
    if arguments.strip():
        found = _of_arguments(device, arguments)
        if found is not None:
            return found
    if jump := config.get("proxyjump"):
        return _clean(str(jump).split(","))
    if command := config.get("proxycommand"):
        return _of_command(device, str(command))
    return ()


def place(word: str) -> Place:
    """Read [user@]host[:port]."""
    user, _, rest = word.removeprefix("ssh://").rpartition("@")
    host, port = rest, ""
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    if not host or (port and not port.isdecimal()):
        raise DriverError(f"the jump host {word!r} must be a device of the inventory, or [user@]host[:port]")
    return Place(user, host, int(port or 0))


def _clean(listed: Sequence[str]) -> tuple[str, ...]:
    found = tuple(word.strip() for word in listed)
    return () if len(found) == 1 and found[0].lower() in _NONE else found


def _of_arguments(device: str, text: str) -> tuple[str, ...] | None:
    """Return what -J, ProxyJump or ProxyCommand among the arguments mean; None: there is none."""
    try:
        arguments = shlex.split(text)
    except ValueError as error:
        raise DriverError(f"ansible_ssh_common_args of {device} cannot be read: {error}") from error
    for flag, value in _flags(arguments):
        if flag == "J":
            return _clean(value.split(","))
        name, _, rest = value.replace("=", " ", 1).partition(" ")
        if flag == "o" and name.lower() == "proxyjump":
            return _clean(rest.strip().split(","))
        if flag == "o" and name.lower() == "proxycommand":
            return _of_command(device, rest.strip())
    return None


_WITH_VALUE = frozenset("BbcDEeFIiJLlmOopQRSWw")  # the options of ssh that take a value


def _flags(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of ssh with their values; a word that belongs to none comes as ("", word)."""
    waiting = iter(arguments)
    for word in waiting:
        if not word.startswith("-") or len(word) < 2:
            yield "", word
            continue
        for at, letter in enumerate(word[1:], 1):
            if letter in _WITH_VALUE:
                yield letter, word[at + 1 :] or next(waiting, "")
                break
            yield letter, ""


def _of_command(device: str, command: str) -> tuple[str, ...]:
    """Read the one ProxyCommand that is a jump: ssh … -W %h:%p … host."""
    if command.lower() in _NONE:
        return ()
    try:
        program, *arguments = shlex.split(command.strip("\"'"))
    except ValueError:
        program, arguments = "", []
    options = list(_flags(arguments))
    plain = [value for flag, value in options if not flag]
    known = dict(options)
    if program.rpartition("/")[2] != "ssh" or known.get("W") != "%h:%p" or len(plain) != 1:
        raise DriverError(f"the ProxyCommand of {device} is none that this driver can follow; write  jump: [host, …]")
    user, port = known.get("l", ""), known.get("p", "")
    target = plain[0] if "@" in plain[0] or not user else f"{user}@{plain[0]}"
    return (*_clean(known.get("J", "").split(",")), f"{target}:{port}" if port else target)
