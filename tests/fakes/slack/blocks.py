"""Block Kit as Slack checks it: every field's type and size; an unknown field or type is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fakes.slack.workspace import Refused

Check = Callable[[Any, str], Iterator[str]]
MESSAGE_BLOCKS, VIEW_BLOCKS, MESSAGE_CHARACTERS = 50, 100, 13_200


def string(most: int, least: int = 0) -> Check:
    """A text of a certain length."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"must be a string [json-pointer:{where}]"
        elif len(value) > most:
            yield f"must be less than {most + 1} characters [json-pointer:{where}]"
        elif len(value) < least:
            yield f"must be more than {least - 1} characters [json-pointer:{where}]"

    return check


def boolean(value: Any, where: str) -> Iterator[str]:
    """true or false."""
    if not isinstance(value, bool):
        yield f"must be a boolean [json-pointer:{where}]"


def number(value: Any, where: str) -> Iterator[str]:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        yield f"must be an integer [json-pointer:{where}]"


def one_of(*allowed: str) -> Check:
    """One of some words."""

    def check(value: Any, where: str) -> Iterator[str]:
        if value not in allowed:
            yield f"must be one of {', '.join(allowed)} [json-pointer:{where}]"

    return check


def many(each: Check, most: int, least: int = 1) -> Check:
    """A list."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"must be an array [json-pointer:{where}]"
            return
        if len(value) > most:
            yield f"no more than {most} items allowed [json-pointer:{where}]"
        if len(value) < least:
            yield f"no fewer than {least} items allowed [json-pointer:{where}]"
        for index, entry in enumerate(value):
            yield from each(entry, f"{where}/{index}")

    return check


def record(*required: str, **fields: Check) -> Check:
    """An object with these fields and no other."""

    def check(value: Any, where: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"must be an object [json-pointer:{where}]"
            return
        yield from (f"missing required field: {name} [json-pointer:{where}]" for name in required if name not in value)
        for name, entry in value.items():
            if name in fields:
                yield from fields[name](entry, f"{where}/{name}")
            else:
                yield f"invalid additional property: {name} [json-pointer:{where}]"

    return check


def typed(kinds: dict[str, Check]) -> Check:
    """An object whose field `type` says what the others are."""

    def check(value: Any, where: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in kinds:
            yield f"unsupported type: {kind} [json-pointer:{where}/type]"
            return
        yield from kinds[kind](value, where)

    return check


_kind = string(50)
_id = string(255, 1)


def plain(most: int) -> Check:
    """A text without markup."""
    return typed({"plain_text": record("text", type=_kind, text=string(most, 1), emoji=boolean)})


def text(most: int) -> Check:
    """A text with or without markup."""
    marked = record("text", type=_kind, text=string(most, 1), verbatim=boolean)
    return typed({"plain_text": record("text", type=_kind, text=string(most, 1), emoji=boolean), "mrkdwn": marked})


_option = record("text", "value", text=plain(75), value=string(150), description=plain(75))
_confirm = record("title", "text", title=plain(100), text=text(300), confirm=plain(30), deny=plain(30), style=_kind)
_style = record(bold=boolean, italic=boolean, strike=boolean, code=boolean)
_button = record(
    "text",
    type=_kind,
    text=plain(75),
    action_id=_id,
    value=string(2000),
    url=string(3000),
    style=one_of("primary", "danger"),
    confirm=_confirm,
    accessibility_label=string(75),
)
_select = record(
    "options",
    type=_kind,
    action_id=_id,
    options=many(_option, 100),
    initial_option=_option,
    placeholder=plain(150),
    focus_on_load=boolean,
    confirm=_confirm,
)
_radio = record(
    "options", type=_kind, action_id=_id, options=many(_option, 10), initial_option=_option, focus_on_load=boolean
)
_checkboxes = record(
    "options", type=_kind, action_id=_id, options=many(_option, 10), initial_options=many(_option, 10), confirm=_confirm
)
_typing = record(
    type=_kind,
    action_id=_id,
    placeholder=plain(150),
    initial_value=string(3000),
    multiline=boolean,
    min_length=number,
    max_length=number,
    focus_on_load=boolean,
)
ELEMENTS = {"button": _button, "static_select": _select, "radio_buttons": _radio, "checkboxes": _checkboxes}
INPUTS = {name: check for name, check in ELEMENTS.items() if name != "button"} | {"plain_text_input": _typing}
_inline = typed(
    {
        "text": record("text", type=_kind, text=string(100_000, 1), style=_style),
        "link": record("url", type=_kind, url=string(3000, 1), text=string(3000), style=_style, unsafe=boolean),
        "user": record("user_id", type=_kind, user_id=_id, style=_style),
        "channel": record("channel_id", type=_kind, channel_id=_id, style=_style),
        "emoji": record("name", type=_kind, name=_id, unicode=_kind, style=_style),
        "broadcast": record("range", type=_kind, range=one_of("here", "channel", "everyone")),
    }
)
_section = record("elements", type=_kind, elements=many(_inline, 1000, 0))
RICH = {
    "rich_text_section": _section,
    "rich_text_preformatted": record("elements", type=_kind, elements=many(_inline, 1000), border=number),
    "rich_text_quote": record("elements", type=_kind, elements=many(_inline, 1000), border=number),
    "rich_text_list": record(
        "elements", "style", type=_kind, elements=many(typed({"rich_text_section": _section}), 1000), style=_kind
    ),
}
BLOCKS = {
    "section": record(
        type=_kind,
        block_id=_id,
        text=text(3000),
        fields=many(text(2000), 10),
        accessory=typed(ELEMENTS),
        expand=boolean,
    ),
    "divider": record(type=_kind, block_id=_id),
    "header": record("text", type=_kind, block_id=_id, text=plain(150)),
    "context": record("elements", type=_kind, block_id=_id, elements=many(text(2000), 10)),
    "actions": record("elements", type=_kind, block_id=_id, elements=many(typed(ELEMENTS), 25)),
    "rich_text": record("elements", type=_kind, block_id=_id, elements=many(typed(RICH), 1000)),
}
_input = record(
    "label",
    "element",
    type=_kind,
    block_id=_id,
    label=plain(2000),
    element=typed(INPUTS),
    hint=plain(2000),
    optional=boolean,
    dispatch_action=boolean,
)
_view = record(
    "title",
    "blocks",
    type=one_of("modal"),
    title=plain(24),
    blocks=many(typed({**BLOCKS, "input": _input}), VIEW_BLOCKS),
    submit=plain(24),
    close=plain(24),
    private_metadata=string(3000),
    callback_id=string(255),
    clear_on_close=boolean,
    notify_on_close=boolean,
    external_id=string(255),
)


def check_message(blocks: Any) -> None:
    """Refuse blocks that a message cannot have."""
    wrong = list(many(typed(BLOCKS), MESSAGE_BLOCKS, 0)(blocks, "/blocks")) or list(_twice(blocks))
    if wrong:
        lines = [f"[ERROR] {line}" for line in wrong]
        raise Refused("invalid_blocks", errors=wrong, response_metadata={"messages": lines})
    if sum(len(line) for line in texts(blocks)) > MESSAGE_CHARACTERS:
        raise Refused("msg_blocks_too_long")


def check_view(view: Any) -> list[str]:
    """Say what is wrong with a view."""
    wrong = list(_view(view, "/view"))
    if not wrong and any(block["type"] == "input" for block in view["blocks"]) and "submit" not in view:
        wrong.append("missing required field: submit [json-pointer:/view]")
    return wrong or list(_twice(view["blocks"]))


def _twice(blocks: list[dict[str, Any]]) -> Iterator[str]:
    yield from _doubles([block.get("block_id") for block in blocks], "/blocks")
    for index, block in enumerate(blocks):
        if block["type"] == "actions":
            yield from _doubles(
                [element.get("action_id") for element in block["elements"]], f"/blocks/{index}/elements"
            )


def _doubles(names: list[str | None], where: str) -> Iterator[str]:
    named = [name for name in names if name]
    yield from (f"{name} already exists [json-pointer:{where}]" for name in set(named) if named.count(name) > 1)


def texts(value: Any) -> Iterator[str]:
    """Every text that a person would read in blocks, in order."""
    if isinstance(value, list):
        for entry in value:
            yield from texts(entry)
    elif isinstance(value, dict):
        if isinstance(value.get("text"), str):
            yield value["text"]
        for name in ("text", "fields", "elements", "accessory"):
            if isinstance(value.get(name), dict | list):
                yield from texts(value[name])
