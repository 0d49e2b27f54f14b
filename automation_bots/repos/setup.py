"""Makes the commands about plugins from elsewhere, from a bot's settings."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.commands.context import CommandContext
from automation_bots.config import settings
from automation_bots.config.bot_folder import BotFolder
from automation_bots.model import Answer, Place
from automation_bots.operations.own_commands import OWN
from automation_bots.repos.command import RepoCommands
from automation_bots.repos.git import Limits
from automation_bots.repos.installed import InstalledPlugins
from automation_bots.repos.installer import Installer
from automation_bots.repos.packages import Packages


def commands(context: CommandContext, bot_folder: BotFolder, say: Callable[[Place, Answer], object]) -> RepoCommands:
    """Make it; the running bot is attached later."""
    wanted = bot_folder.settings.repos
    ca = bot_folder.path(wanted.ca) if wanted.ca else None
    if ca and not ca.is_file():
        raise settings.wrong(bot_folder.folder, ("repos", "ca"), f"there is no file {ca}")
    wheels = bot_folder.path(wanted.wheels) if wanted.wheels else None
    installer = Installer(
        InstalledPlugins(bot_folder.data.resolve() / "repos"),
        Limits(wanted.megabytes, wanted.seconds),
        Packages(wanted.packages, wheels, wanted.seconds, ca),
        taken=lambda: {*OWN, *context.live.catalog.operations},
        ca=ca,
    )
    return RepoCommands(context, wanted, bot_folder.folder, installer, say)
