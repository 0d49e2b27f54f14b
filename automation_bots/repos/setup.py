"""Makes the desk of plugins from elsewhere, from a bot's settings."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots.catalog import BASIC
from automation_bots.home import Home
from automation_bots.model import Answer, Place
from automation_bots.office import Office
from automation_bots.repos.desk import ReposDesk
from automation_bots.repos.git import Limits
from automation_bots.repos.packages import Packages
from automation_bots.repos.shelf import Shelf
from automation_bots.repos.work import Work


def desk(office: Office, home: Home, say: Callable[[Place, Answer], object]) -> ReposDesk:
    """Make it; the running bot is attached later."""
    wanted = home.settings.repos
    work = Work(
        Shelf(home.data.resolve() / "repos"),
        Limits(wanted.megabytes, wanted.seconds),
        Packages(wanted.packages, home.path(wanted.wheels) if wanted.wheels else None, wanted.seconds),
        taken=lambda: {*BASIC, *office.world.catalog.operations},
    )
    return ReposDesk(office, wanted, home.folder, work, say)
