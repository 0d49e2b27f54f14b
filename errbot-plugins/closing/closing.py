"""Freezes, locks, pauses and emergencies; the answers are made in automation_bots/commands/freezes.py."""

from errbot import BotPlugin, botcmd

from automation_bots import mixin


class Closing(mixin.ThrottledMixin, BotPlugin):
    """What keeps changes away, and what goes past it."""

    @botcmd
    def freeze(self, msg, args):
        """Keep all changes away from devices."""
        return self.close_desk.freeze(self.ask(msg, args))

    @botcmd
    def unfreeze(self, msg, args):
        """Let changes in again."""
        return self.close_desk.unfreeze(self.ask(msg, args))

    @botcmd
    def lock(self, msg, args):
        """Keep the changes of others away."""
        return self.close_desk.lock(self.ask(msg, args))

    @botcmd
    def unlock(self, msg, args):
        """Give locked devices back."""
        return self.close_desk.unlock(self.ask(msg, args))

    @botcmd
    def locks(self, msg, args):
        """What is frozen or locked."""
        return self.close_desk.locks(self.ask(msg, args))

    @botcmd
    def reviews(self, msg, args):
        """Emergencies that nobody has reviewed yet."""
        return self.close_desk.reviews(self.ask(msg, args))

    @botcmd
    def review(self, msg, args):
        """Write what you found about an emergency."""
        return self.close_desk.review(self.ask(msg, args))

    @botcmd(name="continue")
    def go_on(self, msg, args):
        """Let a job go on that pauses after a batch."""
        return self.close_desk.go_on(self.ask(msg, args))
