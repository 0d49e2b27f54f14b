"""Common questions with answers. The answers are made in automation_bots/commands/faq.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("faq")
class Faq(mixin.ThrottledMixin, BotPlugin):
    """Common questions with answers."""
