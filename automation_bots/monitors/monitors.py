"""All monitors of a bot: takes looks, judges them, lets rooms hear of what changed, and ends what has had its time."""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime

from automation_bots.errors import BadCommand, StoreError
from automation_bots.events import Event
from automation_bots.model import (
    FINAL,
    NOTHING,
    Answer,
    File,
    Job,
    Monitor,
    MonitorEvent,
    MonitorTarget,
    Outcome,
    Place,
    Status,
    one_line,
)
from automation_bots.model import GOOD as WELL
from automation_bots.monitors import condition, counters, news, pictures, published, text
from automation_bots.monitors.condition import Found
from automation_bots.monitors.counters import Counted
from automation_bots.monitors.gateways import Gateways, host_of, is_here
from automation_bots.monitors.live_pictures import LivePictures
from automation_bots.monitors.measured import NONE, Measured
from automation_bots.monitors.news import Evidence
from automation_bots.monitors.prober import Lateness, Prober
from automation_bots.monitors.recorder import Recorder
from automation_bots.monitors.teller import Teller
from automation_bots.monitors.track import Sample, Seen, TargetState
from automation_bots.monitors.watch import READ, Say, Watch
from automation_bots.store import Store, Subject
from automation_bots.surface import MessageRef, Surface
from automation_bots.sweep import probes
from automation_bots.sweep.probes import Look, Probe
from automation_bots.text.times import elapsed
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
PER_SECOND = 2_000.0  # looks that all monitors together may take
_TURN_SECONDS = 0.5
_IDLE_SECONDS = 30.0
_RIGHTS_SECONDS = 60.0
_SAVE_SECONDS = 300.0
_LEAST_EDIT_SECONDS = 2.0
_LONG_SECONDS = 3_600.0  # after which the live message is edited less often
_LONG_EDIT_SECONDS = 30.0
_PICTURE_LOOKS = 5  # before which a picture shows nothing
_LONG_PICTURE_SECONDS = 600.0
_GATEWAY_LATE_SECONDS = 6.0  # that news waits for a word of the gateway
_STALE_LOOKS = 3.0  # intervals without any look at all
_STALE_SECONDS = 30.0
_RECALLED_LOOKS, _RECALLED_SECONDS = 24, 300.0  # of an earlier life; what is older says nothing of now
_MOST_PARTS = 2_000  # interfaces, or rows of tables, that one monitor keeps a history of
_SECOND_LOOK_SECONDS = 30.0  # after the first of what has to grow
WEB = ("text", "without", "status", "days", "within")  # of a web address: what it has to answer
_SEEN = {one.value: one for one in Seen}


@dataclass(frozen=True, slots=True)
class MonitorContext:
    """What monitors stand on."""

    store: Store
    now: Callable[[], datetime]
    surface: Callable[[Place], Surface]
    zone: Callable[[], str]
    judge: Callable[[Monitor], str]  # why its owner may not look any more; empty: all is well
    ask: Callable[[Monitor], int | str]  # begin a read: the number of its job, or why there is none
    groups: Callable[[Iterable[str]], Mapping[str, Sequence[str]]]  # the devices of each site and group
    publish: Callable[[Event], None] = lambda _event: None  # tells whatever acts on changes
    addresses: Callable[[str], Sequence[str]] = lambda _name: ()  # of a host's name, as far as they are known
    web: Callable[[str], Mapping[str, str]] = lambda _url: NOTHING  # by which proxy and CA a web address is asked
    references: Sequence[str] = ()  # addresses beyond the gateway that answer as long as there is a network


@dataclass(slots=True)
class _Read:
    """The reads of one monitor."""

    due: float
    job: int | None = None
    judged: int | None = None  # the job of the last look, whose outcomes are still there
    is_news: bool = True  # it told something
    counted: dict[int, Counted] = field(default_factory=dict)  # by target, where growth is watched


