"""Links and groups as the bot works with them: kept in memory, read again when they change, composed by `people`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from automation_bots.policy.people import Additions, IdentityLink
from automation_bots.policy.policy import Policy
from automation_bots.store.people import PeopleStore

Groups = Mapping[str, frozenset[str]]


class Members:
    """What is known of people beside policy.yml, as one value that stays the same object until something changes."""

    def __init__(self, store: PeopleStore, groups: Callable[[], Groups]) -> None:
        self._store, self._groups = store, groups
        self._lock = threading.Lock()
        self._links: tuple[IdentityLink, ...] = store.links()
        self._kept: tuple[tuple[IdentityLink, ...], Groups, Additions] | None = None

    def additions(self) -> Additions:
        """Return links and groups of now."""
        links, groups, kept = self._links, self._groups(), self._kept
        if kept is None or kept[0] is not links or kept[1] is not groups:
            self._kept = kept = (links, groups, Additions(links, groups))
        return kept[2]

    def changed(self) -> None:
        """Read the links again: one was made or taken away."""
        with self._lock:
            self._links = self._store.links()

    def forget_all_but(self, policy: Policy) -> tuple[str, ...]:
        """Forget links, codes and enrolments of those whom the policy no longer names."""
        gone = self._store.keep_only(policy.people)
        self.changed()
        return gone
