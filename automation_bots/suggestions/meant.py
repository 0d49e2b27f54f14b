"""The commands that were probably meant by words that are none. Pure; nothing is looked up and nothing runs.

A wrong guess is worse than none: one line is said where all the words find a place in it, up to three where most do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice

from rapidfuzz.distance import OSA  # edits with two letters swapped as one, as typing goes

from automation_bots.suggestions.others import OTHERS

_MOST_WORDS = 14
_SHOWN = 3
_SURE, _LIKELY = 0.86, 0.68  # of a guess that is said alone, and of one of several
_AHEAD = 0.1  # by which the best one leads where it is said alone
_PLURAL, _BEGUN = 0.96, 0.9  # of words that are alike: a plural, the beginning of a longer one
_ALIKE = 0.7  # words that are less alike have nothing to do with each other
_LEFT, _MISSING, _LATER = 0.2, 0.1, 0.04  # what a word without a place, a value that lacks, another order cost
_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s,;]+(?:,[^\s,;]+)*")
_SLOT = re.compile(r"\{(\w)\}")
_FILLING = frozenset(
    re.findall(
        r"\w+",
        "a all an and any are ask be bot can check could do does for from get give has have hello hey hi how i in is "
        "it its let list look me my need now of off or our out please pls see sudo tell that the their them there "
        "these this to up us want was we what when where which who why will with would you your",
    )
)
_ASKING = frozenset(
    re.findall(
        r"\w+",
        "am are can could did do does had has have how is since tell was were what when where which who why will",
    )
)
_SENTENCE = 3  # words of the shortest one
_PATTERN, _WILD = re.compile(r"[:&!]"), re.compile(r"[*\[]")
_DIGITS = re.compile(r"\d+")
_LOOKING = frozenset({"show", "list", "display", "get", "view", "print"})
_SHORT = {"sh": "show", "sho": "show", "disp": "display", "dis": "display"}


@dataclass(frozen=True, slots=True)
class Command:
    """A command that this person may use here."""

    name: str  # as the catalog knows it: config-diff
    typed: str  # as it is typed: config diff
    choices: tuple[str, ...] = ()  # of its first value
    values: tuple[str, ...] = ()  # what it needs, in order, the chosen one included
    devices: bool = False  # it needs some
    takes_devices: bool = True
    rest: bool = False  # it takes all words that are left, as they stand
    patterns: Mapping[str, re.Pattern[str]] = field(default_factory=dict)  # what a value has to look like


@dataclass(frozen=True, slots=True)
class Known:
    """What this person may use and see; nothing else is ever named."""

    commands: Mapping[str, Command]
    devices: Collection[str]  # and groups


@dataclass(frozen=True, slots=True)
class Guess:
    """A line that could be typed, and how well it fits what was typed."""

    line: str
    fit: float
    of: str  # the command


def is_sentence(typed: str) -> bool:
    """Whether somebody asks in words of a language rather than in those of a command."""
    words = typed.lower().split()
    return len(words) >= _SENTENCE and (
        words[0] in _ASKING or typed.rstrip().endswith("?") or len(words) > 2 * _SENTENCE
    )


def suggest(typed: str, known: Known, *, sure: bool = False) -> tuple[str, ...]:
    """Return the lines that were probably meant, the best first: one, up to three, or none.

    With `sure` only a line in which every word has its place, of a command that does not take whatever words there are.
    """
    words = [word.strip("?!.:") or word for word in _WORD.findall(typed.strip())][:_MOST_WORDS]
    best: dict[str, float] = {}
    for guess in (*_of_other_tools(words, known), *_of_ours(words, known)):
        if not sure or (guess.fit >= _SURE and not known.commands[guess.of].rest):
            best[guess.line] = max(best.get(guess.line, 0.0), guess.fit)
    ranked = sorted(best.items(), key=lambda one: (-one[1], len(one[0]), one[0]))
    if not ranked or ranked[0][1] < _LIKELY:
        return ()
    first, fit = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0.0
    if fit >= _SURE and fit - second >= _AHEAD:
        return (first,)
    return tuple(line for line, one in islice(ranked, _SHOWN) if one >= max(_LIKELY, fit - 2 * _AHEAD))


def without_devices(typed: str, known: Known) -> tuple[list[str], str]:
    """The words of a sentence without the devices in it, and those."""
    devices, left = _devices([word.strip("?!.:") or word for word in _WORD.findall(typed)][:_MOST_WORDS], known)
    return left, devices


def line(command: Command, words: Sequence[str], devices: str) -> str:
    """A command as it is typed, with the first value where a word names it, and what has to be filled in."""
    slots = [f"<{name}>" for name in command.values]
    if slots and command.choices:
        named = next((word.lower() for word in words if word.lower() in command.choices), "")
        slots[0] = named or f"<{'|'.join(command.choices)}>"
    return _line(command, " ".join([command.typed, *slots]), devices)


# -- words of other tools


@cache
def _forms() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Each form with its command, the longest first."""
    found = [(tuple(form.split()), line) for forms, line in OTHERS for form in forms.split(" | ")]
    return tuple(sorted(found, key=lambda one: (-len(one[0]), sum("{" in part for part in one[0]))))


