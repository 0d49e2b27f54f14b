"""Every operation of the catalog as a command of its own, made anew when their files change."""

from errbot import BotPlugin, Command

from automation_bots import mixin

NAME = "Catalog"


class Operations(mixin.ThrottledMixin, BotPlugin):
    """Commands from files."""

    def activate(self):
        super().activate()
        self.automation.world.listen(self._reloaded)
        self._make()

    def deactivate(self):
        # Errbot forgets the commands of a dynamic plugin but not the plugin, and would refuse to make it again.
        if NAME in self._dynamic_plugins:
            self.destroy_dynamic_plugin(NAME)
        super().deactivate()

    def _reloaded(self, change):
        if change.what == "operations" and self.is_activated:
            self.destroy_dynamic_plugin(NAME)
            self._make()

    def _make(self):
        operations = self.automation.world.catalog.operations.values()
        self.create_dynamic_plugin(NAME, tuple(self._command(o) for o in operations), "Commands from files")

    def _command(self, operation):
        def command(plugin, msg, args, name=operation.name):
            return self.submit_line(msg, name, args)

        # Errbot makes Python attributes of command names, and joins words with _: a dash has to be hidden from it.
        return Command(
            command, name=operation.name.replace("-", "_dash_"), cmd_kwargs={"name": operation.name}, doc=operation.help
        )
