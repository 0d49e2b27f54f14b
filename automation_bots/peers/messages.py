"""What bots say to each other, as values; what came is read strictly, and checked before anybody acts on it. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from automation_bots.model import Answer, File, one_line
from automation_bots.policy.peers import Human
from automation_bots.store.schema import is_storable, stamp

PURPOSE = "peer"
REQUEST_SIZE = 200_000  # characters of a sealed request
REPLY_SIZE = 4_500_000  # and of an answer, with its files
FRESH = timedelta(seconds=60)
HOPS = 2
FILES_SIZE = 2_000_000  # bytes; what is more stays with the bot that made it
TEXT_SIZE = 200_000  # characters of a text that is answered
_FILES = 20

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,40}$")]
Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Short = Annotated[str, Field(max_length=300)]


class Kind(StrEnum):
    """What a message is."""

    REQUEST = "request"
    CANCEL = "cancel"
    REPLY = "reply"
    NOTICE = "notice"  # a message that claimed to be this bot's was refused there


class Step(StrEnum):
    """How far a request is, by the bot that was asked."""

    TAKEN = "taken"
    PROGRESS = "progress"  # a later one may replace it unseen
    SAID = "said"
    ENDED = "ended"
    REFUSED = "refused"  # by what it is, before anybody's rights were looked at


class Why(StrEnum):
    """Why a message was refused."""

    STALE = "stale"
    AHEAD = "clock ahead"
    REPLAYED = "replayed"
    HOPS = "hops"
    LOOP = "loop"
    UNKNOWN_PERSON = "unknown person"
    UNASKED = "unasked"  # a reply to what this bot did not ask, or does not ask any more
    MALFORMED = "malformed"
    TOO_MANY = "too many"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Human(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\x00-\x1f]*$")]
    network: Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,40}$")]
    id: Annotated[str, Field(min_length=1, max_length=300)]
    robot: bool = False


class _Base(_Strict):
    sender: Name = Field(alias="from")
    reader: Name = Field(alias="to")
    nonce: Nonce
    at: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z$")]


class _Request(_Base):
    kind: Literal["request"]
    hops: Annotated[int, Field(ge=1, le=1000)]
    via: Annotated[list[Name], Field(min_length=1, max_length=1000)]
    person: _Human
    where: Short
    line: Annotated[str, Field(min_length=1, max_length=40_000)]
    text: Annotated[str, Field(max_length=100_000)]
    columns: Annotated[int, Field(ge=20, le=1000)]
    heard: Annotated[list[Short], Field(max_length=2)]
    job: Annotated[int, Field(ge=0)]
    origin: Annotated[list[Short], Field(max_length=20)]


class _Cancel(_Base):
    kind: Literal["cancel"]
    re: Nonce
    person: _Human


class _File(_Strict):
    name: Annotated[str, Field(min_length=1, max_length=200)]
    data: str


class _Reply(_Base):
    kind: Literal["reply"]
    re: Nonce
    step: Step
    order: Annotated[int, Field(ge=0)]
    job: int | None
    state: Annotated[str, Field(max_length=20)]
    why: Annotated[str, Field(max_length=40)]
    said: Annotated[list[str], Field(min_length=3, max_length=3)]
    files: Annotated[list[_File], Field(max_length=_FILES)]


class _Notice(_Base):
    kind: Literal["notice"]
    why: Annotated[str, Field(max_length=40)]
    reason: Short


class BadMessage(Exception):
    """A message of a trusted bot that is refused: why, and a sentence for people."""

    def __init__(self, why: Why, reason: str) -> None:
        self.why, self.reason = why, reason
        super().__init__(f"{why}: {reason}")


@dataclass(frozen=True, slots=True)
class Request:
    """A command for another bot, as the person who asks for it; `via` are the bots it came by, the sender last."""

    sender: str
    reader: str
    nonce: str
    at: datetime
    person: Human
    where: str  # as people call the place
    line: str
    text: str = ""
    via: tuple[str, ...] = ()
    hops: int = 1
    columns: int = 100
    heard: tuple[str, ...] = ()  # network and id of the chat message, which the other bot may have heard itself
    job: int = 0  # of the bot that asks
    origin: tuple[str, ...] = ()  # the rules that led to it, so that no rules go round in a circle of bots

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return {"kind": Kind.REQUEST, "nonce": self.nonce, "at": stamp(self.at), "hops": self.hops, "where": self.where,
                "via": list(self.via), "person": asdict(self.person), "line": self.line, "text": self.text,
                "columns": self.columns, "heard": list(self.heard), "job": self.job,
                "origin": list(self.origin)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody wants a request to be stopped."""

    sender: str
    reader: str
    nonce: str
    at: datetime
    re: str
    person: Human

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return {"kind": Kind.CANCEL, "nonce": self.nonce, "at": stamp(self.at), "re": self.re,
                "person": asdict(self.person)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reply:
    """What becomes of a request; `order` grows from one reply to the next."""

    sender: str
    reader: str
    nonce: str
    at: datetime
    re: str
    step: Step
    order: int
    job: int | None = None
    state: str = ""
    why: str = ""
    answer: Answer = field(default_factory=lambda: Answer(""))

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent: with the files that are not too much."""
        kept, note = _fitting(self.answer.files)
        said = [self.answer.text, self.answer.block, "\n".join(filter(None, (note, self.answer.hint)))]
        files = [{"name": one.name[:200], "data": base64.b64encode(one.content).decode()} for one in kept]
        return {"kind": Kind.REPLY, "nonce": self.nonce, "at": stamp(self.at), "re": self.re, "step": self.step,
                "order": self.order, "job": self.job, "state": self.state, "why": self.why,
                "said": [_cut(text) for text in said], "files": files}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that claimed to be of the reader was refused."""

    sender: str
    reader: str
    nonce: str
    at: datetime
    why: str
    reason: str

    @property
    def body(self) -> dict[str, Any]:
        """As it is sent."""
        return {"kind": Kind.NOTICE, "nonce": self.nonce, "at": stamp(self.at), "why": self.why,
                "reason": self.reason[:300]}  # fmt: skip


Message = Request | Cancel | Reply | Notice


def read(body: Mapping[str, Any]) -> Message:
    """Read what a trusted bot wrote; BadMessage for all that is not in this form, and for what nobody could keep."""
    reader = _READERS.get(str(body.get("kind")))
    if reader is None or not all(map(is_storable, _texts(body))):
        raise BadMessage(Why.MALFORMED, "no kind of message, or characters that cannot be kept")
    try:
        return reader(body)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadMessage(Why.MALFORMED, one_line(f"{where}: {first['msg']}", 200)) from error
    except (ValueError, KeyError) as error:
        raise BadMessage(Why.MALFORMED, one_line(str(error), 200)) from error


def _texts(value: object) -> Iterator[str]:
    """Every text in it, names included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def fresh(at: datetime, now: datetime) -> None:
    """Refuse what was written too long ago, or by a clock that is ahead."""
    age = now - at
    seconds = round(age.total_seconds())
    if age > FRESH:
        raise BadMessage(
            Why.STALE,
            f"it was written {seconds} s ago, and {FRESH.seconds} s are allowed: sent once more, or a clock is wrong",
        )
    if age < -FRESH:
        raise BadMessage(Why.AHEAD, f"it was written {-seconds} s in the future: a clock is wrong")


def path(request: Request, me: str) -> None:
    """Refuse what went by too many bots, or by this one already, or does not say by whom."""
    if not request.via or request.via[-1] != request.sender or request.hops != len(request.via):
        raise BadMessage(Why.MALFORMED, "via: it does not say by which bots it came")
    if me in request.via:
        raise BadMessage(Why.LOOP, f"it came by {me} already: {' → '.join((*request.via, me))}")
    if request.hops > HOPS:
        raise BadMessage(
            Why.HOPS, f"that is hop {request.hops} ({' → '.join((*request.via, me))}), and {HOPS} are allowed"
        )


def _fitting(files: tuple[File, ...]) -> tuple[list[File], str]:
    kept: list[File] = []
    for one in files:
        if len(kept) < _FILES and not one.passing and sum(len(f.content) for f in (*kept, one)) <= FILES_SIZE:
            kept.append(one)
    left = [one.name for one in files if one not in kept]
    return kept, f"Too long to be sent, and kept there: {', '.join(left)}" if left else ""


def _cut(text: str) -> str:
    return text if len(text) <= TEXT_SIZE else f"{text[:TEXT_SIZE]}\n… cut off, {len(text):,} characters in all"


def _at(read_: _Base) -> datetime:
    return datetime.fromisoformat(read_.at)


def _human(read_: _Human) -> Human:
    return Human(read_.name, read_.network, read_.id, read_.robot)


def _request(body: Mapping[str, Any]) -> Request:
    one = _Request.model_validate(body)
    return Request(
        one.sender, one.reader, one.nonce, _at(one), _human(one.person), one_line(one.where), one.line, one.text,
        tuple(one.via), one.hops, one.columns, tuple(one.heard), one.job, tuple(one.origin),
    )  # fmt: skip


def _cancel(body: Mapping[str, Any]) -> Cancel:
    one = _Cancel.model_validate(body)
    return Cancel(one.sender, one.reader, one.nonce, _at(one), one.re, _human(one.person))


def _reply(body: Mapping[str, Any]) -> Reply:
    one = _Reply.model_validate({**body, "step": Step(body["step"])})
    files = tuple(File(_safe(file.name), base64.b64decode(file.data, validate=True)) for file in one.files)
    text, block, hint = one.said
    answer = Answer(text, block, hint, files)
    return Reply(one.sender, one.reader, one.nonce, _at(one), one.re, one.step, one.order, one.job, one.state,
                 one.why, answer)  # fmt: skip


def _notice(body: Mapping[str, Any]) -> Notice:
    one = _Notice.model_validate(body)
    return Notice(one.sender, one.reader, one.nonce, _at(one), one_line(one.why), one_line(one.reason))


def _safe(name: str) -> str:
    """A file's name that leads nowhere."""
    return re.sub(r"[^\w.+-]+", "-", name).strip(".-")[:120] or "file"


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Message]] = {
    "request": _request,
    "cancel": _cancel,
    "reply": _reply,
    "notice": _notice,
}
