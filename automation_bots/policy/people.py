"""Everybody the bot knows, composed in one place: policy.yml, links made in chat, groups of the directory. Pure.

policy.yml wins: an id that stands there is that person, whatever a link says, and nobody exists without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from automation_bots.model import Person
from automation_bots.policy.accounts import AccountChange
from automation_bots.policy.peers import PeerPeople
from automation_bots.policy.policy import Policy

_NO_GROUPS: Mapping[str, frozenset[str]] = MappingProxyType({})
ROBOTS = "rule"  # the network on which the rules of rules.yml have their robots
_NO_PEERS: Mapping[str, PeerPeople] = MappingProxyType({})
LDAP = "ldap"  # the key of a person whose name in the directory is another


@dataclass(frozen=True, slots=True)
class IdentityLink:
    """An id of a chat network that was linked to a person in chat."""

    network: str
    id: str
    person: str
    by: tuple[str, ...] = ()  # the admins who did it, or whose code it was; else the person
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Additions:
    """What is known of people beside policy.yml."""

    links: tuple[IdentityLink, ...] = ()
    groups: Mapping[str, frozenset[str]] = field(
        default_factory=lambda: _NO_GROUPS
    )  # person -> groups in the directory
    peers: Mapping[str, PeerPeople] = field(default_factory=lambda: _NO_PEERS)


NO_ADDITIONS = Additions()


def merge(policy: Policy, additions: Additions) -> Policy:
    """Compose a policy file with the additions; what speaks of nobody in the file is left out."""
    if additions == NO_ADDITIONS or not policy.people:
        return policy
    people = {name: _with(person, additions) for name, person in policy.people.items()}
    ids = {key: people[person.name] for key, person in policy.ids.items()}
    for link in additions.links:
        if link.person in people:
            ids.setdefault((link.network, link.id), people[link.person])
    return replace(policy, people=people, ids=ids, linked=_by_others(policy, additions), peers=additions.peers)


def _by_others(policy: Policy, additions: Additions) -> dict[tuple[str, str], AccountChange]:
    return {
        (link.network, link.id): AccountChange(link.by, link.at)
        for link in additions.links
        if link.at and link.by and link.by != (link.person,) and (link.network, link.id) not in policy.ids
    }


def _with(person: Person, additions: Additions) -> Person:
    mine = {link.network: link.id for link in additions.links if link.person == person.name}
    groups = additions.groups.get(person.name, frozenset())
    return replace(person, groups=person.groups | groups, ids={**mine, **person.ids})


def logins(policy: Policy) -> dict[str, str]:
    """Return each person's name in the directory: `ldap:` of policy.yml, else the person's own name."""
    return {name: person.ids.get(LDAP, name) for name, person in policy.people.items()}


def owner(policy: Policy, network: str, id_: str) -> str:
    """Return whose id that is, or nothing."""
    person = policy.ids.get((network, id_))
    return person.name if person else ""
