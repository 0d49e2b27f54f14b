"""Which bots are trusted, by which keys: a file of the data folder, written by the command line, read as it changes.

A key comes in by a person who compared its fingerprint. A known bot's other key is refused unless its earlier one
vouches for it, or a person says that it takes the earlier one's place; a revoked one never comes back.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from automation_bots.errors import StoreError, in_words
from automation_bots.peers.cards import BadCard, Card
from automation_bots.secrets.envelopes import Keys, PublicKeys
from automation_bots.store.schema import stamp

OWN_KEY, NEXT_KEY, TRUSTED = "keys/peer.key", "keys/peer.next.key", "keys/peers.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,40}")
_KEYS_KEPT = 2  # of a bot that goes over to new ones


@dataclass(frozen=True, slots=True)
class TrustedBot:
    """One bot: its keys, the newest last, and who trusted them when."""

    keys: tuple[PublicKeys, ...]
    by: str
    at: str

    @property
    def newest(self) -> PublicKeys:
        """For which one seals."""
        return self.keys[-1]


@dataclass(frozen=True, slots=True)
class Trusted:
    """All of them, and the fingerprints that are never trusted again."""

    bots: Mapping[str, TrustedBot] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()

    def key(self, bot: str, fingerprint: str) -> PublicKeys | None:
        """The keys of a bot by their fingerprint."""
        known = self.bots.get(bot)
        return next((one for one in known.keys if one.fingerprint == fingerprint), None) if known else None

    def adding(self, card: Card, by: str, at: datetime, *, replaces: bool = False) -> Trusted:
        """Trust the keys of a card; BadCard where they are not what was trusted before."""
        if card.keys.fingerprint in self.revoked:
            raise BadCard(f"{card.keys.fingerprint} was revoked, and is never trusted again. Make a new key there.")
        known = self.bots.get(card.bot)
        keys = () if known is None or replaces else self._going_over(known, card)
        kept = (*(one for one in keys if one != card.keys), card.keys)[-_KEYS_KEPT:]
        return replace(self, bots={**self.bots, card.bot: TrustedBot(kept, by, stamp(at))})

    @staticmethod
    def _going_over(known: TrustedBot, card: Card) -> tuple[PublicKeys, ...]:
        if card.keys in known.keys or any(card.vouched_by(one) for one in known.keys):
            return known.keys
        raise BadCard(
            f"{card.bot} is trusted with another key, {known.newest.fingerprint}, which does not vouch for this one. "
            "Ask there whether the key was changed; if so: --replace"
        )

    def without(self, bot: str) -> Trusted:
        """Trust a bot no more, nor ever again with these keys."""
        gone = self.bots.get(bot)
        if gone is None:
            raise BadCard(f"{bot} is not trusted. Trusted are: {', '.join(sorted(self.bots)) or 'none'}")
        left = {name: one for name, one in self.bots.items() if name != bot}
        return Trusted(left, self.revoked | {one.fingerprint for one in gone.keys})


class TrustFile:
    """The file; whoever asks sees it as it is now."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._kept = Trusted()

    @property
    def now(self) -> Trusted:
        """What it says; a StoreError when nobody can tell, and then nobody is trusted."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return Trusted()
        if status.st_mode & 0o022:
            raise StoreError(f"Others can write {self.path}. Run: chmod 600 {self.path}")
        if self._stamp != (seen := (status.st_mtime_ns, status.st_ino)):
            self._kept, self._stamp = self._read(), seen
        return self._kept

    def _read(self) -> Trusted:
        try:
            data = json.loads(self.path.read_text("utf-8"))
            bots = {
                name: TrustedBot(tuple(map(PublicKeys.of_text, one["keys"])), str(one["by"]), str(one["at"]))
                for name, one in data["bots"].items()
            }
            return Trusted(bots, frozenset(data["revoked"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{self.path} cannot be read ({in_words(error)}), so no bot is trusted.") from error

    def write(self, trusted: Trusted) -> None:
        """Put it in the place of what was there, whole or not at all."""
        bots = {
            name: {"keys": [key.text for key in one.keys], "by": one.by, "at": one.at}
            for name, one in sorted(trusted.bots.items())
        }
        text = json.dumps({"bots": bots, "revoked": sorted(trusted.revoked)}, indent=1)
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"{text}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.path)


class OwnKeys:
    """A bot's own keys: those it signs with, and while it goes over to new ones these too."""

    def __init__(self, data: Path) -> None:
        self._now, self._next = data / OWN_KEY, data / NEXT_KEY
        self._stamp: tuple[int, ...] = ()
        self._kept: tuple[Keys, ...] = ()

    @property
    def all(self) -> tuple[Keys, ...]:
        """All that it opens messages with; the first one signs."""
        seen = tuple(path.stat().st_mtime_ns for path in (self._now, self._next) if path.exists())
        if not self._kept or seen != self._stamp:
            self._kept = (Keys.of_file(self._now), *([Keys.of_file(self._next)] if self._next.exists() else []))
            self._stamp = tuple(path.stat().st_mtime_ns for path in (self._now, self._next) if path.exists())
        return self._kept

    @property
    def signs(self) -> Keys:
        """What it signs with."""
        return self.all[0]

    def prepare(self) -> Keys:
        """Make the next ones, or return those that are made already."""
        return Keys.of_file(self._next)

    def go_over(self) -> Keys:
        """Sign with the next ones from now on; the old ones are gone."""
        if not self._next.exists():
            raise BadCard("There is no new key yet. First: automation-bots peer rotate <folder>")
        self._next.replace(self._now)
        return self.signs
