"""What the bot hears of and reaches through others: the event bus, and Salt joined to policy and inventory."""

from __future__ import annotations

import logging
from collections.abc import Callable

from automation_bots.config.drivers import DriverSettings
from automation_bots.config.live import LiveConfig
from automation_bots.drivers import Driver
from automation_bots.drivers.events import Events
from automation_bots.drivers.salt.api import Login
from automation_bots.drivers.salt.driver import Salt
from automation_bots.drivers.salt.targets import Targets
from automation_bots.errors import StoreError
from automation_bots.events import Bus, Event
from automation_bots.operations import target_words
from automation_bots.operations.target_words import Selectors
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Store

log = logging.getLogger(__name__)


class EventSources:
    """One bot's bus, and who tells it things. What acts on events makes requests, judged as a person's are."""

    def __init__(self, login: Login, live: LiveConfig, wanted: DriverSettings) -> None:
        self.bus = Bus()
        self._live = live
        self.salt = Salt(
            login,
            bus=self.bus,
            answer_seconds=wanted.salt.answer_seconds,
            output_limit=wanted.output_limit,
            sees=self._sees,
        )
        self._targets = Targets(self.salt.api, live.inventory)

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """What jobs run on."""
        return self.salt, Events(self.bus, salt=self._trouble, sees=self._sees)

    @property
    def selectors(self) -> Selectors:
        """How targets become devices."""
        return {target_words.SALT: self._targets}

    def start(self) -> None:
        """Begin to listen."""
        self.salt.start()

    def telling(self, store: Store, ended: Callable[[int], None]) -> Callable[[int], None]:
        """Return what to call with each job that ended: `ended` first, then whoever listens to the bus."""

        def tell(number: int) -> None:
            ended(number)
            try:
                job = store.job(number)
            except StoreError as error:
                log.warning("job %s: nobody who follows events hears of its end: %s", number, error)
                return
            if job.monitor is not None:
                return  # of a monitor or a change, which tell themselves what it means
            about = {
                "operation": job.operation,
                "person": job.person,
                "state": job.state.value,
                "devices": job.devices,
                "origin": job.cause.rules if job.cause else store.peers.origin(job.place),
            }
            self.bus.publish(Event("bot", f"bot/job/{number}/ended", about))

        return tell

    def _trouble(self) -> str:
        """What is wrong with Salt's events for the moment; empty when they arrive. DriverError: there is no Salt."""
        self.salt.api.check_set_up()
        stream = self.salt.stream
        return "" if stream.connected else stream.problem or "the event stream of Salt is not connected yet"

    def _sees(self, person: str, name: str) -> bool:
        """Whether a person may know of a device or minion; what the inventory does not have is for admins."""
        who = self._live.policy.people.get(person)
        devices = self._targets.devices_of(name)
        if not devices:
            return who is not None and ADMINS in who.groups
        return bool(gate.visible(self._live.scope, who).intersection(devices))
