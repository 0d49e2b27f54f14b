"""What the bot says of its own accord: to the admins, to the approvers' room, to the room of checkpoints."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from automation_bots.app.spelled_surface import SpelledSurface
from automation_bots.audit.checkpoints import Checkpoint
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.model import Answer, Place
from automation_bots.policy.peers import bot_of
from automation_bots.policy.rules import ADMINS
from automation_bots.surface import COLUMNS, Surface, log_unsaid

log = logging.getLogger(__name__)


class Notices:
    """The one surface of a bot, once the chat network is there."""

    def __init__(self, bot_folder: BotFolder, live: LiveConfig, spelled: Callable[[Answer], Answer]) -> None:
        self._bot_folder, self._live, self._spelled = bot_folder, live, spelled
        self._surface: Surface | None = None
        self.peers: Surface | None = None  # of jobs that other bots asked for

    def connected(self, surface: Surface) -> None:
        """Speak by this one from now on."""
        self._surface = SpelledSurface(surface, self._spelled)

    def of(self, place: Place) -> Surface:
        """The surface of a place; OSError while the network is away."""
        if bot := bot_of(place.network):
            if self.peers is None:
                raise OSError(f"{bot} is not in [peers] of bot.toml any more")
            return self.peers
        return self.surface

    @property
    def surface(self) -> Surface:
        """The only one there is."""
        if self._surface is None:
            raise OSError("the chat network is not connected yet")
        return self._surface

    def columns(self, place: Place) -> int:
        """How many characters a line has there."""
        return COLUMNS if self._surface is None else self.of(place).capabilities.columns

    @property
    def buttons(self) -> bool:
        """Whether the network has buttons."""
        return self._surface is not None and self._surface.capabilities.buttons

    def say(self, place: Place, answer: Answer) -> None:
        """Say it, or raise OSError."""
        self.of(place).say(place, answer)

    @property
    def link(self) -> str:
        """What is wrong with the connection to the chat network; empty when nothing is."""
        return "not connected yet" if self._surface is None else self._surface.link

    @property
    def undelivered(self) -> tuple[int, int, str]:
        """Posts that wait for the network, posts that were never said, and why the last of them was not."""
        return (0, 0, "") if self._surface is None else self._surface.undelivered

    def page(self, answer: Answer) -> None:
        """Tell the admins and the approvers' room at once, without making the one wait who has an emergency."""
        threading.Thread(target=self._page, args=(answer,), name="page", daemon=True).start()

    def _page(self, answer: Answer) -> None:
        self.tell_admins(answer)
        if room := self._bot_folder.settings.approvals.asking().room:
            self._tell("the approvers' room", self._bot_folder.room(room, self._live.places), answer)

    def tell_admins(self, answer: Answer) -> None:
        """Tell each of them in a direct message."""
        network = self._bot_folder.settings.network
        for person in self._live.last_good.people.values():
            if ADMINS in person.groups and network in person.ids:
                self._tell(person.name, Place(network, person.ids[network], direct=True), answer)

    def tell_accounts(self, person: str, answer: Answer, but: Sequence[str]) -> None:
        """Tell a person on all accounts, and every admin, what became of that person's; not those who did it."""
        threading.Thread(target=self._tell_accounts, args=(person, answer, but), name="accounts", daemon=True).start()

    def _tell_accounts(self, person: str, answer: Answer, but: Sequence[str]) -> None:
        mine = self._bot_folder.settings.network
        for (network, id_), owner in list(self._live.last_good.ids.items()):
            if network == mine and id_ not in but and (owner.name == person or ADMINS in owner.groups):
                self._tell(owner.name, Place(network, id_, direct=True), answer)

    def _tell(self, who: str, place: Place, answer: Answer) -> None:
        try:
            self.say(place, answer)
        except Exception as error:  # noqa: BLE001 - whatever a network raises for one of them, the others are told
            log_unsaid(log, error, "%s could not be told: %s", who, answer.text)

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Post a signed checkpoint of the record in the room that is configured for it."""
        if room := self._bot_folder.settings.record.checkpoint_room:
            text = f"Checkpoint of the record of {checkpoint.bot}: {checkpoint.seq} entries, signed."
            self.say(self._bot_folder.room(room, self._live.places), Answer(text, checkpoint.line))
