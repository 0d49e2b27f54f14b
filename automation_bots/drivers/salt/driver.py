"""Run functions of Salt on minions through salt-api: one publish a call, outcomes as minions return."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.salt import functions as salt_calls
from automation_bots.drivers.salt import master
from automation_bots.drivers.salt.api import Login, NoAnswer, SaltApi, Session
from automation_bots.drivers.salt.event_stream import Stream
from automation_bots.drivers.salt.functions import Call, call_for, may_be_a_minion, minion_of
from automation_bots.drivers.salt.publish import Flight, grouped, kill_all
from automation_bots.drivers.salt.results import outcome
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import AutomationError, DriverError
from automation_bots.events import Bus, Event, Subscription
from automation_bots.model import Device, Operation, Outcome, Risk, Status, one_line

_STEP = 0.2  # seconds between two looks at the clock
_POLL = 1.0  # seconds between two questions to the master where its events do not come
_CONNECT = 2.0  # seconds to wait for the event stream


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return salt_calls.FUNCTION, salt_calls.STATE, salt_calls.GRAINS, master.MINIONS, master.JOBS


def everything(_person: str, _device: str) -> bool:
    """Stand in where there is no policy: all may be seen."""
    return True


class Salt:
    """The driver for devices that are minions."""

    name = "salt"

    def __init__(
        self,
        login: Login,
        *,
        bus: Bus | None = None,
        answer_seconds: float = defaults.SALT_ANSWER_SECONDS,
        output_limit: int = defaults.OUTPUT_LIMIT,
        sees: Callable[[str, str], bool] = everything,
    ) -> None:
        self.api = SaltApi(login)
        self.bus = bus or Bus()
        self.stream = Stream(self.api, self.bus)
        self.answer_seconds = answer_seconds
        self.output_limit = output_limit
        self.sees = sees  # (person, minion) -> whether that person may know of it

    def start(self) -> None:
        """Follow the master's events, where Salt is set up."""
        if self.api.login.url:
            self.stream.start()

    def close(self) -> None:
        """End the thread that follows the events."""
        self.stream.stop()

    def run(self, task: Task, report: Report) -> None:
        """Publish, and report each minion as it returns; those that stay silent are named within a few seconds."""
        if task.operation.name in master.ASKED:
            if is_over(task):
                report.outcome(stopped(task, "", started=False))
                return
            with self.api.session() as session:
                report.outcome(master.ask(session, task, lambda minion: self.sees(task.job.person, minion)))
            return
        if not task.devices:
            return
        self.start()
        run = _Run(self, task, report)
        run.prepare()
        if run.flights:
            with self.api.session() as session, self.bus.listen("salt/job/*") as events:
                self.stream.wait(_CONNECT)
                run.fly(session, events)


