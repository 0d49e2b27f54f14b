"""The bot's log: one file, rotated, one line a record, secrets taken out."""

from __future__ import annotations

import logging
import logging.handlers
from pathlib import Path

from automation_bots.model import one_line
from automation_bots.redact import Redactor

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_QUIET = ("errbot", "paramiko", "asyncssh", "ansible_runner", "alembic", "urllib3")


class OneLine(logging.Formatter):
    """Folds messages, so that nothing a person or device says can forge a record; tracebacks stay readable."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_FORMAT)
        self._redactor = redactor

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Redact and fold the message."""
        record.message = one_line(self._redactor.text(record.message), 2000)
        return super().formatMessage(record)

    def formatException(self, info: object) -> str:  # noqa: N802 - logging's name
        """Redact and indent the traceback."""
        text = super().formatException(info)  # type: ignore[arg-type]  # logging's own private type
        return self._redactor.text("\n".join(f"  | {line}" for line in text.splitlines()))


def to_file(path: Path, redactor: Redactor) -> None:
    """Log to a rotated file (10 × 10 MB, mode 0600)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=10_000_000, backupCount=9, encoding="utf-8")
    handler.setFormatter(OneLine(redactor))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _QUIET:
        # Errbot logs the raw words of every command at INFO: passwords among them.
        logging.getLogger(name).setLevel(logging.WARNING)
