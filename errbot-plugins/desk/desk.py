"""Questions to the bot itself; the answers are made in automation_bots/desk.py."""

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
    def playbook(self, msg, args):
        """List playbooks, look into one, run one."""
        return self.desk.playbook(self.ask(msg, args))

    @botcmd
    def jobs(self, msg, args):
        """The latest jobs."""
        return self.desk.jobs(self.ask(msg, args))

    @botcmd
    def job(self, msg, args):
        """One job with its outcomes, or its output."""
        return self.desk.job(self.ask(msg, args))

    @botcmd
    def queue(self, msg, args):
        """What waits, and for what."""
        return self.desk.queue(self.ask(msg, args))

    @botcmd
    def cancel(self, msg, args):
        """Stop a job."""
        return self.desk.cancel(self.ask(msg, args))

    @botcmd
    def retry(self, msg, args):
        """Run a job again."""
        return self.desk.retry(self.ask(msg, args))

    @botcmd
    def ack(self, msg, args):
        """Acknowledge an interrupted change."""
        return self.desk.ack(self.ask(msg, args))

    @botcmd
    def audit(self, msg, args):
        """The record."""
        return self.desk.audit(self.ask(msg, args))
