"""Whom a message of a rule calls: people, groups, and whoever is on call at that moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from automation_bots.model import Mention
from automation_bots.policy.oncall import ON_CALL, Turn
from automation_bots.policy.policy import Policy
from automation_bots.store.rules import RuleStore, Shift

_MOST = 10  # people that one message calls


@dataclass(frozen=True, slots=True)
class Called:
    """The accounts that a message calls, and what is to be said of those whom it cannot."""

    mentions: tuple[Mention, ...] = ()
    notes: tuple[str, ...] = ()


class Pages:
    """Reads the policy and the shifts that people have taken, as they are now."""

    def __init__(self, policy: Callable[[], Policy], store: RuleStore, now: Callable[[], datetime]) -> None:
        self._policy, self._store, self._now = policy, store, now

    def call(self, names: Sequence[str], network: str) -> Called:
        """Whom these names mean on a network, each once."""
        policy, notes, people = self._policy(), list[str](), dict[str, None]()
        for name in names:
            found, why = self._meant(name, policy)
            people |= dict.fromkeys(found)
            notes += [why] if why else []
        accounts = {name: policy.people[name].ids[network] for name in people if network in policy.people[name].ids}
        notes += [f"{name} has no account here" for name in people if name not in accounts]
        if len(accounts) > _MOST:
            notes.append(f"{len(accounts)} people are meant: {', '.join(names)}")
            return Called(notes=tuple(notes))
        return Called(tuple(Mention(id_, name) for name, id_ in accounts.items()), tuple(notes))

    def _meant(self, name: str, policy: Policy) -> tuple[tuple[str, ...], str]:
        word, _, rota = name.partition(" ")
        if word == ON_CALL:
            return self._on_call(rota, policy)
        members = (name,) if name in policy.people else tuple(
            sorted(one.name for one in policy.people.values() if name in one.groups)
        )  # fmt: skip
        return members, "" if members else f"nobody is or belongs to {name}"

    def _on_call(self, rota: str, policy: Policy) -> tuple[tuple[str, ...], str]:
        if not rota and len(policy.oncall) != 1:
            known = ", ".join(policy.oncall) or "none"
            return (), f"which rota? policy.yml has {known}"
        name = rota or next(iter(policy.oncall))
        if name not in policy.oncall:
            return (), f"policy.yml has no rota {name}"
        turn, _ = self.turn(name)
        return turn.people, "" if turn.people else f"nobody is on call for {name}: {turn.why}"

    def turn(self, rota: str) -> tuple[Turn, Shift | None]:
        """Who is on call for a rota, and the shift that somebody has taken, if it is by that."""
        policy, now = self._policy(), self._now()
        for shift in self._shifts(rota, now):
            if shift.person in policy.people:
                return Turn((shift.person,), shift.end), shift
        return policy.oncall[rota].planned(now, policy.people), None

    def _shifts(self, rota: str, now: datetime) -> Iterator[Shift]:
        return (shift for shift in self._store.shifts(now) if shift.rota == rota and shift.begin <= now)
