"""Short forms of commands. The answers are made in automation_bots/commands/aliases.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("aliases")
class Aliases(mixin.ThrottledMixin, BotPlugin):
    """Short forms of commands."""
