"""matrix-nio as this project wants it: refusals are the client's errors, keys stay private and in one place."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import nio
from aiohttp import ClientConnectorCertificateError, ClientError
from nio.store import SqliteStore
from peewee import SqliteDatabase

from automation_bots.chat.client import Away, Busy, Rejected, Revoked, away
from automation_bots.chat.matrix.settings import MatrixSettings

log = logging.getLogger(__name__)
_REQUEST_SECONDS = 30.0
_binding = threading.RLock()

for _name in ("nio", "peewee"):  # peewee logs keys when it may say everything
    logging.getLogger(_name).setLevel(logging.WARNING)


class RanOut(Revoked):
    """The session's time is over; the password opens it anew."""


class OneAtATime(SqliteDatabase):  # type: ignore[misc]  # ships no types
    """peewee binds its models for the whole process: two clients in two threads would write into each other's file."""

    @contextlib.contextmanager
    def bind_ctx(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """Bind, while no other client does."""
        with _binding, super().bind_ctx(*args, **kwargs):
            yield


class _Store(SqliteStore):  # type: ignore[misc]  # ships no types
    def _create_database(self) -> SqliteDatabase:
        return OneAtATime(self.database_path, pragmas={"foreign_keys": 1, "secure_delete": 1})


class Client(nio.AsyncClient):  # type: ignore[misc]  # ships no types
    """One session with the homeserver; every refusal is raised, nothing is tried again in secret."""

    def __init__(self, settings: MatrixSettings, folder: Path) -> None:
        private(folder)
        config = nio.AsyncClientConfig(
            store=_Store if settings.encryption else None,
            encryption_enabled=settings.encryption,
            store_name="keys.db",
            max_limit_exceeded=0,
            max_timeouts=0,
            request_timeout=_REQUEST_SECONDS,
        )
        if settings.encryption:
            (folder / "keys.db").touch(mode=0o600)
        super().__init__(
            settings.server, settings.user, None, str(folder), config, settings.tls(), settings.way_out() or None
        )
        self._unshared: set[str] = set()
        self._sharing: dict[str, asyncio.Lock] = {}

    def load_store(self) -> None:
        """Open the keys where there are any; nio wants them wherever it could encrypt."""
        if self.config.encryption_enabled:
            super().load_store()

    async def _send(self, response_class: type, *args: Any, **kwargs: Any) -> Any:
        try:
            response = await super()._send(response_class, *args, **kwargs)
            refused(response)
        except (ClientError, TimeoutError, OSError, Rejected, Revoked) as error:
            if issubclass(response_class, nio.ShareGroupSessionResponse):
                self._unshared.add(kwargs["response_data"][0])
            if isinstance(error, OSError | Rejected | Revoked) and not isinstance(error, ClientError | TimeoutError):
                raise
            raise Away(_unreached(error)) from error
        return response

    async def create_matrix_response(
        self, response_class: type, transport_response: Any, data: Any = None, save_to: Any = None
    ) -> Any:
        """Raise a refusal by its status: of some, nio's own classes of errors cannot be made."""
        if transport_response.status >= 400:
            said = await self.parse_body(transport_response)
            refused_status(transport_response.status, said, transport_response.headers)
        return await super().create_matrix_response(response_class, transport_response, data, save_to)

    async def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make a call for which nio has no words; the answer as the server gave it."""
        data = None if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {self.access_token}", "Content-Type": "application/json"}
        try:
            answer = await self.send(method, f"/_matrix/client/v3/{path}", data, headers)
            said: dict[str, Any] = await self.parse_body(answer)
        except (ClientError, TimeoutError) as error:
            raise Away(_unreached(error)) from error
        refused_status(answer.status, said)
        return said

    async def say(self, room: str, kind: str, content: dict[str, Any], transaction: str) -> str:
        """Send an event, encrypted where the room is; the same transaction gives the same event."""
        if self.config.encryption_enabled and kind != "m.reaction":
            async with self._keys_shared(room):
                pass
        elif kind != "m.reaction" and room in self.rooms and self.rooms[room].encrypted:
            raise Rejected(f"{room} is encrypted and encryption = false in [chat]: nothing is said there in clear")
        sent = await self.room_send(room, kind, content, tx_id=transaction, ignore_unverified_devices=True)
        return str(sent.event_id)

    def believes(self, room_id: str, event: Any) -> bool:
        """Whether a device of its sender encrypted it, with the keys under which that device was first seen.

        nio looks at the keys of verified devices only, and the bot verifies none.
        """
        session = self.olm.inbound_group_store.get(room_id, event.sender_key, event.session_id)
        devices = self.device_store[event.sender].values()  # also one that has gone since it said this
        keys = [(device.curve25519, device.ed25519) for device in devices]
        return session is not None and (event.sender_key, session.ed25519) in keys

    @contextlib.asynccontextmanager
    async def _keys_shared(self, room_id: str) -> AsyncIterator[None]:
        """Every device of the room has the key before something is said with it.

        nio takes keys for shared that never arrived, and waits for ever after a claim that failed.
        """
        room = self.rooms.get(room_id)
        if room is None:
            raise Rejected(f"the bot is not in {room_id}")
        if not room.encrypted:
            yield
            return
        async with self._sharing.setdefault(room_id, asyncio.Lock()):
            if not room.members_synced:
                await self.joined_members(room_id)
            if self.should_query_keys:
                await self.keys_query()
            if self.olm.should_share_group_session(room_id):
                await self._share(room_id)
            yield

    async def _share(self, room_id: str) -> None:
        self._unshared.discard(room_id)
        try:
            await self.share_group_session(room_id, ignore_unverified_devices=True)
        finally:
            if waiting := self.sharing_session.pop(room_id, None):
                waiting.set()
        if room_id in self._unshared:
            self.invalidate_outbound_session(room_id)
            raise Away(f"the keys of {room_id} could not be sent to all")

    def end(self) -> None:
        """Close the key store."""
        if self.store:
            self.store.database.close()


def _unreached(error: Exception) -> str:
    if isinstance(error, ClientConnectorCertificateError):
        what = f"the certificate of the homeserver is not trusted ({error.certificate_error})"
        return f"{what}; if a private authority signed it, say ca = its file in [chat]"
    return f"the homeserver cannot be reached: {str(error) or type(error).__name__}"


def refused(response: Any) -> None:
    """Raise what an answer of nio means."""
    if isinstance(response, nio.ErrorResponse):
        answer = getattr(response, "transport_response", None)
        said = {"errcode": response.status_code, "error": response.message}
        said |= {"retry_after_ms": response.retry_after_ms, "soft_logout": response.soft_logout}
        refused_status(answer.status if answer is not None else 400, said, getattr(answer, "headers", {}))


def refused_status(status: int, said: dict[str, Any], headers: Any = None) -> None:
    """Raise what a status and the server's error body mean; nothing where all is well."""
    if status < 400 and not said.get("errcode"):
        return
    code, why = str(said.get("errcode") or status), str(said.get("error") or "no reason given")
    if status == 429 or code == "M_LIMIT_EXCEEDED":
        waits = said.get("retry_after_ms")
        after = (headers or {}).get("Retry-After", "")
        raise Busy(waits / 1000 if waits else float(after) if after.isdecimal() else 5.0)
    if said.get("soft_logout"):
        raise RanOut(f"{why} ({code})")
    if code in {"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED"}:
        raise Revoked(f"{why} ({code})")
    if status >= 500:
        raise away(f"the homeserver answers {status}: {why}", (headers or {}).get("Retry-After", ""))
    raise Rejected(f"{why} ({code})")


def private(folder: Path) -> None:
    """Make the folder of keys and tokens the bot's own."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    if (folder / "keys.db").exists():
        (folder / "keys.db").chmod(0o600)


def write(path: Path, text: str) -> None:
    """Write a file that only the bot may read, whole or not at all."""
    new = path.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
