"""Commands that run at times. The answers are made in automation_bots/commands/schedules.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("schedules")
class Schedules(mixin.ThrottledMixin, BotPlugin):
    """What runs once, again and again, or by cron's five fields."""
