"""What waits for approval or for its time; the answers are made in automation_bots/commands/approvals.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("approvals")
class Approvals(mixin.ThrottledMixin, BotPlugin):
    """What waits for a second pair of eyes, or for its time."""
