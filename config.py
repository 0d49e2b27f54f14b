"""Errbot's settings, computed from the bot's folder. The chat network is one word in its bot.toml."""

import logging
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from automation_bots.app import process  # noqa: E402 - found through the line above
from automation_bots.app.bot import Bot  # noqa: E402
from automation_bots.config import settings  # noqa: E402 - found through the line above
from automation_bots.errors import AutomationError  # noqa: E402
from automation_bots.health import logs  # noqa: E402 - found through the line above
from automation_bots.health.service import Service  # noqa: E402 - found through the line above
from backends.adapter import guard, installed  # noqa: E402

process.share_heaps()
_leaving = process.Leaving()  # Errbot dies at once on SIGTERM and when its terminal is closed

try:
    AUTOMATION = Bot(Path(os.environ.get("AUTOMATION_BOT", HERE / "bots" / "demo")))
    _leaving.of(AUTOMATION)
    Service(AUTOMATION, {name: os.environ.pop(name, "") for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC")}).begin()
    BOT_EXTRA_PLUGIN_DIR = AUTOMATION.bot_folder.plugin_folders()
    BOT_IDENTITY = {"username": "@" + AUTOMATION.settings.name, **AUTOMATION.bot_folder.chat_identity()}
    try:
        BACKEND = installed.named(AUTOMATION.settings.backend)
    except installed.NoBackend as error:
        raise settings.wrong(AUTOMATION.folder, ("backend",), str(error)) from error
except AutomationError as error:
    sys.exit(f"The bot cannot start.\n{error}")

guard.install()
_settings = AUTOMATION.settings
_TERMINAL = _settings.backend == "Text"

BOT_ADMINS = ("@admin",)  # only Errbot's own notices go there; who may do what stands in policy.yml
BOT_ADMINS_NOTIFICATIONS = ()
BOT_PREFIX = _settings.prefix
BOT_ASYNC_POOLSIZE = 20
BOT_DATA_DIR = str(AUTOMATION.data / "errbot")
BOT_EXTRA_BACKEND_DIR = str(HERE / "backends")
BOT_PLUGIN_INDEXES = (str(AUTOMATION.data / "errbot" / "repos.json"),)
BOT_LOG_FILE = None  # ours is rotated
BOT_LOG_LEVEL = logging.INFO
BOT_LOG_FORMATTER = logs.OneLine(AUTOMATION.redactor)  # of the console
AUTOINSTALL_DEPS = False
# Flows, ACLs, Help and Backup stay out: the gate, the help and the record are ours.
CORE_PLUGINS = ("Plugins", "Health", "TextCmds") if _TERMINAL else ("Plugins", "Health")
STORAGE = "Memory" if _TERMINAL else "Shelf"
SUPPRESS_CMD_NOT_FOUND = True
TEXT_DEMO_MODE = True
TEXT_COLOR_THEME = "nocolor"
globals().update(AUTOMATION.bot_folder.errbot_settings())  # any other setting of Errbot, from [errbot] of bot.toml

Path(BOT_DATA_DIR).mkdir(mode=0o700, exist_ok=True)
Path(BOT_PLUGIN_INDEXES[0]).write_text("{}")
logs.to_file(AUTOMATION.data / "log" / "bot.log", AUTOMATION.redactor)
