"""What happens elsewhere. The answers are made in automation_bots/commands/alerts.py."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of


@commands_of("alerts")
class Alerts(mixin.ThrottledMixin, BotPlugin):
    """Alerts and events that other systems tell of."""
