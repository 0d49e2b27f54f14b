"""Verbs: one question asked on every platform, each in the platform's own words (`playbooks/verbs/*.yml`)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from automation_bots.errors import BadParameter, DefinitionError
from automation_bots.model import POSIX, Command, Operation, Parameter, Risk, one_line
from automation_bots.operations import parameters as typed
from automation_bots.text.nearest import did_you_mean, nearest
from automation_bots.text.times import limit_seconds
from automation_bots.text.yaml_lines import LineOf, load_yaml

_T = TypeVar("_T")
OTHERS = "*"  # the key that stands for every choice that is not written
_ABOUT = ("help", "risk", "parameters", "examples", "time_limit")  # every other key is a platform
_ENTRY = {"run", "become"}
ANY_NETWORK = "network"  # the key for all network devices: a question that the network driver knows itself
GETTERS = ("facts", "interfaces", "counters", "bgp", "lldp", "mac", "arp", "route")
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BETWEEN_WORDS = re.compile(r"[\s;|&<>`?\"'$(){}!#]")
_STARTS_WITH_DASH = re.compile(r"\^?(?:\((?:\?:)?)*\\?-")


@dataclass(frozen=True, slots=True)
class Entry:
    """What one platform is asked. The keys of `run` and `become` are choices of the first parameter that has any."""

    run: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    become: Mapping[str, bool] = field(default_factory=dict)
    getter: str = ""
    cmdlet: Mapping[str, Any] = field(default_factory=dict)  # as it is in the file, `{name}` not yet replaced


@dataclass(frozen=True, slots=True)
class Verb:
    """The body of a verb: the parameters, and an entry for each platform."""

    parameters: tuple[Parameter, ...]
    entries: Mapping[str, Entry]

    def getter(self) -> str:
        """Return the question that the network driver asks in its own way; empty: it runs the platform's command."""
        entry = self.entries.get(ANY_NETWORK)
        return entry.getter if entry else ""

    def speaks(self, platform: str, values: Mapping[str, Any] | None = None) -> bool:
        """Whether it has something for a platform: with these values, or with any."""
        entry = self.entries.get(platform)
        if entry is None or entry.cmdlet or values is None:
            return entry is not None
        return self._template(entry, values) is not None

    def _template(self, entry: Entry, values: Mapping[str, Any]) -> tuple[str, ...] | None:
        return entry.run.get(self._chosen(values), entry.run.get(OTHERS))

    def _chosen(self, values: Mapping[str, Any]) -> str:
        chooser = choice_of(self.parameters)
        return str(_given(chooser, values)) if chooser else OTHERS

    def command(self, platform: str, parameters: Mapping[str, Any]) -> Command | None:
        """Return what to run there, or None when the verb has no command for this platform (or this choice on it)."""
        entry = self.entries.get(platform)
        if entry is None:
            return None
        chosen, template = self._chosen(parameters), self._template(entry, parameters)
        if template is None:
            return None
        become = entry.become.get(chosen, entry.become.get(OTHERS, False))
        if platform not in POSIX and platform != "windows":
            _refuse_signs(self.parameters, parameters, platform)
        return Command(fill(template, self.parameters, parameters), become)


@dataclass(frozen=True, slots=True)
class Free:
    """The body of the operation `run`: the words that were typed are the command, on every platform."""

    parameter: str = "command"  # the name of the `rest` parameter that holds the words

    def command(self, platform: str, parameters: Mapping[str, Any]) -> Command | None:  # noqa: ARG002 - as Verb's
        """Return the typed words, or None when there are none."""
        words = parameters.get(self.parameter) or ()
        return Command((words,) if isinstance(words, str) else tuple(str(word) for word in words)) if words else None


def _refuse_signs(parameters: Sequence[Parameter], values: Mapping[str, Any], platform: str) -> None:
    """Refuse what a command line that knows no quotes would take for another word, or for the end of the command."""
    for parameter in parameters:
        value = values.get(parameter.name)
        if isinstance(value, str) and (found := _BETWEEN_WORDS.search(value)) and not parameter.match:
            sign = "a blank" if found.group().isspace() else repr(found.group())
            raise BadParameter(
                f"{parameter.name} cannot be {one_line(value, 40)!r} on {platform}: its command line would end a word "
                f"at {sign}"
            )


def choice_of(parameters: Sequence[Parameter]) -> Parameter | None:
    """Return the parameter that `risk:` and `run:` may be told apart by: the first one with choices."""
    return next((parameter for parameter in parameters if parameter.choices), None)


def fill(template: Sequence[str], parameters: Sequence[Parameter], values: Mapping[str, Any]) -> tuple[str, ...]:
    """Put the values into the words. A value stays inside its word; a word whose value was not given is left out."""
    texts = {parameter.name: _texts(parameter, _given(parameter, values)) for parameter in parameters}
    return tuple(word for part in template for word in _filled(part, texts))


