"""`automation-bots doctor`: everything around a bot that can be wrong, looked at without changing anything."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import check as checks
from automation_bots.doctor import events, files, peers, record, servers, tools
from automation_bots.errors import AutomationError, in_words
from automation_bots.policy import policy
from automation_bots.policy.rules import ADMINS

log = logging.getLogger(__name__)
Line = tuple[str, str]  # ("ok" | "NOTE" | "WRONG", text)
Part = Callable[[BotFolder, LiveConfig], Iterable[Line]]


def examine(folder: Path, environment: Mapping[str, str] | None, *more: Part) -> Iterator[Line]:
    """Look at one bot part by part; what is wrong with one keeps none of the others from being looked at."""
    with _silence():
        yield from _examined(folder, environment, more)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the log of the core quiet meanwhile: what matters becomes a line."""
    core = logging.getLogger("automation_bots")
    before = core.level
    core.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        core.setLevel(before)


def _examined(folder: Path, environment: Mapping[str, str] | None, more: tuple[Part, ...]) -> Iterator[Line]:
    try:
        bot_folder = BotFolder(folder, environment, untouched=True)
    except AutomationError as error:
        yield "WRONG", str(error)
        return
    yield "ok", f"bot.toml: backend {bot_folder.settings.backend}, prefix {bot_folder.settings.prefix}"
    parts: tuple[Part, ...] = (
        files.look,
        record.look,
        _people,
        tools.look,
        servers.look,
        events.look,
        peers.look,
        *more,
    )
    with TemporaryDirectory(prefix="doctor-") as cache:  # not the cache of a bot that may be running
        live = LiveConfig(
            bot_folder.inventory(Path(cache)),
            bot_folder.folder / "policy.yml",
            bot_folder.operations(),
            bot_folder.settings.places,
        )
        for part in (_reading, *parts):
            for mark, text in _looked(part, bot_folder, live):
                yield mark, bot_folder.redactor.ours(text)


def _reading(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Read inventory, policy and operations, and check them; one that is broken hides no other."""
    broken = []
    for read in (live.inventory.load, lambda: live.take(policy.load(live.policy_file))):
        try:
            read()
        except AutomationError as error:
            broken.append(("WRONG", str(error)))
    live.read_operations()
    if broken:
        yield from broken
        yield from (("WRONG", str(problem)) for problem in live.catalog.problems)
    else:
        yield from checks.of_world(live, bot_folder)


def _looked(part: Part, bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    try:
        yield from part(bot_folder, live)
    except AutomationError as error:
        yield "WRONG", str(error)
    except Exception as error:  # libraries and servers of others are asked; the other parts are looked at all the same
        log.debug("a part of the examination broke", exc_info=True)
        yield "WRONG", f"one part could not be looked at: {type(error).__name__}: {in_words(error)}"


def _people(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Say who of the policy has no id on this network."""
    people, network = live.policy_of_file.people.values(), bot_folder.settings.network
    if not people:
        return
    if not any(ADMINS in person.groups and network in person.ids for person in people):
        yield (
            "WRONG",
            f"people: nobody of the group {ADMINS} has an id on {network}, so nobody hears of what is wrong."
            f" Write it into policy.yml: people: {{name: {{{network}: …, groups: [{ADMINS}]}}}}",
        )
    strangers = sorted(person.name for person in people if network not in person.ids)
    if strangers and len(strangers) < len(people):
        some = ", ".join(strangers[:5]) + (" …" if len(strangers) > 5 else "")
        yield "NOTE", f"people: {len(strangers)} have no id on {network} and may do nothing there: {some}"
