"""What a plugin gets: `self.submit(...)`. A plain class: Errbot would load a subclass of BotPlugin in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from automation_bots.commands.context import CommandCall
from automation_bots.jobs.request_context import Origin
from automation_bots.model import Answer
from automation_bots.pipeline import parser as grammar

if TYPE_CHECKING:
    from automation_bots.app.bot import Bot


class ThrottledMixin:
    """Stands before BotPlugin: `class Ansible(mixin.ThrottledMixin, BotPlugin)`; no policy or thread code needed."""

    @property
    def automation(self) -> Bot:
        """The bot's own side."""
        return cast("Bot", self.bot_config.AUTOMATION)  # type: ignore[attr-defined]  # BotPlugin's

    def ask(self, msg: Any, line: str) -> CommandCall:
        """Who asks, where, and what."""
        asked = self._origin(msg)
        return CommandCall(asked.caller, asked.place, line, asked.opened)

    def submit(self, msg: Any, operation: str, devices: str = "", **parameters: Any) -> Answer | None:
        """Resolve, decide and queue; return what to say, or None when the job has been announced already."""
        typed = grammar.ParsedCommand(values=dict(parameters), pattern=devices)
        return self.automation.pipeline.submit_typed(self._origin(msg).command(operation), typed)

    def submit_line(self, msg: Any, operation: str, words: str) -> Answer | None:
        """The same with the words that were typed behind the operation."""
        origin = self._origin(msg)
        line, text = grammar.split_text(words or "")  # cleaned as a whole already; a code block alone would open here
        return self.automation.pipeline.submit(origin.command(operation, line, text or origin.attached()))

    def _origin(self, msg: Any) -> Origin:
        return cast("Origin", self._bot.automation_origin(msg))  # type: ignore[attr-defined]  # given to every backend by the guard
