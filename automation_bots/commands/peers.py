"""Other bots: which there are, how they are, and by which keys they are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Caller, Job, one_line
from automation_bots.store.peers import PeerCall
from automation_bots.text.times import moment_text

if TYPE_CHECKING:  # keys and their library are loaded where bots are reached
    from automation_bots.peers.presence import Presence
    from automation_bots.peers.trust import Trusted


class Bots(Protocol):
    """What is known of other bots."""

    def look(self) -> Mapping[str, Presence]:
        """How each of them is."""

    @property
    def trusted(self) -> Trusted:
        """By which keys."""

    @property
    def fingerprint(self) -> str:
        """The key of this bot itself."""


class Calls(Protocol):
    """What is with other bots for jobs here."""

    def open_calls(self, job: int) -> list[PeerCall]:
        """What of a job is not over."""

    def cancel(self, bot: str, number: str, caller: Caller, person: str) -> bool:
        """Ask for a stop."""


class PeerCommands:
    """One method a command."""

    def __init__(
        self, context: CommandContext, bots: Bots | None = None, calls: Calls | None = None,
        about: Callable[[Job], list[tuple[str, str]]] = lambda _job: [],
    ) -> None:  # fmt: skip
        self._context, self._bots, self._calls, self.about = context, bots, calls, about

    def peers(self, ask: CommandCall) -> Answer:
        """Who is there."""
        person = self._context.person(ask)
        if self._bots is None:
            return Answer("No other bots are set up here: [peers] in bot.toml, see docs/peers.md.")
        now, zone = self._context.now(), self._context.live.policy.zone(person)
        mine = {operation.name for operation in self._context.usable(ask)}
        found, trusted = self._bots.look(), self._bots.trusted
        rows = [("bot", "is", "version", "since", "you may ask it", "key")]
        for name, one in sorted(found.items()):
            since = moment_text(one.since, zone, now) if one.since and one.here else "-"
            known = trusted.bots.get(name)
            key = known.newest.fingerprint if known else "-"
            is_ = " · ".join(filter(None, (one.text, one.clock)))
            rows.append((name, is_, one.version or "-", since, "yes" if f"@{name}" in mine else "no", key))
        here = sum(one.here for one in found.values())
        own = f"The key of {self._context.name}: {self._bots.fingerprint}"
        text = f"{render.many(len(found), 'other bot')}, {here} here. {own}"
        first = next((name for name, one in sorted(found.items()) if one.here and f"@{name}" in mine), "")
        return Answer(text, render.table(rows), f"→ !@{first} help" if first else "")

    def cancel(self, ask: CommandCall, job: Job) -> Answer | None:
        """Stop what is with other bots for a job that has ended here; None where there is nothing."""
        person = self._context.person(ask)
        still = self._calls.open_calls(job.number) if self._calls else []
        if not still or self._calls is None:
            return None
        told = [call.bot for call in still if self._calls.cancel(call.bot, call.nonce, ask.caller, person.name)]
        if not told:
            raise BadCommand(f"{', '.join(call.bot for call in still)} cannot be told now. → !peers")
        return Answer(f"#{job.number}: {', '.join(told)} was told to stop; what comes of it is told here.")

    def suffix(self, job: Job) -> str:
        """What stands behind a job in a list: which job it is with another bot."""
        return "".join(f" · {one_line(text, 60)}" for _, text in self.about(job))