def _of_other_tools(words: Sequence[str], known: Known) -> Iterator[Guess]:
    plain = [word for word in (words[1:] if words and words[0].lower() == "sudo" else words) if word not in {"|", "&&"}]
    if plain:
        plain[0] = _SHORT.get(plain[0].lower(), plain[0])
    told = [word for word in _devices(plain, known)[1] if word.lower() not in _FILLING]
    for form, line in _forms():
        if (command := known.commands.get(line.split()[0])) is None:
            continue
        for said in (plain, told):
            values = _fits(form, said)
            if values is not None and _are_values(values, line, known):
                left = [word for word in said[len(form) :] if not word.startswith("-")]
                behind, left = _devices(left, known)
                devices = behind or _devices(plain, known)[0]
                yield from _filled(command, line, values, devices, known, 0.97 - 0.35 * len(left))
                return


def _are_values(values: Mapping[str, str], line: str, known: Known) -> bool:
    """Whether what a slot takes can be one: a device only where a device is meant."""
    named = {name.lower() for name in known.devices}
    where = line.startswith(("device ", "tcp "))
    return all(word.lower() != "on" and (where or word.lower() not in named) for word in values.values())


def _filled(
    command: Command, line: str, values: Mapping[str, str], devices: str, known: Known, fit: float
) -> Iterator[Guess]:
    said = _SLOT.sub(lambda slot: values[slot[1]], line)
    named = said.rpartition(" on ")[2] if " on " in said else said.split()[1] if command.name == "device" else ""
    if not named or named in known.devices:
        yield Guess(_line(command, said, devices), fit, command.name)


def _fits(form: Sequence[str], words: Sequence[str]) -> dict[str, str] | None:
    """The words of the slots, where the form stands at the beginning."""
    if len(form) > len(words):
        return None
    values: dict[str, str] = {}
    for part, word in zip(form, words, strict=False):
        if "{" not in part:
            if part.lower() != word.lower():
                return None
            continue
        before, slot, behind = part.partition("{")[0], part[part.index("{") + 1], part.partition("}")[2]
        if not word.startswith(before) or not word.endswith(behind) or word.startswith("-"):
            return None
        values[slot] = word[len(before) : len(word) - len(behind)]
    return values


# -- our own, mistyped or in another order


def _of_ours(words: Sequence[str], known: Known) -> Iterator[Guess]:
    devices, rest = _devices(words, known)
    told = [word for at, word in enumerate(rest) if word.lower() not in _FILLING or (not at and word in known.commands)]
    for command in known.commands.values():
        if command.rest and not command.takes_devices:
            yield from _of_the_bot(command, words)
        elif told:
            asked = told if command.rest else [word for word in told if word.lower() not in _LOOKING] or told
            yield from _named(command, asked, devices)
            yield from _chosen(command, asked, devices)


def _of_the_bot(command: Command, words: Sequence[str]) -> Iterator[Guess]:
    """A command of the bot itself, whose words stay as they are."""
    if words and (fit := _alike(command.typed, words[0].lower())) >= _ALIKE:
        yield Guess(" ".join([command.typed, *words[1:]]), fit - 0.01, command.name)


def _named(command: Command, words: Sequence[str], devices: str) -> Iterator[Guess]:
    """Find the command's name among the words, in any place; then its values."""
    name = command.typed.lower().split()
    for start in range(len(words)):
        typed = [word.lower() for word in words[start : start + len(name)]]
        whole = max(_name(name, typed), _name(name, typed[::-1]) - _LATER)
        joined = _alike("".join(name), words[start].lower()) if len(name) > 1 else 0.0
        if (fit := max(whole, joined)) >= _ALIKE:
            left = [*words[:start], *words[start + (len(name) if whole >= joined else 1) :]]
            yield from _with_values(
                command, left, devices, fit - (_LATER if start else 0.0) * (1 if fit > _PLURAL - 0.01 else 2)
            )


