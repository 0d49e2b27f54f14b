"""Looks at other bots: whether their keys are trusted, the queue answers, and who is there; nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

from automation_bots.app.bot import now
from automation_bots.app.peers import key_files, queue_of
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.errors import StoreError
from automation_bots.peers import presence

Line = tuple[str, str]  # ("ok" | "NOTE" | "WRONG", text)


def trusted(bot_folder: BotFolder) -> Iterator[Line]:
    """Compare the bots of bot.toml with the keys that are trusted."""
    if not bot_folder.peers:
        if bot_folder.settings.peers.bots:
            yield "NOTE", "other bots: [peers] queue is empty, so none is asked and none may ask"
        return
    known = key_files(bot_folder.data)[1].now.bots
    for name in bot_folder.peers:
        if name not in known:
            trust = f"automation-bots peer trust {bot_folder.folder} {name}.peer"
            yield "WRONG", f"other bots: the key of {name} is not trusted. Its people write the file, then: {trust}"
    for name in sorted(set(known) - set(bot_folder.peers)):
        yield "NOTE", f"other bots: {name} is trusted, but bot.toml has no [peers.{name}], so it is refused"


def look(bot_folder: BotFolder, _live: LiveConfig) -> Iterator[Line]:
    """Ask the queue who is there."""
    if not bot_folder.peers:
        return
    known, queue = key_files(bot_folder.data)[1].now, queue_of(bot_folder)
    try:
        signs = queue.signs()
    except StoreError as error:
        yield "WRONG", f"other bots: {error}"
        return
    finally:
        queue.close()
    yield "ok", f"other bots: the queue {queue.where} answers"
    for name in bot_folder.peers:
        found = presence.read(name, signs.get(name), known, now())
        if found.clock:
            yield "WRONG", f"other bots: {name}: {found.clock}; requests that differ by a minute are refused"
        yield ("ok" if found.here else "NOTE"), f"other bots: {name} is {found.text}"
