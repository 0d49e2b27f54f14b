"""Socket Mode: outgoing connections only, on which Slack sends and the bot acknowledges.

slack_sdk's own client notices a cut without a closing frame only after half a minute of full load, ends slowly, and
mixes the order of messages; so the envelopes are read here, on the websocket library that it uses too.
"""

from __future__ import annotations

import json
import logging
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import websocket

from automation_bots.chat.client import Away, Revoked
from automation_bots.chat.slack.web_api import SlackSettings
from automation_bots.errors import in_words

log = logging.getLogger(__name__)
PULSE = (5.0, 20.0)  # seconds of silence after which Slack is asked for a sign of life, and given up
_HELLO_SECONDS = 15.0
_LEAVE_SECONDS = 5.0

# An envelope's kind and payload to what the acknowledgement says, None for nothing.
Receive = Callable[[str, dict[str, Any]], dict[str, Any] | None]


class SocketMode:
    """One connection at a time, or two while Slack asks to move on; messages arrive one after the other."""

    def __init__(
        self, settings: SlackSettings, url: Callable[[], str], receive: Receive, pulse: tuple[float, float] = PULSE
    ) -> None:
        self._settings, self._url, self._receive = settings, url, receive
        self._ping_seconds, self.silent_seconds = pulse
        self._order = threading.Lock()
        self._ended = threading.Event()
        self._failure: Exception | None = None
        self._current: _Session | None = None
        self._sessions: set[_Session] = set()

    def open(self) -> None:
        """Connect; returns when Slack has said hello."""
        session = _Session(self, self._opened())
        self._sessions.add(session)
        session.start()
        if not session.greeted.wait(_HELLO_SECONDS) or not session.welcome or self._ended.is_set():
            session.close()
            raise self._failure or Away("Slack opened a connection, but said no hello on it")
        self._current = session

    def _opened(self) -> websocket.WebSocket:
        proxy = urlsplit(self._settings.proxy) if self._settings.proxy else None
        login = (proxy.username, proxy.password or "") if proxy and proxy.username else None
        options: dict[str, Any] = (
            {
                "http_proxy_host": proxy.hostname,
                "http_proxy_port": proxy.port,
                "http_proxy_auth": login,
                "proxy_type": "http",
                "http_no_proxy": ["none"],  # else the library goes around it to where it thinks that it may
            }
            if proxy
            else {}
        )
        tls = {"context": self._settings.tls()}
        try:
            return websocket.create_connection(
                self._url(), timeout=self._ping_seconds, sslopt=tls, enable_multithread=True, **options
            )
        except (websocket.WebSocketException, ssl.SSLError, OSError) as error:
            if isinstance(error, Away):
                raise
            raise Away(f"Slack's Socket Mode cannot be reached: {in_words(error)}") from error

    def wait(self) -> None:
        """Return after `close`; raise what ended the link otherwise."""
        self._ended.wait()
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """End every connection and its thread."""
        self._ended.set()
        for session in list(self._sessions):
            session.close()
        for session in list(self._sessions):
            if session is not threading.current_thread():
                session.join(_LEAVE_SECONDS)

    # -- for sessions

    def received(self, session: _Session, message: dict[str, Any]) -> None:
        """Take what Slack sent on a connection."""
        if message.get("type") == "hello":
            session.welcome = True
            session.greeted.set()
        elif message.get("type") == "disconnect":
            self._move_on(session, str(message.get("reason", "")))
        elif "envelope_id" in message:
            self._take(session, message)

    def _take(self, session: _Session, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"envelope_id": message["envelope_id"]}
        try:
            with self._order:
                said = self._receive(str(message.get("type", "")), message.get("payload") or {})
        except Away as error:
            log.info("a message from Slack was not taken: %s", error)
            return
        except Exception:  # one strange message must not end the link; without an acknowledgement Slack sends it again
            log.exception("a message from Slack could not be taken")
            return
        if said is not None and message.get("accepts_response_payload"):
            answer["payload"] = said
        session.send(json.dumps(answer))

    def _move_on(self, session: _Session, reason: str) -> None:
        """Open the next connection before the old one ends; what falls between is delivered again."""
        if reason == "link_disabled":
            self.lost(session, Revoked("Socket Mode was turned off for the app; turn it on at api.slack.com/apps"))
            session.close()  # `close` no longer knows it
            return
        if session is not self._current:
            return
        try:
            self.open()
            session.close()
        except (Away, Revoked) as error:
            log.warning(
                "Slack asks to connect anew (%s), which failed: %s", reason, error
            )  # the old one is still there

    def lost(self, session: _Session, error: Exception) -> None:
        """Note the end of a connection; that of the current one is the end of the link."""
        self._sessions.discard(session)
        if not self._ended.is_set() and self._current in (session, None):
            self._failure = error
            self._ended.set()
        session.greeted.set()


class _Session(threading.Thread):
    """One connection and the thread that reads it."""

    def __init__(self, link: SocketMode, socket: websocket.WebSocket) -> None:
        super().__init__(name="slack-link", daemon=True)
        self._link, self._socket = link, socket
        self.greeted, self.welcome = threading.Event(), False
        self._left = False
        self._heard_at = time.monotonic()

    def run(self) -> None:
        """Read until the end."""
        try:
            while not self._left:
                self._once()
        except (websocket.WebSocketException, OSError, ValueError) as error:
            self._link.lost(self, Away(f"the connection to Slack was cut: {in_words(error)}"))
        finally:
            self.close()
            self._link.lost(self, Away("the connection to Slack has ended"))

    def _once(self) -> None:
        try:
            code, frame = self._socket.recv_data_frame(control_frame=True)
        except websocket.WebSocketTimeoutException:
            if time.monotonic() - self._heard_at > self._link.silent_seconds:
                raise
            self._socket.ping()
            return
        self._heard_at = time.monotonic()
        if code == websocket.ABNF.OPCODE_CLOSE:
            raise websocket.WebSocketConnectionClosedException("Slack closed it")
        if code == websocket.ABNF.OPCODE_TEXT:
            self._link.received(self, json.loads(frame.data))

    def send(self, text: str) -> None:
        """Acknowledge; what does not get through is delivered again."""
        try:
            self._socket.send(text)
        except (websocket.WebSocketException, OSError) as error:
            log.info("an acknowledgement did not get through: %s", error)

    def close(self) -> None:
        """Cut it: the reading thread ends at once."""
        self._left = True
        self._socket.abort()  # type: ignore[no-untyped-call]  # the library has types but here
        self._socket.shutdown()  # type: ignore[no-untyped-call]