def _filled(word: str, texts: Mapping[str, tuple[str, ...] | None]) -> tuple[str, ...]:
    names = _PLACEHOLDER.findall(word)
    if any(texts[name] is None for name in names):
        return ()
    if alone := _PLACEHOLDER.fullmatch(word):
        return texts[alone[1]] or ()
    # In one pass, so that a value that looks like "{name}" is not replaced again; a list never stands inside a word.
    return (_PLACEHOLDER.sub(lambda found: "".join(texts[found[1]] or ()), word),)


def _given(parameter: Parameter, values: Mapping[str, Any]) -> Any:
    value = values.get(parameter.name)
    value = parameter.default if value is None else value
    # An empty required word would widen a command: `restart ""` must not become `restart`.
    if parameter.required and value in (None, "", (), []):
        raise BadParameter(f"{parameter.name} is missing")
    return value


def _texts(parameter: Parameter, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    items = tuple(value) if isinstance(value, list | tuple) else (value,)
    texts = tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in items)
    for text in texts:
        _refuse_option(parameter, text)
    # "" given to a word of its own is no word, but among words as they were typed; inside a longer word it is nothing.
    return tuple(text for text in texts if text or parameter.rest)


def _refuse_option(parameter: Parameter, text: str) -> None:
    numeric = parameter.type in {"int", "float"}
    allowed = numeric or text in map(str, parameter.choices) or _STARTS_WITH_DASH.match(parameter.match)
    if text.startswith("-") and not allowed:
        raise BadParameter(
            f"{parameter.name} must not begin with '-', got {one_line(text, 40)!r}: it would be read as an option"
        )


def load(path: Path) -> Operation:
    """Read one verb; whatever is wrong in the file is a DefinitionError with its line."""
    data, line_of = load_yaml(path)
    return _Reader(path, line_of).operation(data)


