"""Answers that the network does not take are written down, so that the end of the program loses none of them."""

from __future__ import annotations

import json
import logging
import threading
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import asdict

from automation_bots.errors import StoreError
from automation_bots.model import File, Place
from automation_bots.store.letters import Kept, Letters
from backends.splitting import Composed

log = logging.getLogger(__name__)


class Note:
    """One answer's place in the record: `left` says what of it is not said yet. Used from several threads."""

    def __init__(self, letters: Letters, place: Place, left: Callable[[], Composed], number: int = 0) -> None:
        self._letters, self._place, self._left = letters, place, left
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
            body = written(self._place, self._left())
            try:
                if self._number:
                    self._letters.change(self._number, body)
                else:
                    self._number = self._letters.add(self._place.network, body)
            except StoreError as error:
                log.warning("an answer that waits is not kept: %s", error)

    def drop(self) -> None:
        """Forget it: it was said, or never will be."""
        with self._lock:
            self._gone = True
            if not self._number:
                return
            try:
                self._letters.remove(self._number)
            except StoreError as error:
                log.warning("an answer may be said twice: %s", error)


def written(place: Place, left: Composed) -> str:
    """Write an answer as text."""
    files = [(file.name, b64encode(file.content).decode()) for file in left.files]
    return json.dumps({"place": asdict(place), "messages": left.messages, "files": files})


def read(kept: Kept) -> tuple[Place, Composed]:
    """Read what `written` wrote."""
    body = json.loads(kept.body)
    files = tuple(File(name, b64decode(content)) for name, content in body["files"])
    return Place(**body["place"]), Composed(tuple(body["messages"]), files)
