"""Words on their way to Slack and back: literal blocks out, entities and links in; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from automation_bots.chat import calls
from automation_bots.chat.client import Field, Form, label_of
from automation_bots.model import NOT_SHOWN, Mention

_FENCED = re.compile(r"^```\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
_SPECIAL = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_PERSON = re.compile(r"[UW][A-Z0-9]+")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_NOTICE_CHARACTERS = 3_900  # an edit takes 4,000
_LABEL_CHARACTERS, _BUTTONS, _OPTIONS = 75, 25, 100
_TITLE_CHARACTERS, _VALUE_CHARACTERS = 24, 150


def escape(text: str) -> str:
    """Take out what no block can show; blocks are literal, so nothing else needs escaping but our own fences."""
    return NOT_SHOWN.sub("", text).replace("```", "`\u200b``")


def fence(text: str) -> str:
    """Mark a block of fixed width."""
    return f"```\n{escape(text)}\n```" if text else ""


def blocks(text: str, choices: tuple[str, ...] = (), key: str = "") -> list[dict[str, Any]]:
    """Make blocks that show a text as it is: rich text knows no markup, no mention and no emoji inside.

    `key` becomes the name of the first one.
    """
    parts = _FENCED.split(text)  # words, fenced, words, fenced, … words
    kinds = ("rich_text_section", "rich_text_preformatted")
    trimmed = [part if number % 2 else part.strip("\n") for number, part in enumerate(parts)]
    elements = [_element(kinds[number % 2], part) for number, part in enumerate(trimmed) if part]
    made: list[dict[str, Any]] = [{"type": "rich_text", "elements": elements}] if elements else []
    made = [*made, _buttons(choices)] if choices else made
    return [{**made[0], "block_id": key}, *made[1:]] if key and made else made


def _element(kind: str, text: str) -> dict[str, Any]:
    return {"type": kind, "elements": [_inline(part) for part in calls.parts(text)]}


def _inline(part: str | Mention) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    known = _PERSON.fullmatch(part.account)  # anything else makes Slack refuse the whole message
    return {"type": "user", "user_id": part.account} if known else {"type": "text", "text": escape(part.name)}


def _buttons(choices: tuple[str, ...]) -> dict[str, Any]:
    buttons = [
        {
            "type": "button",
            "action_id": f"choice-{number}",
            "text": _plain_text(label_of(choice), _LABEL_CHARACTERS),
            "value": choice,
        }
        for number, choice in enumerate(choices[:_BUTTONS])
    ]
    return {"type": "actions", "elements": buttons}


def view(form: Form, callback: str, place: str) -> dict[str, Any]:
    """Make the window of a form."""
    return {
        "type": "modal",
        "callback_id": callback[:255],
        "private_metadata": place,
        "title": _plain_text(form.title, _TITLE_CHARACTERS),
        "submit": _plain_text("Send", _TITLE_CHARACTERS),
        "close": _plain_text("Cancel", _TITLE_CHARACTERS),
        "blocks": [_question(field) for field in form.fields],
    }


def _question(field: Field) -> dict[str, Any]:
    asked = {"type": "input", "block_id": field.name, "label": _plain_text(field.label, 200)}
    if field.hint:
        asked["hint"] = _plain_text(field.hint, 200)
    return {**asked, "optional": not field.required, "element": _element_of(field)}


def _element_of(field: Field) -> dict[str, Any]:
    if not 0 < len(field.choices) <= _OPTIONS or max(map(len, field.choices)) > _VALUE_CHARACTERS:
        return {"type": "plain_text_input", "action_id": "value", "multiline": field.lines}
    options = [{"text": _plain_text(choice, _LABEL_CHARACTERS), "value": choice} for choice in field.choices]
    return {"type": "static_select", "action_id": "value", "options": options}


def _plain_text(text: str, most: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text if len(text) <= most else text[: most - 1] + "…", "emoji": False}


def filled(view: dict[str, Any]) -> dict[str, str]:
    """Read what stands in a form: by field, as it was offered or typed."""
    found = {}
    for name, elements in ((view.get("state") or {}).get("values") or {}).items():
        element = elements.get("value") or {}
        chosen = element.get("selected_option")
        found[name] = chosen["value"] if chosen else element.get("value") or ""
    return found


def notice(text: str) -> str:
    """What stands beside the blocks, for screen readers and other apps: nothing said is a mention or a link."""
    safe = calls.written(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), _noticed)
    if len(safe) <= _NOTICE_CHARACTERS:
        return safe
    return re.sub(r"&\w*$", "", safe[:_NOTICE_CHARACTERS]) + " …"


def _noticed(person: Mention) -> str:
    return f"<@{person.account}>" if _PERSON.fullmatch(person.account) else person.name


def plain(text: str, name: Callable[[str], str]) -> str:
    """Give back what a person typed or saw: no entities, no links made of names; `name` knows ids."""

    def shown(found: re.Match[str]) -> str:
        sign, target, label = found.group(1), found.group(2), found.group(3)
        if sign == "!":
            word = label or target.partition("^")[0]
            return word if word.startswith("@") else f"@{word}"
        if sign:
            return f"{sign}{label or name(target)}"
        return label or target.removeprefix("mailto:")

    text = _SPECIAL.sub(shown, text)
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    return text


def without_mention(text: str, me: str) -> tuple[str, bool]:
    """Take a mention of the bot off a text's beginning; say whether there was one."""
    found = re.match(rf"\s*<@{re.escape(me)}(?:\|[^<>]*)?>[:,]?\s*", text)
    return (text[found.end() :], True) if found else (text, False)
