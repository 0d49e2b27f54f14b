"""The form of a rule in rules.yml: which keys there are, what may stand behind them, and which value each becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.rules import filling
from automation_bots.alerts.rules.rule import Counting, Do, Rule, Step, Throttle, When
from automation_bots.model import one_line
from automation_bots.policy.schema import rate
from automation_bots.policy.time_window import Calendar, Window
from automation_bots.text import holes
from automation_bots.text.times import duration

Windows = Callable[[str], tuple[Window | Calendar, ...]]  # what a text or the name of a window of policy.yml means

_BY = re.compile(r"(.+?)\s+by\s+(.+)")
_STEP = re.compile(r"(?:after\s+)?(.+?)\s+to\s+(.+?)(?:\s+in\s+(#\S+))?")
_ORDER = (Severity.CRITICAL, Severity.HIGH, Severity.WARNING, Severity.INFO)
_GROUPS = ("device", "about", "what", "severity", "source", "kind", "fingerprint")
_NAME, _COMMAND = 80, 1_000  # characters


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _listed(value: Any) -> Any:
    """One where several may stand."""
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> Any:
    """A number or a word of YAML as the text that people wrote."""
    return [_text(one) for one in _listed(value)]


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Globs = Annotated[list[str], BeforeValidator(_texts)]
Names = Annotated[list[str], BeforeValidator(_texts)]


def _severities(text: str) -> tuple[Severity, ...]:
    word, _, worse = text.strip().lower().partition(" ")
    if word not in set(Severity) or worse.strip() not in {"", "or worse"}:
        raise ValueError(f"{one_line(text, 40)!r} is no severity; write {', '.join(Severity)}, or `high or worse`")
    found = Severity(word)
    if not worse:
        return (found,)
    if found is Severity.UNKNOWN:
        raise ValueError("nobody knows what is worse than unknown; write unknown alone")
    return _ORDER[: _ORDER.index(found) + 1]


class WhenFile(_Strict):
    """`when` or `unless`: what an event has to be."""

    source: Globs = []
    kind: Globs = []
    what: Globs = []
    alertname: Globs = []  # as Alertmanager calls what
    severity: Globs = []
    text: Globs = []
    about: Globs = []
    done: Globs = []
    by: Globs = []
    fields: dict[str, Globs] = {}
    on: str = ""
    time: Names = []
    phase: Names = []

    @field_validator("severity")
    @classmethod
    def _severity(cls, value: list[str]) -> list[str]:
        for text in value:
            _severities(text)
        return value

    @field_validator("phase")
    @classmethod
    def _phase(cls, value: list[str]) -> list[str]:
        for text in value:
            if text not in set(Phase):
                raise ValueError(f"{one_line(text, 40)!r} is no phase; write {', '.join(Phase)}")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> WhenFile:
        if self.what and self.alertname:
            raise ValueError("alertname is another word for what; write one of them")
        if not self.model_fields_set:
            raise ValueError("it asks for nothing, so every event would do; write at least one condition")
        return self

    def value(self, windows: Windows) -> When:
        """Return it as a value; a ValueError says which window is none."""
        severity = {one for text in self.severity for one in _severities(text)}
        return When(
            source=tuple(self.source),
            kind=tuple(self.kind),
            what=tuple(self.what or self.alertname),
            severity=tuple(one for one in Severity if one in severity),
            severity_text=" or ".join(self.severity),
            text=tuple(self.text),
            about=tuple(self.about),
            done=tuple(self.done),
            by=tuple(self.by),
            fields={name: tuple(globs) for name, globs in self.fields.items()},
            on=self.on,
            time=tuple(window for text in self.time for window in windows(text)),
            phase=tuple(Phase(text) for text in self.phase),
        )


def step(text: str) -> Step:
    """Read `after 10 minutes to netops-leads in #netops`."""
    found = _STEP.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{one_line(text, 60)!r} is no step; write `after 10 minutes to netops-leads`")
    return Step(duration(found[1]), tuple(_whom(found[2])), found[3] or "")


def _whom(text: str) -> list[str]:
    found = [name.strip() for name in re.split(r",|\band\b", text)]
    if not all(re.fullmatch(r"[\w.-]+(?: [\w.-]+)?", name) for name in found):
        raise ValueError(f"{one_line(text, 60)!r} names nobody; write a person, a group, oncall or `oncall <rota>`")
    return found


class DoFile(_Strict):
    """`do`: what is done."""

    post: Names = []
    text: str = Field("", max_length=2_000)
    mention: Names = []
    propose: str = Field("", max_length=_COMMAND)
    run: str = Field("", max_length=_COMMAND)
    to: str = ""
    escalate: Names = []

    @field_validator("escalate")
    @classmethod
    def _escalate(cls, value: list[str]) -> list[str]:
        for text in value:
            step(text)
        return value

    @field_validator("mention")
    @classmethod
    def _mention(cls, value: list[str]) -> list[str]:
        return [name for text in value for name in _whom(text)]

    @field_validator("propose", "run")
    @classmethod
    def _command(cls, value: str) -> str:
        filling.check(value)
        operation, _, line = value.removeprefix("!").partition(" ")
        if value and (not operation or holes.names(operation) or "\n" in value):
            raise ValueError("a command is one line that begins with the name of an operation, such as bgp on {device}")
        if re.search(r"(?<!\S)--\S*\{[^=\s]*(?:\s|$)", line):
            raise ValueError("what an event says cannot be a flag; write the flag itself, as in --reason={text}")
        return value.removeprefix("!").strip()

    @field_validator("text")
    @classmethod
    def _text(cls, value: str) -> str:
        filling.check(value)
        return value

    @model_validator(mode="after")
    def _has_somewhere(self) -> DoFile:
        if not (self.post or self.propose or self.run):
            raise ValueError("nothing is done; write post, propose or run")
        if (self.propose or self.run) and not (self.to or self.post):
            raise ValueError('in which room? write post or to, as in `to: "#netops"`')
        if (self.text or self.mention or self.escalate) and not self.post:
            raise ValueError("text, mention and escalate go with post")
        return self

    def value(self) -> Do:
        """Return it as a value."""
        return Do(
            tuple(self.post), self.text, tuple(self.mention), self.propose, self.run, self.to,
            tuple(step(text) for text in self.escalate),
        )  # fmt: skip


class RuleFile(_Strict):
    """One rule as it is written."""

    name: str = Field(min_length=1, max_length=_NAME)
    when: Annotated[list[WhenFile], BeforeValidator(_listed)]
    unless: Annotated[list[WhenFile], BeforeValidator(_listed)] = []
    do: DoFile
    once_within: str = ""
    once_after: str = ""
    accumulate_within: str = ""
    threshold: int | None = Field(None, ge=2, le=1_000)
    group_by: Names = []
    rate: str = "5/min"
    as_: str = Field("", alias="as")
    dry: bool = False

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if value != one_line(value, _NAME) or value.split()[0].lower() in {"test", "pause", "resume"}:
            raise ValueError("a name is one line, and does not begin with test, pause or resume")
        return value

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str) -> str:
        rate(value)
        return value

    @model_validator(mode="after")
    def _counts(self) -> RuleFile:
        said = [counting for counting in Counting if getattr(self, counting.value)]
        if len(said) > 1:
            raise ValueError(f"write one of {', '.join(said)}")
        if bool(self.accumulate_within) != (self.threshold is not None):
            raise ValueError("accumulate_within and threshold go together, as in `threshold: 5`")
        if self.group_by and not said:
            raise ValueError(f"group_by goes with {', '.join(Counting)}")
        self.throttle()
        if self.do.escalate and said and said[0] is Counting.ONCE_AFTER:
            raise ValueError("escalate does not go with once_after, which acts for many alerts at once")
        return self

    def throttle(self) -> Throttle | None:
        """Return how often events count; a ValueError says what is wrong with it."""
        counting = next((one for one in Counting if getattr(self, one.value)), None)
        if counting is None:
            return None
        text = getattr(self, counting.value)
        found = _BY.fullmatch(text.strip())
        if found and self.group_by:
            raise ValueError(f"{counting} says by {found[2]} already; leave group_by out")
        by = [one.strip() for one in found[2].split(",")] if found else self.group_by
        for name in by:
            _refuse_group(name)
        return Throttle(counting, duration(found[1] if found else text), tuple(by), self.threshold or 1)

    def rule(self, windows: Windows, line: int) -> Rule:
        """Return the rule as a value."""
        return Rule(
            name=self.name,
            when=tuple(one.value(windows) for one in self.when),
            unless=tuple(one.value(windows) for one in self.unless),
            do=self.do.value(),
            throttle=self.throttle(),
            rate=rate(self.rate),
            robot=self.as_ or self.name,
            dry=self.dry,
            line=line,
        )


def _refuse_group(name: str) -> None:
    if name not in _GROUPS and not (name.startswith(filling.OF_SENDER) and len(name) > len(filling.OF_SENDER)):
        raise ValueError(f"events cannot be grouped by {one_line(name, 40)!r}; write {', '.join(_GROUPS)} or "
                         "fields.<name>")  # fmt: skip


def group_of(throttle: Throttle, event: ReportedEvent) -> str:
    """What is the same of events that count together."""
    found = [event.fields.get(name[len(filling.OF_SENDER) :], "") if name.startswith(filling.OF_SENDER)
             else str(getattr(event, name)) for name in throttle.by]  # fmt: skip
    return "\x1f".join(one_line(text, 200) for text in found)


KEYS: Mapping[str, type[BaseModel]] = {"when": WhenFile, "unless": WhenFile, "do": DoFile}


class BookFile(_Strict):
    """rules.yml where it says more than its rules."""

    dry: bool = False
    rules: list[Any]
