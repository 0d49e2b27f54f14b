"""Become another user at a device with sudo, without the password ever standing in a list of arguments."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from automation_bots.drivers.quoting import quoted
from automation_bots.drivers.ssh.access import Access
from automation_bots.errors import DriverError
from automation_bots.model import POSIX, Command


@dataclass(frozen=True, slots=True)
class Line:
    """What to run, and the password to give once sudo asks for it by that prompt."""

    text: str
    keep_stdin: bool = False  # some network CLIs take the end of input for a log-out
    password: str = field(default="", repr=False)
    prompt: str = ""
    becomes: bool = False


def line_for(command: Command, platform: str, access: Access) -> Line:
    """Return what to send to a device, through sudo where the command needs it."""
    # What the inventory says of a network device's privileges is for drivers that hold a conversation with it.
    wanted = command.become or (access.become and platform in POSIX)
    if not wanted or access.user == access.become_user:
        return Line(quoted(command, platform), keep_stdin=platform not in POSIX)
    if platform not in POSIX or access.become_method != "sudo":
        method = access.become_method if platform in POSIX else f"the privileges of {platform}"
        raise DriverError(f"over SSH, becoming {access.become_user} works with sudo only, not with {method}")
    user = () if access.become_user == "root" else ("-u", access.become_user)
    # The prompt is one that no command prints by accident: where sudo wants no password, the command itself would
    # read one sent blindly, and might show it.
    prompt = f"[sudo {secrets.token_hex(8)}] " if access.become_password else ""
    how = ("-S", "-p", prompt) if prompt else ("-n",)
    wrapped = Command(("sudo", *how, *user, "--", *command.argv))
    return Line(quoted(wrapped, platform), password=access.become_password, prompt=prompt, becomes=True)


def problem(access: Access, err_tail: bytes, *, password_refused: bool) -> str:
    """Say what to do where sudo itself was what failed; empty when it was not."""
    if password_refused:
        return f"sudo refused the password of {access.user}; see ansible_become_password"
    if b"sudo: a password is required" in err_tail and not access.become_password:
        return f"sudo wants a password for {access.user}: set ansible_become_password in the vault"
    return ""
