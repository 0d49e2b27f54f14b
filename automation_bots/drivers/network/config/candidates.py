"""Platforms whose command line has a candidate that is committed: Junos, IOS XR and VyOS.

Junos and IOS XR go back by themselves when nobody confirms. VyOS would restart for that, so there the bot undoes it.
NAPALM is not used here: its drivers open connections of their own, past host keys and jump hosts.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.config_mode import ConfigMode
from automation_bots.drivers.network.config.contract import CommandLine, ConfigChange
from automation_bots.drivers.network.messages import Problem
from automation_bots.drivers.network.session.prompt_reader import DIALECTS, config_of
from automation_bots.drivers.network.session.typed_line import Steps, TypedLine, affirmed, asked

_COMMIT_SECONDS = 120  # that a device may be silent over a commit
_ROUNDS = 4  # what is left empty by one commit of VyOS goes with the next


class _Candidate:
    """What is the same for all: a session of configuration mode, left as it was found when something is refused."""

    goes_back = True
    platform = ""
    enters = "configure"
    drops: tuple[TypedLine, ...] = ()  # what leaves the mode and forgets the candidate

    def __init__(self, line: CommandLine) -> None:
        self._line = line
        self._mode = ConfigMode(self.platform)
        self._committed = False

    def running(self) -> str:
        """Return the running configuration."""
        return config_of(self._line.ask(DIALECTS[self.platform].config), self.platform)

    def with_defaults(self) -> str:
        """It is not shown."""
        return ""

    def _compared(self, lines: Iterable[str], command: str) -> Steps[str]:
        """Ask the device for the difference, and drop the candidate."""
        yield from self._loaded(lines)
        text = yield TypedLine(command)
        yield from self._dropped()
        return text

    def _loaded(self, lines: Iterable[str], *, emptied: bool = False) -> Steps[None]:
        yield from self._mode.entered_by(self.enters)
        try:
            if emptied:
                yield from _affirmed("delete")
            yield from self._mode.type(tuple(lines))
        except Problem:
            yield from self._dropped()
            raise

    def _dropped(self) -> Steps[None]:
        for line in self.drops:  # noqa: UP028 - a tuple takes no answers
            yield line


class Junos(_Candidate):
    """`commit confirmed`, in the format of `set` commands."""

    platform = "juniper_junos"
    drops = (TypedLine("rollback 0"), TypedLine("exit configuration-mode", moves=True))

    def candidate(self, before: str, wanted: ConfigChange) -> str:  # noqa: ARG002 - the device says it itself
        """Ask the device for the difference, and drop the candidate."""
        return _signed(self._line.run(self._whole(wanted)))

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Commit for some minutes."""
        minutes = max(1, -(-seconds // 60))
        self._line.run(self._made(wanted, f"commit confirmed {minutes} and-quit"))
        self._committed = True

    def confirm(self, *, save: bool) -> None:  # noqa: ARG002 - a commit survives a restart
        """Commit for good."""
        self._line.run(self._commits("commit and-quit"))

    def undo(self, before: str) -> str:
        """Load the one before and commit it; what was never committed was dropped."""
        if self._committed:
            self._line.run(self._commits("commit and-quit", "rollback 1"))
            self._committed = False
        left = plans.difference(self.running(), before)
        if left:
            wanted = ConfigChange(config_lines.structured(before.split("\n")), replace=True)
            self._line.run(self._made(wanted, "commit and-quit"))
            left = plans.difference(self.running(), before)
        return left

    def _whole(self, wanted: ConfigChange) -> Steps[str]:
        yield from self._filled(wanted)
        text = yield TypedLine("show | compare")
        yield from self._dropped()
        return text

    def _filled(self, wanted: ConfigChange) -> Steps[None]:
        lines = tuple(line for _, line in wanted.tree if line)
        if wanted.replace and not all(line.startswith(("set ", "deactivate ")) for line in lines):
            raise Problem("to replace a Junos configuration give it as set commands (show configuration | display set)")
        yield from self._loaded(lines, emptied=wanted.replace)

    def _made(self, wanted: ConfigChange, command: str) -> Steps[None]:
        yield from self._filled(wanted)
        yield from self._committing(command)

    def _commits(self, command: str, *before: str) -> Steps[None]:
        yield from self._mode.entered_by(self.enters)
        for line in before:
            yield TypedLine(line)
        yield from self._committing(command)

    def _committing(self, command: str) -> Steps[None]:
        said = yield TypedLine(command, moves=True, seconds=_COMMIT_SECONDS)
        if "commit complete" not in said:
            yield from self._dropped()
            raise Problem(f"the device refuses the commit: {_refusal(said)}")


class IosXr(_Candidate):
    """`commit confirmed`, held open in one session until it is confirmed."""

    platform = "cisco_xr"
    enters = "configure terminal"
    drops = (TypedLine("abort", moves=True),)  # from any depth, and without the question what to do with the candidate
    _MOST_SECONDS = 300  # more is refused by older releases

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Ask the device for the difference, and drop the candidate; a replacement is predicted."""
        if wanted.replace:
            return plans.foreseen(before, wanted.text)
        text = self._line.run(self._compared(config_lines.flat(wanted.tree), "show commit changes diff"))
        kept = (line for line in text.splitlines() if line.startswith(("+", "-", "<", " ")))
        return "\n".join(line.rstrip() for line in kept if line.strip())

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Commit on trial."""
        seconds = min(max(30, seconds), self._MOST_SECONDS)
        self._line.run(self._made(wanted.tree, f"commit {'replace ' if wanted.replace else ''}confirmed {seconds}"))
        self._committed = True

    def confirm(self, *, save: bool) -> None:  # noqa: ARG002 - a commit survives a restart
        """Commit for good, in the session of the trial."""
        self._line.run(self._ended("commit"))

    def undo(self, before: str) -> str:
        """Roll the last commit back; what was never committed was dropped."""
        if self._committed:
            self._line.run(self._ended())
            self._line.run(_affirmed("rollback configuration last 1"))
            self._committed = False
        left = plans.difference(self.running(), before)
        if left:
            tree = config_lines.structured(config_lines.plain(before).split("\n"))
            self._line.run(self._made(tree, "commit replace"))
            self._line.run(self._ended())
            left = plans.difference(self.running(), before)
        return left

    def _made(self, tree: plans.Tree, command: str) -> Steps[None]:
        yield from self._loaded(config_lines.flat(tree))
        yield from self._committing(command)

    def _ended(self, *commits: str) -> Steps[None]:
        for command in commits:
            yield from self._committing(command)
        yield TypedLine("end", moves=True)

    def _committing(self, command: str) -> Steps[None]:
        said = yield TypedLine(command, seconds=_COMMIT_SECONDS)
        if "have occurred from other" in said:
            yield TypedLine("no")
            yield from self._dropped()
            raise Problem("somebody else committed on the device meanwhile; look, and say it again")
        while question := asked(said):
            said = yield affirmed(question)
        if "% Failed" in said:
            why = yield TypedLine("show configuration failed")
            yield from self._dropped()
            raise Problem(f"the device refuses the commit: {_failed(why) or _refusal(said)}")


class Vyos(_Candidate):
    """`set` and `delete`, compared and committed; what ran before is the way back."""

    goes_back = False
    platform = "vyos"
    drops = (TypedLine("exit discard", moves=True),)

    def running(self) -> str:
        """Return the configuration as set commands, quoted only where that is needed."""
        return "\n".join(map(_unquoted, super().running().splitlines())) + "\n"

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Ask the device for the difference, and drop the candidate."""
        return _signed(self._line.run(self._compared(_to_set(before, wanted), "compare")))

    def commit(self, wanted: ConfigChange, seconds: int) -> None:  # noqa: ARG002 - it has no timer but a restart
        """Commit."""
        self._line.run(self._made(_to_set(self.running() if wanted.replace else "", wanted)))

    def confirm(self, *, save: bool) -> None:
        """Save for the next start, when that is wanted."""
        if save:
            self._line.run(self._saved())

    def undo(self, before: str) -> str:
        """Delete what is new and set what is gone, until nothing differs."""
        left = ""
        for _ in range(_ROUNDS):
            running = self.running()
            left = plans.foreseen(running, before)
            if not left:
                break
            self._line.run(self._made(_leading(running, before)))
        return left

    def _made(self, lines: Iterable[str]) -> Steps[None]:
        yield from self._loaded(lines)
        said = yield TypedLine("commit", seconds=_COMMIT_SECONDS)
        if "Commit failed" in said or "] failed" in said:
            yield from self._dropped()
            raise Problem(f"the device refuses the commit: {_against(said)}")
        yield TypedLine("exit", moves=True)

    def _saved(self) -> Steps[None]:
        yield from self._mode.entered_by(self.enters)
        said = yield TypedLine("save", seconds=_COMMIT_SECONDS)
        yield TypedLine("exit", moves=True)
        if "Done" not in said:
            raise Problem(f"the device does not save its configuration: {_refusal(said)}")


def _affirmed(command: str) -> Steps[None]:
    """Type a line about which a device asks whether it is meant."""
    said = yield TypedLine(command, seconds=_COMMIT_SECONDS)
    while question := asked(said):
        said = yield affirmed(question)


def _signed(text: str) -> str:
    """The lines of a difference that say what is other, and where."""
    return "\n".join(
        line for line in text.splitlines() if line.startswith(("+", "-", "[")) and line.strip() != "[edit]"
    )


def _to_set(before: str, wanted: ConfigChange) -> tuple[str, ...]:
    lines = tuple(_unquoted(line) for _, line in wanted.tree if line)
    if not wanted.replace:
        return lines
    if not all(line.startswith("set ") for line in lines):
        raise Problem("to replace a VyOS configuration give it as set commands (show configuration commands)")
    return tuple(_leading(before, "\n".join(lines)))


def _leading(running: str, wanted: str) -> Iterator[str]:
    """From one set of commands to another: what is too much is deleted, what is missing is set."""
    now, then = (dict.fromkeys(filter(None, map(str.strip, text.splitlines()))) for text in (running, wanted))
    yield from (f"delete {line.removeprefix('set ')}" for line in now if line not in then)
    yield from (line for line in then if line not in now)


def _unquoted(line: str) -> str:
    """Write a command as it is compared: a value stands in quotes only where it holds more than a word."""
    try:
        words = shlex.split(line)
    except ValueError:
        return line
    return " ".join(word if re.fullmatch(r"[\w.:/,@%+=*!-]+", word) else f"'{word}'" for word in words)


def _failed(text: str) -> str:
    """The line that a refused commit of IOS XR is about, and what stands against it (`!!% …`)."""
    lines = [line.strip() for line in text.splitlines()]
    at = next((number for number, line in enumerate(lines) if line.startswith("!!% ")), 0)
    return f"{lines[at - 1]!r}: {lines[at].removeprefix('!!% ')}" if at else ""


def _against(text: str) -> str:
    """What VyOS says against a commit: where it is, and why."""
    lines = [line.strip() for line in text.splitlines()]
    kept = [line for line in lines if line and not re.match(r"\[edit|\[\[|Commit failed|\S+[#$]|commit$", line)]
    return "; ".join(kept[:3]) or "no reason given"


def _refusal(text: str) -> str:
    """The line of a refused commit that says why."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith(("error", "%"))), lines[-1] if lines else "no reason given")