@dataclass(frozen=True, slots=True)
class _Reader:
    path: Path
    line_of: LineOf

    def wrong(self, reason: str, *keys: Any) -> DefinitionError:
        return DefinitionError(self.path, reason, self.line_of(*keys))

    def operation(self, data: Any) -> Operation:
        if not isinstance(data, Mapping):
            raise self.wrong("a verb is a mapping such as {help: …, risk: read, linux: [uptime]}")
        if not _NAME.fullmatch(self.path.stem):
            raise self.wrong("the file name is the verb's name: small letters, digits, _ and -")
        parameters = self._parameters(data.get("parameters") or {})
        risk, risk_by = self._risk(data.get("risk"), choice_of(parameters))
        entries = self._entries(data, parameters)
        return Operation(
            name=self.path.stem,
            help=one_line(str(data.get("help") or "")),
            risk=risk,
            risk_by=risk_by,
            parameters=parameters,
            examples=self._examples(data.get("examples")),
            group="Verbs",
            declared="risk" in data,
            time_limit=self._time_limit(data.get("time_limit", 0)),
            source=self.path,
            previews=risk is Risk.CHANGE and any(entry.cmdlet for entry in entries.values()),
            network=_always_asked(entries),
            body=Verb(parameters, entries),
        )

    def _parameters(self, specs: Any) -> tuple[Parameter, ...]:
        if not isinstance(specs, Mapping):
            raise self.wrong("parameters must be a mapping such as {name: {type: str}}", "parameters")
        return tuple(self._parameter(name, spec) for name, spec in specs.items())

    def _parameter(self, name: Any, spec: Any) -> Parameter:
        try:
            return typed.from_mapping({name: spec})[0]
        except (ValueError, TypeError) as error:
            raise self.wrong(str(error), "parameters", name) from error

    def _risk(self, raw: Any, choice: Parameter | None) -> tuple[Risk, tuple[str, Mapping[str, Risk]] | None]:
        if raw is None:
            return Risk.CHANGE, None
        risks = self._by_choice(raw, choice, self._one_risk, ("risk",))
        if choice is None or not isinstance(raw, Mapping):
            return risks[OTHERS], None
        changes = any(risks.get(str(c), risks.get(OTHERS)) is not Risk.READ for c in choice.choices)
        return Risk.CHANGE if changes else Risk.READ, (choice.name, risks)

    def _one_risk(self, raw: Any, keys: tuple[Any, ...]) -> Risk:
        if raw not in list(Risk):
            raise self.wrong(f"risk must be read or change, got {one_line(str(raw), 40)!r}", *keys)
        return Risk(raw)

    def _examples(self, raw: Any) -> tuple[str, ...]:
        examples = [] if raw is None else raw if isinstance(raw, list) else [raw]
        if not all(isinstance(example, str) for example in examples):
            raise self.wrong("examples must be a list of commands as a person types them", "examples")
        return tuple(one_line(example) for example in examples)

    def _time_limit(self, raw: Any) -> float:
        try:
            return limit_seconds(raw)
        except ValueError as error:
            raise self.wrong(f"time_limit: {error}", "time_limit") from error

    def _entries(self, data: Mapping[Any, Any], parameters: tuple[Parameter, ...]) -> dict[str, Entry]:
        entries = {
            self._platform(key): self._entry(key, raw, parameters) for key, raw in data.items() if key not in _ABOUT
        }
        if not entries:
            raise self.wrong("a verb needs at least one platform, such as linux: [uptime]")
        return entries

    def _platform(self, key: Any) -> str:
        if not isinstance(key, str) or not _NAME.fullmatch(key):
            raise self.wrong(f"{key!r} is neither a platform nor one of {', '.join(_ABOUT)}", key)
        if close := nearest(key, _ABOUT, 1, 0.7):
            raise self.wrong(f"{key!r} is no platform.{did_you_mean(close)}", key)
        return key

    def _entry(self, platform: str, raw: Any, parameters: tuple[Parameter, ...]) -> Entry:
        if isinstance(raw, Mapping) and "cmdlet" in raw:
            for word, keys in _strings(raw, (platform,)):
                self._check_names(word, parameters, keys)
            return Entry(cmdlet=raw)
        if platform == ANY_NETWORK:
            return self._network(raw)
        body = raw if isinstance(raw, Mapping) else {"run": raw}
        if "run" not in body or set(body) - _ENTRY:
            raise self.wrong("a platform is a list of words, or {become: true, run: [words]}, or {cmdlet: …}", platform)
        keys = (platform, "run") if isinstance(raw, Mapping) else (platform,)
        choice = choice_of(parameters)
        run = self._by_choice(body["run"], choice, lambda words, at: self._words(words, parameters, at), keys)
        become = self._by_choice(body.get("become", False), choice, self._yes_or_no, (platform, "become"))
        return Entry(run, become)

    def _network(self, raw: Any) -> Entry:
        getter = raw.get("getter") if isinstance(raw, Mapping) and len(raw) == 1 else None
        if getter not in GETTERS:
            raise self.wrong(f"network takes {{getter: …}} with one of {', '.join(GETTERS)}", ANY_NETWORK)
        return Entry(getter=str(getter))

    def _by_choice(
        self, raw: Any, choice: Parameter | None, read: Callable[[Any, tuple[Any, ...]], _T], keys: tuple[Any, ...]
    ) -> dict[str, _T]:
        """Read either one value for all, or a mapping from choices to values."""
        if not isinstance(raw, Mapping):
            return {OTHERS: read(raw, keys)}
        if choice is None:
            raise self.wrong("only a verb that has a parameter with choices can tell them apart", *keys)
        known = {OTHERS, *map(str, choice.choices)}
        for key in raw:
            if str(key) not in known:
                raise self.wrong(f"{key!r} is no choice of {choice.name}", *keys, key)
        return {str(key): read(value, (*keys, key)) for key, value in raw.items()}

    def _yes_or_no(self, raw: Any, keys: tuple[Any, ...]) -> bool:
        if not isinstance(raw, bool):
            raise self.wrong(f"must be true or false, got {one_line(str(raw), 40)!r}", *keys)
        return raw

    def _words(self, raw: Any, parameters: tuple[Parameter, ...], keys: tuple[Any, ...]) -> tuple[str, ...]:
        items = self._split(raw, keys) if isinstance(raw, str) else raw
        if not isinstance(items, list) or not items:
            raise self.wrong('a command is a list of words such as [systemctl, status, "{name}"]', *keys)
        for index, item in enumerate(items):
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise self.wrong(f"put quotes around word {index + 1}, YAML reads it as {item!r}", *keys, index)
            self._check_names(str(item), parameters, (*keys, index))
        return tuple(map(str, items))

    def _split(self, line: str, keys: tuple[Any, ...]) -> list[str]:
        try:
            return shlex.split(line)
        except ValueError as error:
            raise self.wrong(f"the command cannot be split into words: {error}", *keys) from error

    def _check_names(self, word: str, parameters: tuple[Parameter, ...], keys: tuple[Any, ...]) -> None:
        known = {parameter.name: parameter for parameter in parameters}
        for name in _PLACEHOLDER.findall(word):
            parameter = known.get(name)
            if parameter is None:
                raise self.wrong(f"{{{name}}} is no parameter; known: {', '.join(known) or 'none'}", *keys)
            if parameter.secret:
                raise self.wrong(f"{{{name}}} is secret; command lines can be seen by others", *keys)
            if (parameter.rest or parameter.type in {"list", "dict"}) and word != f"{{{name}}}":
                raise self.wrong(f"{{{name}}} can be several words, so it must be a word of its own", *keys)


def _always_asked(entries: Mapping[str, Entry]) -> str:
    """The question that network devices of any driver are asked, where the verb has no command of theirs."""
    without = set(entries) <= {*POSIX, "windows", "frr", ANY_NETWORK}  # FRR may have a shell, which has commands
    return entries[ANY_NETWORK].getter if without and ANY_NETWORK in entries else ""


def _strings(raw: Any, keys: tuple[Any, ...]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    if isinstance(raw, str):
        yield raw, keys
    items = raw.items() if isinstance(raw, Mapping) else enumerate(raw) if isinstance(raw, list) else ()
    for key, value in items:
        yield from _strings(value, (*keys, key))
