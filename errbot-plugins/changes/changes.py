"""Work on devices, watched. The answers are made in automation_bots/commands/changes.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("changes")
class Changes(mixin.ThrottledMixin, BotPlugin):
    """Devices before and after work on them."""
