"""What the chat network says of a bot's credentials, rooms and people: the last part of `automation-bots doctor`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from automation_bots.chat import registry
from automation_bots.chat.client import ChatClient, Rejected, Revoked
from automation_bots.config import room_names
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import rules
from automation_bots.errors import AutomationError, in_words
from automation_bots.policy.policy import Policy

Line = tuple[str, str]
_SKEW_NOTE, _SKEW_WRONG = 5.0, 60.0  # seconds; a message that seems older than a minute is not run any more
_MOST_PEOPLE = 500


def look(load: Callable[[str], None], bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Look at the chat network of a bot; `load` tries whether a backend that is not ours can be loaded."""
    try:
        if maker := registry.NETWORKS.get(bot_folder.settings.backend):
            _, client = registry.made(maker, bot_folder, bot_folder.data)
            yield from _asked_and_closed(client, bot_folder, live)
        else:
            load(bot_folder.settings.backend)
            yield from _plain(bot_folder)
    except AutomationError as error:
        yield "WRONG", f"chat: {error}"


def _asked_and_closed(client: ChatClient, bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    try:
        yield from ask(client, bot_folder, live)
    finally:
        client.close()


def ask(client: ChatClient, bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Ask a client, which is not connected for this: a bot that runs beside this loses no message to us."""
    failed = False
    try:
        for mark, text in client.examine():
            failed = failed or mark == "WRONG"
            yield mark, f"chat: {text}"
        yield from rooms(client, bot_folder, live.policy_of_file)
        yield from _people(client, bot_folder, live)
        yield from _clock(client)
    except Revoked as error:
        yield "WRONG", f"chat: {bot_folder.settings.backend} does not take the credentials of [chat]: {error}"
    except (OSError, Rejected) as error:
        if not failed:
            yield "WRONG", f"chat: {bot_folder.settings.backend} cannot be asked: {in_words(error)}"
        yield "NOTE", "chat: the rest was not looked at; mend this first"


def rooms(client: ChatClient, bot_folder: BotFolder, policy: Policy) -> Iterator[Line]:
    """Look at every room that bot.toml and the rules name."""
    settings = bot_folder.settings
    further = rules.rooms_named(policy, bot_folder.folder)
    named = room_names.named(policy, settings, further)
    ids = (client.room_ids([name for _, name in named]) or {}) if named else {}
    yield from (("WRONG", room_names.unknown(where, name)) for where, name in named if name not in ids)
    wanted = _named_rooms(bot_folder, room_names.with_ids(settings.places, ids), policy, further)
    for room, what in wanted.items():
        problem = _asked(client.examine_room, room)
        if problem is None:
            yield "NOTE", "chat: whether the bot can write in its rooms cannot be checked on this network"
            return
        yield (
            ("WRONG", f"{what} ({room}): {problem}") if problem else ("ok", f"{what}: the bot can read and write there")
        )


def _named_rooms(
    bot_folder: BotFolder, places: Mapping[str, str], policy: Policy, further: Sequence[tuple[str, str]]
) -> dict[str, str]:
    """Every room that is named somewhere, by its id, with the words for it; without those that have none."""
    wanted = bot_folder.settings
    found = {room: f"room #{name}" for name, room in places.items()}
    asked = [(f'rule "{rule.name}": room', rule.need.room) for rule in policy.rules if rule.need]
    networks = {"dm", "text", wanted.network, *(network for p in policy.people.values() for network in p.ids)}
    asked += [(f'rule "{r.name}": where', room) for r in policy.rules for room in r.where if room not in networks]
    for setting, room in (
        ("approvals.room", wanted.approvals.room),
        ("record.checkpoint_room", wanted.record.checkpoint_room),
        *asked,
        *further,
    ):
        if room:
            found.setdefault(bot_folder.room(room, places).room, f"{setting} {room}")
    by_id = wanted.network in room_names.BY_ID
    return {room: words for room, words in found.items() if not (by_id and room.startswith("#"))}


def _people(client: ChatClient, bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    network = bot_folder.settings.network
    ids = {person.name: person.ids[network] for person in live.policy_of_file.people.values() if network in person.ids}
    wrong = 0
    for name, id_ in list(ids.items())[:_MOST_PEOPLE]:
        problem = _asked(client.examine_person, id_)
        if problem is None:
            yield "NOTE", "people: whether the network knows their ids cannot be checked on this network"
            return
        if problem:
            wrong += 1
            yield "WRONG", f"people: {name} ({id_}): {problem}"
    if ids and not wrong:
        yield "ok", f"people: the network knows all {min(len(ids), _MOST_PEOPLE)} ids of policy.yml"


def _asked(examine: Callable[[str], str | None], about: str) -> str | None:
    """What is wrong with one room or person; a refusal concerns that one alone."""
    try:
        return examine(about)
    except Rejected as error:
        return str(error)


def _clock(client: ChatClient) -> Iterator[Line]:
    if (theirs := client.network_time()) is None:
        return
    skew = (datetime.now(UTC) - theirs).total_seconds()
    how = f"clock: this machine is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the chat network"
    if abs(skew) > _SKEW_WRONG:
        yield (
            "WRONG",
            f"{how}; fresh messages seem old, and one-time codes fail. Set the clock: timedatectl set-ntp true",
        )
    elif abs(skew) > _SKEW_NOTE:
        yield "NOTE", f"{how}. Set the clock: timedatectl set-ntp true"
    else:
        yield "ok", "clock: as the chat network's"


def _plain(bot_folder: BotFolder) -> Iterator[Line]:
    """A network that is not ours: what can be seen from outside."""
    name, chat = bot_folder.settings.backend, bot_folder.settings.chat
    if name == "Text":
        yield "ok", "chat: the terminal; there is nothing to check"
        return
    yield "ok", f"chat: Errbot's backend {name} can be loaded"
    if isinstance(chat.get("server"), str) and isinstance(chat.get("port"), int):
        yield _reached(chat["server"], chat["port"])
    yield (
        "NOTE",
        f"chat: {name} is Errbot's own backend: credentials, rooms and people cannot be checked before it runs."
        " Start the bot and type !status",
    )


def _reached(server: str, port: int) -> Line:
    try:
        socket.create_connection((server, port), 10).close()
    except OSError as error:
        return (
            "WRONG",
            f"chat: {server} port {port} cannot be reached ({in_words(error)}). Check both in [chat]",
        )
    return "ok", f"chat: {server} port {port} takes connections"
