"""rules.yml read: each rule by itself, so that one that is wrong is named with its line and hurts no other one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from automation_bots.alerts.rules.rule import BrokenRule, Rule, Rulebook
from automation_bots.alerts.rules.schema import KEYS, BookFile, RuleFile, Windows
from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import one_line
from automation_bots.text.nearest import did_you_mean, nearest
from automation_bots.text.yaml_lines import LineOf, parse_yaml

_MOST_BYTES, _MOST = 1_000_000, 500
_BEGINS = re.compile(r"^( *)-(?: |$)")
# However it is written: of a file that cannot be read, only what is clearly not dry acts.
_DRY = re.compile(r"^ *[\"']?dry[\"']? *:(?! *(?:false|no|off) *(?:#.*)?$)", re.MULTILINE | re.IGNORECASE)


def load(path: Path, windows: Windows) -> Rulebook:
    """Read the file; no file is no rules, and what is wrong stands in the book."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return _nothing(f"is bigger than {_MOST_BYTES // 1_000_000} MB")
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Rulebook()
    except (OSError, UnicodeDecodeError) as error:
        return _nothing(f"cannot be read ({in_words(error)}), so no rule does anything")
    return read(path, text, windows)


def read(path: Path, text: str, windows: Windows) -> Rulebook:
    """Read what the file says."""
    try:
        found, line_of = parse_yaml(path, text)
    except DefinitionError as error:
        return _piece_by_piece(path, text, windows, error)
    if found is None:
        return Rulebook()
    dry, prefix = False, tuple[str, ...]()
    if isinstance(found, dict):
        try:
            book = BookFile.model_validate(found)
        except ValidationError as error:
            first = error.errors()[0]
            return _nothing(f"{_path(first['loc'])}{_in_words(first, BookFile)}", line_of(*first["loc"]))
        dry, found, prefix = book.dry, book.rules, ("rules",)
    if not isinstance(found, list):
        return _nothing("has to be a list of rules, each beginning with `- name:`")
    return _book([(one, _below(line_of, (*prefix, number))) for number, one in enumerate(found)], windows, dry=dry)


def _below(line_of: LineOf, above: tuple[Any, ...]) -> LineOf:
    return lambda *keys: line_of(*above, *keys)


def _nothing(reason: str, line: int = 1) -> Rulebook:
    return Rulebook(broken=(BrokenRule("", line, reason),))


def _book(found: list[tuple[Any, LineOf]], windows: Windows, *, dry: bool) -> Rulebook:
    rules: dict[str, Rule] = {}
    broken: list[BrokenRule] = []
    for entry, line_of in found[:_MOST]:
        one = _one(entry, line_of, windows)
        if isinstance(one, Rule) and one.name.casefold() in rules:
            first = rules[one.name.casefold()].line
            one = BrokenRule(one.name, line_of("name"), f"another one in line {first} has that name; answers quote it")
        if isinstance(one, Rule):
            rules[one.name.casefold()] = one
        else:
            broken.append(one)
    if len(found) > _MOST:
        broken.append(BrokenRule("", found[_MOST][1](), f"{len(found)} rules; at most {_MOST} are read"))
    return Rulebook(tuple(rules.values()), tuple(broken), dry)


def _one(entry: Any, line_of: LineOf, windows: Windows) -> Rule | BrokenRule:
    name = one_line(str(entry.get("name", "")), 80) if isinstance(entry, dict) else ""
    if not isinstance(entry, dict):
        return BrokenRule("", line_of(), "a rule has name, when and do")
    try:
        return RuleFile.model_validate(entry).rule(windows, line_of("name"))
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple("as" if part == "as_" else part for part in first["loc"])
        return BrokenRule(name, _line(line_of, where), f"{_path(where)}{_in_words(first, RuleFile)}")
    except ValueError as error:  # a window that is none
        return BrokenRule(name, line_of("when", "time"), f"time: {error}")


def _path(where: tuple[Any, ...]) -> str:
    found = ".".join(str(part) for part in where if not isinstance(part, int))
    return f"{found}: " if found else ""


def _line(line_of: LineOf, where: tuple[Any, ...]) -> int:
    """The line of a key, also where one stands in which several might."""
    return max(line_of(*where), line_of(*(part for part in where if not isinstance(part, int))))


def _in_words(error: Any, top: type[RuleFile | BookFile]) -> str:
    if error["type"] != "extra_forbidden":
        message = str(error["msg"]).removeprefix("Value error, ")
        return message.replace("Field required", "is missing")
    *above, key = [part for part in error["loc"] if not isinstance(part, int)]
    model = KEYS.get(above[0], top) if above else top
    known = [field.alias or name for name, field in model.model_fields.items()]
    every = f"Known: {', '.join(known)}."
    return f"this key is not known here.{did_you_mean(nearest(str(key), known), every)}"


# -- a file that YAML cannot read as a whole


def _piece_by_piece(path: Path, text: str, windows: Windows, error: DefinitionError) -> Rulebook:
    """Read each rule by itself, where the file can be cut into rules at all."""
    pieces = list(_pieces(text))
    if not pieces or error.line is None:
        return _nothing(f"{error.reason}, so no rule does anything", error.line or 1)
    found: list[tuple[Any, LineOf]] = []
    broken: list[BrokenRule] = []
    for first, piece in pieces:
        try:
            data, line_of = parse_yaml(path, piece)
            found.append((data[0], _shifted(_below(line_of, (0,)), first)))
        except (DefinitionError, TypeError, LookupError) as wrong:
            line = (getattr(wrong, "line", None) or 1) + first
            broken.append(BrokenRule(_name_in(piece), line, f"{getattr(wrong, 'reason', wrong)}{_braces(piece)}"))
    dry = _DRY.search(text) is not None
    book = _book(found, windows, dry=dry)
    return Rulebook(book.rules, (*book.broken, *broken), dry)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Each item of the list of rules: how many lines stand before it, and its text."""
    lines = text.splitlines(keepends=True)
    begins = [(number, len(found[1])) for number, line in enumerate(lines) if (found := _BEGINS.match(line))]
    if not begins:
        return
    outermost = min(indent for _, indent in begins)
    starts = [number for number, indent in begins if indent == outermost]
    for one, two in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield one, "".join(lines[one:two])


def _shifted(line_of: LineOf, lines: int) -> LineOf:
    return lambda *keys: line_of(*keys) + lines


def _name_in(piece: str) -> str:
    found = re.search(r"\bname: *(.+)", piece)
    return one_line(found[1].strip("\"', {}"), 80) if found else ""


def _braces(piece: str) -> str:
    """What is most likely wrong: a hole between the braces of a mapping has to be quoted."""
    hole = re.search(r"\{[^\n]*:[^\n\"']*\{[a-z.]+\}", piece)
    return '. Inside { } what has braces itself stands in quotes: run: "bgp on {device}"' if hole else ""
