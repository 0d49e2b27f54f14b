"""Commands that run at times: set, looked at, paused, run now, given to somebody else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from automation_bots import render
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.config.settings import ScheduleSettings
from automation_bots.errors import BadCommand, UserError
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import (
    NOTHING,
    PARKED,
    Answer,
    Decision,
    Occurrence,
    Person,
    Request,
    Schedule,
    ScheduleState,
    Tells,
    Verdict,
    one_line,
)
from automation_bots.operations import own_at_times
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import parser as grammar
from automation_bots.policy import gate, quorum
from automation_bots.policy.rules import ADMINS
from automation_bots.schedules import recurrence, words
from automation_bots.schedules import text as schedule_text
from automation_bots.schedules.own_answers import is_refusal
from automation_bots.schedules.recurrence import Recurrence
from automation_bots.schedules.timer import ScheduleTimer
from automation_bots.store import Subject
from automation_bots.text import times
from automation_bots.text.nearest import did_you_mean, nearest
from automation_bots.text.times import duration_text, moment_text

_FLAG = r"--(on|zone|confirm)(?:=|\s+)(\S+)"
_BEHIND, _BEFORE = re.compile(rf"\s{_FLAG}\s*\Z"), re.compile(rf"{_FLAG}(?:\s+|\Z)")
_ACTIONS = ("pause", "resume", "remove", "run", "owner", "accept")
_ROWS_SHOWN = 40
_NEXT, _HISTORY = 5, 10
_TRIES = 5  # to be quicker than the times of a schedule
_Read = Callable[[Sequence[str], datetime, str], tuple[Recurrence, Sequence[str]]]


@dataclass(frozen=True, slots=True)
class _Options:
    """What a schedule's own flags say."""

    tells: Tells | None = None
    zone: str = ""
    confirmed: int = 0

    def with_(self, name: str, value: str) -> _Options:
        """Add one."""
        if name == "zone":
            try:
                return replace(self, zone=times.zone(value))
            except ValueError as error:
                raise BadCommand(f"--zone: {error}.") from error
        if name == "on":
            if value.lower() not in set(Tells):
                raise BadCommand(f"--on takes change, failure or always, not {one_line(value, 30)!r}.")
            return replace(self, tells=Tells(value.lower()))
        if not re.fullmatch(r"\d{1,6}", value):
            raise BadCommand(f"--confirm takes the number of devices, not {one_line(value, 30)!r}.")
        return replace(self, confirmed=int(value))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What shall run: a request, resolved as now, or (None) a command of the bot itself."""

    looks: bool
    pattern: str
    request: Request | None = None


class ScheduleCommands:
    """One method a command; each returns what to say."""

    def __init__(
        self, context: CommandContext, timer: ScheduleTimer, settings: ScheduleSettings,
        answer: Callable[[str, CommandCall], Answer | None],
    ) -> None:  # fmt: skip
        self._context, self._timer, self._settings = context, timer, settings
        self._answer = answer  # asks a command of the bot itself
        self._store = context.store.schedules

    # -- set

    def at(self, ask: CommandCall) -> Answer:
        """Run a command once."""
        return self._set(ask, "at 22:00", words.at)

    def every(self, ask: CommandCall) -> Answer:
        """Run a command at intervals, or on days at a time."""
        return self._set(ask, "every 15m", words.every)

    def cron(self, ask: CommandCall) -> Answer:
        """Run a command by cron's five fields."""
        return self._set(ask, 'cron "0 2 * * 1-5"', words.cron)

    def _set(self, ask: CommandCall, example: str, read: _Read) -> Answer:
        person, now = self._context.person(ask), self._context.now()
        line, text = grammar.split_text(ask.line)
        if not line:
            raise BadCommand(f"When, and what? → !{example} <command>")
        options, line = _flags(_Options(), line, _BEHIND)
        when, command = self._read(read, line, options.zone or self._context.live.policy.zone(person))
        options, command = _flags(options, command, _BEFORE)
        if options.zone and options.zone != when.zone:
            when, _ = self._read(read, line, options.zone)
        if not command:
            raise BadCommand(f"{when.text}: what shall run then? → !{example} <command>")
        said = self._said(ask, command, text)
        self._without_user(when, f"{said.operation} {said.line}")
        wanted = self._wanted(said)
        if isinstance(wanted, Answer):
            return wanted
        self._check(when, now, looks=wanted.looks)
        self._count(person)
        tells = options.tells or (Tells.ALWAYS if when.once or wanted.request is None else Tells.CHANGE)
        made = Schedule(
            0, person.name, ask.caller, ask.place, said.operation, said.line, text, recurrence.kept(when), tells,
            options.confirmed, wanted.pattern, due=when.next(now),
        )  # fmt: skip
        if wanted.request is None:
            made = self._store.add(made)
            self._timer.look()
            return schedule_text.made(made, now, ())
        return self._kept(made, wanted.request, when, now)

    def _read(self, read: _Read, line: str, zone: str) -> tuple[Recurrence, str]:
        """Return when, and the command behind it as it was typed, quotes and all."""
        typed = line.split()
        try:
            found, rest = read(typed, self._context.now(), zone)
        except words.NotRead as error:
            instead = f"→ !{' '.join([error.instead, *error.rest])}" if error.instead else ""
            raise BadCommand(f"{_sentence(error)} {instead}".strip()) from error
        except ValueError as error:
            raise BadCommand(_sentence(error)) from error
        taken = len(typed) - len(rest)
        return found, re.sub(rf"\A\s*(?:\S+\s*){{{taken}}}", "", line).strip()

    def _without_user(self, when: Recurrence, command: str) -> None:
        """Refuse the user whom a line of /etc/crontab names before its command."""
        first, rest = [*command.split(None, 1), ""][:2]
        known = [bool(word.lower() in OWN or self._context.live.catalog.find(word)) for word in command.split()[:2]]
        if when.cron and known == [False, True]:
            instead = f'!cron "{when.cron}" {rest}'
            raise BadCommand(f"{one_line(first, 30)} is no command, and at times it runs as you. → {instead}")

    def _said(self, ask: CommandCall, command: str, text: str) -> TypedCommand:
        meant = self._context.pipeline.lookup.expanded(ask.caller, command.removeprefix(self._context.prefix))
        name, line = [*meant.split(None, 1), ""][:2]
        name = name.lower() if name.lower() in OWN else name
        if self._context.clear(f"{command}\n{text}") != f"{command}\n{text}":
            raise BadCommand("There is a secret in that command, and secrets are never stored, so it cannot run later.")
        return TypedCommand(ask.caller, ask.place, name, line.strip(), text)

    def _wanted(self, said: TypedCommand) -> _Wanted | Answer:
        """What is meant, as far as it can be judged now; an Answer refuses it."""
        if said.operation in OWN:
            return self._own(said)
        request = self._context.pipeline.planned(said)
        if isinstance(request, Answer):
            return request
        return _Wanted(request.operation.only_looks(request.parameters), request.pattern, request)

    def _own(self, said: TypedCommand) -> _Wanted | Answer:
        """A command of the bot itself: tried, and nothing done."""
        name, line = said.operation, f"{said.line}\n{said.text}".strip()
        if why := own_at_times.refused(name, line):  # its further lines are words of it too
            raise BadCommand(f"!{one_line(f'{name} {line}', 60).strip()} does not run at times: {why}.")
        looks = own_at_times.only_looks(name, line)
        answer = self._answer(name, CommandCall(said.caller, said.place, line, trial=True))
        if answer is not None and answer != TRIED and (is_refusal(answer) or not looks):
            return answer
        return _Wanted(looks, own_at_times.devices(name, line))

    def _check(self, when: Recurrence, now: datetime, *, looks: bool) -> None:
        """Refuse what never comes, or too often."""
        if when.next(now) is None:
            raise BadCommand(f"{when.text} never comes again.")
        least = self._settings.shortest(looks=looks)
        if when.shortest is not None and when.shortest < least:
            kind = "what looks" if looks else "what may change something"
            raise BadCommand(
                f"{when.text} is too often: {kind} comes at most every {duration_text(least)} ([schedules] in bot.toml)"
            )

    def _count(self, person: Person) -> None:
        mine = len(self._store.all(person.name))
        if mine >= self._settings.person:
            raise BadCommand(f"You have {render.many(mine, 'schedule')}, which is the limit. → !schedules mine")

    def _kept(self, made: Schedule, request: Request, when: Recurrence, now: datetime) -> Answer:
        first = made.due or now
        decision, notes = self._judged(request, first, now)
        if isinstance(decision, Answer):
            return decision
        if decision.confirm and made.confirmed != len(request.devices):
            many = len(request.devices)
            raise BadCommand(f"{decision.confirm}. Nobody is asked later, so say how many you mean: --confirm {many}")
        ahead = self._may_be_asked(request, decision)
        made = self._store.add(replace(made, ahead=ahead, asks=made.due if ahead else None))
        if decision.verdict is Verdict.APPROVAL and not notes:
            notes = [self._asked(made, when, first, decision)]
        self._timer.look()
        return schedule_text.made(made, now, notes)

    def _judged(self, request: Request, first: datetime, now: datetime) -> tuple[Decision | Answer, list[str]]:
        """Decide as now, and as at its first time: what neither lets through is refused, a difference is told."""
        scope = self._context.live.scope
        today, then = gate.decide(scope, request, now, now), gate.decide(scope, request, first, now)
        if then.verdict is not Verdict.DENY:
            return then, []
        if today.verdict is Verdict.DENY:
            return self._context.pipeline.judged(request) or Answer(today.reason), []
        at = moment_text(first, self._context.live.policy.timezone, now)
        return today, [f"As things are it would be refused at {at}: {then.reason.removeprefix('No: ')}"]

    @staticmethod
    def _may_be_asked(request: Request, decision: Decision) -> bool:
        """Whether approvers may have to be asked about its times: of a change by the rules of another day too."""
        return decision.verdict is Verdict.APPROVAL or not request.operation.only_looks(request.parameters)

    def _asked(self, made: Schedule, when: Recurrence, first: datetime, decision: Decision) -> str:
        """Ask for the first time at once, so that approvers need not be awake then; returns what is said of it."""
        if self._store.take(made, first, when.next(first)):
            self._timer.start(made, Occurrence(made.number, first), first)
        whom = quorum.whom(decision.needs, ())
        counts = min((need.once for need in decision.needs), default=0.0)
        if counts:
            long = duration_text(timedelta(seconds=counts))
            return (
                f"Needs approval by {whom}: asked for now, and then it counts for {long} while nothing of it changes."
            )
        if when.once:
            return f"Needs approval by {whom}: asked for now."
        often = when.shortest is not None and when.shortest <= self._settings.lead
        each = "when the one before has ended" if often else f"{duration_text(self._settings.lead)} before it comes"
        return f"Needs approval by {whom}: the first time is asked for now, each other {each}."

    # -- looked at

    def schedules(self, ask: CommandCall) -> Answer:
        """What runs at times, as far as one may see it."""
        person, words = self._context.person(ask), [word for word in ask.words if word.lower() != "mine"]
        every = self._store.all(person.name if len(words) < len(ask.words) else None)
        devices = frozenset(self._context.pipeline.expand(person, ",".join(words))) if words else frozenset()
        meant: dict[str, frozenset[str]] = {}
        found = [
            schedule
            for schedule in every
            if self._sees(person, schedule, meant) and (not words or devices & self._devices(schedule, meant))
        ]
        if not found:
            return Answer("No schedule." if not words else "No schedule there.", hint="→ !every 15m <command>")
        now, zone = self._context.now(), self._context.live.policy.zone(person)
        next_ = {one.number: schedule_text.next_of(one, now) for one in found}
        shown = sorted(found, key=lambda one: (next_[one.number] is None, next_[one.number] or now, one.number))
        rows = [schedule_text.row(one, now, zone, self._last(one)) for one in shown[:_ROWS_SHOWN]]
        more = f"\n… and {len(found) - _ROWS_SHOWN:,} more" if len(found) > _ROWS_SHOWN else ""
        return Answer(f"{render.many(len(found), 'schedule')}:", render.table(rows) + more, "→ !schedule <n>")

    def _sees(self, person: Person, schedule: Schedule, meant: dict[str, frozenset[str]]) -> bool:
        """Whether a person may see a schedule: one's own, one on devices one sees, any for admins; as with jobs."""
        if person.name in {schedule.person, schedule.offered} or ADMINS in person.groups:
            return True
        devices = self._devices(schedule, meant)
        return bool(devices) and gate.visible(self._context.live.scope, person).issuperset(devices)

    def _devices(self, schedule: Schedule, meant: dict[str, frozenset[str]]) -> frozenset[str]:
        """The devices that its pattern means now."""
        if schedule.pattern not in meant:
            try:
                known = self._context.live.inventory.expand(schedule.pattern) if schedule.pattern else ()
            except UserError:
                known = ()
            meant[schedule.pattern] = frozenset(known)
        return meant[schedule.pattern]

    def _last(self, schedule: Schedule) -> str:
        last = next(iter(self._store.history(schedule.number, 1)), None)
        return one_line(schedule_text.came_to(last, whole=False), 60) if last else "-"

    def schedule(self, ask: CommandCall) -> Answer | None:
        """One schedule, or what is done about it."""
        person = self._context.person(ask)
        number, *words = ask.words or [""]
        found = self._found(person, number)
        if not words:
            return self._shown(person, found)
        action = words[0].lower()
        if action not in _ACTIONS:
            near = did_you_mean(nearest(action, _ACTIONS, 1), otherwise=f"→ {' · '.join(_ACTIONS)}")
            raise BadCommand(f"{one_line(action, 30)!r} is nothing that is done with a schedule.{near}")
        return self._do(ask, person, found, words)

    def _found(self, person: Person, word: str) -> Schedule:
        digits = word.upper().removeprefix("S").removeprefix("#")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 15):
            raise BadCommand("Which one? → !schedule <n> · !schedules")
        found = self._store.find(int(digits))
        if found is None or not self._sees(person, found, {}):
            raise BadCommand(f"There is no schedule S{digits}. → !schedules")
        return found

    def _do(self, ask: CommandCall, person: Person, found: Schedule, words: Sequence[str]) -> Answer | None:
        action = words[0].lower()
        if action == "accept":
            return self._accept(ask, person, found)
        if found.person != person.name and ADMINS not in person.groups:
            raise BadCommand(f"No: S{found.number} is {found.person}'s; {found.person} or an admin can do that.")
        if action == "owner":
            return self._offer(ask, found, words[1:])
        if action == "run":
            return self._run(ask, found)
        if ask.trial:
            return TRIED
        return {"pause": self._pause, "resume": self._resume, "remove": self._remove}[action](ask, found)

    def _shown(self, person: Person, found: Schedule) -> Answer:
        now, zone = self._context.now(), self._context.live.policy.zone(person)
        when = recurrence.read(found.times)
        room = "a direct message" if found.place.direct else found.place.room
        robot = self._context.live.policy.people.get(found.person)
        rows = [
            ("runs", f"{when.text} {when.zone}"),
            ("owner", found.person + (" (robot)" if robot and robot.robot else "")),
            ("is", schedule_text.state(found, now)),
            ("tells", f"{schedule_text.TELLS[found.tells]}, in {room}"),
            ("made", render.age(found.made, now, zone)),
        ]  # fmt: skip
        if schedule_text.next_of(found, now):
            taken = {
                one.occurrence.at: schedule_text.came_to(one) for one in self._store.history(found.number, _HISTORY)
            }
            shown = [due for due, _ in zip(when.after(now), range(_NEXT), strict=False)]
            notes = [": ".join(filter(None, [due.note, taken.get(due.at, "")])) for due in shown]
            rows += [
                ("next" if not number else "", moment_text(due.at, when.zone, now) + (f": {note}" * bool(note)))
                for number, (due, note) in enumerate(zip(shown, notes, strict=True))
            ]
        if explained := recurrence.explained(when):
            rows.append(("days", explained))
        rows += [("clocks", schedule_text.clock_line(due, when)) for due in recurrence.clocks(when, now)]
        if found.approval is not None:
            rows.append(("approval", self._context.pipeline.approvals.once(found.approval)))
        if found.offered:
            rows.append(("offered", f"to {found.offered}, who has to say !schedule {found.number} accept"))
        past = schedule_text.history(self._store.history(found.number, _HISTORY), when.zone, now)
        block = "\n\n".join(filter(None, [render.table(rows), past]))
        then = {ScheduleState.ACTIVE: "pause · ", ScheduleState.PAUSED: "resume · "}.get(found.state, "")
        hint = f"→ !schedule {found.number} {then}run · remove"
        last = next((taken.job for taken in self._store.history(found.number, _HISTORY) if taken.job), None)
        return Answer(f"S{found.number} {found.title}", block, hint + (f" · !job {last}" if last else ""))

    # -- done

    def _pause(self, ask: CommandCall, found: Schedule) -> Answer:
        if found.state is not ScheduleState.ACTIVE:
            return Answer(f"S{found.number} is {schedule_text.state(found, self._context.now())} already.")
        by = self._context.person(ask).name
        self._change(ask, found, "paused", state=ScheduleState.PAUSED, due=None, asks=None, why=f"by {by}")
        self._withdraw(ask, found)
        return Answer(f"S{found.number} is paused.", hint=f"→ !schedule {found.number} resume")

    def resume_restored(self, ask: CommandCall) -> int:
        """Let those go on that wait since the record was restored; returns how many."""
        found = [schedule for schedule in self._store.all() if schedule.restored]
        for schedule in found:
            self._resume(ask, schedule)
        return len(found)

    def _resume(self, ask: CommandCall, found: Schedule) -> Answer:
        if found.state is not ScheduleState.PAUSED:
            return Answer(f"S{found.number} is not paused: {schedule_text.state(found, self._context.now())}.")
        now, when = self._context.now(), recurrence.read(found.times)
        due = when.next(now)
        if due is None:
            return Answer(f"The time of S{found.number} is over. → !schedule {found.number} run")
        asks = due if found.ahead else None
        self._change(
            ask, found, "resumed", state=ScheduleState.ACTIVE, due=due, asks=asks, why="", failures=0, restored=False
        )
        self._timer.look()
        return Answer(f"S{found.number} goes on: next {schedule_text.next_times(when, now, 3)} {when.zone}.")

    def _remove(self, ask: CommandCall, found: Schedule) -> Answer:
        self._change(ask, found, "removed", state=ScheduleState.REMOVED, due=None, asks=None)
        self._withdraw(ask, found)
        return Answer(f"S{found.number} {found.title} is removed.")

    def _change(
        self, ask: CommandCall, found: Schedule, what: str, body: Mapping[str, str] = NOTHING, **fields: Any
    ) -> None:
        """Change one that is as it was seen, but that a time of it may have come meanwhile."""
        by = Subject(self._context.person(ask).name, ask.caller, ask.place)
        for _ in range(_TRIES):
            now = self._store.find(found.number)
            moved = {name: getattr(found, name) for name in ("due", "asks", "failures", "approval")}
            if (
                now
                and replace(now, **moved) == found
                and self._store.change(now, replace(now, **fields), what, by, body)
            ):
                return
        raise BadCommand(f"S{found.number} has changed in this moment. → !schedule {found.number}")

    def _withdraw(self, ask: CommandCall, found: Schedule) -> None:
        """Take back what waits for approval or for its time; what runs goes on."""
        number = self._store.runs(found.number)
        if number is not None and self._context.store.job(number).state in PARKED:
            self._context.pipeline.approvals.withdraw(ask.caller, ask.place, number)

    def _run(self, ask: CommandCall, found: Schedule) -> Answer | None:
        """Run it now; only its owner, since an admin could otherwise approve what an admin has begun."""
        person = self._context.person(ask)
        if found.person != person.name:
            return Answer(f"No: S{found.number} runs with the rights of {found.person}, who alone runs it now.")
        occurrence = self._store.take_now(found, Subject(person.name, ask.caller, ask.place))
        if occurrence is None:
            return Answer(f"S{found.number} runs in this moment.")
        why = self._timer.start(found, occurrence)
        self._store.tell([occurrence] if why else [])
        waits = self._store.runs(found.number) if why else None
        if waits is not None and self._context.store.job(waits).state in PARKED:
            return Answer(f"#{waits} of S{found.number} waits already.", hint=f"→ !job {waits} · !withdraw {waits}")
        return Answer(why) if why else None

    def _offer(self, ask: CommandCall, found: Schedule, words: Sequence[str]) -> Answer:
        people = self._context.live.policy.people
        if len(words) != 1 or words[0] not in people:
            near = did_you_mean(nearest(words[0], people, 1), otherwise="→ !people") if words else ""
            raise BadCommand(f"To whom? → !schedule {found.number} owner <person>.{near}")
        if words[0] == found.person:
            return Answer(f"S{found.number} is {found.person}'s already.")
        self._change(ask, found, "offered", body={"to": words[0]}, offered=words[0])
        return Answer(
            f"S{found.number} runs with the rights of whoever owns it, so {words[0]} has to say yes.",
            hint=f"→ {words[0]}: !schedule {found.number} accept",
        )

    def _accept(self, ask: CommandCall, person: Person, found: Schedule) -> Answer:
        if found.offered != person.name:
            raise BadCommand(f"No: S{found.number} was not offered to you.")
        place = ask.place if found.place.direct else found.place
        said = TypedCommand(ask.caller, place, found.operation, found.line, found.text)
        wanted, now, notes, ahead = self._wanted(said), self._context.now(), list[str](), False
        if isinstance(wanted, Answer):
            return wanted
        if found.due is not None:
            self._check(recurrence.read(found.times), now, looks=wanted.looks)
        self._count(person)
        if wanted.request is not None:
            decision, notes = self._judged(wanted.request, found.due or now, now)
            if isinstance(decision, Answer):
                return decision
            ahead = self._may_be_asked(wanted.request, decision)
        why = found.why if found.state is ScheduleState.PAUSED else ""
        self._change(
            ask, found, "accepted", body={"from": found.person}, person=person.name, caller=ask.caller, place=place,
            offered="", why=why, approval=None, ahead=ahead, asks=found.due if ahead else None,
        )  # fmt: skip
        notes += [f"#{job} of {found.person} goes on as theirs." for job in [self._store.runs(found.number)] if job]
        hint = f"→ !schedule {found.number} resume" if found.state is ScheduleState.PAUSED else ""
        return Answer("\n".join([f"S{found.number} {found.title} is yours now.", *notes]), hint=hint)


def _sentence(error: ValueError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('?') else '.'}"


def _flags(options: _Options, line: str, where: re.Pattern[str]) -> tuple[_Options, str]:
    """Take the schedule's own flags from the end of a line, or from its beginning."""
    while found := (where.search(line) if where is _BEHIND else where.match(line)):
        options = options.with_(found[1], found[2])
        line = line[: found.start()] + line[found.end() :]
    return options, line
