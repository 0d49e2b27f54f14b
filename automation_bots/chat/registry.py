"""The chat networks of our own, by their names: each one's client and settings, imported when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from automation_bots.chat.client import ChatClient
from automation_bots.chat.settings import ChatSettings, explained, taken
from automation_bots.config import settings
from automation_bots.config.bot_folder import BotFolder
from automation_bots.errors import AutomationError, ConfigError

# Makes a client of what [chat] of bot.toml says for the network, references resolved, and a folder for what it keeps.
# A wrong setting is a ConfigError, a ValueError, or pydantic's; nothing is connected yet.
Maker = Callable[[Mapping[str, Any], Path], ChatClient]


def _matrix(chat: Mapping[str, Any], data: Path) -> ChatClient:
    from automation_bots.chat.matrix.client import MatrixClient
    from automation_bots.chat.matrix.settings import MatrixSettings

    return MatrixClient(MatrixSettings.model_validate(chat), data / "matrix")


def _mattermost(chat: Mapping[str, Any], _data: Path) -> ChatClient:
    from automation_bots.chat.mattermost.client import MattermostClient
    from automation_bots.chat.mattermost.settings import MattermostSettings

    return MattermostClient(MattermostSettings.model_validate(chat))


def _rocketchat(chat: Mapping[str, Any], _data: Path) -> ChatClient:
    from automation_bots.chat.rocketchat.client import RocketChatClient
    from automation_bots.chat.rocketchat.settings import RocketChatSettings

    return RocketChatClient(RocketChatSettings.model_validate(chat))


def _slack(chat: Mapping[str, Any], _data: Path) -> ChatClient:
    from automation_bots.chat.slack.client import SlackClient
    from automation_bots.chat.slack.web_api import SlackSettings

    return SlackClient(SlackSettings.model_validate(chat))


NETWORKS: Mapping[str, Maker] = {
    "Matrix": _matrix,
    "Mattermost": _mattermost,
    "RocketChat": _rocketchat,
    "Slack": _slack,
}


def made(
    maker: Maker, bot_folder: BotFolder, data: Path, instead: Mapping[str, Any] | None = None
) -> tuple[ChatSettings, ChatClient]:
    """Read [chat] of bot.toml, perhaps with other credentials, and make the client; what is wrong is said in words."""
    try:
        shared, rest = taken(bot_folder.chat_identity())
        return shared, maker({**rest, **(instead or {})}, data)
    except ConfigError:
        raise
    except ImportError as error:
        name = bot_folder.settings.backend
        raise AutomationError(f"{name} cannot be loaded: {error}. Run: pip install -r requirements.txt") from error
    except ValueError as error:
        raise settings.wrong(bot_folder.folder, *explained(error)) from error
