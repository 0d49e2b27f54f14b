"""Approvals; the answers are made in automation_bots/commands/approvals.py."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin


class Approvals(mixin.ThrottledMixin, BotPlugin):
    """What waits for a second pair of eyes, or for its time."""

    @botcmd
    def pending(self, msg, args):
        """What waits for approval or for its time."""
        return self.approval_desk.pending(self.ask(msg, args))

    @botcmd
    def approve(self, msg, args):
        """Approve what somebody else asked for."""
        return self.approval_desk.approve(self.ask(msg, args))

    @botcmd
    def deny(self, msg, args):
        """Refuse what somebody else asked for."""
        return self.approval_desk.deny(self.ask(msg, args))

    @botcmd
    def details(self, msg, args):
        """All there is to know of a request."""
        return self.approval_desk.details(self.ask(msg, args))

    @botcmd
    def withdraw(self, msg, args):
        """Take a request back."""
        return self.approval_desk.withdraw(self.ask(msg, args))
