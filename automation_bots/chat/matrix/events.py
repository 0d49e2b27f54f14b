"""Matrix events as the words of the client, and what the bot says as Matrix events. Pure."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from automation_bots.chat import calls
from automation_bots.chat.client import SIGNS, Attached, Click, IncomingMessage, choice_of
from automation_bots.model import Mention

MARK = "automation-bots"  # in what our bots say, so that two of them in one room do not talk to each other
LARGEST = 40_000  # bytes of an event's content: servers take 65,536 with signatures, and encryption adds a third
_PERSON = re.compile(r"@[!-9;-~]+:[\w.:\[\]-]+", re.ASCII)
_FENCE, _FENCE_END = "<pre><code>", "\n</code></pre>"
_BLOCK = re.compile(re.escape(_FENCE) + "(.*?)" + re.escape(_FENCE_END), re.DOTALL)
_ROOM = re.compile(r"@(?=room\b)", re.IGNORECASE)
_TEXTS = frozenset({"m.text", "m.notice"})
_FILES = frozenset({"m.file", "m.image", "m.audio", "m.video"})
_TEXT_SIGNS = {"eyes": "👀", "hourglass": "⏳", "thumbsup": "👍", "warning": "⚠️", "question": "❓", "lock": "🔒"}


@dataclass(frozen=True, slots=True)
class Around:
    """What is known where an event was said: the bot's own id and names, and the room."""

    me: str
    my_names: tuple[str, ...]
    room: str
    sender_name: str
    direct: bool


# -- what comes in


def heard(source: Mapping[str, Any], around: Around, files: tuple[Attached, ...]) -> IncomingMessage | None:
    """A message of a person; None for what says nothing."""
    content, relation = source["content"], source["content"].get("m.relates_to") or {}
    edited = relation.get("rel_type") == "m.replace"
    if edited and isinstance(content.get("m.new_content"), Mapping):
        content = content["m.new_content"]
    kind = content.get("msgtype")
    if kind not in _TEXTS | _FILES:
        return None
    text, mentioned = _addressed(content, _words(content, relation), around)
    return IncomingMessage(
        id=str(relation["event_id"]) if edited else source["event_id"],
        sender=source["sender"],
        room=around.room,
        text=text,
        at=_at(source),
        sender_name=around.sender_name,
        thread=str(relation["event_id"]) if relation.get("rel_type") == "m.thread" else "",
        direct=around.direct,
        mentioned=mentioned,
        robot=kind == "m.notice" or MARK in content,
        edited=edited,
        files=files,
    )


def chosen(source: Mapping[str, Any], around: Around) -> Click | None:
    """A reaction that is a choice; any other is somebody's own."""
    relation = source["content"].get("m.relates_to") or {}
    sign = relation.get("key")
    if relation.get("rel_type") != "m.annotation" or not isinstance(sign, str) or not choice_of(sign):
        return None
    return Click(
        id=source["event_id"],
        sender=source["sender"],
        room=around.room,
        message=str(relation.get("event_id", "")),
        choice=choice_of(sign),
        at=_at(source),
        sender_name=around.sender_name,
        direct=around.direct,
    )


def media(content: Mapping[str, Any]) -> tuple[str, int, str, Mapping[str, Any] | None] | None:
    """Name, size, address and keys of an attached file."""
    locked = content.get("file")
    url = locked.get("url") if isinstance(locked, Mapping) else content.get("url")
    if content.get("msgtype") not in _FILES or not isinstance(url, str):
        return None
    size = (content.get("info") or {}).get("size")
    name = content.get("filename") or content.get("body") or "file"
    return str(name), size if isinstance(size, int) else 0, url, locked if isinstance(locked, Mapping) else None


def _words(content: Mapping[str, Any], relation: Mapping[str, Any]) -> str:
    body = str(content.get("body", ""))
    if content["msgtype"] in _FILES:  # what was said with a file stands in `body` when the name stands elsewhere
        return body if content.get("filename", body) != body else ""
    if "m.in_reply_to" in relation and not relation.get("is_falling_back") and body.startswith("> "):
        _, _, rest = body.partition("\n\n")  # older clients quote what they answer
        return rest or body
    return body


def _addressed(content: Mapping[str, Any], text: str, around: Around) -> tuple[str, bool]:
    """The text without the bot's name in front, and whether it was meant."""
    said = content.get("m.mentions")
    named = said.get("user_ids", ()) if isinstance(said, Mapping) else ()
    for name in (around.me, *around.my_names):
        found = re.match(rf"@?{re.escape(name)}(?:\s*[:,]\s*|\s+|$)", text.lstrip(), re.IGNORECASE)
        if found and (around.me in named or not isinstance(said, Mapping)):
            return text.lstrip()[found.end() :], True
    return text, False


