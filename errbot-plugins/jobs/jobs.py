"""Jobs and the queue. The answers are made in automation_bots/commands/jobs.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("jobs")
class Jobs(mixin.ThrottledMixin, BotPlugin):
    """What runs, what waits, what was done."""
