"""A bot on Errbot's Test backend that logs as a real one does."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automation_bots.app.bot import Bot
from automation_bots.health import logs
from tests.support.chatbot import ChatBot, Surface


@contextmanager
def chat(folder: Path, surface: Surface | None = None) -> Iterator[ChatBot]:
    """Its log goes to a file, redacted, as config.py sets it up; not to the terminal."""
    bot = ChatBot(folder, surface=surface)
    log_to_file(bot.automation)
    try:
        with bot:
            yield bot
    finally:
        _forget_handlers()


def log_to_file(bot: Bot) -> None:
    """Log there and nowhere else."""
    _forget_handlers()
    logs.to_file(bot.data / "log" / "bot.log", bot.redactor)


def _forget_handlers() -> None:
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
