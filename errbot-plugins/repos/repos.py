"""Plugins from elsewhere; the answers are made in automation_bots/repos/."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin
from backends.plugins.loader import ErrbotLoader


class Repos(mixin.ThrottledMixin, BotPlugin):
    """Install, update, remove."""

    def activate(self):
        super().activate()
        self.automation.repos.work.attach(ErrbotLoader(self._bot))

    @botcmd
    def repos(self, msg, args):
        """Plugins from elsewhere: what is installed; install, update, remove."""
        return self.automation.repos.command(self.ask(msg, args))
