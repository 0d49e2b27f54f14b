"""Mattermost as a backend of Errbot's; its client stands in `automation_bots.chat.mattermost`."""

from __future__ import annotations

from errbot.core import ErrBot

from backends.adapter.networked import Networked


class Mattermost(Networked, ErrBot):
    """All that is special to it stands in its client."""
