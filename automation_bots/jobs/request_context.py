"""What the way of a command starts from: the words as they were said, and what every step of it stands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from automation_bots import render
from automation_bots.config.live import LiveConfig
from automation_bots.config.settings import ApprovalSettings, LimitSettings
from automation_bots.jobs.announcer import Announcer
from automation_bots.jobs.dispatcher import Local
from automation_bots.jobs.restored import RestoredRequests
from automation_bots.model import Answer, ApprovalDefaults, Caller, Person, Place
from automation_bots.operations.target_words import Selectors
from automation_bots.store import Store
from automation_bots.store.questions import Learnt
from automation_bots.surface import Surface

# (a sentence, texts by name) -> (name, how near by meaning), the nearest first
Compare = Callable[[str, Mapping[str, Sequence[str]]], Sequence[tuple[str, float]]]


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """One command as it came from chat: who, where, which operation, the words behind it and a code block."""

    caller: Caller
    place: Place
    operation: str
    line: str = ""
    text: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a message of the chat network comes from: who said it, and where; worked out once, when it comes in."""

    caller: Caller
    place: Place
    message_id: str = ""
    attached: Callable[[], str] = str  # the text of the file that came with it; fetched only by those who need it
    opened: bool = False  # the thread of the place is there for the answer alone

    def command(self, operation: str, line: str = "", text: str = "") -> TypedCommand:
        """The message as a command."""
        return TypedCommand(self.caller, self.place, operation, line, text, self.message_id)


def nowhere(place: Place) -> Surface:
    """Stand in where there is no chat network."""
    raise OSError(f"there is no chat network for {place.network}")


@dataclass(frozen=True, slots=True)
class RequestContext:
    """What the pipeline and its steps stand on."""

    live: LiveConfig
    store: Store
    dispatcher: Local
    announcer: Announcer
    now: Callable[[], datetime]
    queued_per_person: int = LimitSettings().queued
    message_size: int = LimitSettings().message
    sites: bool = False  # whether any limit looks at sites
    selectors: Selectors = field(default_factory=dict)
    asking: ApprovalDefaults = field(default_factory=ApprovalSettings().asking)
    surface: Callable[[Place], Surface] = nowhere
    network: str = ""  # of this bot's own people
    known: Callable[[str], str] = str  # takes known secrets out of what somebody typed
    restored: RestoredRequests = field(default_factory=RestoredRequests)  # what waits for a word
    compare: Compare = lambda _question, _texts: ()
    missed: Callable[[Caller, Place, str], None] = lambda _caller, _place, _typed: None  # what was no command
    learnt: Callable[[], Sequence[Learnt]] = tuple  # what such words came to
    alias: Callable[[Caller, str], str] = lambda _caller, words: words  # puts in what a short form stands for
    page: Callable[[Answer], None] = lambda _answer: None  # tell those who must know at once

    def person(self, caller: Caller) -> Person | None:
        """Who that is by the policy."""
        return self.live.policy.person(caller)

    def place_name(self, place: Place) -> str:
        """A place as people call it."""
        try:
            named = self.surface(place).room_name
        except OSError:  # not connected yet: its id will do
            named = None
        return render.place_name(place, self.live.scope.places, named)
