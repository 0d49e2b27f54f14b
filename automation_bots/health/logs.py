"""The bot's log: one file, rotated, one line a record, secrets taken out."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
import time
from collections import Counter, deque
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from automation_bots.model import one_line
from automation_bots.redaction.redactor import Redactor

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_BETWEEN_WORDS = 60.0  # seconds: a full disk is no reason for a traceback with every record
_QUIET = ("errbot", "paramiko", "asyncssh", "ansible_runner", "alembic", "urllib3")


class OneLine(logging.Formatter):
    """Folds messages, so that nothing a person or device says can forge a record; tracebacks stay readable."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_FORMAT)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Never take over a traceback that another formatter has written down in clear."""
        record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Redact and fold the message."""
        record.message = one_line(self._redactor.text(record.message), 2000)
        return super().formatMessage(record)

    def formatException(self, info: object) -> str:  # noqa: N802 - logging's name
        """Redact and indent the traceback."""
        return self._indented(super().formatException(info))  # type: ignore[arg-type]  # logging's own private type

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - logging's name
        """Redact and indent the stack."""
        return self._indented(stack_info)

    def _indented(self, text: str) -> str:
        clear = self._redactor.text(text)  # before: a key of many lines is known by how its lines follow each other
        return "\n".join(f"  | {line}" for line in clear.splitlines())


class Recent(logging.Handler):
    """Keeps the last warnings and errors for `!status`, and counts them."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(logging.WARNING)
        self.counts: Counter[str] = Counter()
        self._kept: deque[tuple[datetime, str, str]] = deque(maxlen=20)
        self._redactor = redactor

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record; a message that cannot be made is no reason to fail."""
        try:
            text = one_line(self._redactor.text(record.getMessage()), 160)
        except Exception:  # noqa: BLE001 - whatever a wrong log call raises, logging must go on
            text = "(a message that cannot be shown)"
        self.counts[record.levelname.lower()] += 1
        self._kept.append((datetime.fromtimestamp(record.created, UTC), record.levelname.lower(), text))

    def last(self, number: int) -> list[tuple[datetime, str, str]]:
        """Return the newest ones (time, level, text), newest first."""
        return list(self._kept)[::-1][:number]


class Rotated(logging.handlers.RotatingFileHandler):
    """Ten files, each for the bot's user only, whatever the umask is when the next one is begun."""

    def __init__(self, path: Path, redactor: Redactor, max_bytes: int = 10_000_000) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(path, maxBytes=max_bytes, backupCount=9, encoding="utf-8")
        self.setFormatter(OneLine(redactor))
        self._next_word = 0.0

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say on stderr, once a minute, that the file cannot be written; anything else is told as logging does."""
        reason = sys.exc_info()[1]
        if not isinstance(reason, OSError):
            super().handleError(record)
        elif time.monotonic() >= self._next_word:
            self._next_word = time.monotonic() + _BETWEEN_WORDS
            with suppress(OSError):  # nobody reads there any more
                sys.stderr.write(
                    f"The log {self.baseFilename} cannot be written: {reason.strerror}. The bot goes on.\n"
                )

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def to_file(path: Path, redactor: Redactor) -> None:
    """Log to a rotated file."""
    handler = Rotated(path, redactor)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _QUIET:
        # Errbot logs the raw words of every command at INFO: passwords among them.
        logging.getLogger(name).setLevel(logging.WARNING)
