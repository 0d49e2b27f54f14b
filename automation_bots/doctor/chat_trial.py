"""`automation-bots check --live`: what a chat network of one's own makes of all that the bot does there, cleaned up."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from automation_bots.chat import registry
from automation_bots.chat.client import BotsApart, ChatClient, Rejected, Revoked
from automation_bots.chat.trial.account import Gone, Party
from automation_bots.chat.trial.steps import PARTS, Failed, Part
from automation_bots.config.bot_folder import BotFolder
from automation_bots.doctor import chat, record
from automation_bots.errors import AutomationError, ConfigError, in_words
from automation_bots.policy import policy
from automation_bots.secrets import references as secrets

Line = tuple[str, str]
_REFUSED = (OSError, Rejected, Revoked)


def run(
    bot: Party, second: Party | None, look: Callable[[ChatClient], Iterable[Line]] = lambda _: ()
) -> Iterator[Line]:
    """Try part after part, a line for each; whatever was posted is deleted at the end, also when a part breaks."""
    connected: list[Party] = []
    try:
        for party in (one for one in (bot, second) if one):
            if problem := _connected(party):
                yield "WRONG", problem
                return
            connected.append(party)
            yield "ok", f"connect: {party.what} is {party.client.my_name or party.client.me} ({party.client.me})"
        yield from look(bot.client)
        for part in PARTS:
            yield (line := _tried(part, bot, second))
            if part is PARTS[0] and line[0] == "WRONG":
                yield "NOTE", "all else was left out: is that the room, and is the bot in it?"
                return
    finally:
        yield from _cleaned(connected)


def _connected(party: Party) -> str:
    try:
        party.connect()
    except Revoked as error:
        return f"connect: the credentials of {party.what} are not taken: {error}"
    except (OSError, Rejected) as error:
        return f"connect: {party.what} cannot connect: {in_words(error)}"
    return ""


def _tried(part: Part, bot: Party, second: Party | None) -> Line:
    if lacking := part.lacking(bot, second):
        return "NOTE", f"{part.name}: left out, {lacking}"
    try:
        return "ok", f"{part.name}: {part.trial(bot, second)}"
    except BotsApart as error:
        return "NOTE", f"{part.name}: left out, {error}"
    except (Failed, *_REFUSED) as error:
        return "WRONG", f"{part.name}: {error}"
    except Exception as error:  # noqa: BLE001 - whatever an SDK raises is a finding about this part, not the end
        return "WRONG", f"{part.name}: broke with {type(error).__name__}: {in_words(error)}"


def _cleaned(parties: list[Party]) -> Iterator[Line]:
    gone = sum((party.clean() for party in parties), Gone())
    for party in parties:
        if problem := party.end():
            yield "NOTE", f"clean up: {problem}"
    if gone.left:
        yield (
            "WRONG",
            f"clean up: {len(gone.left)} messages could not be deleted ({gone.why}): {', '.join(gone.left[:5])}",
        )
    else:
        yield "ok", f"clean up: all {gone.deleted} messages are deleted"


def lines(
    folder: Path,
    room: str,
    second: list[str],
    environment: Mapping[str, str],
    networks: Mapping[str, registry.Maker] = registry.NETWORKS,
) -> Iterator[Line]:
    """Make both parties of the bot's folder and let them try; what stands in the way is a line too."""
    try:
        bot_folder = BotFolder(folder, environment)
        backend = bot_folder.settings.backend
        maker = networks.get(backend)
        if maker is None:
            yield "WRONG", f"{backend} is not one of the bot's own networks; start the bot and type !status"
            return
        if not room:
            yield "WRONG", "name a room to post in, one that may be disturbed: --room '#test'"
            return
        if pid := record.running(bot_folder.data):
            yield "WRONG", f"the bot runs (pid {pid}), and would lose messages to this; stop it first"
            return
        with tempfile.TemporaryDirectory(prefix="live-") as other:
            where = bot_folder.room(room).room
            bot = Party(lambda: registry.made(maker, bot_folder, bot_folder.data)[1], where, "the bot")
            them, given = None, _given(second, bot_folder, environment)
            if given:
                them = Party(
                    lambda: registry.made(maker, bot_folder, Path(other), given)[1],
                    where,
                    "the second account",
                    is_guest=True,
                )
            for mark, text in run(bot, them, lambda client: _rooms(client, bot_folder)):
                yield mark, bot_folder.redactor.ours(text)
    except AutomationError as error:
        yield "WRONG", str(error)


def _rooms(client: ChatClient, bot_folder: BotFolder) -> Iterator[Line]:
    """Look at the rooms that are named in bot.toml and policy.yml."""
    try:
        yield from chat.rooms(client, bot_folder, policy.load(bot_folder.folder / "policy.yml"))
    except (AutomationError, *_REFUSED) as error:
        yield "WRONG", f"rooms: they cannot be looked at: {in_words(error)}"


def _given(second: list[str], bot_folder: BotFolder, environment: Mapping[str, str]) -> dict[str, str]:
    """The credentials of the second account; a secret must not stand on a command line, which others can see."""
    found = {}
    for text in second:
        key, _, reference = text.partition("=")
        if not reference or (secrets.names_a_secret(key) and not secrets.is_reference(reference)):
            raise ConfigError("--second", f"write {key or 'KEY'}=env:NAME; others can see the words of a command")
        try:
            found[key] = secrets.resolve(reference, environment, bot_folder.folder)
        except LookupError as error:
            raise ConfigError("--second", f"{key}: {error}") from error
    bot_folder.redactor.add(value for key, value in found.items() if secrets.names_a_secret(key))
    return found
