"""Rules with words that nothing matches, by what this bot has: operations, drivers, plugins."""

from __future__ import annotations

from functools import cache, partial

from automation_bots.app.drivers import NAMES
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.policy import rule_words
from automation_bots.policy.rule_words import Vocabulary
from automation_bots.policy.rules import Rule
from automation_bots.repos import command_names


def never_matching(bot_folder: BotFolder, live: LiveConfig) -> list[tuple[Rule, str]]:
    """Return each rule with words of it that can match nothing, and why."""
    operations = live.catalog.operations
    drivers = NAMES | {one.driver for one in operations.values() if one.driver}
    known = Vocabulary(operations, drivers, cache(partial(command_names.brought, bot_folder)))
    return [(rule, text) for rule in live.policy.rules for text in rule_words.never(rule, known)]


def open_denials(bot_folder: BotFolder, live: LiveConfig) -> list[str]:
    """Say of which rules a `deny` keeps nobody from what it was perhaps written for."""
    found = [(rule.name, text) for rule, text in never_matching(bot_folder, live) if rule.deny]
    return [f'{live.policy_file}: rule "{name}" denies nothing by this: {text}' for name, text in found]