@dataclass(frozen=True, slots=True)
class Figures:
    """What Prometheus and `!monitors` hear of monitors as a whole."""

    running: int
    targets: Mapping[str, int]  # by state
    looks: int  # since the start
    lateness: Lateness
    prober_starts: int
    lost: str  # why the bot itself reaches nothing, or nothing beyond its gateway; empty: it does


@dataclass(slots=True)
class _Loss:
    """A time in which the bot itself reaches nothing."""

    since: float
    why: str
    is_beyond: bool  # its gateway answers, and nothing behind that
    rooms: dict[Place, str] = field(default_factory=dict)  # where it was said, and the monitors there


class Monitors:
    """One loop for all of them. `prober` may be another one: tests bring their own looks."""

    def __init__(
        self, context: MonitorContext, prober: Callable[[Callable[[Sequence[Look]], None]], Prober] = Prober
    ) -> None:
        self._context, self._store = context, context.store.monitors
        self._watches: dict[int, Watch] = {}
        self._of: dict[int, Watch] = {}  # by target
        self._here: set[int] = set()  # targets on this machine, which say nothing about the network
        self._reads: dict[int, _Read] = {}
        self._looks: deque[Sequence[Look]] = deque()
        self._ended: deque[int] = deque()
        self._lock = threading.RLock()
        self._beyond: set[int] = set()  # targets that are in no network of this machine
        self._heard = self._heard_beyond = 0.0  # when the last look left that somebody elsewhere answered
        self._loss: _Loss | None = None
        self._edits: dict[int, float] = {}
        self._next_rights = self._next_save = self._next_places = 0.0
        self._count = 0
        self.recorder = Recorder(context.store, self._time)
        self._teller = Teller(context.surface, self._said)
        self.pictures = LivePictures(context.surface, self._pictured)
        self._draws: dict[int, float] = {}  # when the live message of each gets its next picture
        self.prober = prober(self._looked)
        self._gateways = Gateways(references=context.references)
        self._loop = Loop("monitors", self.round, _TURN_SECONDS)

    # -- life

    def start(self) -> None:
        """Take up those that go on, in the messages that show them."""
        now = self._time()
        with self._lock:
            for monitor in self._store.running():
                targets = self._store.targets(monitor.number)
                watch = self._took(monitor, targets)
                self._know(watch)
                watch.remark = f"goes on after a restart of the bot at {self._clock(now)}"
        self._teller.start()
        self.pictures.start()
        self.recorder.start()
        self._loop.start()

    def stop(self) -> None:
        """End; they go on with the next start."""
        self._loop.stop()
        self.pictures.stop()
        self.prober.stop()
        with self._lock:
            try:
                self._save()
            except StoreError as error:
                log.warning("how monitors stand could not be written down: %s", error)
        self.recorder.stop()
        self._teller.stop()

    def add(self, monitor: Monitor, targets: Sequence[MonitorTarget]) -> Monitor:
        """Begin one; its place hears of it by the live message."""
        if monitor.kind != READ and self.rate + len(targets) / monitor.interval > PER_SECOND:
            raise BadCommand(
                f"That would be {len(targets) / monitor.interval:,.0f} looks a second; all monitors together may have "
                f"{PER_SECOND:,.0f}, and have {self.rate:,.0f}. Take a longer time between them, or fewer devices."
            )
        made, kept = self._store.add(monitor, targets)
        with self._lock:
            watch = self._took(made, kept)
        answer = text.live(made, watch.views(), self._context.zone(), self._context.now())
        self._teller.tell(made.place, Say(_live(made.number), answer))
        self._loop.wake()
        return made

    def _know(self, watch: Watch) -> None:
        """Go on with the messages of an earlier life of the bot, and with what it saw just before its end."""
        monitor = watch.monitor
        watch.know(self._store.parts(monitor.number))
        since = self._time() - _RECALLED_LOOKS * monitor.interval - _RECALLED_SECONDS
        seen = self.recorder.latest(watch.targets, since)
        watch.recall({id_: [look.value for look in looks if not look.blind] for id_, looks in seen.items()})
        self._teller.know(_live(monitor.number), monitor.message)
        if monitor.message and (picture := json.loads(monitor.message).get("picture")):
            self.pictures.know(_live(monitor.number), picture)

    def _took(self, monitor: Monitor, targets: Sequence[MonitorTarget]) -> Watch:
        groups = self._context.groups([one.device for one in targets if one.device])
        watch = self._watches[monitor.number] = Watch(monitor, targets, self._context.zone(), _named(groups, targets))
        self._of.update({one.id: watch for one in targets})
        self._here |= {one.id for one in targets if "host" in one.facts and is_here(str(one.facts["host"]))}
        self._locate(watch)
        if monitor.kind == READ:
            self._reads[monitor.number] = _Read(self._time())
            return watch
        self.prober.watch([self._probe(monitor, one) for one in targets])
        return watch

    def _probe(self, monitor: Monitor, target: MonitorTarget) -> Probe:
        facts, host = target.facts, str(target.facts["host"])
        web = {name: facts[name] for name in WEB if name in facts} if monitor.kind == probes.HTTP else {}
        if monitor.kind == probes.HTTP:
            web |= self._context.web(host)
        return Probe(target.id, monitor.kind, host, monitor.interval, int(facts.get("port", 0)), web)

    def _locate(self, watch: Watch) -> None:
        """Find which targets are behind the gateway."""
        for id_, target in watch.targets.items():
            host = str(target.facts.get("host", ""))
            near = self._gateways.is_near(host, self._context.addresses(host_of(host))) if host else None
            (self._beyond.add if near is False and id_ not in self._here else self._beyond.discard)(id_)

    def end(self, number: int, why: str, by: Subject | None = None) -> bool:
        """End one; its place hears how it went."""
        with self._lock:
            watch = self._watches.get(number)
            if watch is None:
                return False
            self._tell_settled(watch, self._time())
            self._store.save(watch.kept())
            if not self._store.end(watch.monitor, why, by):
                return False
            self._left(watch)
        self._publish([published.ended(watch.monitor, why, self._time())])
        told = "" if why == _OVER else why
        answer = text.ended(watch.monitor, watch.views(), told, self._time())
        self._teller.tell(watch.monitor.place, Say(f"end/{number}", answer, draw=self._drawing(watch.monitor)))
        self._teller.show(_live(number), text.live(watch.monitor, watch.views(), self._context.zone(),
                                                    self._context.now(), "ended"))  # fmt: skip
        return True

    def _left(self, watch: Watch) -> None:
        number = watch.monitor.number
        self._watches.pop(number, None)
        self._reads.pop(number, None)
        self._edits.pop(number, None)
        self._draws.pop(number, None)
        self.pictures.forget(_live(number))
        for id_ in watch.targets:
            self._of.pop(id_, None)
            self._here.discard(id_)
            self._beyond.discard(id_)
        if watch.monitor.kind != READ:
            self.prober.leave(list(watch.targets))
        if not any(one.monitor.kind != READ for one in self._watches.values()):
            self.prober.leave(self._gateways.forget())

    # -- what comes in

    def _looked(self, looks: Sequence[Look]) -> None:
        """Called by the prober's thread."""
        self._looks.append(looks)

    def ended(self, job: int) -> None:
        """A job has ended, perhaps one of a monitor; a quick one even before its number is known here."""
        if self._reads:
            self._ended.append(job)
            self._loop.wake()

    def reconsider(self) -> None:
        """The rules have changed: look at rights at once."""
        self._next_rights = 0.0
        self._loop.wake()

    # -- a turn

    def round(self) -> float:
        """Do what is due; return how long nothing is."""
        now = self._time()
        with self._lock:
            self._take_looks(now)
            self._take_reads(now)
            self._look_after(now)
            for watch in list(self._watches.values()):
                watch.unmuted(now)
                self._tell_news(watch, now)
                self._show(watch, now)
                self._draw(watch, now)
            self._begin_reads(now)
        self._end_those_over(now)
        return _TURN_SECONDS if self._watches else _IDLE_SECONDS

    def _take_looks(self, now: float) -> None:
        while self._looks:
            for id_, at, _, ms, seen, words in self._looks.popleft():
                if id_ < 0:
                    self._gateways.take(id_, at, answered=seen == probes.GOOD)
                    if seen == probes.GOOD:
                        self._answered(at, beyond=self._gateways.is_reference(id_))
                else:
                    self._take_look(id_, at, ms, seen, words, now)

    def _take_look(self, id_: int, at: float, ms: float | None, seen: str, words: str, now: float) -> None:
        watch = self._of.get(id_)
        if watch is None:
            return
        self._count += 1
        elsewhere = id_ not in self._here
        if seen == probes.BAD and elsewhere and self._is_hidden(id_):
            self.recorder.add(id_, at, None, blind=True)
            watch.last_look = now
            return
        if elsewhere and seen in {probes.GOOD, probes.POOR}:
            self._heard = max(self._heard, at)
            self._answered(at, beyond=id_ in self._beyond)
        self.recorder.add(id_, at, ms, blind=seen == probes.NOTHING)
        watch.take(id_, Sample(at, _SEEN[seen], ms, words), now)

    def _is_hidden(self, id_: int) -> bool:
        """Whether nobody can say how a target is, since the fault is on this side or on the way."""
        return self._loss is not None and (not self._loss.is_beyond or id_ in self._beyond)

    def _answered(self, at: float, *, beyond: bool) -> None:
        """Somebody elsewhere, or the gateway, answered what left then."""
        if beyond:
            self._heard_beyond = max(self._heard_beyond, at)
        if self._loss is not None and (beyond or not self._loss.is_beyond):
            self._back(at)

    def _take_reads(self, now: float) -> None:
        while self._ended:
            job = self._ended.popleft()
            for number, read in self._reads.items():
                if read.job == job:
                    self._read_ended(number, read, now)

    def _read_ended(self, number: int, read: _Read, now: float) -> None:
        job, read.job = read.job, None
        if job is not None:
            self._judge(self._watches[number], job, now)

    def _judge(self, watch: Watch, job: int, now: float) -> None:
        """Hold what a read brought against the condition."""
        ended = self._context.store.job(job)
        outcomes = {one.device: one for one in self._context.store.outcomes(job, with_output=True)}
        is_news = False
        for id_, target in watch.targets.items():
            outcome = outcomes.get(target.device)
            found: Found | None = (Seen.NOTHING, ended.error or "no answer")
            measured = NONE
            if outcome and outcome.status in WELL and counters.watched(watch.monitor.operation, watch.monitor.title):
                found, measured = self._growth(watch, id_, outcome, ended)
            elif outcome:
                found, measured = _seen(watch.monitor, outcome)
            if found is not None:
                self._keep(watch, id_, found, measured, (now, outcome.seconds * 1000 if outcome else 0.0))
                is_news |= watch.take(id_, Sample(now, found[0], measured.whole, found[1]), now)
        self._forget_look(self._reads[watch.monitor.number], job, is_news=is_news)
        watch.last_look = now

    def _forget_look(self, read: _Read, job: int, *, is_news: bool) -> None:
        """Of looks that told nothing only the newest is kept."""
        if read.judged is not None and not read.is_news:
            self._store.forget_look(read.judged)
        read.judged, read.is_news = job, is_news

    def _keep(self, watch: Watch, target: int, found: Found, measured: Measured, look: tuple[float, float]) -> None:
        """Keep what a read measured; of one that measures nothing how long it took, lost where it was not well."""
        at, took = look
        if watch.measures(target, measured.unit):
            self._store.save(watch.kept([target]))
        if watch.unit(target):
            self.recorder.add(target, at, measured.whole, blind=measured.whole is None)
        else:
            good, blind = found[0] is Seen.GOOD, found[0] is Seen.NOTHING
            self.recorder.add(target, at, took if good else None, blind=blind)
        fresh = [name for name in measured.parts if (target, name) not in watch.parts]
        room = max(0, _MOST_PARTS - len(watch.parts))
        if fresh[:room]:
            watch.know(self._store.add_parts(watch.monitor.number, watch.targets[target], fresh[:room], measured.unit))
        for name, figure in measured.parts.items():
            if (part := watch.parts.get((target, name))) is not None:
                self.recorder.add(part, at, figure)

    def _growth(self, watch: Watch, target: int, outcome: Outcome, job: Job) -> tuple[Found | None, Measured]:
        """What has grown since the look before; None: this was the first, and the second comes soon."""
        monitor, read = watch.monitor, self._reads[watch.monitor.number]
        at = job.started.timestamp() + outcome.seconds if job.started else self._time()  # others may have taken longer
        wanted = condition.read(monitor.condition) if monitor.condition else ()
        read.counted[target], found, measured = counters.step(
            read.counted.get(target, Counted()), counters.read(outcome.output, at),
            counters.watched(monitor.operation, monitor.title), wanted,
        )  # fmt: skip
        if found is None:
            read.due = min(read.due, self._time() + _SECOND_LOOK_SECONDS)
        return found, measured

    def _begin_reads(self, now: float) -> None:
        for number, read in self._reads.items():
            watch = self._watches[number]
            if read.due > now or any(map(self._is_hidden, watch.targets)):
                continue
            read.due = max(read.due + watch.monitor.interval, now)
            if read.job is not None and self._context.store.job(read.job).state in FINAL:
                self._read_ended(number, read, now)
            begun = f"#{read.job} before it has not ended" if read.job is not None else self._context.ask(watch.monitor)
            if isinstance(begun, int):
                read.job = begun
            else:
                for id_ in watch.targets:
                    watch.take(id_, Sample(now, Seen.NOTHING, None, begun), now)

    # -- what goes out

    def _tell_news(self, watch: Watch, now: float) -> None:
        if not watch.settling.due(now) or not self._is_sure(watch, now):
            return
        self._tell_settled(watch, now)

    def _tell_settled(self, watch: Watch, now: float) -> None:
        """Say what has settled, write it down, and let others hear of it."""
        if not watch.settling.changes:
            return
        moment, number = datetime.fromtimestamp(now, UTC), watch.monitor.number
        says, changes = watch.news(now, moment)
        for say in says:
            self._teller.tell(watch.monitor.place, say)
        self._publish(published.changed(watch.monitor, changes, watch.devices, now))
        events = [MonitorEvent(number, one.target, moment, one.now.value, text.changed(one)) for one in changes]
        try:
            counts = {state.value: some for state, some in news.counted(changes).items()}
            read = self._reads.get(number)
            self._store.tell(watch.monitor, events, counts, read.judged if read else None)
            self._store.save(watch.kept([watch.by_name[one.target].id for one in changes]))
        except StoreError as error:  # the room hears it all the same
            log.warning("what M%d told could not be written down: %s", number, error)
        self._edits.pop(number, None)
        if number in self._draws:
            soon = now + self.pictures.seconds(_live(number), watch.monitor.place)
            self._draws[number] = min(self._draws[number], soon)

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            self._context.publish(event)

    def _is_sure(self, watch: Watch, now: float) -> bool:
        """Whether outages that settled are outages, and not the loss of the bot's own network."""
        down = [watch.by_name[one.target].id for one in watch.settling.changes.values() if one.now is TargetState.DOWN]
        down = [id_ for id_ in down if id_ not in self._here and watch.monitor.kind != READ]
        if not down:
            return True
        since = max(watch.tracks[id_].failing_since for id_ in down)
        if self._gateways.waits(since) and now - watch.settling.first < _GATEWAY_LATE_SECONDS:
            return False
        evidence = self._evidence(since, beyond=not self._beyond.isdisjoint(down))
        began = min(watch.tracks[id_].failing_since for id_ in down)
        if why := news.own_loss(evidence):
            self._lose(_Loss(began, why, is_beyond=False))
        elif why := news.loss_beyond(evidence):
            self._lose(_Loss(began, why, is_beyond=True))
        else:
            return True
        return bool(watch.settling.changes)

    def _evidence(self, since: float, *, beyond: bool) -> Evidence:
        """What is known of who fails and who answers; `beyond`: one of those that fail is behind the gateway."""
        probed = [(id_, one) for id_, one in self._of.items() if id_ not in self._here and one.monitor.kind != READ]
        failing = {_host(one, id_) for id_, one in probed if one.tracks[id_].failures}
        behind = [(id_, one) for id_, one in probed if id_ in self._beyond] if beyond else []
        known = {_host(one, id_) for id_, one in behind if one.tracks[id_].looks > one.tracks[id_].lost}
        return Evidence(len(failing), since, self._heard, self._gateways.answers, len(failing & known), len(known),
                        self._heard_beyond, self._gateways.references)  # fmt: skip

    def _lose(self, loss: _Loss) -> None:
        """Say once in each room that the bot itself reaches nothing, or nothing beyond its gateway."""
        self._loss, since, why = loss, loss.since, loss.why
        log.warning("monitors: the bot itself reaches nothing%s: %s", _BEYOND * loss.is_beyond, why)
        self._publish([published.own_network("lost", why, since)])
        by_place: dict[Place, list[str]] = {}
        for number, watch in self._watches.items():
            ids = [id_ for id_ in watch.targets if id_ not in self._here and self._is_hidden(id_)]
            if ids and watch.monitor.kind != READ:
                watch.blind(ids, since, f"the bot itself reaches nothing{_BEYOND * loss.is_beyond}")
                by_place.setdefault(watch.monitor.place, []).append(f"M{number}")
        for place, names in by_place.items():
            loss.rooms[place] = ", ".join(names)
            self._teller.tell(place, Say(self._loss_key(loss, place), Answer(self._lost_text(loss, place))))

    def _back(self, at: float) -> None:
        loss = self._loss
        if loss is None or at <= loss.since:
            return
        self._loss = None
        self._publish([published.own_network("back", loss.why, at)])
        lasted = f"reaches the network again after {elapsed(at - loss.since)}"
        for place, names in loss.rooms.items():
            whole = Answer(f"{self._lost_text(loss, place)} · {lasted}")
            again = Answer(f"{names} {self._clock(at)} the bot {lasted}")
            self._teller.tell(place, Say(self._loss_key(loss, place), whole, edits=True, otherwise=again))

    def _lost_text(self, loss: _Loss, place: Place) -> str:
        begin = f"{loss.rooms[place]} {self._clock(loss.since)}"
        if not loss.is_beyond:
            return f"{begin} the bot itself reaches nothing: {loss.why}. How the devices are, nobody can say from here."
        return (
            f"{begin} nothing beyond the bot's gateway is reached: {loss.why}. Either the way there is cut, or all of "
            "it is down; which, nobody can say from here."
        )

    @staticmethod
    def _loss_key(loss: _Loss, place: Place) -> str:
        return f"loss/{loss.since}/{place.network}/{place.room}/{place.thread}"

    def _show(self, watch: Watch, now: float) -> None:
        number = watch.monitor.number
        if self._edits.get(number, 0.0) > now:
            return
        made = watch.monitor.made.timestamp() if watch.monitor.made else now
        least = _LONG_EDIT_SECONDS if now - made > _LONG_SECONDS else _LEAST_EDIT_SECONDS
        every = max(
            least, min(watch.monitor.interval, _LONG_EDIT_SECONDS), self._teller.edit_seconds(watch.monitor.place)
        )
        self._edits[number] = now + every
        zone, moment = self._context.zone(), self._context.now()
        if self._teller.edits(watch.monitor.place):
            self._teller.show(_live(number), text.live(watch.monitor, watch.views(), zone, moment, watch.remark))

    def _draw(self, watch: Watch, now: float) -> None:
        """Let the live message have a picture of now: often in its first hour and after news, else now and then."""
        number, monitor = watch.monitor.number, watch.monitor
        if self._draws.get(number, 0.0) > now:
            return
        message = self._teller.message(_live(number))
        every = self.pictures.seconds(_live(number), monitor.place)
        if message is None or not message.id or not every or watch.looks < _PICTURE_LOOKS:
            return
        made = monitor.made.timestamp() if monitor.made else now
        every = max(every, min(monitor.interval, _LONG_PICTURE_SECONDS))
        self._draws[number] = now + (max(every, _LONG_PICTURE_SECONDS) if now - made > _LONG_SECONDS else every)
        self.pictures.want(_live(number), message, self._drawing(monitor))

    def _look_after(self, now: float) -> None:
        """See that looks come, and that what is written down is not old."""
        probing = any(watch.monitor.kind != READ for watch in self._watches.values())
        self.prober.look_after()
        if probing and (fresh := self._gateways.look(now)) is not None:
            self.prober.leave(fresh[1])
            self.prober.watch(fresh[0])
        if now >= self._next_places:
            self._next_places = now + _RIGHTS_SECONDS
            for watch in self._watches.values():
                self._locate(watch)
        for watch in self._watches.values() if probing else ():
            self._say_stale(watch, now)
        if now >= self._next_save:
            if self._next_save:
                self._save()
            self._next_save = now + _SAVE_SECONDS

    def _say_stale(self, watch: Watch, now: float) -> None:
        """No look at all for long is told: silence of the prober is no health of the devices."""
        if watch.monitor.kind == READ or not watch.last_look:
            return
        silent = now - watch.last_look
        if silent > _STALE_LOOKS * watch.monitor.interval + _STALE_SECONDS:
            if not watch.remark.startswith("no look"):
                watch.remark = f"no look since {self._clock(watch.last_look)}: nobody can say how it is"
                said = Answer(f"M{watch.monitor.number} {watch.remark}")
                self._teller.tell(watch.monitor.place, Say(f"stale/{watch.monitor.number}/{now}", said))
        elif watch.remark.startswith("no look"):
            watch.remark = ""

    def _save(self) -> None:
        for watch in self._watches.values():
            self._store.save(watch.kept())

    def _end_those_over(self, now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC)
        for number, watch in list(self._watches.items()):
            if watch.monitor.until and watch.monitor.until <= moment:
                self.end(number, _OVER)
        if now < self._next_rights:
            return
        self._next_rights = now + _RIGHTS_SECONDS
        for number, watch in list(self._watches.items()):
            if why := self._context.judge(watch.monitor):
                self.end(
                    number,
                    f"{watch.monitor.person} may no longer look there: {one_line(why.removeprefix('No: '), 200)}",
                )

    # -- what people say and ask

    def mute(self, number: int, name: str, until: datetime, why: str, by: Subject) -> None:
        """Tell nothing of it until then."""
        with self._lock:
            watch = self._watches[number]
            changed = watch.mute(name, until, why)
            facts = {"what": "muted", "target": name, "until": until, "reason": why}
            self._store.change(watch.monitor, by, facts, changed)
            self._edits.pop(number, None)
        self._loop.wake()

    def acknowledge(self, number: int, name: str, who: str, by: Subject) -> None:
        """Note beside an outage that somebody looks after it."""
        with self._lock:
            watch = self._watches[number]
            changed, says = watch.acknowledge(name, who)
            self._store.change(watch.monitor, by, {"what": "acknowledged", "target": name, "reason": who}, changed)
            for say in says:
                self._teller.tell(watch.monitor.place, say)
            self._edits.pop(number, None)
        self._loop.wake()

    def picture(self, monitor: Monitor, place: Place) -> None:
        """Draw what it saw, and say it there."""
        answer = Answer(f"M{monitor.number} {one_line(monitor.title, 80)}")
        key = f"picture/{monitor.number}/{self._time()}"
        self._teller.tell(place, Say(key, answer, draw=self._drawing(monitor), asked=True))

    def _drawing(self, monitor: Monitor) -> Callable[[], File]:
        until = (monitor.ended or self._context.now()).timestamp()

        def draw() -> File:
            targets = self._store.targets(monitor.number)
            parts, events = self._store.parts(monitor.number), self._store.events(monitor.number, pictures.EVENTS)
            about = pictures.Drawn(monitor, targets, parts, events)
            return pictures.drawn(about, self.recorder, until, self._context.zone())

        return draw

    def watch(self, number: int) -> Watch | None:
        """One that goes on."""
        return self._watches.get(number)

    def running(self) -> list[Watch]:
        """All that go on, the oldest first."""
        return [self._watches[number] for number in sorted(self._watches)]

    @property
    def rate(self) -> float:
        """How many looks a second all probes together take."""
        return sum(
            len(watch.targets) / watch.monitor.interval
            for watch in list(self._watches.values())
            if watch.monitor.kind != READ
        )

    def figures(self) -> Figures:
        """What all of them come to."""
        states = dict.fromkeys((state.value for state in TargetState), 0)
        for watch in list(self._watches.values()):
            for track in list(watch.tracks.values()):
                states[track.state.value] += 1
        lost = f"{_BEYOND.lstrip() + ', ' if self._loss.is_beyond else ''}{self._loss.why}" if self._loss else ""
        return Figures(len(self._watches), states, self._count, self.prober.lateness, self.prober.starts, lost)

    # -- small things

    def _pictured(self, key: str, message: MessageRef, picture: str) -> None:
        self._said(key, json.dumps({**asdict(message), "picture": picture}))

    def _said(self, key: str, ref: str) -> None:
        if key.startswith("M") and key[1:].isdigit():
            self._store.set_message(int(key[1:]), ref)
            if watch := self._watches.get(int(key[1:])):
                watch.monitor = replace(watch.monitor, message=ref)

    def _time(self) -> float:
        return self._context.now().timestamp()

    def _clock(self, at: float) -> str:
        return text.clock(at, self._context.zone(), self._context.now())


