"""Errbot's Text backend as an operator wants it: plain answers, piped input that ends when all is answered."""

from __future__ import annotations

import logging
import re
import readline
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any

# The loader takes the one ErrBot subclass it sees in this module; importing TextBackend by name would make it two.
from errbot.backends import text
from errbot.backends.base import Message

from automation_bots.chat.splitting import words_of
from automation_bots.model import NOT_SHOWN, Answer, Caller, File, Place
from automation_bots.surface import COLUMNS, Capabilities, MessageRef
from backends.adapter.plain_surface import PlainSurface, cut

_CONTROL = re.compile(rf"\x1b\[[0-?]*[ -/]*[@-~]|{NOT_SHOWN.pattern}")
_UNSAFE = re.compile(r"[^\w.-]")
_LEAVE_SECONDS = 3600.0  # piped input waits this long for its last job
_STUCK_SECONDS = 3.0  # longer than the queue needs to see that something has become free
_COMMAND_SECONDS = 1.0  # the next line of piped input waits this long for the answer to the one before


class TextSurface(PlainSurface):
    """Prints; the terminal shows text as it is, so nothing is escaped."""

    def __init__(self, bot: Any) -> None:
        super().__init__(bot)
        columns = shutil.get_terminal_size((COLUMNS, 0)).columns
        self.capabilities = Capabilities(screen_lines=200, columns=columns)
        self._lock = threading.Lock()

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Print, and give the prompt back where one was shown."""
        files = [self._file(file) for file in answer.files]
        names = f"To: {', '.join(person.name for person in answer.mentions)}" if answer.mentions else ""
        self.show("\n".join(part for part in (answer.text, names, answer.block, *files, answer.hint) if part))
        return MessageRef(place, "")

    def _file(self, file: File) -> str:
        """A text on the screen as far as it fits; a longer one and a picture are kept beside the bot's data."""
        text, lines = file.text, self.capabilities.screen_lines
        if text is not None and text.count("\n") < lines:
            return text
        if file.passing:
            return f"({file.name}: a terminal shows no picture, and this one is kept nowhere)"
        folder = Path(self._bot.bot_config.AUTOMATION.data) / "files"
        folder.mkdir(mode=0o700, exist_ok=True)
        path = folder / (_UNSAFE.sub("_", file.name).lstrip(".") or "file")
        path.write_bytes(file.content)
        path.chmod(0o600)
        return (f"{cut(text, lines)}\n" if text is not None else "") + f"→ {path}"

    def show(self, words: str) -> None:
        """Print whole messages only, one at a time; what a device printed must not move the cursor."""
        words = _CONTROL.sub("", words)
        with self._lock:
            if self._bot.prompting:
                # What was typed so far is still in the line editor; it has to be shown again as well.
                sys.stdout.write(f"\r\033[K{words}\n{self._bot.prompt}{readline.get_line_buffer()}")
            else:
                sys.stdout.write(f"{words}\n")
            sys.stdout.flush()


class AutomationTextBackend(text.TextBackend):
    """One person in a terminal."""

    # Whom the person plays (!asuser, !asadmin) is no question for the gate: there would be no way back from a stranger.
    automation_free = ("TextCmds",)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.demo_mode = True
        # The log goes to its file; between prompts it would only be noise.
        logging.getLogger().removeHandler(text.console_hdlr)
        self.prompting = False
        self.automation_surface = TextSurface(self)

    def automation_caller(self, msg: Any) -> Caller:
        """The person, whether in a room or not; Errbot's id of somebody in a room names the room too."""
        name = str(msg.frm.person).removeprefix("@")
        return Caller("text", f"@{name}", name)

    @property
    def prompt(self) -> str:
        """Who types, and where."""
        where = f" in {self.rooms()[0]}" if self._inroom else ""
        return f"{self.user}{where}> "

    def serve_forever(self) -> None:
        """Read lines until the end of input; with a pipe, wait until all is answered."""
        tty = sys.stdin.isatty()
        if tty:
            self.readline_support()
        self.query_room("#testroom").join()
        try:
            self.connect_callback()
            for line in self.bot_config.AUTOMATION.settings.welcome:
                self.automation_surface.show(line)
            self._read(tty=tty)
            if not tty:
                self._finish()
        except KeyboardInterrupt:
            pass
        finally:
            self.prompting = False
            self.disconnect_callback()
            self.shutdown()

    def _read(self, *, tty: bool) -> None:
        while True:
            try:
                self.prompting = tty
                line = input(self.prompt if tty else "")
            except EOFError:
                return
            finally:
                self.prompting = False
            if line.strip().lower() in {"exit", "quit"}:
                return
            if line.strip():
                self._typed(line.replace("\\n", "\n"))

    def _typed(self, line: str) -> None:
        message = Message(line)
        message.frm = text.TextOccupant(self.user, self.rooms()[0]) if self._inroom else self.user
        message.to = self.rooms()[0] if self._inroom else self.bot_identifier
        self.callback_message(message)
        self._settle(_COMMAND_SECONDS)

    def _settle(self, seconds: float) -> None:
        """Give an answer the time to appear before the next prompt or line."""
        deadline = time.monotonic() + seconds
        while self.thread_pool._cache and time.monotonic() < deadline:  # what was handed to the pool and has not ended
            time.sleep(0.01)

    def _finish(self) -> None:
        deadline = time.monotonic() + _LEAVE_SECONDS
        self._settle(60)
        announcer, stuck_since = self.bot_config.AUTOMATION.announcer, 0.0
        while announcer.pending and time.monotonic() < deadline:
            stuck_since = (stuck_since or time.monotonic()) if self._stuck() else 0.0
            if stuck_since and time.monotonic() - stuck_since > _STUCK_SECONDS:
                self.automation_surface.show("The rest waits for somebody to look, and goes on after that.")
                return
            time.sleep(0.05)

    def _stuck(self) -> bool:
        """Whether nothing runs, and all that waits does so for a device that somebody has to look at first."""
        dispatcher = self.bot_config.AUTOMATION.dispatcher
        running, waiting = dispatcher.active
        if running or self.bot_config.AUTOMATION.announcer.pending > waiting:
            return False
        return all(dispatcher.why(number).startswith("waits for ") for number in dispatcher.waiting())

    def send_message(self, msg: Any) -> None:
        """Print what Errbot itself says."""
        self.automation_surface.show(words_of(str(msg.body)))
