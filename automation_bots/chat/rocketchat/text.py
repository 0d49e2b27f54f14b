"""Text for Rocket.Chat so that it is shown as it is: nothing is markup, nobody is called, nothing becomes an emoji."""

from __future__ import annotations

import re

from automation_bots.model import NOT_SHOWN

_MARK = "\u200b"  # no width; breaks what would be found as one word
_CALL = re.compile(
    r"(?<![A-Za-z0-9]{2})([@#])(?=[\w.-])(?!(?<=#)\d+(?![\w.-]*[A-Za-z_-]))"
)  # not in ana@web1, nor in #42
_LINK = re.compile(r"(https?://[\w./?=&%+:,;~*-]+)")  # stays as it is: an escape inside would become part of it
_NAME = re.compile(r"(?<=\w)\.(?=[A-Za-z]\S*[*_~`\\])")  # bare domain names become links too
_BACKSLASHED = re.compile(r"[*_~`]")
# What has no escape of its own: formulas, spoilers, links and pictures, emoji, links in brackets, old-style times.
_JOINED = re.compile(
    r"""\\(?=[\\\[\](){}.!*_~`#<>-])   # a backslash before what it would escape, or open a formula with
      | \|(?=\|) | \](?=\() | <(?=\w[^<>\s]*[:|]) | !(?=\[)
      | (?<!\w):(?=[\w+-]*[g-zG-Z_+-][\w+-]*:)
      | (?<!\w)[:;](?=[^\w\s:]) | [:;=](?=[*_~`])""",
    re.VERBOSE,
)
_FACE = r"[-'^_]?[()|\[\]/\\*$@DPpOoXx#&:]{1,2}(?:\s|$)"  # what makes a smile of the eyes before it
_EMOTICON = re.compile(
    rf"(?<!\w)(?:<(?=/?3\b)|-(?=[_.]-)|[:;=8BX#%O><](?={_FACE}))|[:;=](?=[()|\[\]/\\*$@#&]{{1,2}}(?:\s|$))"
)
_COLOR = re.compile(r"\bcolor:(?=#)")
_TICKED = re.compile(r"(?m)^(?=[ \t]*`)|(?<=`)[ \t]*$")  # a line that begins or ends so would end the block
_ESCAPED, _BLOCK = re.compile(r"\\([*_~`])"), re.compile(r"```\n(.*?)\n```", re.DOTALL)
_LINE = re.compile(r"(?m)^(?=[ \t]*(?:>|[-+*][ \t]|#{1,6}[ \t]|\d+\.[ \t]))")


def escape(text: str) -> str:
    """Make a text show as it is."""
    parts = _LINK.split(NOT_SHOWN.sub("", text))
    last = len(parts) - 1
    shown = [part if number % 2 else _escaped(part, first=not number) for number, part in enumerate(parts)]
    return "".join(
        f"{part}{_MARK}" if part.endswith(("<", "@", "#")) and n < last else part for n, part in enumerate(shown)
    )


def _escaped(text: str, *, first: bool) -> str:
    text = _EMOTICON.sub(rf"\g<0>{_MARK}", text)
    text = _JOINED.sub(lambda found: found[0] + _MARK, text)
    text = _COLOR.sub(f"color{_MARK}:", text)
    text = _CALL.sub(rf"\1{_MARK}", text)
    text = _NAME.sub(f".{_MARK}", text)
    text = _LINE.sub(lambda found: _MARK if first or found.start() else "", text)
    return _BACKSLASHED.sub(r"\\\g<0>", text)


def fence(text: str) -> str:
    """Make a block of fixed width; no fence inside ends it, and older servers find no names in it either."""
    text = _CALL.sub(rf"\1{_MARK}", NOT_SHOWN.sub("", text))
    text = _TICKED.sub(lambda found: found[0] + _MARK, text.replace("```", f"`{_MARK}`{_MARK}`"))
    return f"```\n{text}\n```" if text else ""


def shown(text: str) -> str:
    """What a screen shows of a text in the network's form: fences and escapes undone."""
    parts, at = [], 0
    for block in _BLOCK.finditer(text):
        parts += [_ESCAPED.sub(r"\1", text[at : block.start()]), block[1]]
        at = block.end()
    return "".join([*parts, _ESCAPED.sub(r"\1", text[at:])])
