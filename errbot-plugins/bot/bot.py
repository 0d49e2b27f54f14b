"""Questions to the bot itself: help, devices, may I, why. The answers are made in automation_bots/commands/bot.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("bot")
class Bot(mixin.ThrottledMixin, BotPlugin):
    """Help, devices, rules and the bot itself."""
