"""Platforms on which each line acts at once (IOS, NX-OS, FRR): what ran before is the way back.

IOS with its archive on goes back by itself too, when nobody confirms (`configure terminal revert timer`).
"""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.config_mode import ConfigMode, shown_with_defaults
from automation_bots.drivers.network.config.contract import CommandLine, ConfigChange
from automation_bots.drivers.network.messages import DISPLAY, Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session.prompt_reader import DIALECTS, config_of
from automation_bots.drivers.network.session.typed_line import Steps, TypedLine

_ROUNDS = 4  # some lines take others with them (a BGP neighbour its timers), so looking again is part of the way
_REVERTS = {"cisco_ios", "cisco_xe"}
_REVERT_SECONDS = 120  # that a device may take to go back


class LineByLine:
    """Sends line by line."""

    def __init__(self, line: CommandLine, platform: str) -> None:
        self._line = line
        self._platform = platform
        self._mode = ConfigMode(platform, renames=True)
        self._archive: bool | None = None  # not asked yet

    def running(self) -> str:
        """Return the running configuration."""
        text = self._line.ask(_shows(self._platform))
        return config_of(text, self._platform, self._line.hint if judge.refusal(text, self._platform) else "")

    def with_defaults(self) -> str:
        """Return it with what is so by default, where the device shows that."""
        return shown_with_defaults(self._line.ask, self._platform)

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Predict it: these platforms have no candidate."""
        if wanted.replace:
            return plans.foreseen(before, wanted.text)
        return plans.predicted(self._platform, before, wanted.tree)

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Send the lines; the first that is refused stops it."""
        if self._archives():
            minutes = max(1, -(-seconds // 60))
            self._configure(self._mode.type(()), f"configure terminal revert timer {minutes}")
        if not wanted.replace:
            self._send(wanted.tree)
            return
        left = self._led_to(wanted.text, self._send)
        if left:
            raise Problem(f"the device does not become as the given configuration: {left.splitlines()[0]}")

    def confirm(self, *, save: bool) -> None:
        """Stop the timer; write it to where the device starts from, when that is wanted."""
        if self._pending():
            self._line.ask("configure confirm")
        if save:
            self._line.save()

    def undo(self, before: str) -> str:
        """Have the device go back, then send the opposite of what still differs, and look again."""
        if self._pending():
            self._line.run(_typed(TypedLine("configure revert now", moves=True, seconds=_REVERT_SECONDS)))
        return self._led_to(before, self._send_what_goes)

    def _led_to(self, wanted: str, send: Callable[[plans.Tree], None]) -> str:
        left = ""
        for _ in range(_ROUNDS):
            running = self.running()
            left = plans.foreseen(running, wanted)
            if not left:
                return ""
            send(plans.undoing(self._platform, running, wanted))
        return left

    def _archives(self) -> bool:
        if self._platform not in _REVERTS:
            return False
        if self._archive is None:
            text = self._line.ask("show archive")
            self._archive = not (judge.refusal(text, self._platform) or "not enabled" in text)
        return self._archive

    @property
    def goes_back(self) -> bool:
        """Whether the device may have gone back by itself."""
        return self._archives()

    def _pending(self) -> bool:
        """Whether the device is to go back by itself."""
        return self._archives() and "No Rollback" not in self._line.ask("show archive config rollback timer")

    def _send(self, tree: plans.Tree) -> None:
        self._configure(self._mode.type(config_lines.typed(tree)))

    def _send_what_goes(self, tree: plans.Tree) -> None:
        self._configure(self._mode.type_what_goes(tree))

    def _configure(self, steps: Steps[None], command: str = "configure terminal") -> None:
        self._line.run(self._mode.entered(steps, command))


def _shows(platform: str) -> str:
    usual = "display current-configuration" if platform in DISPLAY else "show running-config"
    return DIALECTS[platform].config if platform in DIALECTS else usual


def _typed(line: TypedLine) -> Steps[None]:
    yield line
