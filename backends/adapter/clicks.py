"""Clicks and reactions: each counts once while its question is open, also one of the time when the bot was away."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from automation_bots.chat.client import Click, Rejected, Revoked
from automation_bots.errors import StoreError
from automation_bots.model import Answer
from automation_bots.surface import MessageRef
from backends.adapter import answering, late, origin

log = logging.getLogger(__name__)
_EARLY_SECONDS = 600.0  # that a click may be faster than the rest of its question
_REMEMBERED = 2_000  # reactions that stand
_MOST_EARLY = 200  # clicks that are kept at a time
_PAUSE_SECONDS = 0.2


class Clicks:
    """Takes what was chosen, from the one thread that takes what comes in, and decides in Errbot's pool."""

    def __init__(self, bot: Any) -> None:
        self._bot, self._early = bot, Early()
        self._standing: OrderedDict[str, datetime] = OrderedDict()  # until when a reaction that stands is taken

    def take(self, msg: Any, chosen: Click) -> None:
        """Decide by it, once."""
        if chosen.stands and not self._is_new(chosen):
            return
        msg.extras["lane"] = f"click:{chosen.room}:{chosen.message}"  # in the order in which they were made
        msg.extras["too_late"] = late.is_too_late(chosen, self._bot.link.began)  # as it came, however long it is kept
        self._look(msg, chosen, time.monotonic() + _EARLY_SECONDS)

    def _is_new(self, chosen: Click) -> bool:
        """Whether a reaction is not the one that was read from its message, or told, before."""
        known = self._standing.get(chosen.stands)
        if known is not None and (chosen.is_read or chosen.at <= known):
            return False
        self._standing[chosen.stands] = datetime.now(UTC) if chosen.is_read else chosen.at
        self._standing.move_to_end(chosen.stands)
        if len(self._standing) > _REMEMBERED:
            self._standing.popitem(last=False)
        return True

    def _look(self, msg: Any, chosen: Click, until: float) -> None:
        self._bot.thread_pool.apply_async(self._decide, (chosen, msg, until))

    def _decide(self, chosen: Click, msg: Any, until: float) -> None:
        """Decide; a click can come before the network has told which message the question became."""
        surface = self._bot.automation_surface
        place = origin.at_question(msg, surface, chosen.message).place
        ref = MessageRef(place, surface.first_id(place, chosen.message))
        # Not noted as seen yet: a bot that is killed meanwhile finds the click again, where the network still has it.
        if not self._is_early(ref, until) or not self._early.keep(lambda: self._look(msg, chosen, until)):
            answering.safely(self._bot, msg, lambda: self._judged(msg, chosen, ref))

    def _is_early(self, ref: MessageRef, until: float) -> bool:
        approvals = answering.automation(self._bot).pipeline.approvals
        if time.monotonic() >= until:
            return False
        try:
            asking = approvals.is_asking()  # before the look: what was asked until now is known to it
            return asking and not approvals.asked_with(ref)
        except StoreError:  # whoever clicked is told, since it cannot be noted as seen
            return False

    def _judged(self, msg: Any, chosen: Click, ref: MessageRef) -> Answer | None:
        ours = answering.automation(self._bot)
        if chosen.stands:
            ours.store.first_seen(ours.settings.network, _id(chosen, chosen.stands))
        if msg.extras["too_late"]:
            return late.chosen(ours.pipeline, ref, chosen.choice)
        return ours.pipeline.chosen(self._bot.automation_origin(msg).caller, ref, chosen.choice)

    # -- what was chosen while the bot was away

    def read_back(self, since: datetime) -> None:
        """Look at all open questions; raises what the network raises."""
        for question in answering.automation(self._bot).pipeline.approvals.questions():
            self._read(question, since)

    def read_one(self, question: MessageRef, since: datetime) -> None:
        """Look soon at a question that was asked again, and may have stood there already."""
        threading.Thread(target=self._read_safely, args=(question, since), name="clicks", daemon=True).start()

    def _read_safely(self, question: MessageRef, since: datetime) -> None:
        try:
            self._read(question, since)
        except (OSError, Revoked) as error:
            log.warning("what was chosen at a question in %s cannot be read: %s", question.place.room, error)

    def _read(self, question: MessageRef, since: datetime) -> None:
        if not question.id:
            return
        try:
            for chosen in self._bot.client.standing(
                self._bot.automation_surface.room(question.place), question.id, since
            ):
                self._bot.chosen(chosen)
        except Rejected as error:  # it was deleted, or the bot is no longer there
            log.warning("what was chosen at a question in %s cannot be read: %s", question.place.room, error)


def _id(chosen: Click, id_: str) -> str:
    return f"click:{chosen.room}:{id_}"


class Early:
    """Clicks that came before it is known what they answer: looked at again soon; one thread while there is any."""

    def __init__(self) -> None:
        self._kept: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._lives = False

    def keep(self, again: Callable[[], None]) -> bool:
        """Have it called once more, soon; False where too many wait already."""
        with self._lock:
            if len(self._kept) >= _MOST_EARLY:
                return False
            self._kept.append(again)
            if not self._lives:
                self._lives = True
                threading.Thread(target=self._look, name="early", daemon=True).start()
        return True

    def _look(self) -> None:
        while kept := self._taken():
            for again in kept:
                try:
                    again()
                except ValueError:  # Errbot's pool is closed: the bot ends
                    log.info("a click came too late")

    def _taken(self) -> list[Callable[[], None]]:
        time.sleep(_PAUSE_SECONDS)
        with self._lock:
            kept, self._kept = self._kept, []
            self._lives = bool(kept)
        return kept
