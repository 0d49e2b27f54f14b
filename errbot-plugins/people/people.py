"""People and their accounts; the answers are made in automation_bots/commands/people.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("people")
class People(mixin.ThrottledMixin, BotPlugin):
    """Who is who, linking accounts, proving oneself."""
