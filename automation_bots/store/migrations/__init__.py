"""The steps from one version of the tables to the next; imported only when there is a step to take."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection

from automation_bots.errors import StoreError


def config(connection: Connection | None = None) -> Config:
    """Tell Alembic where the steps are, and on which connection (in the caller's transaction) to take them."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    settings.attributes["connection"] = connection
    return settings


def upgrade(connection: Connection, to: str = "head") -> None:
    """Take all steps in one transaction: killed half-way, the record is as it was."""
    try:
        command.upgrade(config(connection), to)
    except CommandError as error:
        raise StoreError(f"The tables cannot be brought up to date: {error}. Nothing was changed.") from error