@dataclass(slots=True)
class _Run:
    driver: Salt
    task: Task
    report: Report
    flights: list[Flight] = field(default_factory=list)
    devices: dict[tuple[Call, str], list[Device]] = field(default_factory=dict)  # of a call on a minion
    began: float = field(default_factory=time.monotonic)
    breaks: int = 0  # of the event stream, when it was last seen whole
    polled: float = 0.0

    def prepare(self) -> None:
        """Find what to call on each device; what needs no call is reported at once."""
        calls = []
        for device in self.task.devices:
            try:
                call = call_for(self.task.operation, device, self.task.parameters, check=self.task.check)
            except AutomationError as error:
                self._say(device, Status.FAILED, str(error))
                continue
            if call is None:
                self._say(device, Status.SKIPPED, f"no command for platform {device.platform}")
            elif self.task.check and self._risk is Risk.CHANGE and not call.previews:
                self._say(device, Status.SKIPPED, f"would call: {call}")
            elif is_over(self.task):
                self.report.outcome(stopped(self.task, device.name, started=False))
            else:
                self.devices.setdefault((call, minion_of(device)), []).append(device)
                calls.append((minion_of(device), call))
        self.flights = grouped(calls, self.driver.answer_seconds)

    def fly(self, session: Session, events: Subscription) -> None:
        """Publish everything, then listen until all have returned, or are lost, or the task is over."""
        self.breaks = self.driver.stream.breaks
        for flight in self.flights:
            self._publish(flight, session)
        while self._waiting and not is_over(self.task):
            event = events.next(min(_STEP, max(0.01, self.task.seconds_left)))
            if event is not None:
                self._hear(event)
            self._look(session, dropped=bool(events.dropped))
        if self._waiting:
            kill_all(session, self.flights)
            for flight in self.flights:
                for minion in sorted(flight.waiting):
                    self._stopped(minion, flight)

    @property
    def _risk(self) -> Risk:
        return self.task.operation.risk_of(self.task.parameters)

    @property
    def _waiting(self) -> bool:
        return any(flight.waiting for flight in self.flights)

    def _publish(self, flight: Flight, session: Session) -> None:
        try:
            flight.publish(session)
        except NoAnswer as error:
            if self._risk is Risk.READ:
                raise
            for minion in flight.minions:
                self._tell(minion, flight, Status.UNKNOWN, f"{error}; it may be running there")
        for minion in sorted(flight.unknown):
            for device in self.devices[flight.call, minion]:
                self._unknown(device, minion)

    def _unknown(self, device: Device, minion: str) -> None:
        """Tell a minion that is missing from a device that nobody meant Salt for, such as a switch in `on all`."""
        if may_be_a_minion(device):
            self._say(device, Status.UNREACHABLE, f"Salt has no accepted key of minion {minion!r} → !minions")
        else:
            self._say(device, Status.SKIPPED, "no way to this device (its driver in the inventory is not salt)")

    def _hear(self, event: Event) -> None:
        words = event.tag.split("/")  # salt/job/<jid>/ret/<minion>
        if len(words) < 5 or words[3] != "ret":
            return
        jid, minion = words[2], "/".join(words[4:])
        for flight in self.flights:
            if flight.takes(jid, minion, event.data):
                self._returned(minion, flight, event.data)

    def _returned(self, minion: str, flight: Flight, data: Mapping[str, Any]) -> None:
        seconds = time.monotonic() - self.began
        for device in self.devices[flight.call, minion]:
            made = outcome(device.name, flight.call, self.task.job.risk, data, self.driver.output_limit)
            self.report.outcome(Outcome(made.device, made.status, made.summary, made.output, seconds, made.exit_code))

    def _look(self, session: Session, *, dropped: bool) -> None:
        """Make up for what the event stream did not tell, and find out about those that are silent."""
        now = time.monotonic()
        stream = self.driver.stream
        deaf = not stream.connected or stream.breaks != self.breaks or dropped
        try:
            if deaf and now - self.polled > _POLL:
                self.polled, connected, breaks = now, stream.connected, stream.breaks
                self._catch_up(session)
                self.breaks = breaks if connected else self.breaks
            for flight in self.flights:
                self._look_at(flight, session, now)
        except DriverError as error:  # the master is away: its minions go on, and tell it when it is back
            self.report.progress(one_line(str(error), 60))
            self.polled = now
            for flight in self.flights:
                flight.probe, flight.look_at = None, now + self.driver.answer_seconds

    def _catch_up(self, session: Session) -> None:
        for flight in self.flights:
            if flight.waiting:
                for minion, data in flight.returned(session).items():
                    flight.waiting.discard(minion)
                    self._returned(minion, flight, data)

    def _look_at(self, flight: Flight, session: Session, now: float) -> None:
        if flight.probe is None and flight.waiting and now >= flight.look_at:
            self._catch_up(session)
            if flight.waiting:
                flight.ask(session)
        elif flight.probe is not None and (
            now >= flight.probe.until or flight.probe.asked <= set(flight.probe.answered)
        ):
            self._catch_up(session)
            for minion in flight.silent(session, heard=self.driver.stream.connected):
                self._lost(minion, flight)

    def _lost(self, minion: str, flight: Flight) -> None:
        if minion in flight.lost or minion in flight.seen_running:
            change = self._risk is Risk.CHANGE
            why = "no longer has the job" if minion in flight.lost else "no longer answers"
            more = "; it may have been changed" if change else ""
            self._tell(minion, flight, Status.UNKNOWN if change else Status.FAILED, f"minion {minion} {why}{more}")
        else:
            seconds = time.monotonic() - self.began
            self._tell(minion, flight, Status.UNREACHABLE, f"minion {minion} does not answer ({seconds:.0f} s)")

    def _stopped(self, minion: str, flight: Flight) -> None:
        seconds = time.monotonic() - self.began
        for device in self.devices[flight.call, minion]:
            self.report.outcome(stopped(self.task, device.name, started=True, seconds=seconds))

    def _tell(self, minion: str, flight: Flight, status: Status, text: str) -> None:
        for device in self.devices[flight.call, minion]:
            self._say(device, status, text)

    def _say(self, device: Device, status: Status, text: str) -> None:
        self.report.outcome(Outcome(device.name, status, one_line(text, 500), seconds=time.monotonic() - self.began))
