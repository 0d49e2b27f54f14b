"""Slack: Socket Mode in, the Web API out, both on slack_sdk."""

from __future__ import annotations

import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from automation_bots.chat import calls
from automation_bots.chat.client import (
    SIGNS,
    Away,
    Click,
    Form,
    IdempotencyKey,
    IncomingMessage,
    Listener,
    PlainClient,
    Rejected,
    Revoked,
    only,
)
from automation_bots.chat.slack import doctor as slack_doctor
from automation_bots.chat.slack import text as slack_text
from automation_bots.chat.slack.directory import Directory
from automation_bots.chat.slack.events import Reader
from automation_bots.chat.slack.history import History
from automation_bots.chat.slack.socket_mode import PULSE, SocketMode
from automation_bots.chat.slack.web_api import Calls, SlackSettings
from automation_bots.errors import in_words
from automation_bots.model import File
from automation_bots.surface import PICTURE_SECONDS, Capabilities

log = logging.getLogger(__name__)
_FILE_BYTES = 20_000_000
_TRIGGERS = 200
_NO_ROOM = "I am not in this room. Type /invite @{name} first, then the command again."
_TS = re.compile(r"\d+\.\d+")


class SlackClient(PlainClient):
    """One workspace."""

    capabilities = Capabilities(
        edits=True,
        edit_seconds=1.2,
        reactions=True,
        buttons=True,
        forms=True,
        threads=True,
        files=True,
        picture_seconds=PICTURE_SECONDS,
        message_size=3_500,
        columns=100,  # Slack wraps code; the other networks scroll it
    )

    def __init__(self, settings: SlackSettings) -> None:
        self.settings = settings
        self.me = self.my_name = ""
        self.calls, self.directory = Calls(settings), Directory()
        self._history = History(self.calls)
        self._reader = Reader(self.directory, self._fetch, self.calls.clock)
        self._link: SocketMode | None = None
        self.pulse = PULSE
        self._sink: Listener | None = None
        self._opening = threading.Lock()
        self._triggers: OrderedDict[str, str] = OrderedDict()  # to the place where a form's answers belong

    # -- the link

    def connect(self, sink: Listener) -> None:
        """Log in, learn who and what there is, and open Socket Mode."""
        who = self.calls.read("auth_test")
        self.me, self.my_name = str(who["user_id"]), str(who["user"])
        self._reader.introduce(self.me)
        self._history.introduce(self.me)
        self._sink = sink
        if not self.directory.complete:
            self.directory.load(self.calls)
        self._link = SocketMode(self.settings, self.calls.socket_url, self._received, self.pulse)
        self._link.open()

    def wait(self) -> None:
        """Wait for the end of the link."""
        if self._link is not None:
            self._link.wait()

    def close(self) -> None:
        """End the link."""
        if self._link is not None:
            self._link.close()

    # -- what comes in

    def _received(self, kind: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """Pass on what one envelope holds; return what its acknowledgement says."""
        if kind == "events_api":
            self._event(payload.get("event") or {})
        elif kind == "slash_commands":
            return self._command(payload)
        elif kind == "interactive":
            return self._acted(payload)
        return None

    def _event(self, event: dict[str, Any]) -> None:
        self.directory.event(event, self.me)
        if event.get("type") == "member_joined_channel" and event.get("user") == self.me:
            threading.Thread(target=self._came_into, args=(str(event["channel"]),), name="room", daemon=True).start()
        if event.get("type") in {"message", "app_mention"}:
            if heard := self._reader.message(event):
                _taken(self._told.heard(heard))
        elif event.get("type") == "reaction_added" and (chosen := self._reader.reaction(event)):
            _taken(self._told.chosen(chosen))

    def _came_into(self, room: str) -> None:
        """Learn what a room is called; the event does not say it."""
        try:
            self.directory.room(self.calls.read("conversations_info", channel=room)["channel"])
        except (Away, Rejected, Revoked) as error:
            log.info("what %s is called cannot be read: %s", room, error)

    @property
    def _told(self) -> Listener:
        if self._sink is None:
            raise Away("not connected yet")
        return self._sink

    def _command(self, payload: dict[str, Any]) -> dict[str, Any]:
        room = str(payload.get("channel_id", ""))
        if self.directory.complete and not room.startswith("D") and room not in self.directory.rooms:
            return {"text": slack_text.notice(_NO_ROOM.format(name=self.my_name))}
        heard = self._reader.command(payload)
        self._note(heard.trigger, heard.room)
        _taken(self._told.heard(heard))
        return {"response_type": "in_channel"}  # shows the room what was typed

    def _acted(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        readers = {"view_submission": self._reader.filled, "block_actions": self._reader.click}
        read = readers.get(str(payload.get("type", "")))
        if read is not None and (chosen := read(payload)) is not None:
            self._note(chosen.trigger, f"{chosen.room} {chosen.thread}".strip())
            _taken(self._told.chosen(chosen))
        return {}

    def _note(self, trigger: str, place: str) -> None:
        """Remember where a form that is opened by this belongs; a trigger lives for seconds, so few are enough."""
        self._triggers[trigger] = place
        while len(self._triggers) > _TRIGGERS:
            self._triggers.popitem(last=False)

    def _fetch(self, file: dict[str, Any]) -> bytes:
        """Read a file, with the token only where the file is Slack's."""
        if file.get("file_access") == "check_file_info":
            file = self.calls.read("files_info", file=file["id"])["file"]
        address = str(file.get("url_private_download") or file.get("url_private") or "")
        where, own = urlsplit(address), urlsplit(self.settings.url)
        at_slack = where.scheme == "https" and (where.hostname or "").endswith(".slack.com")
        if not at_slack and (where.scheme, where.hostname) != (own.scheme, own.hostname):
            raise Rejected(f"the file {file.get('name', '')} is not kept at Slack")
        if int(file.get("size") or 0) > _FILE_BYTES:
            raise Rejected(f"the file {file.get('name', '')} is larger than {_FILE_BYTES // 1_000_000} MB")
        return self._download(address)

    def _download(self, address: str) -> bytes:
        headers = {"Authorization": f"Bearer {self.settings.bot_token}"}
        proxies = {"http": self.settings.proxy, "https": self.settings.proxy} if self.settings.proxy else None
        try:
            answer = requests.get(
                address,
                headers=headers,
                proxies=proxies,
                verify=self.settings.ca or True,
                timeout=self.settings.seconds,
                allow_redirects=False,  # to the log-in page, where the token may not read files
            )
        except requests.RequestException as error:
            raise Away(f"the file cannot be read now: {in_words(error)}") from error
        if answer.status_code != requests.codes.ok:
            raise Rejected(f"Slack does not hand the file out ({answer.status_code}): is files:read granted?")
        content: bytes = answer.content
        return content

    def missed(self, since: datetime) -> Iterable[IncomingMessage]:
        """Read each room's history back to then, and the threads that went on since."""
        self.directory.load_rooms(self.calls)
        for message in self._history.missed(self.directory, since):
            if heard := self._reader.message(message):
                yield heard

    def standing(self, room: str, message: str, since: datetime) -> Iterable[Click]:
        """Read the reactions at an own message; Slack tells who gave them, and not when."""
        found = self.calls.read("reactions_get", channel=room, timestamp=message, full=True)["message"]
        return self._reader.standing(room, found, since)

    # -- what goes out

    def escape(self, text: str) -> str:
        """Make a text show as it is."""
        return slack_text.escape(text)

    def fence(self, text: str) -> str:
        """Make a block of fixed width."""
        return slack_text.fence(text)

    def post(
        self, room: str, text: str, thread: str = "", choices: tuple[str, ...] = (), once: IdempotencyKey | None = None
    ) -> str:
        """Say a text, with buttons; Slack takes it as often as it comes, but keeps the names of blocks."""
        thread = thread if _TS.fullmatch(thread) else ""  # a slash command opens no thread
        if once is not None and (found := self._history.named(room, thread, once)):
            return found
        where = {"thread_ts": thread} if thread else {}
        key = once.key if once is not None else ""
        try:
            answer = self.calls.write("chat_postMessage", channel=room, **self._shown(text, choices, key), **where)
        except Rejected as error:
            if "invalid_blocks" not in str(error) or not calls.people(text):
                raise
            log.warning("%s: nobody is called by a message, since the workspace does not know one of them", room)
            named = calls.written(text, lambda person: slack_text.escape(person.name))
            answer = self.calls.write("chat_postMessage", channel=room, **self._shown(named, choices, key), **where)
        return str(answer["ts"])

    def edit(self, room: str, message: str, text: str, choices: tuple[str, ...] = ()) -> None:
        """Replace an own message."""
        self.calls.write("chat_update", channel=room, ts=message, **self._shown(text, choices))

    @staticmethod
    def _shown(text: str, choices: tuple[str, ...], key: str = "") -> dict[str, Any]:
        text = text if text.strip() else "(nothing)"
        return {"text": slack_text.notice(text), "blocks": slack_text.blocks(text, choices, key)}

    def react(self, room: str, message: str, name: str) -> None:
        """Put a reaction; one that is there already is fine."""
        short = SIGNS[name][1] if name in SIGNS else name
        try:
            self.calls.write("reactions_add", channel=room, timestamp=message, name=short)
        except Rejected as error:
            if "already_reacted" not in str(error):
                raise

    def upload(self, room: str, file: File, thread: str = "", once: IdempotencyKey | None = None) -> str:
        """Send a file in three steps; its id stands for its message, whose own is not told."""
        thread, content = thread if _TS.fullmatch(thread) else "", file.content or b"\n"  # Slack takes no empty file
        if once is not None and (found := self._history.file(room, thread, once, (file.name, len(content)))):
            return found
        answer = self.calls.write(
            "files_upload_v2",
            channel=room,
            filename=file.name,
            title=file.name,
            content=content,
            thread_ts=thread or None,
        )
        return str(answer["files"][0]["id"])

    def delete(self, room: str, message: str) -> None:
        """Take an own message or file back."""
        if not _TS.fullmatch(message):
            self.calls.write("files_delete", file=message)
        else:
            self.calls.write("chat_delete", channel=room, ts=message)

    def form(self, trigger: str, form: Form) -> None:
        """Open a form for whose slash command or click carried the trigger."""
        place = self._triggers.get(trigger, "")
        self.calls.write("views_open", trigger_id=trigger, view=slack_text.view(form, form.key, place))

    def direct_room(self, person: str) -> str:
        """The room of the direct messages with somebody."""
        with self._opening:
            if person not in self.directory.direct:
                answer = self.calls.write("conversations_open", users=person)
                self.directory.direct[person] = str(answer["channel"]["id"])
        return self.directory.direct[person]

    def room_name(self, room: str) -> str:
        """What people call a room."""
        return self.directory.rooms.get(room, "")

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """Look the names up among the rooms that the bot is in."""
        if not self.directory.complete:
            self.directory.load_rooms(self.calls)
        return only(((name, room) for room, name in self.directory.rooms.items()), names)

    def examine(self) -> Iterable[tuple[str, str]]:
        """Say what works and what does not."""
        return slack_doctor.examine(self.calls)

    def examine_room(self, room: str) -> str:
        """Say what keeps the bot from reading and writing there."""
        return slack_doctor.room_trouble(self.calls, room)

    def examine_person(self, person: str) -> str:
        """Say what is wrong with somebody's id."""
        return slack_doctor.person_trouble(self.calls, person)

    def network_time(self) -> datetime:
        """Slack's clock."""
        self.calls.read("auth_test")
        return self.calls.clock.now()


def _taken(taken: bool) -> None:  # noqa: FBT001 - what a sink says
    """Acknowledge nothing that a bot which is stopping does not take: Slack sends it again, or tells who clicked."""
    if not taken:
        raise Away("the bot is stopping")
