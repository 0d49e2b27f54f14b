"""Who said a message, and where: worked out once, when it comes in, and kept with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from automation_bots.chat.network_surface import NetworkSurface
from automation_bots.jobs.request_context import Origin
from automation_bots.model import Caller, Place

if TYPE_CHECKING:
    from backends.adapter.host import Host

_KEPT = "automation_origin"


def of(bot: Host, msg: Any) -> Origin:
    """Return what is known of a message; whoever asks first has it worked out."""
    known: Origin | None = msg.extras.get(_KEPT)
    if known is not None:
        return known
    id_, attached = msg.extras.get("message_id"), msg.extras.get("attached")
    return keep(msg, Origin(bot.automation_caller(msg), bot.automation_place(msg), str(id_ or ""), attached or str))


def known(msg: Any) -> Origin | None:
    """Return it only where it has been worked out."""
    found: Origin | None = msg.extras.get(_KEPT) if msg is not None else None
    return found


def keep(msg: Any, origin: Origin) -> Origin:
    """Keep it with the message."""
    msg.extras[_KEPT] = origin
    return origin


def at_question(msg: Any, surface: NetworkSurface, question: str) -> Origin:
    """A click does not say in which thread its question stands; the surface knows."""
    clicked: Origin = msg.extras[_KEPT]
    return keep(msg, replace(clicked, place=surface.place_of(clicked.place, question)))


def caller(bot: Host, msg: Any) -> Caller:
    """Who sent a message, by the most stable id that the backend gives."""
    network, frm = bot.bot_config.AUTOMATION.settings.network, msg.frm
    return Caller(network, str(getattr(frm, "aclattr", frm)), str(getattr(frm, "fullname", "") or frm))


def place(bot: Host, msg: Any) -> Place:
    """Where a message was said."""
    network = bot.bot_config.AUTOMATION.settings.network
    return Place(network, str(msg.to)) if msg.is_group else Place(network, str(msg.frm), direct=True)
