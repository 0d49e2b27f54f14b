"""Platforms on which each line acts at once (IOS, NX-OS, FRR): what ran before is the way back.

IOS with its archive on goes back by itself too, when nobody confirms (`configure terminal revert timer`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.config_mode import ConfigMode, shown_with_defaults
from automation_bots.drivers.network.config.contract import ConfigChange
from automation_bots.drivers.network.messages import DISPLAY, Problem
from automation_bots.drivers.network.refusals import judge
from automation_bots.drivers.network.session.netmiko_cli import said
from automation_bots.drivers.network.session.prompt_reader import DIALECTS, NOT_ENABLED, config_of

_ROUNDS = 4  # some lines take others with them (a BGP neighbour its timers), so looking again is part of the way
_REVERTS = {"cisco_ios", "cisco_xe"}
_REVERT_SECONDS = 120  # that a device may take to go back


class LineByLine:
    """Sends line by line."""

    def __init__(self, connection: Any, platform: str) -> None:
        self._connection = connection
        self._platform = platform
        self._archive: bool | None = None  # not asked yet

    def running(self) -> str:
        """Return the running configuration."""
        text = self._say("display current-configuration" if self._platform in DISPLAY else "show running-config")
        dialect = DIALECTS.get(self._platform)
        at_user = bool(dialect and dialect.enable) and str(self._connection.find_prompt()).rstrip().endswith(">")
        return config_of(text, self._platform, NOT_ENABLED if at_user else "")

    def with_defaults(self) -> str:
        """Return it with what is so by default, where the device shows that."""
        return shown_with_defaults(self._connection, self._platform)

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Predict it: these platforms have no candidate."""
        if wanted.replace:
            return plans.foreseen(before, wanted.text)
        return plans.predicted(self._platform, before, wanted.tree)

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Send the lines; the first that is refused stops it."""
        if self._archives():
            minutes = max(1, -(-seconds // 60))
            with said():
                self._connection.config_mode(config_command=f"configure terminal revert timer {minutes}")
                self._connection.exit_config_mode()
        if not wanted.replace:
            self._send(wanted.tree)
            return
        left = self._led_to(wanted.text, self._send)
        if left:
            raise Problem(f"the device does not become as the given configuration: {left.splitlines()[0]}")

    def confirm(self, *, save: bool) -> None:
        """Stop the timer; write it to where the device starts from, when that is wanted."""
        if self._pending():
            self._say("configure confirm")
        if save:
            with said():
                self._connection.save_config()

    def undo(self, before: str) -> str:
        """Have the device go back, then send the opposite of what still differs, and look again."""
        if self._pending():
            self._say("configure revert now", read_timeout=_REVERT_SECONDS)
            with said():
                self._connection.set_base_prompt()
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
            text = self._say("show archive")
            self._archive = not (judge.refusal(text, self._platform) or "not enabled" in text)
        return self._archive

    @property
    def goes_back(self) -> bool:
        """Whether the device may have gone back by itself."""
        return self._archives()

    def _pending(self) -> bool:
        """Whether the device is to go back by itself."""
        return self._archives() and "No Rollback" not in self._say("show archive config rollback timer")

    def _say(self, command: str, **more: Any) -> str:
        with said():
            return str(self._connection.send_command(command, **more))

    def _send(self, tree: plans.Tree) -> None:
        with self._configuring() as mode:
            mode.type(config_lines.typed(tree))

    def _send_what_goes(self, tree: plans.Tree) -> None:
        with self._configuring() as mode:
            mode.type_what_goes(tree)

    @contextlib.contextmanager
    def _configuring(self) -> Iterator[ConfigMode]:
        with said():
            self._connection.config_mode()
            try:
                yield ConfigMode(self._connection, self._platform, renames=True)
            finally:
                self._leave()

    def _leave(self) -> None:
        self._connection.exit_config_mode()
        self._connection.set_base_prompt()
