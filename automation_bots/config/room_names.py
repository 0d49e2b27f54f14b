"""Rooms that are named as people call them (`#netops`) where a network tells rooms by ids: which, and where. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from automation_bots.config.settings import Settings
from automation_bots.policy.policy import Policy

_BARE = re.compile(r"[A-Za-z0-9_-]+")
BY_ID = frozenset({"slack", "mattermost", "matrix", "rocketchat"})  # these tell no name with a message


def named(policy: Policy, settings: Settings, further: Iterable[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """Return each place of bot.toml, policy.yml and further files where such a name stands, and it without its sign."""
    if settings.network not in BY_ID:
        return []
    of_places = [(f"bot.toml: places.{key}", room) for key, room in settings.places.items()]
    others = [*further, *((f'rule "{rule.name}": where', room) for rule in policy.rules for room in rule.where)]
    others += [(f'rule "{rule.name}": room', rule.need.room) for rule in policy.rules if rule.need]
    others.append(("bot.toml: approvals.room", settings.approvals.room))
    others.append(("bot.toml: record.checkpoint_room", settings.record.checkpoint_room))
    others.append(("bot.toml: events.room", settings.events.room))
    sources = settings.events.sources.items()
    others += [(f"bot.toml: events.sources.{name}.room", str(table.get("room", ""))) for name, table in sources]
    found = of_places + [(where, room) for where, room in others if room.removeprefix("#") not in settings.places]
    return [(where, room.removeprefix("#")) for where, room in found if room.startswith("#")]


def unknown(where: str, name: str) -> str:
    """Say that no room is called so."""
    key = where.removeprefix("bot.toml: places.") if where.startswith("bot.toml: places.") else name
    key = key if _BARE.fullmatch(key) else f'"{key}"'  # as TOML wants it
    return (
        f"{where}: no room that the bot is in is called #{name}, or more than one is. Invite the bot there, or write"
        f' the id: [places] {key} = "<the id of the room>"'
    )


def with_ids(places: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, str]:
    """Return the places with the ids that the network gave for names."""
    known = {key: ids.get(room[1:], room) if room.startswith("#") else room for key, room in places.items()}
    return {**ids, **known}
