"""Matrix: the client of one homeserver account, on matrix-nio, with end-to-end encryption."""

from __future__ import annotations

import concurrent.futures
import logging
import mimetypes
import threading
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from automation_bots.chat.client import Away, IdempotencyKey, IncomingMessage, Listener, PlainClient, Rejected, Revoked
from automation_bots.chat.matrix import events as content
from automation_bots.chat.matrix.doctor import Examination
from automation_bots.chat.matrix.loop import Loop
from automation_bots.chat.matrix.nio_client import RanOut
from automation_bots.chat.matrix.settings import MatrixSettings
from automation_bots.chat.matrix.sync import MatrixLink
from automation_bots.model import File
from automation_bots.surface import Capabilities

log = logging.getLogger(__name__)
T = TypeVar("T")
_OPEN_SECONDS = 90.0
_CALL_SECONDS = 45.0
_FILE_SECONDS = 120.0


def _transaction(once: IdempotencyKey | None) -> str:
    return once.key if once is not None else str(uuid4())


_PICTURE_SECONDS = 300.0  # a homeserver keeps each file, also one that another has replaced


def _kind(file: File) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


class MatrixClient(PlainClient):
    """Synchronous outside; inside one loop, one client."""

    def __init__(self, settings: MatrixSettings, folder: Path) -> None:
        self.capabilities = Capabilities(
            edits=True,
            edit_seconds=settings.edit_seconds,
            reactions=True,
            threads=True,
            files=True,
            picture_seconds=_PICTURE_SECONDS,
            message_size=8_000,
        )
        self.me, self.my_name = settings.user, settings.user
        self._settings, self._folder = settings, folder
        self._loop = Loop("matrix")
        self._link: MatrixLink | None = None
        self._sink: Listener | None = None
        self._living: concurrent.futures.Future[None] | None = None
        self._closed = threading.Event()

    # -- the link

    def connect(self, sink: Listener) -> None:
        """Log in or go on, catch up, and begin to listen."""
        self._closed.clear()
        self._end_living()
        self._sink = sink
        self._loop.run(self._open(), _OPEN_SECONDS)
        link = self._there()
        self.me, self.my_name = link.client.user_id, link.name
        self._living = self._loop.begin(link.live(sink))

    def wait(self) -> None:
        """Return when closed; raise when cut."""
        living = self._living
        if living is None:
            return
        concurrent.futures.wait([living])
        error = None if living.cancelled() else living.exception()
        if self._closed.is_set():
            return
        if isinstance(error, RanOut):
            self._forget()
            raise Away(f"the session ran out: {error}") from error
        if isinstance(error, Away | Revoked):
            raise error
        raise Away(f"the link ended: {error}") from error

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        self._end_living()
        self._forget()
        self._loop.close()

    def log_out(self) -> None:
        """End the session that a password opened; a token that was given stays good."""
        if self._settings.password:
            self._call(self._there().client.ask("POST", "logout", {}), _CALL_SECONDS)

    def missed(self, since: datetime) -> Iterable[IncomingMessage]:
        """What was said while the bot was away; answers by reaction go their usual way."""
        for one in self._call(self._there().missed(since), _FILE_SECONDS):
            if isinstance(one, IncomingMessage):
                yield one
            elif self._sink is not None:
                self._sink.chosen(one)

    # -- text

    def escape(self, text: str) -> str:
        """Show text as it is typed."""
        return content.escape(text)

    def fence(self, text: str) -> str:
        """Make a block of fixed width."""
        return content.fence(text)

    # -- what goes out

    def post(
        self,
        room: str,
        text: str,
        thread: str = "",
        choices: tuple[str, ...] = (),  # noqa: ARG002 - no buttons
        once: IdempotencyKey | None = None,
    ) -> str:
        """Say it; the server takes each transaction once, and knows those of a day, also after its own restart."""
        link = self._there()
        body = content.message(text, thread=thread, latest=link.intake.latest(thread), notice=self._settings.notices)
        return self._call(link.say(room, "m.room.message", body, _transaction(once)), _CALL_SECONDS)

    def edit(self, room: str, message: str, text: str, choices: tuple[str, ...] = ()) -> None:  # noqa: ARG002 - no buttons
        """Replace an own message."""
        body = content.edit(text, message, notice=self._settings.notices)
        self._call(self._there().say(room, "m.room.message", body, str(uuid4())), _CALL_SECONDS)

    def react(self, room: str, message: str, name: str) -> None:
        """Put a reaction; one that is there already is fine."""
        try:
            self._call(
                self._there().say(room, "m.reaction", content.reaction(name, message), str(uuid4())), _CALL_SECONDS
            )
        except Rejected as error:
            if "M_DUPLICATE_ANNOTATION" not in str(error):
                raise

    def upload(self, room: str, file: File, thread: str = "", once: IdempotencyKey | None = None) -> str:
        """Send a file, encrypted in a room that is."""
        link, kind = self._there(), _kind(file)
        body = self._call(link.upload(room, file.name, file.content, kind, thread), _FILE_SECONDS)
        return self._call(link.say(room, "m.room.message", body, _transaction(once)), _CALL_SECONDS)

    def replace_file(self, room: str, message: str, file: File) -> bool:
        """Edit it: what is taken back leaves a mark in the room here."""
        link, kind = self._there(), _kind(file)
        new = self._call(link.upload(room, file.name, file.content, kind, ""), _FILE_SECONDS)
        self._call(link.say(room, "m.room.message", content.replaced(new, message), str(uuid4())), _CALL_SECONDS)
        return True

    def delete(self, room: str, message: str) -> None:
        """Take an own message back."""
        self._call(self._there().redact(room, message), _CALL_SECONDS)

    def direct_room(self, person: str) -> str:
        """The room for two with a person."""
        return self._call(self._there().rooms.direct_room(person), _CALL_SECONDS)

    # -- for the doctor

    def examine(self) -> Iterable[tuple[str, str]]:
        """Look without connecting."""
        return self._examination().look()

    def examine_room(self, room: str) -> str:
        """Why the bot cannot read or write there; empty when it can."""
        return self._examination().room(room)

    def room_name(self, room: str) -> str:
        """The name that a room was given, else its alias."""
        known = self._link.client.rooms.get(room) if self._link is not None else None
        return str((known and known.named_room_name()) or "")

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """Look the names up as aliases, which only the server gives: anybody may show any name."""
        return self._examination().aliases(names)

    def examine_person(self, person: str) -> str:
        """What is wrong with an id; empty when nothing is."""
        return self._examination().person(person)

    def network_time(self) -> datetime:
        """The homeserver's clock."""
        return self._examination().time()

    # -- inside

    def _examination(self) -> Examination:
        return Examination(self._settings, self._folder)  # with the session of now

    async def _open(self) -> None:
        if self._link is None:
            self._link = MatrixLink(self._settings, self._folder)
        try:
            await self._link.open()
        except RanOut as error:
            await self._link.end()
            self._link = None
            raise Away(f"the session ran out: {error}") from error

    def _there(self) -> MatrixLink:
        if self._link is None:
            raise Away("not connected yet")
        return self._link

    def _call(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        return self._loop.run(work, seconds)

    def _end_living(self) -> None:
        living, self._living = self._living, None
        if living is not None:
            living.cancel()
            concurrent.futures.wait([living], 10)

    def _forget(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            self._loop.run(link.end(), 10)
