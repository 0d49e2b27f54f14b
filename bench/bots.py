"""A bot on Errbot's Test backend that logs as a real one does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automation_bots import logs
from tests.chatbot import ChatBot, Surface


@contextmanager
def chat(folder: Path, surface: Surface | None = None) -> Iterator[ChatBot]:
    """Its log goes to a file, redacted, as config.py sets it up; not to the terminal."""
    bot, root = ChatBot(folder, surface=surface), logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    logs.to_file(bot.automation.data / "log" / "bot.log", bot.automation.redactor)
    try:
        with bot:
            yield bot
    finally:
        for handler in list(root.handlers):
            root.removeHandler(handler)
            handler.close()
