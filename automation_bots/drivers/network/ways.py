"""How each platform takes a change: a candidate with commit-confirm where it has one, else line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from automation_bots.drivers.network import lines as config_lines
from automation_bots.drivers.network import plans
from automation_bots.drivers.network.cli import Cli, said
from automation_bots.drivers.network.prompt import ERROR
from automation_bots.drivers.network.work import Problem

_ROUNDS = 4  # some lines take others with them (a BGP neighbour its timers), so looking again is part of going back
_CONFIRM_MINUTES = 5  # a device that nobody confirms to goes back by itself after so long


class Way(Protocol):
    """One platform's way to change a configuration and to take it back."""

    def running(self) -> str:
        """Return the running configuration."""

    def candidate(self, before: str, tree: plans.Tree) -> str:
        """Return what would change; nothing stays behind on the device."""

    def commit(self, tree: plans.Tree) -> None:
        """Make the lines effective, with a way back; a Problem quotes the device's refusal."""

    def confirm(self, *, save: bool) -> None:
        """Keep the change; with `save` also over a restart."""

    def undo(self, before: str) -> str:
        """Go back; return what still differs from before."""


def way_of(platform: str) -> type[LineByLine] | type[EosSession] | type[JunosCommit]:
    """Return the way of a platform; a Problem for one that cannot be configured."""
    ways: dict[str, type[LineByLine] | type[EosSession] | type[JunosCommit]] = {
        "arista_eos": EosSession,
        "juniper_junos": JunosCommit,
        **dict.fromkeys(("cisco_ios", "cisco_xe", "cisco_nxos", "frr"), LineByLine),
    }
    if platform not in ways:
        raise Problem(f"!config knows no way to configure {platform}; it knows {', '.join(sorted(ways))}")
    return ways[platform]


def running_config(cli: Cli) -> str:
    """Return the running configuration of a device that need not be one that can be configured."""
    with cli.opened() as connection:
        platform = cli.work.platform
        return (JunosCommit if platform == "juniper_junos" else LineByLine)(connection).running()


class LineByLine:
    """Each line acts at once (IOS, NX-OS, FRR): the saved configuration is the way back."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def running(self) -> str:
        """Return the running configuration."""
        with said():
            text = str(self._connection.send_command("show running-config"))
        if found := ERROR.search(text):
            raise Problem(f"the device does not show its configuration: {found.group().strip()}")
        return text

    def candidate(self, before: str, tree: plans.Tree) -> str:
        """Predict it: these platforms have no candidate."""
        return plans.foreseen(before, plans.predicted("cisco_ios", before, tree))

    def commit(self, tree: plans.Tree) -> None:
        """Send the lines; the first that is refused stops it."""
        self._send(config_lines.flat(tree))

    def _send(self, lines: Sequence[str]) -> None:
        connection = self._connection
        with said():
            connection.config_mode()
            try:
                for line in lines:
                    text = connection.send_config_set([line], enter_config_mode=False, exit_config_mode=False)
                    if found := ERROR.search(text):
                        raise Problem(f"the device refuses {line!r}: {found.group().strip()}")
            finally:
                connection.exit_config_mode()

    def confirm(self, *, save: bool) -> None:
        """Write it to where the device starts from, when that is wanted."""
        if save:
            with said():
                self._connection.save_config()

    def undo(self, before: str) -> str:
        """Send the opposite of what differs, and look again."""
        left = ""
        for _ in range(_ROUNDS):
            running = self.running()
            left = plans.difference(running, before)
            if not left:
                return ""
            self._send_what_goes(config_lines.flat(plans.undoing("cisco_ios", running, before)))
        return left

    def _send_what_goes(self, lines: Sequence[str]) -> None:
        """Send all lines: one that is refused now may be needless after the others."""
        with said():
            self._connection.send_config_set(lines)


class EosSession:
    """Arista EOS: a configuration session, committed with a timer."""

    _NAME = "automation-bots"

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def running(self) -> str:
        """Return the running configuration."""
        with said():
            return str(self._connection.send_command("show running-config"))

    def candidate(self, before: str, tree: plans.Tree) -> str:  # noqa: ARG002 - the device says it itself
        """Ask the device for the difference, and drop the session."""
        changed = self._session(tree)
        self._ask("abort")
        return changed

    def commit(self, tree: plans.Tree) -> None:
        """Commit for some minutes."""
        self._session(tree)
        self._ask(f"commit timer 00:0{_CONFIRM_MINUTES}:00")

    def confirm(self, *, save: bool) -> None:
        """Commit for good."""
        self._ask(f"configure session {self._NAME} commit")
        if save:
            self._ask("write memory")

    def undo(self, before: str) -> str:
        """Abort the session: the device goes back to what it was."""
        self._ask(f"configure session {self._NAME} abort")
        left = plans.difference(self.running(), before)
        if left:
            self._session(plans.undoing("arista_eos", self.running(), before))
            self._ask("commit")
            left = plans.difference(self.running(), before)
        return left

    def _session(self, tree: plans.Tree) -> str:
        self._ask(f"configure session {self._NAME}")
        for line in config_lines.flat(tree):
            try:
                self._ask(line)
            except Problem:
                self._connection.write_channel("abort\n")
                self._connection.find_prompt()
                raise
        return self._ask("show session-config diffs")

    def _ask(self, line: str) -> str:
        with said():
            text = str(self._connection.send_command(line, expect_string=r"[>#]\s*$", read_timeout=60))
        if found := ERROR.search(text):
            raise Problem(f"the device refuses {line!r}: {found.group().strip()}")
        return text


class JunosCommit:
    """Junos: a candidate, committed with `commit confirmed`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def running(self) -> str:
        """Return the configuration as set commands."""
        with said():
            return str(self._connection.send_command("show configuration | display set"))

    def candidate(self, before: str, tree: plans.Tree) -> str:  # noqa: ARG002 - the device says it itself
        """Ask the device for the difference, and drop the candidate."""
        with said():
            self._load(tree)
            text = str(self._connection.send_command("show | compare", expect_string=r"#\s*$"))
            self._drop()
        return "\n".join(line for line in text.splitlines() if line.startswith(("+", "-", "[")))

    def commit(self, tree: plans.Tree) -> None:
        """Commit for some minutes."""
        with said():
            self._load(tree)
            self._connection.commit(confirm=True, confirm_delay=_CONFIRM_MINUTES, and_quit=True)

    def confirm(self, *, save: bool) -> None:  # noqa: ARG002 - a commit survives a restart
        """Commit for good."""
        with said():
            self._connection.config_mode()
            self._connection.commit(and_quit=True)

    def undo(self, before: str) -> str:
        """Load the one before and commit it."""
        with said():
            self._connection.config_mode()
            self._connection.send_command("rollback 1", expect_string=r"#\s*$")
            self._connection.commit(and_quit=True)
        return plans.difference(self.running(), before)

    def _load(self, tree: plans.Tree) -> None:
        text = self._connection.send_config_set([line for _, line in tree], exit_config_mode=False)
        if found := ERROR.search(text):
            self._drop()
            raise Problem(f"the device refuses a line: {found.group().strip()}")

    def _drop(self) -> None:
        self._connection.send_command("rollback 0", expect_string=r"#\s*$")
        self._connection.exit_config_mode()
