"""Reads a playbook file as an operation: its `# bot:` header, else its `vars_prompt`, and what it pulls in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation_bots.errors import DefinitionError
from automation_bots.model import Device, Operation, Parameter, Risk, one_line
from automation_bots.operations import delegation, playbook_folders, playbook_hints
from automation_bots.operations.delegation import Elsewhere
from automation_bots.operations.parameters import from_mapping
from automation_bots.operations.playbook_files import IMPORT_KEYS, Located, imported, read_yaml
from automation_bots.operations.verbs import GETTERS
from automation_bots.text.times import limit_seconds

_KEYS = ("name", "help", "risk", "parameters", "examples", "time_limit", "devices", "network", "controller")
_DEVICES = ("required", "one", "optional", "none")
_HEADER = re.compile(r"#(?P<indent>\s*)bot:\s*$")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_ONE_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*(?:\|[^{}]*)?\}\}")
_A_VARIABLE = re.compile(r"\{\{\s*([A-Za-z_]\w*)([^{}]*)\}\}")
_OF_ANSIBLE = {"groups", "hostvars", "inventory_hostname", "lookup", "query", "inventory_dir", "playbook_dir"}
Plays = tuple[Mapping[str, Any], ...]
_Check = tuple[Callable[[Any], bool], str]


def _is_limit(value: Any) -> bool:
    try:
        return limit_seconds(value) >= 0
    except ValueError:
        return False


_ANYTHING: _Check = (lambda _: True, "")
_CHECKS: dict[str, _Check] = {
    "name": (lambda v: bool(_NAME.fullmatch(str(v))), "letters, digits, - and _"),
    "risk": (lambda v: v in list(Risk), "read or change"),
    "devices": (lambda v: v in _DEVICES, f"one of {', '.join(_DEVICES)}"),
    "network": (lambda v: v in GETTERS, f"one of {', '.join(GETTERS)}"),
    "controller": (lambda v: isinstance(v, bool), "true or false"),
    "time_limit": (_is_limit, "a time such as 30s or 5 min, or a number of seconds"),
    "examples": (lambda v: isinstance(v, str | list), "a list of commands to type"),
}
_OF_A_PLAY = ("gather_facts", "serial", "max_fail_percentage", "strategy")  # worked out before any device is known
_HASHED = "(its hash, as mkpasswd makes it: $6$…)"
_OURS = "devices"  # the variable that the driver fills


@dataclass(frozen=True, slots=True)
class Playbook:
    """What the ansible driver needs of a playbook: where it is, and the `hosts:` of all its plays, imports included."""

    path: Path
    hosts: tuple[str, ...] = ()
    device_variables: tuple[str, ...] = ()  # that name the hosts of its plays: they are the devices of the request
    place: Path | None = None  # the folder of playbooks that it stands in

    @property
    def home(self) -> Path:
        """Where ansible-playbook is started."""
        return playbook_folders.home(self.path, self.place or self.path.parent)

    @property
    def above(self) -> tuple[Path, ...]:
        """The folders from its own up to that of all playbooks: their roles and collections count too."""
        return playbook_folders.above(self.path, self.place or self.path.parent)

    def elsewhere(
        self, values: Mapping[str, Any], devices: Sequence[Device], groups: Mapping[str, Sequence[str]]
    ) -> Elsewhere:
        """Where its tasks work beside these devices."""
        known = {name: value for name, value in values.items() if value is not None}
        return delegation.resolved(delegation.written(self.path), known, devices, groups)


def load(path: Path, place: Path | None = None) -> Operation:
    """Read one playbook file; a DefinitionError says what is wrong, and in which line."""
    path = Path(path)
    plays = tuple(_plays(path, ()))
    header = _header(path)
    said = header.value if header else {}
    parameters = _parameters(path, header) if header else ()
    hosts = tuple(_hosts(play.get("hosts", "")) for play in plays)
    devices = _device_variables(hosts, _defined(plays), parameters)
    prompts = tuple(p for p in _prompts(path, plays) if p.name not in devices)
    body = Playbook(path, hosts, devices, place)
    return _operation(
        body,
        plays,
        said,
        parameters or _asked(hosts, prompts, devices, plays, path if header is None else None),
        header,
    )


def _defined(plays: Plays) -> set[str]:
    """The variables that plays define themselves."""
    return {str(name) for play in plays if isinstance(own := play.get("vars"), Mapping) for name in own}


def _device_variables(hosts: tuple[str, ...], own: set[str], parameters: tuple[Parameter, ...]) -> tuple[str, ...]:
    """The variables that alone name the hosts of a play, as `{{ target }}` or `{{ target | default('all') }}`."""
    found = [match[1] for text in hosts if (match := _ONE_VARIABLE.fullmatch(text.strip()))]
    found += [_OURS for text in hosts if "{{" in text and re.search(rf"\b{_OURS}\b", text)]
    taken = {*_OF_ANSIBLE, *own, *(parameter.name for parameter in parameters)} - {_OURS}
    return tuple(dict.fromkeys(name for name in found if name not in taken))


def _asked(
    hosts: tuple[str, ...],
    prompts: tuple[Parameter, ...],
    devices: tuple[str, ...],
    plays: Plays,
    hinting: Path | None,
) -> tuple[Parameter, ...]:
    """What is asked for where no header says it: prompts, and what plays want and nothing defines.

    A file that has no header at all may have a survey beside it, and examples in its comments.
    """
    known = {*_OF_ANSIBLE, *devices, *_defined(plays)}
    surveyed = playbook_hints.survey(hinting, known) if hinting else ()
    asked = {one.name: one for one in (*surveyed, *prompts)}
    texts = [("a part of the hosts of its plays", text) for text in hosts]
    texts += [(f"{key} of its plays", str(play.get(key, ""))) for play in plays for key in _OF_A_PLAY]
    for meaning, text in texts:
        for name, rest in _A_VARIABLE.findall(text):
            if name not in {*known, *asked}:
                asked[name] = Parameter(name, required="default" not in rest, help=meaning)
    hints = playbook_hints.examples(hinting, {*known, *asked}) if hinting else ()
    return (*asked.values(), *hints)


def _operation(
    body: Playbook,
    plays: Plays,
    said: Mapping[str, Any],
    parameters: tuple[Parameter, ...],
    header: Located | None = None,
) -> Operation:
    path = body.path
    here = bool(body.hosts) and all(hosts.strip() in delegation.HERE for hosts in body.hosts)
    first = next((str(play["name"]) for play in plays if play.get("name")), f"Run the playbook {path.name}")
    return Operation(
        name=str(said.get("name", re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-") or "playbook")),
        help=one_line(str(said.get("help", first))),
        risk=Risk(said.get("risk", Risk.CHANGE)),
        driver="ansible",
        parameters=parameters,
        devices=str(said.get("devices", "none" if here else "required")),
        examples=_examples(said.get("examples", ())),
        group="Playbooks",
        declared=header is not None,
        previews=True,
        controller=bool(said.get("controller", here)),
        time_limit=limit_seconds(said.get("time_limit", 0)),
        source=path,
        network=str(said.get("network", "")),
        body=body,
    )


def _plays(path: Path, above: tuple[Path, ...]) -> Iterator[Mapping[str, Any]]:
    """Yield the plays of a file and of those it imports, in their order."""
    located = read_yaml(path)
    items = located.value
    if not isinstance(items, list) or not items:
        raise DefinitionError(path, "not a playbook: a playbook is a list of plays (- hosts: …)", 1)
    for index, item in enumerate(items):
        if not isinstance(item, Mapping) or not ({"hosts", *IMPORT_KEYS} & set(item)):
            gone = ": Ansible has no include for playbooks any more" if "include" in (item or ()) else ""
            reason = f"not a playbook: each item needs hosts or import_playbook{gone}"
            raise DefinitionError(path, reason, located.line(index))
        if "hosts" in item:
            yield item
            continue
        other = imported(path, item)
        if other is None:
            continue
        if not other.is_file():
            raise DefinitionError(path, f"imports {other.name}, which is not there", located.line(index))
        if other not in (*above, path):
            yield from _plays(other, (*above, path))


def _hosts(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _header(path: Path) -> Located | None:
    """Read the comment block at the top; blank lines stand for the lines before it, so that line numbers are right."""
    lines = path.read_text(encoding="utf-8").splitlines()
    start = next(_top_comments(lines), None)
    if start is None:
        return None
    found = _HEADER.match(lines[start])
    depth = len(found["indent"]) if found else 0
    block = []
    for line in lines[start + 1 :]:
        text = line.removeprefix("#")
        if not line.startswith("#") or (text.strip() and len(text) - len(text.lstrip()) <= depth):
            break
        block.append(text)
    located = read_yaml(path, "\n" * (start + 1) + "\n".join(block))
    return _checked(path, located, start + 1)


def _top_comments(lines: list[str]) -> Iterator[int]:
    for number, line in enumerate(lines):
        if line.strip() not in {"", "---"} and not line.startswith("#"):
            return
        if _HEADER.match(line):
            yield number


def _checked(path: Path, header: Located, line: int) -> Located:
    said = header.value
    if not isinstance(said, Mapping):
        raise DefinitionError(path, f"the header after '# bot:' must be indented keys: {', '.join(_KEYS)}", line)
    for key, value in said.items():
        if key not in _KEYS:
            reason = f"the header has an unknown key {key!r}; known: {', '.join(_KEYS)}"
            raise DefinitionError(path, reason, header.line(key))
        allowed, must_be = _CHECKS.get(key, _ANYTHING)
        if not allowed(value):
            raise DefinitionError(path, f"{key} must be {must_be}, not {value!r}", header.line(key))
    return header


def _examples(value: Any) -> tuple[str, ...]:
    return tuple(one_line(str(item)) for item in ([value] if isinstance(value, str) else value))


def _parameters(path: Path, header: Located) -> tuple[Parameter, ...]:
    specs = header.value.get("parameters") or {}
    if not isinstance(specs, Mapping):
        raise DefinitionError(path, "parameters must be a mapping of names to descriptions", header.line("parameters"))
    found: list[Parameter] = []
    for name, spec in specs.items():
        line = header.line("parameters", name)
        if name == _OURS:
            raise DefinitionError(path, f"a parameter cannot be named {_OURS}: the bot fills that variable", line)
        try:
            found += from_mapping({name: spec})
        except (ValueError, TypeError) as error:
            raise DefinitionError(path, str(error), line) from error
    return tuple(found)


def _prompts(path: Path, plays: tuple[Mapping[str, Any], ...]) -> tuple[Parameter, ...]:
    """Turn `vars_prompt` into parameters: their values, given as extra variables, keep Ansible from asking."""
    found: dict[str, Parameter] = {}
    for play in plays:
        for prompt in play.get("vars_prompt") or ():
            if not isinstance(prompt, Mapping) or not prompt.get("name"):
                raise DefinitionError(path, "each item of vars_prompt needs a name")
            name = str(prompt["name"])
            if name != _OURS:
                found.setdefault(name, _prompt(path, name, prompt))
    return tuple(found.values())


def _prompt(path: Path, name: str, prompt: Mapping[str, Any]) -> Parameter:
    default = prompt.get("default")
    templated, hashed = "{{" in str(default), bool(prompt.get("encrypt"))
    spec: dict[str, Any] = {
        "help": " ".join(
            filter(None, (str(prompt.get("prompt") or "").strip().rstrip(":"), _HASHED if hashed else ""))
        ),
        "secret": bool(prompt.get("private", True)),  # hidden unless told otherwise, as in Ansible
        "required": default is None,
    }
    if hashed:  # only a terminal would encrypt what is typed
        spec["match"] = r"\$[0-9a-z]+\$.+"
    if default is not None and not templated:
        spec["default"] = str(default)
    try:
        return from_mapping({name: spec})[0]
    except ValueError as error:
        raise DefinitionError(path, f"vars_prompt {name}: {error}") from error
