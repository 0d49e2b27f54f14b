"""What a docstring says about a command: help, examples, risk, time limit, and a text for each parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from automation_bots.model import Risk, one_line
from automation_bots.text.times import limit_seconds


@dataclass(frozen=True, slots=True)
class Docstring:
    """A docstring, read; `risk` is None when it says nothing about it."""

    help: str
    examples: tuple[str, ...] = ()
    risk: Risk | None = None
    time_limit: float = 0
    parameters: Mapping[str, str] = field(default_factory=dict)


_TAG = re.compile(r"(?<!\S)(Examples?|Risk|Time limit):(?!\S)\s*")
_SECTION = re.compile(r"(Args|Arguments|Parameters|Returns|Return|Yields|Raises|Note|Notes|Examples?):$")
_ARGUMENTS = {"Args:", "Arguments:", "Parameters:"}
_ITEM = re.compile(r"(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
_FIELD = re.compile(r":param\s+(?:[\w.\[\]| ]+\s)?(\w+):\s*(.*)")
_FULL_STOP = re.compile(r"(?<=[\w\"'`])\.$")  # of the docstring's sentence; a dot after anything else is an argument


def read(text: str) -> Docstring:
    """Read a docstring whose indentation is already cleaned; a ValueError says what is wrong."""
    lines = text.splitlines()
    prose, tags = _separated(lines)
    shown = one_line(" ".join(_first_paragraph(prose)), 300)
    if not shown:
        raise ValueError("the docstring must begin with a sentence that says what the command does")
    return Docstring(
        help=shown,
        examples=tuple(_examples(tags)),
        risk=_risk([value for tag, value in tags if tag == "Risk"]),
        time_limit=_time_limit([value for tag, value in tags if tag == "Time limit"]),
        parameters=_parameters(prose),
    )


def _separated(lines: Iterable[str]) -> tuple[list[str], list[tuple[str, str]]]:
    prose: list[str] = []
    tags: list[tuple[str, str]] = []
    for line in lines:
        if line.lstrip().startswith("!"):
            prose.append("")
            tags.append(("Example", line))
            continue
        before, *rest = _TAG.split(line)
        prose.append(before)
        tags += zip(rest[::2], (value.strip() for value in rest[1::2]), strict=True)
    return prose, tags


def _first_paragraph(lines: Iterable[str]) -> Iterator[str]:
    started = False
    for line in lines:
        text = line.strip()
        if (started and not text) or _SECTION.match(text) or text.startswith(":"):
            return
        started = started or bool(text)
        yield text


def _examples(tags: Iterable[tuple[str, str]]) -> Iterator[str]:
    for tag, value in tags:
        text = one_line(_FULL_STOP.sub("", value.strip()).strip("` "))
        if tag.startswith("Example") and text:
            yield text


def _risk(values: list[str]) -> Risk | None:
    risks = {value.rstrip(".").lower() for value in values}
    if not risks:
        return None
    if len(risks) > 1 or not risks <= set(Risk):
        raise ValueError(f"Risk: must be read or change, got {', '.join(sorted(risks))!r}")
    return Risk(risks.pop())


def _time_limit(values: list[str]) -> float:
    if not values:
        return 0
    try:
        limit = limit_seconds(values[-1].removesuffix("."))
    except ValueError as error:
        raise ValueError(f"Time limit: {error}") from error
    if not limit:
        raise ValueError(f"Time limit: {values[-1]!r} would stop the command at once")
    return limit


def _parameters(lines: Iterable[str]) -> dict[str, str]:
    """Collect `:param name: text` and the items of an `Args:` section, each with its continuation lines."""
    found: dict[str, str] = {}
    current, depth, section = "", 0, -1  # `section` is the indent of an open Args: heading
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        if text in _ARGUMENTS:
            section, current, depth = indent, "", 0
        elif text and current and indent > depth:
            found[current] = one_line(f"{found[current]} {text}")
        elif text:
            section = section if indent > section else -1
            match = _FIELD.match(text) or (_ITEM.match(text) if section >= 0 else None)
            current, depth = (match[1], indent) if match else ("", 0)
            if match:
                found[current] = one_line(match[2])
    return found
