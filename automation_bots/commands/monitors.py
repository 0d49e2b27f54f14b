"""Answers about monitors: begun, looked at, kept quiet, ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.commands import monitor_words
from automation_bots.commands.alerts import NUMBER, AlertCommands
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.commands.monitor_words import Wanted
from automation_bots.drivers.reach.lines import spare_port
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Monitor, MonitorTarget, Person, Request, one_line
from automation_bots.monitors import counters, history, text
from automation_bots.monitors.measured import MS
from automation_bots.monitors.monitors import Monitors
from automation_bots.monitors.watch import READ, Watch
from automation_bots.operations import web_address
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject
from automation_bots.text import csv_file, times
from automation_bots.text.nearest import did_you_mean, nearest

_PROBED = {"ping", "tcp", web_address.NAME}
_DEFAULT_SECONDS = {"ping": 10.0, "tcp": 10.0, web_address.NAME: 60.0, READ: 300.0}
_LEAST_SECONDS = {"ping": 1.0, "tcp": 1.0, web_address.NAME: 5.0, READ: 30.0}
_MOST_TARGETS = 10_000
_MOST_OF_A_PERSON = 20
_EVENTS = 12
_ROWS = 40
_CSV_ROWS = 200_000
_PARTS, _PART_LOOKS = 30, 12
_LISTED = 40
_SHORT = {"salt": "minions"}  # what people call a read -> the read
_SERVICE = re.compile(r"service\s+(?!status\b|start\b|stop\b|restart\b|enable\b|disable\b)(?=\S)", re.IGNORECASE)


class MonitorCommands:
    """One method a command; each returns what to say."""

    def __init__(self, context: CommandContext, monitors: Monitors, alerts: AlertCommands) -> None:
        self._context, self._monitors, self._alerts = context, monitors, alerts

    # -- begun

    def monitor(self, ask: CommandCall) -> Answer | None:
        """Begin a monitor, or look at one."""
        self._context.person(ask)
        if not ask.words:
            raise BadCommand("What shall be watched? → !monitor ping core every 5s for 30m · !monitors")
        if (number := monitor_words.number(ask.words[0])) is not None:
            return self._about(ask, number)
        begun = self.begun(ask)
        return begun if isinstance(begun, Answer) else None  # its place hears of it by the live message

    def begun(self, ask: CommandCall) -> Monitor | Answer:
        """Begin what the words say; an Answer refuses it."""
        person = self._context.person(ask)
        wanted = monitor_words.read(ask.line, self._context.now(), self._context.live.policy.timezone)
        mine = [watch for watch in self._monitors.running() if watch.monitor.person == person.name]
        if len(mine) >= _MOST_OF_A_PERSON:
            raise BadCommand(f"You have {len(mine)} monitors, which is the limit. → !monitors · !unmonitor <n>")
        word = wanted.what.split()[0].lower() if wanted.what else ""
        request = self._web(ask, person, wanted) if word == web_address.NAME else self._read(ask, wanted)
        if isinstance(request, Answer):
            return request
        kind = word if word in _PROBED else READ
        if kind != READ and wanted.condition:
            raise BadCommand(f"where is for reads; {kind} is judged by its answers. → !help monitor")
        monitor = Monitor(
            0, person.name, ask.caller, ask.place, kind, one_line(wanted.what, 120), request.operation.name,
            request.parameters, request.pattern, request.devices, _interval(wanted, kind), wanted.condition,
            wanted.until,
        )  # fmt: skip
        targets = self._targets(monitor, wanted, request)
        if len(targets) > _MOST_TARGETS:
            raise BadCommand(f"That would be {len(targets):,} targets; one monitor takes {_MOST_TARGETS:,} at most.")
        return TRIED if ask.trial else self._monitors.add(monitor, targets)

    def _read(self, ask: CommandCall, wanted: Wanted) -> Request | Answer:
        """The read that is to be repeated, by the operation's own words."""
        if interface := counters.words(wanted.what):
            said = TypedCommand(ask.caller, ask.place, counters.OPERATION, interface[1])
            return self._context.pipeline.watched.request(said)
        if wanted.what.lower().split()[:1] == ["interface"]:
            raise BadCommand("Of interfaces errors or traffic are watched. → !monitor interface errors on core1")
        what = _SERVICE.sub("service status ", wanted.what, count=1)
        name, _, line = what.partition(" ")
        name = _SHORT.get(name.lower(), name) if not line.strip() else name
        return self._context.pipeline.watched.request(TypedCommand(ask.caller, ask.place, name, line))

    def _web(self, ask: CommandCall, person: Person, wanted: Wanted) -> Request | Answer:
        """A web address: on a device that one sees judged like a read there, elsewhere only where a rule names it."""
        words = wanted.what.split()
        if len(words) != 2:
            raise BadCommand(
                'One address: → !monitor http https://www.corp.example [text="…"] [status=200] [days=30] [within=2s]'
            )
        url = _address(words[1])
        host = (urlsplit(url).hostname or "").lower()
        seen = gate.visible(self._context.live.scope, person)
        known = self._context.live.inventory.devices(tuple(seen))
        device = next((one.name for one in known if host in {one.name.lower(), one.address.lower()}), "")
        operation = web_address.ON_DEVICE if device else web_address.ELSEWHERE
        request = Request(ask.caller, ask.place, operation, {"url": url}, device, (device,) if device else ())
        return self._context.pipeline.watched.judged(request) or request

    def _targets(self, monitor: Monitor, wanted: Wanted, request: Request) -> list[MonitorTarget]:
        if monitor.kind == web_address.NAME:
            url = str(request.parameters["url"])
            facts = {"host": url, **wanted.web}
            return [MonitorTarget(0, 0, one_line(url, 80), request.devices[0] if request.devices else "", facts)]
        if monitor.kind == READ:
            known = {one.name: {"host": one.address} for one in self._context.live.inventory.devices(request.devices)}
            return [
                MonitorTarget(0, 0, name or monitor.title, name, known.get(name, {}))
                for name in request.devices or ("",)
            ]
        found = []
        for device in self._context.live.inventory.devices(request.devices):
            host = device.address
            if monitor.kind == "ping":
                spare = spare_port(device.variables)
                found.append(MonitorTarget(0, 0, device.name, device.name, {"host": host, "port": spare}))
                continue
            ports = request.parameters["ports"]
            found += [
                MonitorTarget(0, 0, f"{device.name}:{port}", device.name, {"host": host, "port": port})
                for port in ports
            ]
        return found

    # -- looked at

    def monitors(self, ask: CommandCall) -> Answer:
        """What is watched, as far as one may see it."""
        person, now, zone = self._context.person(ask), self._context.now(), self._context.live.policy.timezone
        mine = [watch for watch in self._monitors.running() if self._sees(person, watch.monitor)]
        if not mine:
            return Answer("Nothing is watched.", hint="→ !monitor ping <devices> every 5s for 30m")
        rows = [text.listed(watch.monitor, watch.views(), zone, now) for watch in mine]
        figures = self._monitors.figures()
        said = f"{render.many(len(mine), 'monitor')}:"
        if figures.lost:
            said = f"The bot itself reaches nothing now: {figures.lost}. {said}"
        late = text.late(figures.lateness)
        return Answer(f"{said} {late}".strip(), render.table(rows, limit=_LISTED), "→ !monitor <n> · !unmonitor <n>")

    def _about(self, ask: CommandCall, number: int) -> Answer | None:
        monitor = self._of(ask, number)
        words = ask.words[1:]
        what = words[0].lower() if words else ""
        if what == "csv":
            return self._csv(monitor)
        if what in {"picture", "plot"}:
            if not ask.trial:
                self._monitors.picture(monitor, ask.place)
            return None
        if what == "ack":
            return self._acknowledge(ask, monitor, words[1:])
        return self._state(monitor, " ".join(words))

    def _state(self, monitor: Monitor, name: str) -> Answer:
        """How each target is, and what was told last."""
        now, zone, number = self._context.now(), self._context.live.policy.timezone, monitor.number
        watch = self._monitors.watch(number)
        views = (
            watch.views() if watch else Watch(monitor, self._context.store.monitors.targets(number), zone, {}).views()
        )
        if name:
            known = [view.name for view in views]
            name = self._target(name, known, number)
            views = [view for view in views if view.name == name]
        ordered = sorted(views, key=text.worst_first)
        rows = [text.row(view, zone, now) for view in ordered]
        events = [text.event(one, zone, now) for one in self._context.store.monitors.events(number, _EVENTS, name)]
        table = render.table(rows, limit=_ROWS, all_of_it=f"!monitor {number} csv")
        parts = render.table(self._parts(monitor, name)) if name else ""
        block = "\n\n".join(part for part in (table, parts, render.table(events)) if part)
        ended = f" · ended {render.age(monitor.ended, now, zone)}: {monitor.why}" if monitor.ended else ""
        head = f"{text.opening(monitor, len(views), zone, now)}{ended} · {text.standing(views)}"
        then = f"!monitor {number} csv" if monitor.ended else f"!monitor {number} csv · !unmonitor {number}"
        return Answer(head, block, f"→ !monitor {number} picture · {then}")

    def _parts(self, monitor: Monitor, name: str) -> list[tuple[str, ...]]:
        """The interfaces of a device, or the rows of its table, as they were lately; those with most first."""
        since = self._context.now().timestamp() - _PART_LOOKS * monitor.interval - 60
        mine = [one for one in self._context.store.monitors.parts(monitor.number) if one.device == name]
        looked = ((one, [look.value for look in self._monitors.recorder.looks(one.id, since)]) for one in mine)
        found = [(one, values) for one, values in looked if values]
        found.sort(key=lambda one: (-(one[1][-1] or 0.0), one[0].name))
        return [text.part(one.name, values, str(one.facts["unit"])) for one, values in found[:_PARTS]]

    def _csv(self, monitor: Monitor) -> Answer:
        """Every look of the last day as a file; of very many, five minutes each."""
        store = self._context.store.monitors
        targets = [*store.targets(monitor.number), *store.parts(monitor.number)]
        now, day = self._context.now().timestamp(), history.KEPT_SECONDS[history.RAW]
        since = now - day
        lasted = min(day, now - monitor.made.timestamp()) if monitor.made else day
        many = len(targets) * lasted / monitor.interval > _CSV_ROWS
        rows = self._figures(targets, since) if many else self._looks(targets, since)
        header = ("time", "target", "unit", "looks", "lost", "least", "mean", "most") if many else (
            "time", "target", "unit", "value", "seen")  # fmt: skip
        if not rows:
            return Answer(f"M{monitor.number} has seen nothing in the last day.")
        file = csv_file.file(f"monitor-{monitor.number}", header, rows)
        return Answer(f"M{monitor.number}: {len(rows):,} rows of the last day.", files=(file,))

    def _looks(self, targets: Sequence[MonitorTarget], since: float) -> list[tuple[str, ...]]:
        return [
            (self._moment(look.at), *_named(one), "" if look.value is None else f"{look.value:.3f}",
             "nothing" if look.blind else "lost" if look.value is None else "ok")
            for one in targets
            for look in self._monitors.recorder.looks(one.id, since)
        ]  # fmt: skip

    def _figures(self, targets: Sequence[MonitorTarget], since: float) -> list[tuple[str, ...]]:
        return [
            (self._moment(figure.at), *_named(one), str(figure.looks), str(figure.lost),
             *(f"{value:.3f}" for value in (figure.least, figure.mean, figure.most)))
            for one in targets
            for figure in self._monitors.recorder.figures(one.id, since, history.FINE)
        ]  # fmt: skip

    def _moment(self, at: float) -> str:
        zone = ZoneInfo(self._context.live.policy.timezone)
        return datetime.fromtimestamp(at, UTC).astimezone(zone).isoformat(timespec="milliseconds")

    # -- kept quiet, ended

    def acknowledge(self, ask: CommandCall) -> Answer:
        """Say beside an outage who looks after it: `!ack M3 core2 on it`."""
        monitor = self._of(ask, monitor_words.number(ask.words[0]) or 0)
        return self._acknowledge(ask, monitor, list(ask.words[1:]))

    def _acknowledge(self, ask: CommandCall, monitor: Monitor, words: list[str]) -> Answer:
        """Say beside an outage who looks after it."""
        person, watch = self._context.person(ask), self._monitors.watch(monitor.number)
        if watch is None:
            return Answer(f"M{monitor.number} has ended.")
        named = self._named(words[0] if words else "", list(watch.by_name))
        bad = [view.name for view in watch.views() if view.track.state in text.BAD]
        if not named and len(bad) != 1:
            which = f"{render.names(bad)} are not well" if bad else "nothing of it is down"
            raise BadCommand(f"Which one? {which}. → !monitor {monitor.number} ack <device> [what you say]")
        name = named or bad[0]
        if ask.trial:
            return TRIED
        said = " ".join(words[1:] if named else words)
        who = f"{person.name}: {one_line(said, 120)}" if said else f"{person.name} looks after it"
        self._monitors.acknowledge(monitor.number, name, who, self._by(ask, person, monitor))
        return Answer(f"M{monitor.number} {name} · {who}")

    def mute(self, ask: CommandCall) -> Answer | None:
        """Tell nothing of a monitor, of one of its devices, or of an alert, for a time."""
        if ask.words and NUMBER.fullmatch(ask.words[0]):
            return self._alerts.mute(ask)
        usage = "→ !mute <n> [device] <time> [reason], such as !mute 3 core2 2h line card"
        person, words = self._context.person(ask), ask.words
        number = monitor_words.number(words[0]) if words else None
        if number is None or len(words) < 2:
            raise BadCommand(usage)
        monitor = self._of(ask, number)
        watch = self._monitors.watch(number)
        if watch is None:
            return Answer(f"M{number} has ended.")
        name = self._named(words[1], list(watch.by_name))
        rest = words[2:] if name else words[1:]
        try:
            until, reason = times.leading(rest, self._context.now(), self._context.live.policy.timezone)
        except ValueError as error:
            raise BadCommand(f"{error}. {usage}") from error
        if ask.trial:
            return TRIED
        said = one_line(" ".join(reason).strip('"'), 200)
        why = f"{person.name}: {said}" if said else person.name
        self._monitors.mute(number, name, until, why, self._by(ask, person, monitor))
        when = times.moment_text(until, self._context.live.policy.timezone, self._context.now())
        return Answer(f"M{number}{f' {name}' if name else ''} is muted until {when} ({why}).")

    def unmonitor(self, ask: CommandCall) -> Answer | None:
        """End a monitor."""
        person = self._context.person(ask)
        number = monitor_words.number(ask.words[0]) if ask.words else None
        if number is None:
            raise BadCommand("Which one? → !unmonitor <n> · !monitors")
        monitor = self._of(ask, number)
        if monitor.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: {monitor.person} or an admin ends M{number}. → !mute {number} 2h")
        if ask.trial:
            return TRIED
        if not self._monitors.end(number, f"{person.name} ended it", self._by(ask, person, monitor)):
            return Answer(f"M{number} has ended.")
        if (ask.place.network, ask.place.room) == (monitor.place.network, monitor.place.room):
            return None  # the place hears how it went
        return Answer(f"M{number} has ended. → !monitor {number}")

    # -- which one

    def _of(self, ask: CommandCall, number: int) -> Monitor:
        person = self._context.person(ask)
        watch = self._monitors.watch(number)
        monitor = watch.monitor if watch else self._context.store.monitors.find(number)
        if monitor is None or not self._sees(person, monitor):
            raise BadCommand(f"There is no monitor M{number}. → !monitors")
        return monitor

    def _sees(self, person: Person, monitor: Monitor) -> bool:
        if monitor.person == person.name or ADMINS in person.groups:
            return True
        return bool(monitor.devices) and gate.visible(self._context.live.scope, person).issuperset(monitor.devices)

    def _target(self, word: str, known: Sequence[str], number: int) -> str:
        if name := self._named(word, known):
            return name
        raise UnknownDevice(f"M{number} does not watch {one_line(word, 60)!r}.{did_you_mean(nearest(word, known, 3))}")

    @staticmethod
    def _named(word: str, known: Sequence[str]) -> str:
        """The target that a word names, whatever its capitals; empty where it names none."""
        return next((name for name in known if name.casefold() == word.casefold()), "")

    @staticmethod
    def _by(ask: CommandCall, person: Person, monitor: Monitor) -> Subject:
        return Subject(person.name, ask.caller, ask.place, monitor.operation, monitor.devices).brief()


