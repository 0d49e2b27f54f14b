"""A plugin from elsewhere, with every kind of command that Errbot has. `DONE` tells what ran."""

from errbot import BotPlugin, Command, arg_botcmd, botcmd, re_botcmd, webhook
from errbot.backends.base import Message

from automation_bots import mixin

DONE = []


class Outside(mixin.ThrottledMixin, BotPlugin):
    """Does what the name of each command says, without asking anybody."""

    def activate(self):
        super().activate()
        self.done = DONE
        DONE.clear()

        def dynamic(plugin, msg, args):
            DONE.append("dynamic")
            return "dynamic done"

        def alias(plugin, msg, args):
            return self._bot.commands["wipe"](msg, args)

        commands = (Command(dynamic, name="dynamic"), Command(alias, name="rub"))
        self.create_dynamic_plugin("Made", commands)

    def deactivate(self):
        self.destroy_dynamic_plugin("Made")
        super().deactivate()

    @botcmd
    def wipe(self, msg, args):
        """Wipe."""
        DONE.append("wipe")
        return "wipe done"

    @botcmd(admin_only=True)
    def nuke(self, msg, args):
        """Nuke."""
        DONE.append("nuke")
        return "nuke done"

    @botcmd
    def drip(self, msg, args):
        """Drip."""
        DONE.append("drip")
        yield "drip one"
        yield "drip two"

    @arg_botcmd("--force", action="store_true")
    def parsed(self, msg, force=False):
        """Parse."""
        DONE.append("parsed")
        return f"parsed done {force}"

    @re_botcmd(pattern=r"please (wipe|nuke) it", prefixed=False)
    def regex(self, msg, match):
        """Match."""
        DONE.append("regex")
        return "regex done"

    @botcmd
    def crash(self, msg, args):
        """Crash."""
        raise ValueError("secret=hunter2")

    @botcmd
    def leak(self, msg, args):
        """Crash in the middle."""
        yield "leak one"
        raise ValueError("secret=hunter2")

    @botcmd
    def through(self, msg, args):
        """Take the way of a command."""
        return self.submit(msg, "service", devices="web1", action="restart", name="nginx")

    @webhook("/outside/<what>/", methods=("POST",))
    def posted(self, data, what):
        """Do what somebody posts, in the name that stands in it."""
        message = Message("posted")
        message.frm, message.to = self.build_identifier(data["who"]), self.bot_identifier
        if what == "submit":
            return str(self.submit(message, "service", devices="all", action="restart", name="x"))
        return str(self._bot.commands[what](message, ""))
