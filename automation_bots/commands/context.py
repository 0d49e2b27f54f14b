"""Who asks the bot about itself, and what the answers are made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from automation_bots.config.live import LiveConfig
from automation_bots.errors import BadCommand
from automation_bots.health.health import Health
from automation_bots.jobs.dispatcher import Local
from automation_bots.model import Answer, Caller, Job, Occurrence, Operation, Person, Place, Verdict
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Store

_WHOLE = 1000
TRIED = Answer("")  # it could be done


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Who asks the bot about itself, where, and the words behind the command."""

    caller: Caller
    place: Place
    line: str = ""
    opened: bool = False  # its thread is there for the answer alone
    trial: bool = False  # nothing is done; TRIED, or why it could not be
    occurrence: Occurrence | None = None  # the time of a schedule that asks it
    confirmed: int = 0  # how many devices its maker named
    whole: bool = False  # all of a list is wanted, since a filter looks through it

    def most(self, limit: int) -> int:
        """How many lines of a list are made, where usually so many are."""
        return max(limit, _WHOLE) if self.whole else limit

    @property
    def around(self) -> Place:
        """Where it was typed: the room, where the thread is there for the answer alone."""
        return replace(self.place, thread="") if self.opened else self.place

    @property
    def words(self) -> list[str]:
        """The words behind the command."""
        return self.line.split()


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What the answers are made from."""

    name: str
    prefix: str
    live: LiveConfig
    store: Store
    dispatcher: Local
    pipeline: Pipeline
    now: Callable[[], datetime]
    clear: Callable[[str], str]  # takes secrets out of a text
    health: Health

    def person(self, ask: CommandCall) -> Person:
        """Who asks; UserError for a stranger."""
        person = self.pipeline.lookup.person(ask.caller)
        if person is None:
            raise BadCommand(gate.stranger(self.live.policy, ask.caller))
        return person

    def usable(self, ask: CommandCall) -> list[Operation]:
        """The operations that this person may use here."""
        return self.pipeline.lookup.usable(ask.caller, ask.place)

    def sees(self, person: Person, job: Job) -> bool:
        """Whether a person may see a job: one's own, one on devices one sees, any for admins."""
        if job.person == person.name or ADMINS in person.groups:
            return True
        return bool(job.devices) and gate.visible(self.live.scope, person).issuperset(job.devices)

    def reads(self, ask: CommandCall, job: Job) -> bool:
        """Whether a person may read what a job printed: one's own, what one may run oneself, all for admins.

        To see a device is less: an admin's look into a file there is for nobody who may only ping it.
        """
        person, operation = self.person(ask), self.live.catalog.find(job.operation)
        if job.person == person.name or ADMINS in person.groups:
            return True
        if operation is None:
            return False
        request = replace(gate.asked(job, operation), caller=ask.caller, place=ask.place, emergency="")
        return gate.by_rules(self.live.scope, request, self.now()).verdict is not Verdict.DENY
