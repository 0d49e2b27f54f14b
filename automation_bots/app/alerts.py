"""Events put together: the sources of bot.toml, the listener they are called by, and who follows what they tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from automation_bots.alerts.book import AlertBook
from automation_bots.alerts.devices import Devices
from automation_bots.alerts.event import Follower, ReportedEvent
from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.left_out import LeftOut
from automation_bots.alerts.missed_updates import MissedUpdates
from automation_bots.alerts.server_look import ServerLook
from automation_bots.alerts.silences import Silences
from automation_bots.alerts.sources import registry
from automation_bots.alerts.sources.alertmanager import AlertmanagerSettings
from automation_bots.alerts.sources.own_source import OWN, OwnSource
from automation_bots.alerts.sources.registry import WrongSource
from automation_bots.alerts.sources.source import (
    HttpKind,
    HttpSettings,
    ListenContext,
    Listening,
    ListeningKind,
    SourceSettings,
)
from automation_bots.alerts.sources.zabbix import ZabbixSettings
from automation_bots.alerts.teller import AlertTeller, TellerContext
from automation_bots.config import settings
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.drivers.alerts.alertmanager import AlertmanagerBack
from automation_bots.drivers.alerts.back import Back
from automation_bots.drivers.alerts.zabbix import ZabbixBack
from automation_bots.errors import StoreError
from automation_bots.events import Bus
from automation_bots.health.health import Heard
from automation_bots.http_in.receiver import Proof, Receiver
from automation_bots.model import Place
from automation_bots.secrets import references
from automation_bots.store import Store
from automation_bots.surface import Surface
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_FORGET_SECONDS = 600.0
_FORGET_EVENTS = 20_000  # or after so many
_NO_NAMES = frozenset({"all", "ungrouped"})  # groups that explain nothing


def read(bot_folder: BotFolder, *, resolved: bool) -> dict[str, SourceSettings]:
    """The sources of bot.toml; a ConfigError names the line of what is wrong. A check needs no tokens."""
    found = {}
    for name, table in bot_folder.settings.events.sources.items():
        given: Mapping[str, Any] = table
        if resolved:
            named = {key: text for key, text in table.items() if _is_reference(text)}
            given = {**table, **bot_folder.references.resolved(named, "events", "sources", name)}
        try:
            found[name] = registry.settings_of(name, given)
        except WrongSource as error:
            raise settings.wrong(bot_folder.folder, ("events", "sources", *error.where), error.reason) from error
    if not bot_folder.settings.http.port and any(isinstance(one, HttpSettings) for one in found.values()):
        raise settings.wrong(bot_folder.folder, ("events", "sources"), "are called by HTTP, so [http] needs a port")
    return found


def backs(bot_folder: BotFolder, sources: Mapping[str, SourceSettings]) -> dict[str, Back]:
    """The servers that can be told what people do about their alerts, by source."""
    found = {}
    for name, source in sources.items():
        kind = registry.KINDS[source.kind]
        if isinstance(kind, HttpKind) and (back := kind.back(source, bot_folder.path)):
            found[name] = back
    return found


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and references.is_reference(value)


class Alerts:
    """What happens elsewhere, for one bot."""

    def __init__(
        self,
        bot_folder: BotFolder,
        store: Store,
        live: LiveConfig,
        surface: Callable[[Place], Surface],
        now: Callable[[], datetime],
        followers: Sequence[Follower] = (),
    ) -> None:
        self._bot_folder, self._wanted, self._live = bot_folder, bot_folder.settings, live
        self._store, self._now = store, now
        self.sources = read(bot_folder, resolved=True)
        self.devices = Devices(live.inventory)
        self.teller = AlertTeller(
            TellerContext(store.alerts, surface, self.room, lambda: live.policy.timezone, now, self._groups)
        )
        self.intake = EventIntake(store.events, self.devices.of, self._kept, followers)
        self.backs = backs(bot_folder, self.sources)
        self.book = AlertBook(store.alerts, self.intake, self.backs, lambda: live.policy.timezone, now)
        self._looks = self._server_looks()
        self.listening: dict[str, Listening] = {}
        context = ListenContext(self.intake, now, self.devices.named, bot_folder.data)
        receivers = []
        for name, source in self.sources.items():
            kind = registry.KINDS[source.kind]
            if isinstance(kind, ListeningKind):
                self.listening[name] = kind.listen(source, context)
            else:
                receivers.append(_receiver(kind, source, self.intake, now))
        self._receivers = tuple(receivers)
        self.http = self._server()
        self._forgot = 0  # how many events had been heard when old ones were forgotten last
        self._chores = Loop("old events", self._forget, _FORGET_SECONDS)

    def _server_looks(self) -> list[ServerLook | LeftOut]:
        """Who asks servers for what they do not tell."""
        looks: list[ServerLook | LeftOut] = []
        store, now = self._store.alerts, self._now
        for name, back in self.backs.items():
            source = self.sources[name]
            if isinstance(back, AlertmanagerBack) and isinstance(source, AlertmanagerSettings):
                other = Silences(back, now).other
                looks.append(ServerLook(name, other, store, self.intake, source.poll_seconds))
                looks.append(LeftOut(source, back, store, self.intake, now))
            elif isinstance(back, ZabbixBack) and isinstance(source, ZabbixSettings):
                other = MissedUpdates(back, now).other
                looks.append(ServerLook(name, other, store, self.intake, source.poll_seconds))
        return looks

    def hear(self, bus: Bus, asked: Callable[[ReportedEvent], bool] = lambda _event: False) -> None:
        """Keep what the bot itself and Salt tell as well: what bot.toml names, and what somebody has asked for."""

        def wanted(event: ReportedEvent) -> bool:
            return asked(replace(event, device=self.devices.of(event)))

        self.listening[OWN] = OwnSource(bus, self.intake, self._now, self._wanted.events.own, wanted)

    def _server(self) -> Any:
        if not self._receivers:
            return None
        from automation_bots.http_in.server import HttpServer  # not loaded where nobody may call

        wanted = self._wanted.http
        return HttpServer(wanted.address, wanted.port, self._receivers, self._now, wanted.proxies)

    def start(self) -> None:
        """Begin to listen; what was stored before is followed first."""
        self.intake.start()
        self._chores.start()
        self.teller.start()
        for chore in self._looks:
            chore.start()
        for name, one in self.listening.items():
            one.start()
            if one.problem:
                log.error("events of %s: %s", name, one.problem)
        if self.http:
            self.http.start()

    def stop(self) -> None:
        """End, ears first."""
        if self.http:
            self.http.stop()
        for one in self.listening.values():
            one.stop()
        self._chores.stop()
        for chore in self._looks:
            chore.stop()
        self.intake.stop()
        self.teller.stop()

    def heard(self) -> Heard:
        """What it comes to, for whoever scrapes it."""
        try:
            going, waiting = self._store.alerts.counts(), self.intake.waiting()
        except StoreError:
            going, waiting = {}, 0
        calls = self.http.answers if self.http else {}
        return Heard(dict(self.intake.taken), going, waiting, dict(calls))

    @property
    def problems(self) -> tuple[str, ...]:
        """What does not listen that should."""
        deaf = [self.teller.problem] if self.teller.problem else []
        deaf += [f"events of {name}: {one.problem}" for name, one in self.listening.items() if one.problem]
        deaf += sorted({f"{one.source} cannot be looked at: {one.problem}" for one in self._looks if one.problem})
        return (*deaf, *([f"http: {self.http.problem}"] if self.http and self.http.problem else []))

    def room(self, source: str) -> Place | None:
        """Where the alerts of a source are told; None: nowhere, as the bot's own, which monitors tell already."""
        known = self.sources.get(source)
        name = "" if source == OWN else (known.room if known else "") or self._wanted.events.room
        return self._bot_folder.room(name, self._live.places) if name else None

    def _groups(self, devices: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """All members of each group that has one of these."""
        wanted = set(devices)
        groups = self._live.inventory.groups.items()
        return {name: members for name, members in groups if name not in _NO_NAMES and not wanted.isdisjoint(members)}

    def _kept(self) -> None:
        """Events were kept: rooms may hear of alerts; after very many the oldest go at once."""
        self.teller.heard()
        if self.intake.total - self._forgot >= _FORGET_EVENTS:
            self._chores.wake()

    def _forget(self) -> float:
        self._forgot = self.intake.total
        self._store.events.forget(self._wanted.events.days, self._wanted.events.count)
        return _FORGET_SECONDS


def _receiver(kind: HttpKind[Any], source: Any, intake: EventIntake, now: Callable[[], datetime]) -> Receiver:
    def take(body: bytes, headers: Mapping[str, str]) -> None:
        intake.take(kind.read(body, headers, source, now()))

    proof = Proof(source.token, source.header, source.secret, source.signature_header, source.timestamp_header,
                  source.replay_seconds)  # fmt: skip
    return Receiver(source.name, proof, take, source.max_bytes, source.per_minute)
