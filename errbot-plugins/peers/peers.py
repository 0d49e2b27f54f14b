"""Other bots: who is there. The answers are made in automation_bots/commands/peers.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("peers")
class Peers(mixin.ThrottledMixin, BotPlugin):
    """Other bots, and how they are."""
