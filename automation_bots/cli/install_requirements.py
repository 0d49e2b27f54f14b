"""`automation-bots install-requirements`: the roles and collections that a bot's playbooks need."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from automation_bots import render
from automation_bots.app.bot import Bot
from automation_bots.config import settings
from automation_bots.errors import BadRepository
from automation_bots.operations import content_needs
from automation_bots.repos import ansible_requirements as requirements
from automation_bots.repos.ansible_installer import AnsibleInstaller, Fetched
from automation_bots.repos.git import Limits

_FILES = 20_000  # a collection has more than plugins have


def run(folder: Path, say: Callable[[str], None], sure: Callable[[str], bool] | None) -> int:
    """Show what would come, ask, install; without somebody to ask (`--yes`) only what is pinned."""
    bot = Bot(folder, read_only=True)
    rules = requirements.Rules(bot.settings.repos.hosts, bot.settings.repos.local)
    folders = bot.live.folders
    files = requirements.files([place for place in folders.playbooks if place != folders.shipped])
    wanted = tuple(dict.fromkeys(one for path in files for one in requirements.read(path, rules)))
    for path in files:
        say(f"reads {path}")
    if not wanted:
        say("No requirements.yml beside or above the playbooks asks for roles or collections.")
        return _still_missing(bot, say)
    _agree(wanted)
    installer = _installer(bot, rules)
    staged = installer.staging()
    try:
        fetched = installer.fetch(wanted, staged)
        say(render.table([_row(one) for one in fetched]))
        if not _confirmed(fetched, sure):
            say("Nothing was changed.")
            return 1
        found = installer.install(fetched, staged)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    say(f"Installed, for all runs that start from now on, in {bot.bot_folder.content.current}:")
    say(render.table(found))
    return _still_missing(bot, say)


def _installer(bot: Bot, rules: requirements.Rules) -> AnsibleInstaller:
    wanted = bot.settings.repos
    ca = bot.bot_folder.path(wanted.ca) if wanted.ca else None
    if ca and not ca.is_file():
        raise settings.wrong(bot.bot_folder.folder, ("repos", "ca"), f"there is no file {ca}")
    galaxy = requirements.GALAXY.removeprefix("https://") in rules.hosts
    limits = Limits(wanted.megabytes, wanted.seconds, _FILES)
    return AnsibleInstaller(bot.bot_folder.content.folder, limits, ca, galaxy=galaxy)


def _agree(wanted: tuple[requirements.Wanted, ...]) -> None:
    """Refuse one name at two versions: only one of them can be installed."""
    seen: dict[tuple[str, str], requirements.Wanted] = {}
    for one in wanted:
        other = seen.setdefault((one.kind, one.name), one)
        if one.name and other != one:
            said = f"{other.version or 'any'} from {other.place} and {one.version or 'any'} from {one.place}"
            raise BadRepository(f"The {one.kind} {one.name} is wanted twice: {said}. One of them can be installed.")


def _row(one: Fetched) -> tuple[str, str, str, str]:
    wanted = one.wanted
    version = wanted.version or "not pinned: what is newest now"
    if wanted.source is not None:
        version = f"{wanted.source.ref or 'not pinned: its default branch'} ({one.commit[:12]})"
    elif one.path is not None:
        version = "as it is"
    return wanted.kind, wanted.name or one.name, version, wanted.place


def _confirmed(fetched: tuple[Fetched, ...], sure: Callable[[str], bool] | None) -> bool:
    loose = [one.wanted.name or one.wanted.place for one in fetched if not one.wanted.pinned]
    if sure is not None:
        return sure("What playbooks use of it can do whatever they can. Install it? [yes/no] ")
    if loose:
        raise BadRepository(
            f"Not pinned: {', '.join(loose)}. Name exact versions, tags or commits, or leave out --yes."
        )
    return True


def _still_missing(bot: Bot, say: Callable[[str], None]) -> int:
    content, given = bot.bot_folder.content, bot.settings.drivers.ansible.environment
    missing = content_needs.of_all(bot.live.catalog.operations.values(), content, given)
    for one, names in missing.items():
        say(f"NOTE  {content.lack(one)}, for {render.names(names)}: name it in a requirements.yml")
    return 0
