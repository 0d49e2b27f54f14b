"""The words between one chat network's client and what all networks share.

A client speaks one protocol and nothing else: no dedupe, no retry, no order, no splitting, no rights. All that stands
once, in `backends.adapter.networked` (what comes in) and `automation_bots.chat.outbox` (what goes out).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from automation_bots.model import Button, File
from automation_bots.surface import Capabilities, Refusal

# How a choice is offered where there are reactions and no buttons: {choice: (sign, its usual short name)}.
SIGNS = {
    "Approve": ("\u2705", "white_check_mark"),
    "Deny": ("\u274c", "x"),
    "Details": ("\U0001f50d", "mag"),
}


def choice_of(sign: str) -> str:
    """The choice that a reaction stands for, by its sign or short name; empty when it stands for none."""
    plain = sign.strip(":").removesuffix("\ufe0f")
    return next((choice for choice, signs in SIGNS.items() if plain in signs), "")


_RUN = "run:"  # begins the value of a button that is a command


class CommandChoice(str):
    """A choice that is a command: offered by its label, and told back by its value."""

    label: str

    def __new__(cls, button: Button) -> CommandChoice:
        """Make one."""
        made = super().__new__(cls, f"{_RUN}{button.line}")
        made.label = button.label
        return made


def label_of(choice: str) -> str:
    """What stands on a button."""
    return choice.label if isinstance(choice, CommandChoice) else choice


def command_of(choice: str) -> str | None:
    """The command that a button means, without a prefix; None where it is the answer to a question."""
    return choice.removeprefix(_RUN) if choice.startswith(_RUN) else None


class Away(OSError):
    """The network cannot be reached now, or answers 5xx: try again with backoff."""


class Busy(Away):
    """The network asks to wait (429): not again before `seconds`."""

    def __init__(self, seconds: float, reason: str = "") -> None:
        super().__init__(reason or f"the network asks to wait {seconds:g} s")
        self.seconds = seconds


class Down(Busy):
    """The network is away (5xx) and says for how long; unlike with 429 it may have done what was asked."""


def away(reason: str, retry_after: str = "") -> Away:
    """Make the error of a 5xx, with the seconds that its header Retry-After may name."""
    return Down(float(retry_after), reason) if retry_after.isdecimal() else Away(reason)


class Rejected(Refusal):
    """One call that will never work (no such room, no right, too long); the link is fine."""


class BotsApart(Rejected):
    """The network has no direct messages between two bots."""


class Revoked(Exception):
    """The credentials are not valid, or no longer: trying again is pointless, an admin has to act."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that somebody sent; fetched only by those who need it."""

    name: str
    size: int  # bytes
    fetch: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message as the network delivered it. `id`, `sender` and `room` are the network's immutable ids."""

    id: str
    sender: str
    room: str
    text: str  # plain, without the mention of the bot where `mentioned`
    at: datetime  # when it was said, by this machine's clock (see `automation_bots.chat.clock`); aware
    sender_name: str = ""  # shown only, never a right
    thread: str = ""  # id of the thread's first message; empty outside of a thread
    direct: bool = False
    mentioned: bool = False
    robot: bool = False  # said by a bot or an integration
    edited: bool = False  # a new text of a message that was there before
    files: tuple[Attached, ...] = ()
    trigger: str = ""  # what the network wants to see when a form is opened for this (Slack's slash command)


