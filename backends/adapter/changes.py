"""What a plugin changes later that is not its own: looked for while the bot runs, put back, told and recorded."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from automation_bots.model import Answer
from automation_bots.store import AuditKind
from backends.adapter.answering import automation
from backends.plugins.ledger import Ledger

if TYPE_CHECKING:
    from backends.adapter.host import Host

log = logging.getLogger(__name__)
_MOST_NAMED = 5


def ledger(bot: Host) -> Ledger:
    """Make the ledger of a bot."""
    return Ledger(bot, partial(_found, bot))


def _found(bot: Host, changed: list[str]) -> None:
    names = list(dict.fromkeys(changed))
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    shown = f"{', '.join(names[:_MOST_NAMED])}{more}"
    text = f"A plugin changed what is not its own while it ran: {shown}. That is put back. Take that plugin out"
    log.error("%s", text)
    with suppress(ValueError):  # the bot ends, and its pool has ended
        bot.thread_pool.apply_async(_tell, (bot, Answer(text, hint="→ !repos")))


def _tell(bot: Host, said: Answer) -> None:
    """Not in the thread that receives messages, which must wait for nobody."""
    ours = automation(bot)
    try:
        ours.store.record(AuditKind.ERROR, {"error": said.text})
        ours.notices.tell_admins(said)
    except Exception:  # a record or a network that is away; what was found is put back, and in the log
        log.exception("what a plugin changed could not be told")
