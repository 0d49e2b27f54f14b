"""Finds the wire of a bot's chat network: `backends/<network>_wire.py` offers `wire(chat, data)`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from backends.wire import Wire


def has_wire(network: str) -> bool:
    """Whether a network is one of ours."""
    return network.isidentifier() and find_spec(f"backends.{network}_wire") is not None


def wire_of(network: str, chat: Mapping[str, Any], data: Path) -> Wire:
    """Make the wire of a network that has one; `chat` is [chat] of bot.toml with its references resolved."""
    made: Wire = import_module(f"backends.{network}_wire").wire(chat, data)
    return made
