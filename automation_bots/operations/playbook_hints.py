"""What says which variables a playbook without a header takes: an AWX survey beside it, or its first comments."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import Parameter, one_line
from automation_bots.operations.parameters import from_mapping
from automation_bots.operations.playbook_files import read_yaml

SURVEYS = (".survey.json", "_survey.json", "-survey.json")
_TYPES: Mapping[str, Mapping[str, Any]] = {
    "text": {},
    "textarea": {"text": True},
    "password": {"secret": True},
    "integer": {"type": "int"},
    "float": {"type": "float"},
    "multiplechoice": {},
    "multiselect": {"type": "list"},
}
_OF_JSON = {bool: "bool", int: "int", float: "float", list: "list", Mapping: "dict"}
_NAME = re.compile(r"[A-Za-z_]\w*")
_LISTED = re.compile(r"(?:extra[ _-]?)?var(?:iable)?s\s*:\s*(\w+(?:\s*,\s*\w+)*)", re.IGNORECASE)
_BODY = re.compile(r"\s*(?:pre_tasks|tasks|roles)\s*:")


def survey(path: Path, known: Collection[str]) -> tuple[Parameter, ...]:
    """The questions of a survey in AWX's form (`deploy.survey.json` of `deploy.yml`), apart from what is known."""
    file = next((one for end in SURVEYS if (one := path.with_name(f"{path.stem}{end}")).is_file()), None)
    if file is None:
        return ()
    try:
        spec = json.loads(file.read_text(encoding="utf-8"))
        questions = spec["spec"] if isinstance(spec, Mapping) else spec
        asked = {str(one["variable"]): _question(one) for one in questions}
        return from_mapping({name: one for name, one in asked.items() if name not in known})
    except KeyError as missing:
        raise DefinitionError(file, f"cannot be read as a survey of AWX: no {missing} there") from missing
    except (OSError, ValueError, TypeError) as error:
        raise DefinitionError(file, f"cannot be read as a survey of AWX: {in_words(error)}") from error


def _question(said: Mapping[str, Any]) -> dict[str, Any]:
    kind, default = str(said.get("type", "text")), said.get("default")
    spec: dict[str, Any] = {**_TYPES[kind]}
    spec["help"] = one_line(str(said.get("question_name") or said.get("question_description") or ""))
    if choices := said.get("choices"):
        spec["choices"] = choices.splitlines() if isinstance(choices, str) else list(choices)
    if kind in {"integer", "float"}:
        spec |= {key: said[key] for key in ("min", "max") if said.get(key) is not None}
    elif said.get("max"):
        spec["max_length"] = int(said["max"])
    if default not in {None, ""} and kind != "password":
        spec["default"] = str(default).splitlines() if kind == "multiselect" else default
    spec["required"] = bool(said.get("required")) and "default" not in spec
    return spec


def examples(path: Path, known: Collection[str]) -> Iterator[Parameter]:
    """The variables that comments before its tasks have in examples (`-e version=1.2`) or name (`vars: version`)."""
    text = path.read_text(encoding="utf-8")
    for name, value in _named(text).items():
        if name not in known and not name.startswith("ansible_"):
            wanted = _is_needed(name, text) and not _is_defined(name, path)
            yield Parameter(name, type=_type(value), required=wanted, help=_example(value))


def _type(value: Any) -> str:
    return next((name for kind, name in _OF_JSON.items() if isinstance(value, kind)), "str")


def _example(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"such as {one_line(text, 60)}" if text else "see the playbook"


def _named(text: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for line in _comments(text):
        if "ansible-playbook" in line:
            found |= {name: value for name, value in _given(line) if name not in found}
        elif match := _LISTED.fullmatch(line):
            found |= {name: "" for name in re.split(r"\s*,\s*", match[1]) if name not in found}
    return found


def _comments(text: str) -> Iterator[str]:
    """The comments before the first tasks; one that ends in a backslash goes on in the next."""
    begun = ""
    for line in text.splitlines():
        if _BODY.match(line):
            return
        if line.lstrip().startswith("#"):
            said = begun + line.lstrip().lstrip("#").strip()
            begun = f"{said[:-1].rstrip()} " if said.endswith("\\") else ""
            if not begun:
                yield said


def _given(line: str) -> Iterator[tuple[str, Any]]:
    try:
        words = shlex.split(line)
    except ValueError:  # an apostrophe in prose
        return
    for word, after in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option in {"-e", "--extra-vars"}:
            yield from _assigned(value if equals else after)


def _assigned(text: str) -> Iterator[tuple[str, Any]]:
    if text.startswith("{"):
        try:
            value = read_yaml(Path("comment"), text).value
        except DefinitionError:
            return
        yield from ((str(name), one) for name, one in value.items() if _NAME.fullmatch(str(name)))
        return
    for part in text.split():
        name, equals, value = part.rstrip(",").partition("=")
        if equals and _NAME.fullmatch(name):
            yield name, value


def _is_needed(name: str, text: str) -> bool:
    """Whether the playbook itself uses it, and never with a default."""
    uses = [found for found in re.findall(r"\{\{(.*?)\}\}", text) if re.search(rf"\b{name}\b", found)]
    return bool(uses) and not any(re.search(r"\|\s*(default|d)\b", use) for use in uses)


def _is_defined(name: str, path: Path) -> bool:
    """Whether variables beside the playbook or in its roles give it a value."""
    places = ("group_vars", "host_vars", "vars", "roles/*/defaults", "roles/*/vars")
    files = (file for place in places for file in path.parent.glob(f"{place}/**/*") if file.is_file())
    line = re.compile(rf"^\s*{name}\s*:", re.MULTILINE)
    return any(line.search(file.read_text(encoding="utf-8", errors="replace")) for file in files)
