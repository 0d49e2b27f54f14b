"""People and their accounts; the answers are made in automation_bots/commands/people.py."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin


class People(mixin.ThrottledMixin, BotPlugin):
    """Who is who, linking accounts, proving oneself."""

    @botcmd
    def people(self, msg, args):
        """Everybody the bot knows."""
        return self.people_desk.people(self.ask(msg, args))

    @botcmd
    def person(self, msg, args):
        """One person; linking accounts."""
        return self.people_desk.person(self.ask(msg, args))

    @botcmd
    def totp(self, msg, args):
        """Prove yourself with your authenticator app."""
        return self.people_desk.totp(self.ask(msg, args))
