"""What people want to hear of in a room. The answers are made in automation_bots/commands/watches.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("watches")
class Watches(mixin.ThrottledMixin, BotPlugin):
    """What people want to hear of in a room."""
