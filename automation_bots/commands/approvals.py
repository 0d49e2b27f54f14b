"""The commands of approvers and requesters: words to numbers, then the approvals decide."""

from __future__ import annotations

from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.commands.restored import RestoredCommands
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, one_line
from automation_bots.operations.own_commands import OWN


class ApprovalCommands:
    """One method a command; each returns what to say."""

    def __init__(self, context: CommandContext) -> None:
        self._context, self._approvals = context, context.pipeline.approvals

    def pending(self, ask: CommandCall) -> Answer:
        """What waits."""
        return self._approvals.pending(ask.caller)

    def approve(self, ask: CommandCall) -> Answer | None:
        """Approve a request."""
        number, note = self._read(ask, "approve")
        return self._approvals.approve(ask.caller, ask.place, number, note)

    def deny(self, ask: CommandCall) -> Answer | None:
        """Deny a request; the reason is what the requester learns from."""
        number, reason = self._read(ask, "deny")
        if not reason:
            raise BadCommand(f"Say why, so that it can be mended. → !deny {number} <reason>")
        return self._approvals.deny(ask.caller, ask.place, number, reason)

    def withdraw(self, ask: CommandCall) -> Answer | None:
        """Take a request back."""
        if ask.trial:
            self._approvals.details(ask.caller, self._read(ask, "withdraw")[0])
            return TRIED
        if restored := RestoredCommands(self._context).each(ask, ends=True):
            return restored
        return self._approvals.withdraw(ask.caller, ask.place, self._read(ask, "withdraw")[0])

    def details(self, ask: CommandCall) -> Answer:
        """Look at a request."""
        return self._approvals.details(ask.caller, self._read(ask, "details")[0])

    def _read(self, ask: CommandCall, command: str) -> tuple[int, str]:
        self._context.person(ask)
        first, _, rest = ask.line.strip().partition(" ")
        digits = first.removeprefix("#")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
            what = f"{one_line(first, 30)!r} is no number of a request. " if first else "Which request? "
            raise BadCommand(f"{what}→ !{OWN[command].usage} · !pending")
        return int(digits), rest.strip()
