"""A change of a configuration as a value, and what each platform's way to make it must do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.session.typed_line import Steps, T


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """The lines of a change: to be added, or to be all that there is (`replace`)."""

    tree: plans.Tree
    replace: bool = False

    @property
    def text(self) -> str:
        """The lines as a configuration shows them."""
        return config_lines.indented(self.tree) + "\n"


class ConfigMethod(Protocol):
    """One platform's way to change a configuration and to take it back, over one connection."""

    @property
    def goes_back(self) -> bool:
        """Whether the device may have gone back by itself before the change was confirmed."""

    def running(self) -> str:
        """Return the running configuration."""

    def with_defaults(self) -> str:
        """Return it with what is so by default; empty where a device does not show that."""

    def candidate(self, before: str, wanted: ConfigChange) -> str:
        """Return what would change; nothing stays behind on the device."""

    def commit(self, wanted: ConfigChange, seconds: int) -> None:
        """Make it effective; where it can, the device itself goes back after so long. A Problem quotes a refusal."""

    def confirm(self, *, save: bool) -> None:
        """Keep the change; with `save` also over a restart."""

    def undo(self, before: str) -> str:
        """Go back; return what still differs from before."""


class CommandLine(Protocol):
    """A device's command line, for a platform on which each line acts at once."""

    @property
    def hint(self) -> str:
        """Why it may refuse what others may ask."""

    def ask(self, command: str) -> str:
        """Send one line and return its answer."""

    def run(self, steps: Steps[T]) -> T:
        """Type what comes out, and give back what the device prints."""

    def save(self) -> None:
        """Save for the next start."""