def _chosen(command: Command, words: Sequence[str], devices: str) -> Iterator[Guess]:
    """`restart nginx`: the first value says which command it is."""
    if len(command.values) > 1 and command.choices:
        alike = max(_choice(command, word)[0] for word in words)
        if alike >= _PLURAL - 0.04:
            left = [word for word in words if _alike(command.typed, word.lower()) < _ALIKE]
            yield from _with_values(command, left, devices, alike - 0.05)


def _name(name: Sequence[str], words: Sequence[str]) -> float:
    if len(words) != len(name):
        return 0.0
    return min(_alike(part, word) for part, word in zip(name, words, strict=True))


def _with_values(command: Command, words: Sequence[str], devices: str, fit: float) -> Iterator[Guess]:
    values, left, missing = _values(command, words)
    if command.rest:
        values, left, fit = [*values, *left], [], fit - 0.02 * len(left)
    fit -= _LEFT * len(left) + _MISSING * missing + (0.02 if command.devices and not devices else 0.0)
    yield Guess(_line(command, " ".join([command.typed, *values]), devices), fit, command.name)


def _values(command: Command, words: Sequence[str]) -> tuple[list[str], list[str], int]:
    """Put words where they fit: a choice by its name, the rest in order; also what is left, and how many lack."""
    left, found, missing = list(words), list[str](), 0
    for number, name in enumerate(command.values):
        pattern = command.patterns.get(name)
        if number == 0 and command.choices:
            word = max(left, key=lambda word: _choice(command, word)[0], default="")
            value = _choice(command, word)[1] if word and _choice(command, word)[0] >= _ALIKE else ""
        else:
            word = value = next((word for word in left if pattern is None or pattern.fullmatch(word)), "")
        if value:
            left.remove(word)
        else:
            missing += 1
        found.append(value or f"<{'|'.join(command.choices) if number == 0 and command.choices else name}>")
    return found, left, missing


def _choice(command: Command, word: str) -> tuple[float, str]:
    return max((_alike(choice, word.lower()), choice) for choice in command.choices)


@cache
def _alike(name: str, word: str) -> float:
    """How alike two words are: 1 the same, 0.96 a plural, less by each letter that is other; 0 nothing in common."""
    if name == word:
        return 1.0
    if name in {f"{word}s", f"{word}es"} or word in {f"{name}s", f"{name}es"}:
        return _PLURAL
    shorter = min(len(name), len(word))
    if shorter > 3 and name.startswith(word) and len(name) - len(word) > 1:
        return _BEGUN
    near = shorter > 3 or name[:-1] == word or (shorter == 3 and sorted(name) == sorted(word))
    edits = OSA.distance(name, word, score_cutoff=2) if near else 3
    if edits == 1:
        return (0.93 if name[0] == word[0] else 0.84) - 0.02 * (len(name) != len(word))
    return 0.86 if edits == 2 and shorter > 6 and name[0] == word[0] else 0.0


def _devices(words: Sequence[str], known: Known) -> tuple[str, list[str]]:
    """Take the devices out of the words: known by name, or, behind `on`, nearly so."""
    lower = {name.lower(): name for name in known.devices}
    found, left, behind_on = [], [], False
    for word in words:
        if word.lower() in {"on", "at", "in"}:
            behind_on = True
            continue
        if word.lower() == "all" and not behind_on and word is not words[-1]:
            continue  # of a sentence
        parts = [_device(part, lower, close=behind_on) for part in word.split(",")]
        if all(parts):
            found.append(",".join(parts))
        else:
            left.append(word)
    return ",".join(found), left


def _device(word: str, lower: Mapping[str, str], *, close: bool) -> str:
    """The device or group that a word is; a nearly right one counts where devices are expected."""
    bare = word.lower()
    if bare in lower:
        return lower[bare]
    if close and _PATTERN.search(word) and (_PATTERN.split(word)[0].lower() in lower or _WILD.search(word)):
        return word
    if bare.endswith("s") and bare.removesuffix("s") in lower:
        return lower[bare.removesuffix("s")]
    near = [name for name in lower if close and OSA.distance(name, bare, score_cutoff=1) <= 1]
    near = [name for name in near if len(bare) > 3 or sorted(name) == sorted(bare)]
    near = [name for name in near if _DIGITS.findall(name) == _DIGITS.findall(bare)] or near
    return lower[near[0]] if len(near) == 1 else ""


def _line(command: Command, said: str, devices: str) -> str:
    if " on " in said or not command.takes_devices or not (devices or command.devices):
        return said
    return f"{said} on {devices or '<devices>'}"
