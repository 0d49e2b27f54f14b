"""Whether a device's answer refuses what was sent to it. Pure; what each platform says stands in the files beside this.

Whoever only looks gets any answer, so that a refusal is known by its words there. In configuration mode a line that is
taken is answered by nothing: whatever else comes, and is not known to be harmless, is a refusal.
"""

from __future__ import annotations

import functools
import itertools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FILES = Path(__file__).parent
_LIKE = {
    "huawei": "huawei_vrp",
    "huawei_vrpv8": "huawei_vrp",
    "huawei_olt": "huawei_vrp",
    "h3c_comware": "hp_comware",
    "cisco_s200": "cisco_ios",
    "cisco_s300": "cisco_ios",
    "aruba_procurve": "hp_procurve",
    "alcatel_sros": "nokia_sros",
}  # fmt: skip - netmiko's other names
_FEW_LINES = 6  # of which one may be a refusal; among more it is a line of a log, or of a banner
_BEGINNING = 4000
_WORDS = 300


@dataclass(frozen=True, slots=True)
class Answers:
    """What a platform's answers begin with."""

    refuses: re.Pattern[str]
    answers: re.Pattern[str]  # of those, what answers a question all the same
    harmless: re.Pattern[str]  # what may stand behind a line of a configuration that was taken
    warns: re.Pattern[str]  # the same, and the lines behind it belong to it
    around: re.Pattern[str]  # what stands before an answer
    stamps: re.Pattern[str]  # of that, when it was asked, and how busy the device was: another at every look


def names() -> tuple[str, ...]:
    """Return the platforms that have a file."""
    return tuple(sorted(path.stem for path in _FILES.glob("*.toml") if path.stem != "any"))


def written(platform: str) -> Mapping[str, Any]:
    """Return what stands in a platform's file, or in the one for all where it has none."""
    path = _FILES / f"{_LIKE.get(platform, platform)}.toml"
    return tomllib.loads((path if path.is_file() else _FILES / "any.toml").read_text())


@functools.cache
def answers_of(platform: str) -> Answers:
    """Return what is known of a platform."""
    own, all_ = written(platform), written("any")
    chain = [own, *([written(own["like"])] if "like" in own else [])]
    return Answers(
        refuses=_any(chain, "refuses"),
        answers=_any([*chain, all_], "answers"),
        harmless=_any([*chain, all_], "harmless"),
        warns=_any(chain, "warns"),
        around=_any([all_], "around"),
        stamps=_any(chain, "stamps"),
    )


def with_defaults(platform: str) -> str:
    """Return the command that shows the configuration with what is so by default; empty: there is none."""
    found = written(platform)
    return str(found.get("defaults") or (with_defaults(found["like"]) if "like" in found else ""))


def is_whole(config: str, platform: str) -> bool:
    """Whether a configuration that a device showed ends as its platform ends one, where that has a word for it."""
    found = written(platform)
    end = found.get("last_line") or (written(found["like"]).get("last_line") if "like" in found else None)
    return not end or config.rstrip().rpartition("\n")[2].strip() == end


def _any(files: Iterable[Mapping[str, Any]], key: str) -> re.Pattern[str]:
    patterns = dict.fromkeys(pattern for file in files for pattern in file.get(key, ()))
    return re.compile("|".join(patterns) or r"(?!)", 0 if key == "refuses" else re.IGNORECASE)


def refusal(text: str, platform: str) -> str:
    """Return what a device says instead of an answer to a question; empty: it answers."""
    known = answers_of(platform)
    lines = [line.strip() for line in text[:_BEGINNING].splitlines() if line.strip()]
    if len(lines) > _FEW_LINES:
        return ""
    first = next((line for line in lines if not known.around.match(line)), "")
    return first if known.refuses.match(first) and not _is_answer(known, first) else ""


def _is_answer(known: Answers, line: str) -> bool:
    return bool(known.answers.match(line) or known.harmless.match(line))


def objection(text: str, sent: str, platform: str) -> str:
    """Return what a device says against a line of a configuration, given all that it printed before its next prompt."""
    said = " ".join(_unexpected(_behind_echo(text, sent), answers_of(platform)))
    return said if len(said) <= _WORDS else f"{said[:_WORDS]}…"


def _unexpected(lines: Iterable[str], known: Answers) -> Iterator[str]:
    warned = False
    for line in lines:
        if known.around.match(line) or known.harmless.match(line):
            continue
        warned = bool(known.warns.match(line)) or (warned and not known.refuses.match(line))
        if not warned:
            yield line


def without_stamp(text: str, platform: str) -> str:
    """Return an answer without the lines before it that say when it was asked."""
    stamps, lines = answers_of(platform).stamps, text.split("\n")
    kept = list(itertools.dropwhile(lambda line: stamps.match(line.strip()), lines))
    return text if len(kept) == len(lines) else "\n".join(kept).lstrip("\n")


def is_log(line: str) -> bool:
    """Whether a line is one of a log, which may stand anywhere."""
    return bool(line) and bool(answers_of("any").harmless.match(line))


def without_echo(text: str, sent: str) -> str:
    """Return an answer without the echo of the command before it."""
    left, lines = "".join(sent.split()), text.split("\n")
    while lines and left:
        rest = _echoed("".join(lines[0].split()), left) if lines[0].strip() else left
        if rest is None:
            break
        left = rest
        del lines[0]
    return "\n".join(lines)


def _behind_echo(text: str, sent: str) -> Iterator[str]:
    """Give the lines that are no part of the echo, which a narrow screen may break or scroll."""
    left = "".join(sent.split())
    for line in filter(None, map(str.strip, text.splitlines())):
        piece = "".join(line.split())
        if left and (rest := _echoed(piece, left)) is not None:
            left = rest
            continue
        yield line


def _echoed(piece: str, left: str) -> str | None:
    """Return what is still to be echoed behind this piece; None: it is no piece of the echo."""
    if left.startswith(piece):
        return left[len(piece) :]
    at = piece.find(left)
    if at >= 0 and at + len(left) == len(piece):  # behind the prompt, or a `$` that stands for what was scrolled away
        return ""
    tail = piece.rpartition("$")[2]
    return "" if len(tail) >= _SCROLLED and left.endswith(tail) else None


_SCROLLED = 8  # characters of the end of a long line that are shown when it was scrolled
