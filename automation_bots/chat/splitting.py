"""Long answers as messages of a network's size: split between lines, every piece with fences of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from automation_bots.chat import calls
from automation_bots.model import NOT_SHOWN, TURNS_LINES, Answer, File
from automation_bots.surface import Capabilities

SUMMARY_LINES = 10  # of what is in a file, in front of it
_MESSAGES = 3  # an answer that would be more messages than this becomes a file too
_FENCED = re.compile(r"^```[\w+-]*\n(.*?)\n?```[ \t]*$", re.DOTALL | re.MULTILINE)
_JOB = re.compile(r"#(\d+)\b")
_MARKUP = (  # what Errbot's own answers are written with
    (re.compile(r"\{:[^{}\n]{0,200}\}"), ""),  # kramdown's attributes
    (re.compile(r"\*\*([^*\n]{1,200})\*\*"), r"\1"),
    (re.compile(r"^#{1,6} ", re.MULTILINE), ""),
    (re.compile(r"^[-| :]*--[-| :]*\n", re.MULTILINE), ""),  # the line below the head of a table
)


@dataclass(frozen=True, slots=True)
class Style:
    """How a network writes what people shall see as it is."""

    escape: Callable[[str], str]
    fence: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of an answer: words, a block of fixed width, or the line that calls people."""

    text: str
    block: bool = False
    calls: bool = False

    def shown(self, style: Style) -> str:
        """As the network wants it."""
        if self.calls:
            return self.text
        return style.fence(self.text) if self.block else style.escape(self.text)


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer as it is sent: messages in their order, then files."""

    messages: tuple[str, ...]
    files: tuple[File, ...]


def compose(answer: Answer, can: Capabilities, style: Style) -> Composed:
    """Make messages and files of an answer; more than a screen becomes a file with its beginning in front."""
    files = tuple(map(_without_turns, answer.files))
    if not can.files:
        words = [_in_words(file, can.screen_lines) for file in files]
        answer, files = replace(answer, block="\n".join(part for part in (answer.block, *words) if part)), ()
    messages = _messages(answer, can, style)
    lines = answer.block.count("\n") + 1
    if lines > can.screen_lines or len(messages) > _MESSAGES:
        answer, files = _cut(answer, can, files)
        messages = _messages(answer, can, style)
    return Composed(messages, files)


def compose_markdown(text: str, can: Capabilities, style: Style) -> Composed:
    """The same for what a plugin from elsewhere wrote: its fences are kept, all else is shown as it is."""
    messages, lines = tuple(split(pieces_of(text), can.message_size, style)), text.rstrip("\n").split("\n")
    if not can.files or (len(lines) <= can.screen_lines and len(messages) <= _MESSAGES):
        return Composed(messages, ())
    file = File.of_text("answer.txt", TURNS_LINES.sub("", text))
    shown = _first(lines, SUMMARY_LINES, can.message_size // 2, f", all of it in {file.name}")
    return Composed(tuple(split(pieces_of(shown), can.message_size, style)), (file,))


def _cut(answer: Answer, can: Capabilities, files: tuple[File, ...]) -> tuple[Answer, tuple[File, ...]]:
    every = answer.block.rstrip("\n").split("\n")
    if not can.files:
        return replace(answer, block=_first(every, can.screen_lines, can.message_size * _MESSAGES, "")), files
    job = _JOB.match(answer.text)
    file = File.of_text(f"job-{job[1]}.txt" if job else "answer.txt", TURNS_LINES.sub("", answer.block))
    shown = _first(every, SUMMARY_LINES, can.message_size // 2, f", all of it in {file.name}")
    return replace(answer, block=shown), (file, *files)


def _first(lines: list[str], count: int, size: int, where: str) -> str:
    shown = "\n".join(lines[:count])[:size]
    left = len(lines) - shown.count("\n") - 1
    return f"{shown}\n… {left} more lines{where}" if left else f"{shown}\n…{where.removeprefix(',')}"


def _without_turns(file: File) -> File:
    """Networks show text files too, and there as well no line may read other than it is."""
    text = file.text
    turned = text is not None and TURNS_LINES.search(text)
    return replace(file, content=File.of_text(file.name, TURNS_LINES.sub("", text or "")).content) if turned else file


def _in_words(file: File, lines: int) -> str:
    text = file.text
    if text is None:
        return f"({file.name}, {len(file.content)} bytes, cannot be shown here)"
    every = text.rstrip("\n").split("\n")
    return text if len(every) <= lines else "\n".join([*every[:lines], f"… {len(every) - lines} more lines"])


def _messages(answer: Answer, can: Capabilities, style: Style) -> tuple[str, ...]:
    called = [Piece(line, calls=True) for line in calls.lines(answer.mentions, can.message_size)]
    pieces = [Piece(answer.text), *called, Piece(answer.block.strip("\n"), block=True), Piece(answer.hint)]
    return tuple(split(pieces, can.message_size, style))


def split(pieces: list[Piece], limit: int, style: Style) -> Iterator[str]:
    """Fill messages with pieces, each of them whole where it fits into one, else between its lines."""
    message = ""
    for piece in pieces:
        clean = piece if piece.calls else replace(piece, text=NOT_SHOWN.sub("", piece.text))
        for shown in _fitting(clean, limit, style):
            if message and len(message) + 1 + len(shown) > limit:
                yield message
                message = shown
            else:
                message = f"{message}\n{shown}" if message else shown
    if message:
        yield message


def _fitting(piece: Piece, limit: int, style: Style) -> Iterator[str]:
    """Cut one piece so that each part fits as it is shown."""
    rest = piece.text
    while rest:
        shown = piece.shown(style) if rest == piece.text else replace(piece, text=rest).shown(style)
        if len(shown) <= limit:
            yield shown
            return
        size = _longest(piece, rest, limit, style)
        border = rest.rfind("\n", 1, size + 1)
        end = border if border > 0 else size
        yield replace(piece, text=rest[:end]).shown(style)
        rest = rest[end:].removeprefix("\n") if border > 0 else rest[end:]


def _longest(piece: Piece, text: str, limit: int, style: Style) -> int:
    """How many characters fit: what is shown grows with them, so the half is found by halving."""
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        fits = len(replace(piece, text=text[:middle]).shown(style)) <= limit
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def pieces_of(markdown: str) -> list[Piece]:
    """Words and fenced blocks of a text that a plugin from elsewhere wrote; of other markup the words are left."""
    found, at = [], 0
    for block in _FENCED.finditer(markdown):
        found += [Piece(words_of(markdown[at : block.start()])), Piece(block[1], block=True)]
        at = block.end()
    return [piece for piece in [*found, Piece(words_of(markdown[at:]))] if piece.text]


def words_of(markdown: str) -> str:
    """The words of a text with markup."""
    for markup, words in _MARKUP:
        markdown = markup.sub(words, markdown)
    return markdown.strip("\n")
