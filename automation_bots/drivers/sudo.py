"""Become another user with sudo, without the password ever standing in a list of arguments."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from automation_bots.errors import DriverError
from automation_bots.model import POSIX, Command

_YES = {"true", "yes", "on", "1"}


class Account(Protocol):
    """Who runs a command, and whom that one becomes for it."""

    @property
    def user(self) -> str:
        """Who is there before."""

    @property
    def become(self) -> bool:
        """Whether the inventory says that every command needs it."""

    @property
    def become_user(self) -> str:
        """Who it becomes."""

    @property
    def become_method(self) -> str:
        """How; only sudo works."""

    @property
    def become_password(self) -> str:
        """What sudo may ask for."""


@dataclass(frozen=True, slots=True)
class Becoming:
    """The command with what makes it another user's, and the password to give once sudo asks for it by that prompt."""

    command: Command
    password: str = field(default="", repr=False)
    prompt: str = ""
    becomes: bool = False


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the inventory says of becoming somebody else."""

    become: bool
    become_user: str
    become_method: str
    become_password: str = field(repr=False)


def wishes(known: Mapping[str, Any]) -> Wishes:
    """Read the variables of a device, its secrets among them."""

    def first(*names: str, default: str = "") -> str:
        return next((str(known[name]) for name in names if known.get(name) not in (None, "")), default)

    return Wishes(
        become=is_yes(first("ansible_become")),
        become_user=first("ansible_become_user", default="root"),
        become_method=first("ansible_become_method", default="sudo"),
        become_password=first("ansible_become_password", "ansible_become_pass"),
    )


def is_yes(text: str) -> bool:
    """Whether a word of the inventory means yes."""
    return text.lower() in _YES


def becoming(command: Command, platform: str, account: Account) -> Becoming:
    """Return what to run, through sudo where the command needs it."""
    # What the inventory says of a network device's privileges is for drivers that hold a conversation with it.
    wanted = command.become or (account.become and platform in POSIX)
    if not wanted or account.user == account.become_user:
        return Becoming(command)
    if platform not in POSIX or account.become_method != "sudo":
        method = account.become_method if platform in POSIX else f"the privileges of {platform}"
        raise DriverError(f"without Ansible, becoming {account.become_user} works with sudo only, not with {method}")
    user = () if account.become_user == "root" else ("-u", account.become_user)
    # The prompt is one that no command prints by accident: where sudo wants no password, the command itself would
    # read one sent blindly, and might show it.
    prompt = f"[sudo {secrets.token_hex(8)}] " if account.become_password else ""
    how = ("-S", "-p", prompt) if prompt else ("-n",)
    wrapped = Command(("sudo", *how, *user, "--", *command.argv))
    return Becoming(wrapped, password=account.become_password, prompt=prompt, becomes=True)


def problem(account: Account, err_tail: bytes, *, password_refused: bool) -> str:
    """Say what to do where sudo itself was what failed; empty when it was not."""
    if password_refused:
        return f"sudo refused the password of {account.user}; see ansible_become_password"
    if b"sudo: a password is required" in err_tail and not account.become_password:
        return f"sudo wants a password for {account.user}: set ansible_become_password in the vault"
    return ""
