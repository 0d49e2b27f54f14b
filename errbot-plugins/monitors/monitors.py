"""Monitors. The answers are made in automation_bots/commands/monitors.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("monitors")
class Monitors(mixin.ThrottledMixin, BotPlugin):
    """What is watched."""
