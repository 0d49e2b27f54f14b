"""What stands in Slack's rooms: what was said while the bot was away, and what the bot itself has said already."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from automation_bots.chat.client import IdempotencyKey, Rejected
from automation_bots.chat.slack.directory import Directory
from automation_bots.chat.slack.events import moment
from automation_bots.chat.slack.web_api import Calls

log = logging.getLogger(__name__)
_PAGE, _PAGES = 200, 50  # of a day in a busy room
_JOINS = frozenset({"channel_join", "group_join"})
_SKEW = timedelta(seconds=5)  # that the clocks may differ beside what is known


class History:
    """Reads rooms and threads."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._me = ""

    # -- of others

    def introduce(self, me: str) -> None:
        """Say who the bot is, once that is known."""
        self._me = me

    def missed(self, directory: Directory, since: datetime) -> Iterator[dict[str, Any]]:
        """Give every message since then, oldest first in each room."""
        since = self._calls.clock.there(since)
        for room in list(directory.rooms):
            try:
                yield from ({**message, "channel": room} for message in self._missed_in(room, since))
            except Rejected as error:
                log.warning("what was said in %s meanwhile cannot be read: %s", directory.name(room), error)

    def _missed_in(self, room: str, since: datetime) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for number, message in enumerate(self._room(room)):
            if self._is_new(message, since):
                found.append(message)
            elif number >= _PAGE:  # the first page is read whole: an old message may have new answers
                break
            if self._is_new({"ts": message.get("latest_reply", "0")}, since):
                found += [
                    answer for answer in self._thread(room, message["ts"], since) if answer["ts"] != message["ts"]
                ]
        came = [float(message["ts"]) for message in found if self._lets_in(message)]
        heard = (message for message in found if float(message["ts"]) >= max(came, default=0.0))
        return sorted(heard, key=lambda message: float(message["ts"]))

    def _lets_in(self, message: dict[str, Any]) -> bool:
        """Whether the bot came into the room with this: what stands before was not for it."""
        return message.get("subtype") in _JOINS and message.get("user") == self._me

    @staticmethod
    def _is_new(message: dict[str, Any], since: datetime) -> bool:
        return moment(str(message.get("ts", "0"))) > since

    def _room(self, room: str, **more: str) -> Any:
        return self._calls.pages("conversations_history", "messages", _PAGES, channel=room, limit=_PAGE, **more)

    def _thread(self, room: str, first: str, since: datetime) -> Any:
        oldest = f"{since.timestamp():.6f}"
        return self._calls.pages(
            "conversations_replies", "messages", _PAGES, channel=room, ts=first, limit=_PAGE, oldest=oldest
        )

    # -- of one's own

    def named(self, room: str, thread: str, once: IdempotencyKey) -> str:
        """The id of an own message of that name, where it was tried before and stands there."""
        for message in self._mine(room, thread, once):
            if any(block.get("block_id") == once.key for block in message.get("blocks") or ()):
                return str(message["ts"])
        return ""

    def file(self, room: str, thread: str, once: IdempotencyKey, what: tuple[str, int]) -> str:
        """The id of an own file of that name and size, as files have no other mark."""
        for message in self._mine(room, thread, once):
            for file in message.get("files") or ():
                if (file.get("name"), file.get("size")) == what:
                    return str(file["id"])
        return ""

    def _mine(self, room: str, thread: str, once: IdempotencyKey) -> Iterator[dict[str, Any]]:
        if once.since is None:
            return
        since = self._calls.clock.there(once.since) - _SKEW
        try:
            found = self._thread(room, thread, since) if thread else self._room(room, oldest=f"{since.timestamp():.6f}")
            yield from (message for message in found if message.get("user") == self._me)
        except Rejected as error:
            log.warning("whether something was said in %s already cannot be read: %s", room, error)
