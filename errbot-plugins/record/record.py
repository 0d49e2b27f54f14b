"""The record: look into it, check it, export it. The answers are made in automation_bots/commands/record.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("record")
class Record(mixin.ThrottledMixin, BotPlugin):
    """Who did what, when, and why it was let through."""
