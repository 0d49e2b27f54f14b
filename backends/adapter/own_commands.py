"""Gives an Errbot plugin the commands of its group, as they are declared; the bot's own side answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from errbot import botcmd

from automation_bots.operations.own_commands import OwnCommand, of_group


def commands_of(group: str) -> Callable[[type], type]:
    """Make a command of each that the group declares; for the bot's own plugins only."""

    def given(plugin: type) -> type:
        for command in of_group(group):
            # Errbot makes attributes of these names: a command called config or log would replace the plugin's own.
            setattr(plugin, f"own_{command.name}", botcmd(_answer(command), name=command.name))
        return plugin

    return given


def _answer(command: OwnCommand) -> Callable[[Any, Any, str], Any]:
    def answer(plugin: Any, msg: Any, args: str) -> Any:
        return plugin.automation.commands[command.name](plugin.ask(msg, args))

    answer.__doc__ = command.help
    return answer
