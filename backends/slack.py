"""Slack as a backend of Errbot's; its client stands in `automation_bots.chat.slack`."""

from __future__ import annotations

from errbot.core import ErrBot

from backends.adapter.networked import Networked


class Slack(Networked, ErrBot):
    """All that is special to it stands in its client."""
