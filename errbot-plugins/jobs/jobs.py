"""Jobs, the queue and the record; the answers are made in automation_bots/commands/jobs.py."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin


class Jobs(mixin.ThrottledMixin, BotPlugin):
    """What runs, what waits, what was done."""

    @botcmd
    def jobs(self, msg, args):
        """The latest jobs."""
        return self.job_desk.jobs(self.ask(msg, args))

    @botcmd
    def job(self, msg, args):
        """One job with its outcomes, or its output."""
        return self.job_desk.job(self.ask(msg, args))

    @botcmd
    def queue(self, msg, args):
        """What waits, and for what."""
        return self.job_desk.queue(self.ask(msg, args))

    @botcmd
    def cancel(self, msg, args):
        """Stop a job."""
        return self.job_desk.cancel(self.ask(msg, args))

    @botcmd
    def retry(self, msg, args):
        """Run a job again."""
        return self.job_desk.retry(self.ask(msg, args))

    @botcmd
    def ack(self, msg, args):
        """Acknowledge an interrupted change."""
        return self.job_desk.ack(self.ask(msg, args))

    @botcmd
    def audit(self, msg, args):
        """The record."""
        return self.record_desk.audit(self.ask(msg, args))
