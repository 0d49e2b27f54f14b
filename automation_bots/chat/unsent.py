"""Answers that the network does not take are written down, so that the end of the program loses none of them."""

from __future__ import annotations

import json
import logging
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime

from automation_bots.chat.splitting import Composed
from automation_bots.errors import StoreError
from automation_bots.model import File, Place
from automation_bots.store.unsent import Kept, UnsentPosts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unsent:
    """What of an answer is not said yet; `key` and `part` name its next message, which may stand there `since`."""

    place: Place
    what: Composed
    key: str
    part: int
    since: datetime


class UnsentCopy:
    """One answer's place in the record: `owed` says what is left of it. Used from several threads."""

    def __init__(self, posts: UnsentPosts, owed: Callable[[], Unsent], number: int = 0) -> None:
        self._posts, self._owed = posts, owed
        self._number, self._gone = number, False
        self._lock = threading.Lock()

    @property
    def kept(self) -> bool:
        """Whether it is written down."""
        return bool(self._number) and not self._gone

    def keep(self) -> None:
        """Write down what is left, unless it is over."""
        with self._lock:
            if self._gone:
                return
            owed = self._owed()
            try:
                if self._number:
                    self._posts.change(self._number, written(owed))
                else:
                    self._number = self._posts.add(owed.place.network, written(owed))
            except StoreError as error:
                log.warning("an answer that waits is not kept: %s", error)

    def drop(self) -> None:
        """Forget it: it was said, or never will be."""
        with self._lock:
            self._gone = True
            if not self._number:
                return
            try:
                self._posts.remove(self._number)
            except StoreError as error:
                log.warning("an answer may be said twice: %s", error)


def written(owed: Unsent) -> str:
    """Write an answer as text."""
    files = [(file.name, b64encode(file.content).decode()) for file in owed.what.files]
    named = {"key": owed.key, "part": owed.part, "since": owed.since.isoformat()}
    return json.dumps({"place": asdict(owed.place), "messages": owed.what.messages, "files": files, **named})


def read(kept: Kept) -> Unsent:
    """Read what `written` wrote."""
    body = json.loads(kept.body)
    files = tuple(File(name, b64decode(content)) for name, content in body["files"])
    what = Composed(tuple(body["messages"]), files)
    return Unsent(Place(**body["place"]), what, body["key"], body["part"], datetime.fromisoformat(body["since"]))
