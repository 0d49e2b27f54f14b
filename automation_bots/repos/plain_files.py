"""What a file of a plugin may be: text that shows all that it says, or a picture. All else could hide code. Pure.

Python also loads libraries, compiled code and archives, whatever their names; none of them is text, and a picture with
an archive behind it (`zipimport` reads from the end) is no picture.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath

from automation_bots.errors import BadRepository

_PICTURES = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "ico": (b"\0\0\1\0",),
    "webp": (b"RIFF",),
}
_END_OF_AN_ARCHIVE = b"PK\5\6"
# what Python, or an installer, loads by its name, whatever is in it
_LOADED = (
    ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".zip", ".whl", ".egg", ".pth", ".egg-link", ".dist-info",
    ".egg-info", "__pycache__",
)  # fmt: skip
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f]")
_SEEN_BY_NOBODY = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_OF_A_PICTOGRAM = ("\ufe0e", "\ufe0f", "\u200d")
_CODING = re.compile(r"coding[:=]\s*([-\w.]+)")
_UTF8 = {"utf8", "utf8sig"}


def check(name: str, data: bytes, shown: str) -> None:
    """Refuse a file whose kind is not known to be harmless."""
    path = PurePath(name)
    if any(part.lower().endswith(_LOADED) for part in path.parts):
        raise BadRepository(f"{shown} is code that nobody can read, or leads to such; its author should take it out.")
    kind = path.suffix.lower().removeprefix(".")
    if kind in _PICTURES:
        if not data.startswith(_PICTURES[kind]) or _END_OF_AN_ARCHIVE in data:
            raise BadRepository(f"{shown} is not the picture that its name says.")
    elif kind in {"py", "pyi", "pyw"}:
        source(data, shown)
    elif not _is_text(data):
        raise BadRepository(f"{shown} is neither text nor a picture, so it may be code that nobody can read.")


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return re.search(r"[\0-\x08\x0e-\x1a\x1c-\x1f]", text) is None


def source(data: bytes, shown: str) -> str:
    """Return source as Python will read it; one that another reader would see otherwise is refused."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadRepository(f"{shown} is not UTF-8.") from error
    if found := _CONTROL.search(text):
        raise BadRepository(f"{_at(text, found.start(), shown)} has a control character ({_named(found[0])}).")
    for found in _SEEN_BY_NOBODY.finditer(text):
        if not _is_pictogram(text, found.start()):
            what = f"an invisible character ({_named(found[0])}); an escape like \\u200b says the same and is seen"
            raise BadRepository(f"{_at(text, found.start(), shown)} has {what}.")
    for line in text.split("\n", 2)[:2]:  # where Python looks for it (PEP 263), and in what it takes for a comment
        coding = _CODING.search(line) if "#" in line else None
        if coding and re.sub("[-_.]", "", coding[1]).lower() not in _UTF8:
            raise BadRepository(f"{shown} is said to be written in {coding[1]}; source is read as UTF-8 only.")
    return text


def _is_pictogram(text: str, at: int) -> bool:
    """Whether it belongs to the picture before it, as in ✔️ and 👩‍🔧; no name of Python's has one."""
    before = text[at - 1 : at]
    if text[at] not in _OF_A_PICTOGRAM or not before:
        return False
    return (
        before in _OF_A_PICTOGRAM or unicodedata.category(before) in {"So", "Sk"} or text[at + 1 : at + 2] == "\u20e3"
    )


def _at(text: str, place: int, shown: str) -> str:
    return f"{shown}:{text.count(chr(10), 0, place) + 1}"


def _named(character: str) -> str:
    return f"U+{ord(character):04X}"
