"""From messages to events: who sent them, which are kept; what is more than anybody reads is counted and told."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address

from automation_bots.alerts.devices import naming_none
from automation_bots.alerts.event import Intake, Phase, ReportedEvent, Severity
from automation_bots.alerts.sources.syslog import kept
from automation_bots.alerts.sources.syslog.allowance import Allowance, Tally
from automation_bots.alerts.sources.syslog.kept import Kept
from automation_bots.alerts.sources.syslog.line import Line
from automation_bots.alerts.sources.syslog.parse import parse
from automation_bots.alerts.sources.syslog.states import State, state

log = logging.getLogger(__name__)
KIND = "syslog"
_WAITING = 8_000_000  # bytes of messages that wait to be read
_AT_ONCE = 1_000
_STRANGER_SECONDS = 3_600.0
_RATE_SECONDS, _ALIKE_SECONDS = 10.0, 60.0
_TOLD_SECONDS, _MORE_SECONDS = 60.0, 600.0  # between two words on what is left out of the same


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who may send, and what of it is kept."""

    source: str
    kept: Kept = field(default_factory=Kept)
    relays: Collection[str] = frozenset()  # whose word on the sender is believed
    networks: Sequence[IPv4Network | IPv6Network] = ()  # from where strangers are heard too
    devices: Mapping[str, str] = field(default_factory=dict)  # addresses that the inventory does not know
    per_second: int = 50  # messages of one sender
    alike: int = 10  # kept messages of one name and sender a minute


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose message it is, as far as that is known."""

    about: str
    device: str = ""


class Feed:
    """Messages come in by `hear`, from any thread; `round` makes events of them and brings them to the intake."""

    def __init__(
        self,
        wanted: Wanted,
        intake: Intake,
        device: Callable[[str], str],
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wanted, self._intake, self._device, self._now, self._clock = wanted, intake, device, now, clock
        self._rates = Allowance(wanted.per_second * int(_RATE_SECONDS), _RATE_SECONDS)
        self._alike = Allowance(wanted.alike, _ALIKE_SECONDS)
        self._flood, self._more = Tally(_TOLD_SECONDS), Tally(_MORE_SECONDS)
        self._strangers = Allowance(1, _STRANGER_SECONDS, keys=500)
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = self._full = 0
        self._ready: list[ReportedEvent] = []  # made, and not kept yet
        self.taken = 0  # messages since the start
        self.heard: dict[str, datetime] = {}  # when each device was heard last, kept or not

    # -- coming in

    def hear(self, sender: str, message: bytes) -> bool:
        """Take a message; what is too much is counted. Whether it is the first that waits."""
        with self._lock:
            if not self._rates.takes(sender, self._clock()):
                return False
            if self._bytes + len(message) > _WAITING:
                self._full += 1
                return False
            self.taken += 1
            self._bytes += len(message)
            self._waiting.append((sender, message))
            return len(self._waiting) == 1

    @property
    def waiting(self) -> int:
        """How many were not read yet."""
        return len(self._waiting)

    # -- going on

    def round(self) -> bool:
        """Bring some to the intake, or raise StoreError and bring them the next time; whether more wait."""
        if not self._ready:
            self._ready = self._events()
        self._intake.take(self._ready)
        self._ready = []
        return bool(self._waiting)

    def _events(self) -> list[ReportedEvent]:
        states: dict[str, ReportedEvent] = {}  # of what goes up and down again and again the last word
        singles: list[ReportedEvent] = []
        for sender, message in self._some():
            if event := self._safely(sender, message):
                if event.fingerprint:
                    states.pop(event.fingerprint, None)
                    states[event.fingerprint] = event
                else:
                    singles.append(event)
        return [*singles, *states.values(), *self._left_out()]

    def _some(self) -> list[tuple[str, bytes]]:
        with self._lock:
            some = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
            self._bytes -= sum(len(message) for _, message in some)
        return some

    def _safely(self, address: str, message: bytes) -> ReportedEvent | None:
        try:
            return self._event(address, message)
        except Exception:  # of one message, in which a stranger may write whatever he likes; all others are read
            log.exception("a message of syslog from %s could not be read", address)
            return None

    def _event(self, address: str, message: bytes) -> ReportedEvent | None:
        line = parse(message)
        sender = self._sender(address, line)
        if sender is None:
            return self._stranger(address)
        now = self._now()
        if sender.device:
            self.heard[sender.device] = now
        found = state(line)
        if not self._wanted.kept.keeps(line) or (found and found.phase is Phase.SINGLE):
            return None
        event = _event(self._wanted.source, line, sender, found, now)
        if not event.fingerprint and not self._alike.takes(
            f"{sender.device or sender.about} {line.what}", self._clock()
        ):
            return None
        return event

    def _sender(self, address: str, line: Line) -> _Sender | None:
        """Whose message it is; None: of somebody who is not heard."""
        if address in self._wanted.relays:
            return self._passed_on(line.hosts) if line.hosts else _Sender(address)
        if device := self._known(address):
            return _Sender(address, device)
        there = ip_address(address)
        return _Sender(address) if any(there in network for network in self._wanted.networks) else None

    def _passed_on(self, hosts: Sequence[str]) -> _Sender:
        """Whose message a relay passes on: by the address that it heard it from where it says one, else by a name."""
        if _is_address(hosts[0]):
            return _Sender(hosts[0], self._known(hosts[0]))
        return next((_Sender(name, device) for name in hosts if (device := self._known(name))), _Sender(hosts[-1]))

    def _known(self, written: str) -> str:
        return self._wanted.devices.get(written) or self._device(written)

    def _stranger(self, address: str) -> ReportedEvent | None:
        if not self._strangers.takes(address, self._clock()):
            return None
        text = (
            f"{address} sends syslog and is no device of the inventory: what it says is left out. Give a device this"
            f" address, or name it in [events.sources.{self._wanted.source}]: devices, relays or senders"
        )
        return self._own("unknown sender", text, about=address)

    # -- what is more than anybody reads

    def _left_out(self) -> list[ReportedEvent]:
        now = self._clock()
        with self._lock:
            rates, full, self._full = self._rates.over(now), self._full, 0
        self._flood.add(rates)
        self._more.add(self._alike.over(now))
        limit = f"more than {self._wanted.per_second} a second"
        told = [
            self._own(
                "messages left out",
                f"{count:,} messages of {self._known(sender) or sender} were left out: {limit}",
                about=sender,
            )
            for sender, count in self._flood.due(now).items()
        ]
        for key, count in self._more.due(now).items():
            sender, _, what = key.partition(" ")
            text = f"{count:,} more {what} of {sender} were left out: more than {self._wanted.alike} a minute"
            told.append(self._own("messages left out", text, about=sender, fields={"of": what, "count": str(count)}))
        self._strangers.over(now)
        if full:
            told.append(self._own("messages left out", f"{full:,} messages were left out: the record was too slow"))
        return told

    def lost(self, count: int) -> None:
        """So many messages were lost before they could be heard."""
        text = f"{count:,} messages were lost before they were read: this machine was too busy"
        self._ready.append(self._own("messages left out", text))

    def _own(self, what: str, text: str, about: str = "", fields: Mapping[str, str] | None = None) -> ReportedEvent:
        device = self._known(about) if about else ""
        return ReportedEvent(
            source=self._wanted.source,
            kind=KIND,
            what=what,
            at=self._now(),
            severity=Severity.WARNING,
            device=device,
            about=about,
            text=text,
            fields=fields or {},
        )


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _event(source: str, line: Line, sender: _Sender, found: State | None, now: datetime) -> ReportedEvent:
    return ReportedEvent(
        source=source,
        kind=KIND,
        what=found.what if found else line.what,
        at=now,
        phase=found.phase if found else Phase.SINGLE,
        severity=found.severity if found else kept.severity(line),
        device=sender.device,
        about=sender.about,
        text=line.text,
        fingerprint=f"{sender.device or sender.about}/{found.of}" if found else "",
        fields=_fields(line),
    )


def _fields(line: Line) -> dict[str, str]:
    """What a rule may ask for. No field of a message names the device: anybody can write one."""
    own = {
        "mnemonic": line.mnemonic,
        "program": line.program,
        "level": kept.LEVELS[line.severity] if line.severity is not None else "",
        "device_time": line.clock,
        "said_host": line.hosts[-1] if line.hosts else "",
    }
    return {**naming_none(line.fields), **{name: value for name, value in own.items() if value}}
