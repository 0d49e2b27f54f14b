"""Who is there: each bot's signed sign of life, read against the queue's clock. Pure, but for the keys."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from automation_bots.errors import in_words
from automation_bots.model import one_line
from automation_bots.peers.messages import FRESH
from automation_bots.peers.trust import Trusted
from automation_bots.secrets.envelopes import Keys, canonical, strict
from automation_bots.store.peer_queue import Sign
from automation_bots.store.schema import stamp
from automation_bots.text.times import elapsed

PURPOSE = "peer presence"
AWAY_SECONDS = 4.5  # several signs of life are missed by then
SKEW = timedelta(seconds=5)
_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Presence:
    """How a trusted bot is; `problem` says why nobody knows."""

    bot: str
    seconds: float | None = None  # since its last sign of life; None: there is none
    version: str = ""
    since: datetime | None = None
    skew: timedelta = timedelta()  # its clock is ahead by that
    problem: str = ""

    @property
    def here(self) -> bool:
        """Whether it can be asked."""
        return not self.problem and self.seconds is not None and self.seconds <= AWAY_SECONDS

    @property
    def text(self) -> str:
        """How it is, in a few words."""
        if self.problem:
            return self.problem
        if self.seconds is None:
            return "away"
        return "here" if self.here else f"away, last seen {elapsed(self.seconds)} ago"

    @property
    def clock(self) -> str:
        """What is wrong with its clock, or with this one."""
        if abs(self.skew) <= SKEW:
            return ""
        ahead = self.skew > timedelta()
        return f"its clock is {elapsed(abs(self.skew).total_seconds())} {'ahead' if ahead else 'behind'}"


def written(bot: str, keys: Keys, version: str, since: datetime, now: datetime) -> str:
    """Return a sign of life."""
    text = canonical({"bot": bot, "version": version, "since": stamp(since), "at": stamp(now)})
    signature = base64.b64encode(keys.sign(PURPOSE, text)).decode()
    return canonical({"by": keys.public.fingerprint, "text": text, "signature": signature})


def read(bot: str, sign: Sign | None, trusted: Trusted, now: datetime) -> Presence:
    """Read one; what its bot did not sign says nothing."""
    if bot not in trusted.bots:
        return Presence(bot, problem="its key is not trusted yet")
    if sign is None:
        return Presence(bot)
    try:
        body = _checked(bot, sign.card, trusted)
        at, since = datetime.fromisoformat(body["at"]), datetime.fromisoformat(body["since"])
        skew = at - (now - timedelta(seconds=sign.seconds))
        if abs(skew) > FRESH:
            how = "ahead" if skew > timedelta() else "behind, or somebody repeats it"
            return Presence(bot, problem=f"its sign of life is {elapsed(abs(skew).total_seconds())} {how}")
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return Presence(bot, problem=f"its sign of life is not to be trusted ({one_line(in_words(error), 60)})")
    return Presence(bot, sign.seconds, one_line(str(body["version"]), 40), since, skew)


def _checked(bot: str, card: str, trusted: Trusted) -> Mapping[str, str]:
    if len(card) > _LONGEST:
        raise ValueError("too long")
    whole = strict(card)
    keys, text = trusted.key(bot, whole["by"]), whole["text"]
    if keys is None:
        raise ValueError("another key")
    if not keys.made(PURPOSE, text, base64.b64decode(whole["signature"], validate=True)):
        raise ValueError("not signed by it")
    body = strict(text)
    if body["bot"] != bot:
        raise ValueError("of another bot")
    found: Mapping[str, str] = body
    return found
