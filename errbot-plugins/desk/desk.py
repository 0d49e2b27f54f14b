"""Questions to the bot itself; the answers are made in automation_bots/commands/bot.py."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin


class Desk(mixin.ThrottledMixin, BotPlugin):
    """Help, devices, jobs, queue and record."""

    @botcmd
    def help(self, msg, args):
        """What you may do here, or how one command is used."""
        return self.desk.help(self.ask(msg, args))

    @botcmd
    def about(self, msg, args):
        """What this bot is."""
        return self.desk.about(self.ask(msg, args))

    @botcmd
    def whoami(self, msg, args):
        """Who you are to the bot."""
        return self.desk.whoami(self.ask(msg, args))

    @botcmd
    def status(self, msg, args):
        """How the bot is."""
        return self.desk.status(self.ask(msg, args))

    @botcmd
    def devices(self, msg, args):
        """The devices you may see."""
        return self.desk.devices(self.ask(msg, args))

    @botcmd
    def device(self, msg, args):
        """One device: how it is reached, what you may do there."""
        return self.desk.device(self.ask(msg, args))

    @botcmd
    def can(self, msg, args):
        """Whether you may, and which rule says so."""
        return self.desk.can(self.ask(msg, args))

    @botcmd
    def why(self, msg, args):
        """Which rule decided about a job or a refusal."""
        return self.desk.why(self.ask(msg, args))

    @botcmd
    def playbook(self, msg, args):
        """List playbooks, look into one, run one."""
        return self.desk.playbook(self.ask(msg, args))
