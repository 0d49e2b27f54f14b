"""The commands of approvers and requesters: words to numbers, then the approvals decide."""

from __future__ import annotations

from automation_bots.commands.context import Ask, Office
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, one_line


class ApprovalDesk:
    """One method a command; each returns what to say."""

    def __init__(self, office: Office) -> None:
        self._office, self._approvals = office, office.pipeline.approvals

    def pending(self, ask: Ask) -> Answer:
        """What waits."""
        return self._approvals.pending(ask.caller)

    def approve(self, ask: Ask) -> Answer | None:
        """Approve a request."""
        number, note = self._read(ask, "approve <n> [note]")
        return self._approvals.approve(ask.caller, ask.place, number, note)

    def deny(self, ask: Ask) -> Answer | None:
        """Deny a request; the reason is what the requester learns from."""
        number, reason = self._read(ask, "deny <n> <reason>")
        if not reason:
            raise BadCommand(f"Say why, so that it can be mended. → {self._office.prefix}deny {number} <reason>")
        return self._approvals.deny(ask.caller, ask.place, number, reason)

    def withdraw(self, ask: Ask) -> Answer | None:
        """Take a request back."""
        return self._approvals.withdraw(ask.caller, ask.place, self._read(ask, "withdraw <n>")[0])

    def details(self, ask: Ask) -> Answer:
        """Look at a request."""
        return self._approvals.details(ask.caller, self._read(ask, "details <n>")[0])

    def _read(self, ask: Ask, usage: str) -> tuple[int, str]:
        self._office.person(ask)
        first, _, rest = ask.line.strip().partition(" ")
        digits = first.removeprefix("#")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
            what = f"{one_line(first, 30)!r} is no number of a request. " if first else "Which request? "
            raise BadCommand(f"{what}→ {self._office.prefix}{usage} · {self._office.prefix}pending")
        return int(digits), rest.strip()
