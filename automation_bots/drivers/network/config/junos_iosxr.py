"""Platforms whose command line has a candidate and a commit that goes back by itself: Junos and IOS XR.

NAPALM is not used here: its drivers for them open connections of their own, past host keys and jump hosts.
"""

from __future__ import annotations

from typing import Any

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.config_mode import ConfigMode
from automation_bots.drivers.network.config.contract import ConfigChange
from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.drivers.network.session.netmiko_line import typed
from automation_bots.drivers.network.session.prompt_reader import config_of


class Junos:
    """`commit confirmed`, in the format of `set` commands."""

    goes_back = True

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._committed = False

    def running(self) -> str:
        """Return the configuration as set commands."""
        with said():
            return str(self._connection.send_command("show configuration | display set"))

    def with_defaults(self) -> str:
        """It is not shown."""
        return ""

    def candidate(self, before: str, wanted: ConfigChange) -> str:  # noqa: ARG002 - the device says it itself
        """Ask the device for the difference, and drop the candidate."""
        with said():
            self._load(wanted)
            text = self._ask("show | compare")
            self._drop()
        return "\n".join(line for line in text.splitlines() if line.startswith(("+", "-", "[")))

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Commit for some minutes."""
        with said():
            self._load(wanted)
            try:
                self._connection.commit(confirm=True, confirm_delay=max(1, -(-seconds // 60)), and_quit=True)
            except ValueError as error:
                self._drop()
                raise Problem(f"the device refuses the commit: {_refusal(str(error))}") from error
            self._committed = True

    def confirm(self, *, save: bool) -> None:  # noqa: ARG002 - a commit survives a restart
        """Commit for good."""
        with said():
            self._connection.config_mode()
            self._connection.commit(and_quit=True)

    def undo(self, before: str) -> str:
        """Load the one before and commit it; what was never committed was dropped."""
        if self._committed:
            with said():
                self._connection.config_mode()
                self._ask("rollback 1")
                self._connection.commit(and_quit=True)
            self._committed = False
        left = plans.difference(self.running(), before)
        if left:
            with said():
                self._load(ConfigChange(config_lines.structured(before.split("\n")), replace=True))
                self._connection.commit(and_quit=True)
            left = plans.difference(self.running(), before)
        return left

    def _load(self, wanted: ConfigChange) -> None:
        lines = tuple(line for _, line in wanted.tree if line)
        if wanted.replace and not all(line.startswith(("set ", "deactivate ")) for line in lines):
            raise Problem("to replace a Junos configuration give it as set commands (show configuration | display set)")
        self._connection.config_mode()
        if wanted.replace:
            # Junos asks before it empties the candidate.
            self._connection.send_command("delete", expect_string=r"\)\s*$")
            self._ask("yes")
        try:
            typed(self._connection, ConfigMode("juniper_junos").type(lines))
        except Problem:
            self._drop()
            raise

    def _ask(self, line: str) -> str:
        return str(self._connection.send_command(line, expect_string=r"#\s*$"))

    def _drop(self) -> None:
        self._ask("rollback 0")
        self._connection.exit_config_mode()


class IosXr:
    """`commit confirmed`, held open in one session until it is confirmed."""

    goes_back = True

    _MOST_SECONDS = 300  # more is refused by older releases

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._committed = False

    def running(self) -> str:
        """Return the running configuration."""
        with said():
            return config_of(str(self._connection.send_command("show running-config")), "cisco_xr")

    def with_defaults(self) -> str:
        """It is not shown."""
        return ""

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Ask the device for the difference, and drop the candidate; a replacement is predicted."""
        if wanted.replace:
            return plans.foreseen(before, wanted.text)
        with said():
            self._load(wanted.tree)
            text = self._ask("show commit changes diff")
            self._drop()
        kept = (line for line in text.splitlines() if line.startswith(("+", "-", "<", " ")))
        return "\n".join(line.rstrip() for line in kept if line.strip())

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Commit on trial."""
        seconds = min(max(30, seconds), self._MOST_SECONDS)
        with said():
            self._load(wanted.tree)
            try:
                self._connection.commit(confirm=True, confirm_delay=seconds, replace=wanted.replace)
            except ValueError as error:
                why = _failed(self._ask("show configuration failed")) or _refusal(str(error))
                self._drop()
                raise Problem(f"the device refuses the commit: {why}") from error
            self._committed = True

    def confirm(self, *, save: bool) -> None:  # noqa: ARG002 - a commit survives a restart
        """Commit for good, in the session of the trial."""
        with said():
            self._connection.commit()
            self._connection.exit_config_mode()

    def undo(self, before: str) -> str:
        """Roll the last commit back; what was never committed was dropped."""
        if self._committed:
            with said():
                self._connection.exit_config_mode()
                self._connection.send_command("rollback configuration last 1", read_timeout=120)
            self._committed = False
        left = plans.difference(self.running(), before)
        if left:
            with said():
                self._load(config_lines.structured(config_lines.plain(before).split("\n")))
                self._connection.commit(replace=True)
                self._connection.exit_config_mode()
            left = plans.difference(self.running(), before)
        return left

    def _load(self, tree: plans.Tree) -> None:
        self._connection.config_mode()
        try:
            typed(self._connection, ConfigMode("cisco_xr").type(config_lines.flat(tree)))
        except Problem:
            self._drop()
            raise

    def _ask(self, line: str) -> str:
        return str(self._connection.send_command(line, expect_string=r"#\s*$"))

    def _drop(self) -> None:
        # From any depth, and without the question what to do with the candidate.
        self._ask("abort")


def _failed(text: str) -> str:
    """The line that a refused commit of IOS XR is about, and what stands against it (`!!% …`)."""
    lines = [line.strip() for line in text.splitlines()]
    at = next((number for number, line in enumerate(lines) if line.startswith("!!% ")), 0)
    return f"{lines[at - 1]!r}: {lines[at].removeprefix('!!% ')}" if at else ""


def _refusal(text: str) -> str:
    """The line of a refused commit that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("error", "%"))), lines[-1] if lines else "no reason given")
