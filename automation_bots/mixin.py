"""What a plugin gets: `self.submit(...)`. A plain class: Errbot would load a subclass of BotPlugin in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from automation_bots.commands.approvals import ApprovalDesk
from automation_bots.commands.bot import Desk
from automation_bots.commands.context import Ask
from automation_bots.commands.freezes import CloseDesk
from automation_bots.commands.jobs import JobDesk
from automation_bots.commands.people import PeopleDesk
from automation_bots.commands.record import RecordDesk
from automation_bots.model import Answer
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.pipeline import Said

if TYPE_CHECKING:
    from automation_bots.app.bot import Bot


class ThrottledMixin:
    """Stands before BotPlugin: `class Ansible(mixin.ThrottledMixin, BotPlugin)`; no policy or thread code needed."""

    @property
    def automation(self) -> Bot:
        """The bot's own side."""
        return cast("Bot", self.bot_config.AUTOMATION)  # type: ignore[attr-defined]  # BotPlugin's

    @property
    def desk(self) -> Desk:
        """Answers about the bot itself."""
        return self.automation.desk

    @property
    def job_desk(self) -> JobDesk:
        """Answers about jobs."""
        return self.automation.job_desk

    @property
    def approval_desk(self) -> ApprovalDesk:
        """Answers about what waits for approval."""
        return self.automation.approval_desk

    @property
    def close_desk(self) -> CloseDesk:
        """Answers about what people closed, and about emergencies."""
        return self.automation.close_desk

    @property
    def people_desk(self) -> PeopleDesk:
        """Answers about people."""
        return self.automation.people_desk

    @property
    def record_desk(self) -> RecordDesk:
        """Answers about the record."""
        return self.automation.record_desk

    def ask(self, msg: Any, line: str) -> Ask:
        """Who asks, where, and what."""
        caller, place = self._who(msg)
        return Ask(caller, place, line)

    def submit(self, msg: Any, operation: str, devices: str = "", **parameters: Any) -> Answer | None:
        """Resolve, decide and queue; return what to say, or None when the job has been announced already."""
        caller, place = self._who(msg)
        typed = grammar.Typed(values=dict(parameters), pattern=devices)
        return self.automation.pipeline.submit_typed(Said(caller, place, operation, message_id=_id(msg)), typed)

    def submit_line(self, msg: Any, operation: str, words: str) -> Answer | None:
        """The same with the words that were typed behind the operation."""
        caller, place = self._who(msg)
        line, text = grammar.split_text(words or "")  # cleaned as a whole already; a code block alone would open here
        return self.automation.pipeline.submit(Said(caller, place, operation, line, text or attached(msg), _id(msg)))

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
