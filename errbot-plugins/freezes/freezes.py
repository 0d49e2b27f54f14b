"""Freezes, locks, pauses and emergencies. The answers are made in automation_bots/commands/freezes.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("freezes")
class Freezes(mixin.ThrottledMixin, BotPlugin):
    """What keeps changes away, and what goes past it."""
