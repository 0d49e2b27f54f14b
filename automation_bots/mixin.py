"""What a plugin gets: `self.submit(...)`. A plain class: Errbot would load a subclass of BotPlugin in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from automation_bots.commands.context import CommandCall
from automation_bots.jobs.request_context import TypedCommand
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
        caller, place = self._who(msg)
        return CommandCall(caller, place, line)

    def submit(self, msg: Any, operation: str, devices: str = "", **parameters: Any) -> Answer | None:
        """Resolve, decide and queue; return what to say, or None when the job has been announced already."""
        caller, place = self._who(msg)
        typed = grammar.ParsedCommand(values=dict(parameters), pattern=devices)
        return self.automation.pipeline.submit_typed(TypedCommand(caller, place, operation, message_id=_id(msg)), typed)

    def submit_line(self, msg: Any, operation: str, words: str) -> Answer | None:
        """The same with the words that were typed behind the operation."""
        caller, place = self._who(msg)
        line, text = grammar.split_text(words or "")  # cleaned as a whole already; a code block alone would open here
        return self.automation.pipeline.submit(
            TypedCommand(caller, place, operation, line, text or attached(msg), _id(msg))
        )

    def _who(self, msg: Any) -> tuple[Any, Any]:
        bot: Any = self._bot  # type: ignore[attr-defined]  # BotPlugin's
        caller, place = bot.automation_who(msg)  # given to every backend by the guard
        return caller, place


def attached(msg: Any) -> str:
    """The text of the file that came with a message, where the chat network passes one on; fetched only here."""
    fetch = msg.extras.get("attached") if msg.extras else None
    return str(fetch()) if fetch else ""


def _id(msg: Any) -> str:
    return str(msg.extras.get("message_id") or "") if msg.extras else ""
