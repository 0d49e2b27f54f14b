"""Every operation of the catalog as a command of its own, made anew when their files change."""

from errbot import BotPlugin, Command

from automation_bots import mixin

NAME = "Catalog"


class Operations(mixin.ThrottledMixin, BotPlugin):
    """Commands from files."""

    def activate(self):
        super().activate()
        self.automation.live.listen(self._reloaded)
        self._make()

    def deactivate(self):
        # Errbot forgets the commands of a dynamic plugin but not the plugin, and would refuse to make it again.
        if NAME in self._dynamic_plugins:
            self.destroy_dynamic_plugin(NAME)
        super().deactivate()

    def _reloaded(self, change):
        if change.what == "operations" and self.is_activated:
            # Errbot looks a command up twice, and in between it must not be gone.
            with self._bot._gbl:  # noqa: SLF001 - the lock of Errbot's own look-ups
                self.destroy_dynamic_plugin(NAME)
                self._make()

    def _make(self):
        operations = self.automation.live.catalog.operations.values()
        commands = tuple(self._command(number, operation) for number, operation in enumerate(operations))
        self.create_dynamic_plugin(NAME, commands, "Commands from files")

    def _command(self, number, operation):
        def command(plugin, msg, args, name=operation.name):
            return self.submit_line(msg, name, args)

        # Errbot makes attributes of these names: a command called config, log or send would replace the plugin's own.
        return Command(command, name=f"operation_{number}", cmd_kwargs={"name": operation.name}, doc=operation.help)