def _at(source: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(source["origin_server_ts"] / 1000, UTC)


# -- what goes out


def escape(text: str) -> str:
    """Text as it is: nothing of it is markup, a link's name or a call to the whole room."""
    return html.escape(_ROOM.sub("@\u200b", text), quote=False)


def fence(text: str) -> str:
    """A block of fixed width."""
    return f"{_FENCE}{escape(text)}{_FENCE_END}" if text else ""


def message(shown: str, *, thread: str = "", latest: str = "", notice: bool = False) -> dict[str, Any]:
    """The content of a message."""
    content = _text(shown, notice=notice)
    if thread:
        content["m.relates_to"] = _in_thread(thread, latest)
    return content


def edit(shown: str, of: str, *, notice: bool = False) -> dict[str, Any]:
    """The content that replaces a message; clients that know no edits see its beginning."""
    new = _text(shown, notice=notice)
    kept = {key: new[key] for key in ("msgtype", "m.mentions", MARK)}
    return {**kept, "body": f"* {new['body'][:200]}", **_replacing(new, of)}


def replaced(new: Mapping[str, Any], of: str) -> dict[str, Any]:
    """The content of a file that takes the place of another's."""
    return {**new, "body": f"* {new['body']}", **_replacing(new, of)}


def _replacing(new: Mapping[str, Any], of: str) -> dict[str, Any]:
    return {"m.new_content": dict(new), "m.relates_to": {"rel_type": "m.replace", "event_id": of}}


def reaction(name: str, of: str) -> dict[str, Any]:
    """The content of a reaction: a choice's sign, or a sign by its name."""
    names = {short: sign for sign, short in SIGNS.values()}
    sign = SIGNS[name][0] if name in SIGNS else names.get(name) or _TEXT_SIGNS.get(name, name)
    return {"m.relates_to": {"rel_type": "m.annotation", "event_id": of, "key": sign}}


def attachment(name: str, kind: str, size: int, where: Mapping[str, Any], thread: str, latest: str) -> dict[str, Any]:
    """The content of a message with a file; `where` is its address, or its address and keys."""
    content: dict[str, Any] = {
        "msgtype": "m.image" if kind in {"image/png", "image/jpeg", "image/gif", "image/webp"} else "m.file",
        "body": name,
        "filename": name,
        "info": {"size": size, "mimetype": kind},
        "m.mentions": {},
        MARK: True,
        **where,
    }
    if thread:
        content["m.relates_to"] = _in_thread(thread, latest)
    return content


def _text(shown: str, *, notice: bool) -> dict[str, Any]:
    # An empty m.mentions says that nobody is meant, so that no client looks for names in the text.
    called = [person for person in calls.people(shown) if _PERSON.fullmatch(person.account)]
    meant = {"user_ids": list(dict.fromkeys(person.account for person in called))} if called else {}
    content: dict[str, Any] = {"msgtype": "m.notice" if notice else "m.text", "m.mentions": meant, MARK: True}
    plain = calls.written(_BLOCK.sub(lambda block: block[1], shown), lambda person: escape(person.name))
    content["body"] = html.unescape(plain)
    if _BLOCK.search(shown) or called:
        dressed = {"format": "org.matrix.custom.html", "formatted_body": _dressed(shown)}
        if len(json.dumps({**content, **dressed}, ensure_ascii=False).encode()) <= LARGEST:
            content |= dressed
    return content


def _dressed(shown: str) -> str:
    parts, at = [], 0
    for block in _BLOCK.finditer(shown):
        parts += [_lines(shown[at : block.start()].removeprefix("\n").removesuffix("\n")), block[0]]
        at = block.end()
    return calls.written("".join([*parts, _lines(shown[at:].removeprefix("\n"))]), _pill)


def _pill(person: Mention) -> str:
    """Somebody's name as clients show people."""
    name = escape(person.name)
    if not _PERSON.fullmatch(person.account):
        return name
    return f'<a href="https://matrix.to/#/{quote(person.account)}">{name}</a>'


def _lines(text: str) -> str:
    """Line breaks and columns that HTML would swallow."""
    return text.replace("  ", "\u00a0 ").replace("\n", "<br/>")


def _in_thread(thread: str, latest: str) -> dict[str, Any]:
    # Clients without threads show it as an answer to the last message there.
    return {
        "rel_type": "m.thread",
        "event_id": thread,
        "is_falling_back": True,
        "m.in_reply_to": {"event_id": latest or thread},
    }
