"""Makes the desk of plugins from elsewhere, from a bot's settings."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.commands.context import Office
from automation_bots.config import settings
from automation_bots.config.bot_folder import Home
from automation_bots.model import Answer, Place
from automation_bots.operations.catalog import BASIC
from automation_bots.repos.command import ReposDesk
from automation_bots.repos.git import Limits
from automation_bots.repos.installed import Shelf
from automation_bots.repos.installer import Work
from automation_bots.repos.packages import Packages


def desk(office: Office, home: Home, say: Callable[[Place, Answer], object]) -> ReposDesk:
    """Make it; the running bot is attached later."""
    wanted = home.settings.repos
    ca = home.path(wanted.ca) if wanted.ca else None
    if ca and not ca.is_file():
        raise settings.wrong(home.folder, ("repos", "ca"), f"there is no file {ca}")
    wheels = home.path(wanted.wheels) if wanted.wheels else None
    work = Work(
        Shelf(home.data.resolve() / "repos"),
        Limits(wanted.megabytes, wanted.seconds),
        Packages(wanted.packages, wheels, wanted.seconds, ca),
        taken=lambda: {*BASIC, *office.world.catalog.operations},
        ca=ca,
    )
    return ReposDesk(office, wanted, home.folder, work, say)
