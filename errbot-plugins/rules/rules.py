"""Rules of events, and who is on call. The answers are made in automation_bots/commands/rules.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("rules")
class Rules(mixin.ThrottledMixin, BotPlugin):
    """What happens by itself when something happens elsewhere."""