_BEYOND = " beyond its gateway"
_OVER = "its time is over"


def _live(number: int) -> str:
    return f"M{number}"


def _host(watch: Watch, id_: int) -> str:
    return host_of(str(watch.targets[id_].facts.get("host", "")))


def _named(groups: Mapping[str, Sequence[str]], targets: Sequence[MonitorTarget]) -> dict[str, list[str]]:
    """The targets of each group, of the devices of each."""
    by_device: dict[str, list[str]] = {}
    for one in targets:
        by_device.setdefault(one.device, []).append(one.name)
    return {name: [t for device in devices for t in by_device.get(device, ())] for name, devices in groups.items()}


def _seen(monitor: Monitor, outcome: Outcome) -> tuple[Found, Measured]:
    """What one device's outcome says by the condition, by what everybody means, or by having succeeded."""
    output = outcome.output or outcome.summary
    if outcome.status not in WELL:
        bad = outcome.status in {Status.FAILED, Status.UNREACHABLE}
        judged = condition.meant(monitor.operation) or counters.watched(monitor.operation, monitor.title)
        plain = not monitor.condition and not judged
        return (Seen.BAD if bad and plain else Seen.NOTHING, outcome.summary or outcome.status.value), NONE
    if monitor.condition:
        wanted = condition.read(monitor.condition)
        return condition.judged(output, wanted), condition.measured(output, wanted)
    if meant := condition.meant(monitor.operation):
        return meant(output), NONE
    return (Seen.GOOD, outcome.summary), NONE
