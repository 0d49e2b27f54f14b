"""Who of another bot's people is who here: by the same account, the same name, or a list. Pure.

Somebody whom another bot speaks for is a caller of the network `@<bot>`, with name and account there as the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from automation_bots.model import Caller

SAME_IDS, SAME_NAMES = "same ids", "same names"
_PARTS = 3


@dataclass(frozen=True, slots=True)
class PeerPeople:
    """How the people of one other bot are known: by account, by name, or by this list of their names and ours."""

    by: str = SAME_IDS
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Human:
    """Somebody as the bot that speaks for them knows them: by name, and by the account that they spoke with."""

    name: str
    network: str
    id: str
    robot: bool = False


def network_of(bot: str) -> str:
    """The network, and the place, of what another bot asks for."""
    return f"@{bot}"


def bot_of(network: str) -> str:
    """Which bot asked; empty for what people typed here."""
    return network[1:] if network.startswith("@") else ""


def caller_of(bot: str, human: Human) -> Caller:
    """The caller that somebody of another bot is here."""
    return Caller(network_of(bot), f"{human.name}/{human.network}/{human.id}", human.name, human.robot)


def human_of(caller: Caller, person: str) -> Human:
    """Somebody as another bot hears of them; who came by way of a bot keeps the account that they spoke with."""
    if bot_of(caller.network) and (parts := _parts(caller.id)):
        return Human(person, parts.network, parts.id, caller.robot)
    return Human(person, caller.network, caller.id, caller.robot)


def _parts(id_: str) -> Human | None:
    parts = id_.split("/", _PARTS - 1)
    return Human(parts[0], parts[1], parts[2]) if len(parts) == _PARTS else None


def meant(people: PeerPeople, id_: str) -> tuple[str, tuple[str, str]]:
    """Return our person's name, or the account that tells who it is; both empty where nobody is meant."""
    said, none = _parts(id_), ("", "")
    if said is None:
        return "", none
    if people.by == SAME_IDS:
        return "", (said.network, said.id)
    if people.by == SAME_NAMES:
        return said.name, none
    return people.names.get(said.name, ""), none
