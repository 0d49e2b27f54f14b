"""What was said in Mattermost while the bot was away: the channels in which something changed, each since a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from automation_bots.chat.client import IncomingMessage
from automation_bots.chat.mattermost.messages import Messages
from automation_bots.chat.mattermost.rest import Refused, Rest

_LIMIT = 1000  # posts that the server lists since a time; of more, it leaves some out
_PAGE = 200
_HEARD_MS = 120_000  # the start of what is asked for lies before the end of what was heard

Post = dict[str, Any]


class History:
    """Reads; a message that was heard and edited since is no new one."""

    def __init__(self, rest: Rest, messages: Messages) -> None:
        self._rest, self._messages = rest, messages

    def since(self, start: datetime, heard_until: int) -> Iterator[IncomingMessage]:
        """Give every message since then, oldest first in each channel."""
        at = int(self._rest.clock.there(start).timestamp() * 1000)
        heard_until = max(heard_until, at + _HEARD_MS)
        for channel in self.channels():
            if channel["last_post_at"] > at:
                yield from self._read(channel["id"], at, heard_until)

    def channels(self) -> list[Post]:
        """Every channel that the bot is in, of all its teams, direct ones and groups."""
        found: dict[str, Post] = {}
        for team in self._rest.get("/users/me/teams"):
            for channel in self._rest.get(f"/users/me/teams/{team['id']}/channels"):
                found[channel["id"]] = channel
                self._messages.channel(channel["id"], channel["type"], channel["name"])
        return list(found.values())

    def _read(self, room: str, at: int, heard_until: int) -> Iterator[IncomingMessage]:
        try:
            posts = [post for post in self.posts(room, at) if post["create_at"] > at and not post["delete_at"]]
        except Refused:  # the bot was taken out of the channel meanwhile
            return
        joined = max((post["create_at"] for post in posts if self._messages.lets_in(post)), default=0)
        posts = sorted((post for post in posts if post["create_at"] >= joined), key=lambda post: post["create_at"])
        self._messages.learn([post["user_id"] for post in posts])
        for post in posts:
            edited = bool(post["edit_at"]) and post["create_at"] <= heard_until
            heard = self._messages.heard(post, {}, edited=edited)
            if heard is not None:
                yield heard

    def posts(self, room: str, at: int) -> list[Post]:
        """Every post of a channel that was made or changed since a time, and some before; newest first."""
        found = self._list(room, since=at)
        if len(found) < _LIMIT:
            return found
        found, page = [], 0
        while True:
            more = self._list(room, page=page, per_page=_PAGE)
            found += more
            if len(more) < _PAGE or more[-1]["create_at"] <= at:
                return found
            page += 1

    def _list(self, room: str, **which: int) -> list[Post]:
        answer = self._rest.get(f"/channels/{room}/posts", **which)
        return [answer["posts"][id_] for id_ in answer["order"]]