def _named(target: MonitorTarget) -> tuple[str, str]:
    """A target or a part of one, and the unit of its figures."""
    name = f"{target.device} {target.name}" if "of" in target.facts else target.name
    return name, str(target.facts.get("unit", MS))


def _interval(wanted: Wanted, kind: str) -> float:
    seconds = wanted.every.total_seconds() if wanted.every else _DEFAULT_SECONDS[kind]
    if seconds < _LEAST_SECONDS[kind]:
        least = times.duration_text(timedelta(seconds=_LEAST_SECONDS[kind]))
        raise BadCommand(
            f"every {seconds:g} s is too often for {'a read' if kind == READ else kind}: {least} at least."
        )
    return seconds


def _address(word: str) -> str:
    """A web address as it is asked for; one without a scheme is meant to be safe."""
    url = word if "://" in word else f"https://{word}"
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[\x00-\x20\x7f]", url):
        raise BadCommand(f"{one_line(word, 60)} is no web address. → !monitor http https://www.corp.example")
    if parts.username is not None or parts.password is not None:
        raise BadCommand("A password must not stand in an address; nothing was begun.")
    try:
        _ = parts.port
    except ValueError:
        raise BadCommand(f"{one_line(word, 60)} has a port that is none.") from None
    return url.partition("#")[0]
