"""Plugins from elsewhere; the answers are made in automation_bots/repos/."""

from errbot import BotPlugin

from automation_bots import mixin
from backends.adapter.own_commands import commands_of
from backends.plugins.loader import ErrbotLoader


@commands_of("repos")
class Repos(mixin.ThrottledMixin, BotPlugin):
    """Install, update, remove."""

    def activate(self):
        super().activate()
        self.automation.repos.installer.attach(ErrbotLoader(self._bot))