@dataclass(frozen=True, slots=True)
class Click:
    """A click on a button or a reaction to a question, or a filled form: `choice` is what was offered, as offered."""

    id: str  # of this event, so that it counts once
    sender: str
    room: str
    message: str  # id of the question
    choice: str
    at: datetime
    sender_name: str = ""
    thread: str = ""
    direct: bool = False
    robot: bool = False
    trigger: str = ""  # as of a message
    values: Mapping[str, str] = field(default_factory=dict)  # of a form; `message` is the form's key then
    stands: str = ""  # names a reaction as long as it stands, where the network tells no more of it once it is given
    is_read: bool = False  # from the message, at an earliest `at`, rather than told when it was given


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form."""

    name: str
    label: str
    choices: tuple[str, ...] = ()
    required: bool = True
    hint: str = ""
    lines: bool = False  # takes several lines


@dataclass(frozen=True, slots=True)
class Form:
    """Several questions at once; its answers come back as `Click` with `values` and this `key` as `message`."""

    key: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """What makes all tries to say something one message, those of an earlier life of the program included."""

    key: str  # letters and digits, the same at every try and at no other message
    since: datetime | None = None  # since when it may stand there already; None where it was not tried before


def only(named: Iterable[tuple[str, str]], names: Sequence[str]) -> dict[str, str]:
    """Of rooms by (name, id), those with one of these names that no other has."""
    found: dict[str, set[str]] = {}
    for name, room in named:
        found.setdefault(name.removeprefix("#"), set()).add(room)
    return {name: next(iter(found[name])) for name in names if len(found.get(name, ())) == 1}


class Listener(Protocol):
    """Where a client puts what it receives, from any thread; returns at once.

    False says that it is not taken, since the bot is stopping: it must not be acknowledged.
    """

    def heard(self, message: IncomingMessage) -> bool:
        """Take a message, also one that may have been taken before."""

    def chosen(self, choice: Click) -> bool:
        """Take a click, a reaction or a form."""


class ChatClient(Protocol):
    """One network's client. What sends may be called from any thread, and raises Away, Busy, Rejected or Revoked."""

    capabilities: Capabilities
    me: str  # the bot's own immutable id, once connected
    my_name: str

    def connect(self, sink: Listener) -> None:
        """Open the link and begin to receive; returns when messages arrive from now on. Raises Away or Revoked."""

    def wait(self) -> None:
        """Return when `close` was called; raise Away when the link was cut, Revoked when it will never work again."""

    def close(self) -> None:
        """End the link and every thread of it."""

    def missed(self, since: datetime) -> Iterable[IncomingMessage]:
        """Read what was said while the bot was away, oldest first in each room; what is known already may be in it."""

    def escape(self, text: str) -> str:
        """Make markup and mentions in a text show as they are typed."""

    def fence(self, text: str) -> str:
        """Make a block of fixed width that nothing inside can end."""

    def post(
        self, room: str, text: str, thread: str = "", choices: tuple[str, ...] = (), once: IdempotencyKey | None = None
    ) -> str:
        """Say a text, rendered by `escape` and `fence`, with buttons where the network has them; return its id.

        Whom it calls stands in it as `automation_bots.chat.calls` writes it; nothing else calls anybody.
        """

    def edit(self, room: str, message: str, text: str, choices: tuple[str, ...] = ()) -> None:
        """Replace an own message, and its buttons."""

    def react(self, room: str, message: str, name: str) -> None:
        """Put a reaction; `name` is one of SIGNS, or a short name as the network knows it."""

    def upload(self, room: str, file: File, thread: str = "", once: IdempotencyKey | None = None) -> str:
        """Send a file; return the id of its message where there is one."""

    def delete(self, room: str, message: str) -> None:
        """Take an own message or file back, by what `post` or `upload` returned."""

    def direct_room(self, person: str) -> str:
        """Return the id of the room for direct messages with a person, opened where it has to be."""

    def examine(self) -> Iterable[tuple[str, str]]:
        """Say for `doctor` what works and what does not: ("ok" | "NOTE" | "WRONG", what is wrong and what to do).

        Asked before `connect`, beside a running bot: it must take no message away from that one.
        """

    # What only some networks have; the others inherit `PlainClient`. The last four are for `doctor`, as `examine` is.

    def room_name(self, room: str) -> str:
        """What people call a room, without asking the network, only shown; empty where that is not known."""

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:
        """Find rooms of the bot by what people call them, each name that only one has; also before `connect`.

        None where a room's name is its id.
        """

    def standing(self, room: str, message: str, since: datetime) -> Iterable[Click]:
        """Read the reactions at an own message, where `missed` brings none.

        One without a time was given after `since`, if it is new.
        """

    def replace_file(self, room: str, message: str, file: File) -> bool:
        """Let a file stand in an own message in place of the one there; False where no message can change its file."""

    def form(self, trigger: str, form: Form) -> None:
        """Open a form for the person whose message or click carried the trigger; only where `capabilities.forms`."""

    def log_out(self) -> None:
        """End the session at the network that `close` keeps, where it was opened by a password; before `close`."""

    def examine_room(self, room: str) -> str | None:
        """Say why the bot cannot read or write in a room, and what to do; empty when it can, None: cannot be known."""

    def examine_person(self, person: str) -> str | None:
        """Say what is wrong with the id of a person (nobody has it, switched off); None where that cannot be known."""

    def network_time(self) -> datetime | None:
        """Tell the time by the network's clock, aware; None where it does not tell."""


class PlainClient:
    """What a client inherits of a network that has nothing more."""

    def room_name(self, room: str) -> str:  # noqa: ARG002 - and so below
        """Nobody told."""
        return ""

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:  # noqa: ARG002
        """They are the names."""
        return None

    def standing(self, room: str, message: str, since: datetime) -> Iterable[Click]:  # noqa: ARG002
        """Nothing that is not told."""
        return ()

    def replace_file(self, room: str, message: str, file: File) -> bool:  # noqa: ARG002
        """It is sent anew, and the one before is taken back."""
        return False

    def form(self, trigger: str, form: Form) -> None:  # noqa: ARG002
        """There are none."""
        raise Rejected("this network has no forms")

    def log_out(self) -> None:
        """No session outlives `close`."""

    def examine_room(self, room: str) -> str | None:  # noqa: ARG002
        """It cannot be known."""
        return None

    def examine_person(self, person: str) -> str | None:  # noqa: ARG002
        """It cannot be known."""
        return None

    def network_time(self) -> datetime | None:
        """It is not told."""
        return None
