"""Answers about rules of events: read aloud, tried, paused; what they propose done; and who is on call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from automation_bots import render
from automation_bots.alerts.event import Phase, ReportedEvent, Severity, StoredEvent
from automation_bots.alerts.rules import filling, text
from automation_bots.alerts.rules.actions import Command
from automation_bots.alerts.rules.follower import RuleFollower
from automation_bots.alerts.rules.judgement import Judgement, Result
from automation_bots.alerts.rules.pages import Pages
from automation_bots.alerts.rules.rule import Rule, Rulebook
from automation_bots.commands.alerts import AlertCommands
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand, UserError
from automation_bots.model import NOTHING, Answer, Caller, Decision, Place, Verdict, one_line
from automation_bots.pipeline import parser as grammar
from automation_bots.policy.people import ROBOTS
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject
from automation_bots.store.rules import ActionState, RuleAction, Shift, What
from automation_bots.text import times
from automation_bots.text.nearest import did_you_mean, nearest

_WORD = "rules"  # by which rules of policy.yml let somebody look and pause
_ROWS, _LATEST = 60, 5
_FRESH = timedelta(days=1)  # that a proposal stands
_STANDS = frozenset({ActionState.OPEN, ActionState.ASKED})  # a proposal that somebody may take
_FIELDS = ("source", "kind", "what", "severity", "phase", "device", "about", "text")


_Word = TypeVar("_Word", Severity, Phase)


class RulesNow(Protocol):
    """What the commands need of the rules of a running bot."""

    @property
    def book(self) -> Rulebook:
        """All rules, as they are now."""

    @property
    def follower(self) -> RuleFollower:
        """Who judges events."""

    @property
    def pages(self) -> Pages:
        """Whom a page goes to."""

    def title(self, command: Command) -> str:
        """A command as it would be typed; a UserError says why it makes none."""

    def would(self, robot: Caller, place: Place, command: Command) -> Decision | Answer:
        """What would be decided about it now."""

    def take(self, caller: Caller, place: Place, command: Command) -> tuple[bool, Answer | None]:
        """Do it as somebody: whether it is done or has a job, and what to answer."""

    def room(self, name: str) -> Place:
        """The place of a room."""

    def taken(self, action: RuleAction, by: str) -> None:
        """Show in its message that somebody has taken a proposal."""


class RuleCommands:
    """One method a command."""

    def __init__(self, context: CommandContext, now: RulesNow, alerts: AlertCommands) -> None:
        self._context, self._now, self._store, self._alerts = context, now, context.store.rules, alerts

    # -- looked at

    def rules(self, ask: CommandCall) -> Answer:
        """All rules: what each does, how often it did, and what keeps it from it."""
        if refused := self._refused(ask):
            return refused
        book, pauses, states = self._now.book, self._store.pauses(), self._store.states()
        rows = [
            (rule.name, text.does(rule.do), _figures(states.get(rule.name, NOTHING)), _held(rule, book, pauses))
            for rule in book.rules
        ]
        broken = [("broken", one_line(str(one), 160), "", "") for one in book.broken]
        if not rows and not broken:
            return Answer("There are no rules.", hint="They stand in rules.yml beside bot.toml.")
        dry = " · dry run: nothing is done" if book.dry else ""
        head = f"{render.many(len(rows), 'rule')}{dry}:"
        return Answer(
            head, render.table([*rows, *broken], limit=ask.most(_ROWS)), "→ !rule <name> · !rule test <name> <event>"
        )

    def rule(self, ask: CommandCall) -> Answer:
        """One rule read aloud, tried on an event, paused or resumed."""
        if refused := self._refused(ask):
            return refused
        word, _, rest = ask.line.strip().partition(" ")
        if not word:
            raise BadCommand("Which one? → !rules · !rule <name>")
        if word.lower() == "test":
            return self._test(ask, *self._named(rest))
        if word.lower() in {"pause", "resume"}:
            return self._pause(ask, *self._named(rest), resume=word.lower() == "resume")
        rule, rest = self._named(ask.line)
        if rest:
            raise BadCommand(f"→ !rule {rule.name} · !rule test {rule.name} <event> · !rule pause {rule.name} <why>")
        return self._aloud(rule)

    def _aloud(self, rule: Rule) -> Answer:
        book, state = self._now.book, self._store.states().get(rule.name, NOTHING)
        rows = text.aloud(rule)
        if held := _held(rule, book, self._store.pauses()):
            rows.append(("now", held))
        rows.append(("so far", _figures(state)))
        if last := state.get("last"):
            rows.append(("last events", ", ".join(map(str, last))))
        rows += [(f"event {one.event}", text.outcome(one)) for one in self._store.latest(rule.name, _LATEST)]
        hint = f"→ !rule test {rule.name} <event> · !rule pause {rule.name} <why>"
        return Answer(f"{text.begins(rule.name)}, line {rule.line}:",
                      render.table(rows, limit=_ROWS), hint)  # fmt: skip

    def _named(self, line: str) -> tuple[Rule, str]:
        """The rule whose name a line begins with, the longest, with or without quotes; and the rest of the line."""
        said = line.strip()
        quoted = re.match(r"[\"“'](.+?)[\"”']\s*(.*)", said, re.DOTALL)
        names = sorted((rule.name for rule in self._now.book.rules), key=len, reverse=True)
        for name in names:
            if quoted and quoted[1].casefold() == name.casefold():
                return self._found(name), quoted[2]
            if re.match(rf"{re.escape(name)}(?:\s|$)", said, re.IGNORECASE):
                return self._found(name), said[len(name) :].strip()
        broken = next(
            (one for one in self._now.book.broken if one.name and said.casefold().startswith(one.name.casefold())), None
        )
        if broken:
            raise BadCommand(f"That rule cannot be read: {broken}")
        meant = did_you_mean([f"!rule {name}" for name in nearest(said, names)], "→ !rules")
        raise BadCommand(f"There is no rule {one_line(said, 60)!r}.{meant}" if said else "Which rule? → !rules")

    def _found(self, name: str) -> Rule:
        rule = self._now.book.rule(name)
        if rule is None:
            raise BadCommand(f"The rule {name!r} has just gone. → !rules")
        return rule

    # -- tried

    def _test(self, ask: CommandCall, rule: Rule, line: str) -> Answer:
        stored = self._event(ask, line)
        judged = self._now.follower.tried(stored, rule)
        head = f"{text.begins(rule.name)} and {text.line(stored)}"
        if judged.result in {Result.ACTS, Result.DRY}:
            dry = ", were it not a dry run" if judged.result is Result.DRY else ""
            return Answer(f"{head}: it would act{dry}.", render.table(list(self._would(rule, stored))))
        if judged.result is Result.NO:
            return Answer(f"{head}: it does nothing.", render.table([_apart(one) for one in judged.text.split("; ")]))
        would = render.table(list(self._would(rule, stored)))
        return Answer(f"{head}: not now: {judged.result}: {judged.text}. Else:", would, self._held_hint(judged))

    @staticmethod
    def _held_hint(judged: Judgement) -> str:
        return f"→ !rule {judged.rule}" if judged.result is not Result.PAUSED else f"→ !rule resume {judged.rule}"

    def _event(self, ask: CommandCall, line: str) -> StoredEvent:
        words = grammar.words(grammar.clean(line))
        if not words:
            raise BadCommand(
                "With which event? → !rule test <name> 812 · A12 · source=zabbix device=core1 severity=high"
            )
        if len(words) == 1 and (number := re.fullmatch(r"([aA]?)(\d{1,15})", words[0].text)):
            return self._alerts.event_for(ask, int(number[2]), alert=bool(number[1]))
        return StoredEvent(0, _typed([word.text for word in words], self._context.now()))

    def _would(self, rule: Rule, stored: StoredEvent) -> Iterator[tuple[str, str]]:
        do = rule.do
        for room in do.post:
            called = self._now.pages.call(do.mention, self._now.room(room).network)
            names = ", ".join(one.name for one in called.mentions)
            yield (
                "post",
                f"in {room}{f', calling {names}' if names else ''}{''.join(f' ({note})' for note in called.notes)}",
            )
        if do.propose:
            yield "propose", self._titled(do.propose, stored)
        if do.run:
            command = Command(do.run, filling.values(stored, do.run))
            yield "run", self._titled(do.run, stored)
            yield f"as {rule.robot}", self._verdict(rule, command)
        for step in do.escalate:
            called = self._now.pages.call(step.to, self._now.room(step.room or do.post[0]).network)
            names = ", ".join(one.name for one in called.mentions)
            yield (
                "escalate",
                f"after {times.duration_text(step.after)} to {names}{''.join(f' ({note})' for note in called.notes)}",
            )

    def _titled(self, line: str, stored: StoredEvent) -> str:
        try:
            return self._now.title(Command(line, filling.values(stored, line)))
        except UserError as error:
            return f"{line}: cannot be done: {error}"

    def _verdict(self, rule: Rule, command: Command) -> str:
        robot = Caller(ROBOTS, rule.robot, rule.name, robot=True)
        person = self._context.live.policy.person(robot)
        if person is None or not person.robot:
            return f"policy.yml has no robot for it: people: <name>: {{robot: true, {ROBOTS}: {rule.robot}}}"
        try:
            self._now.title(command)
        except UserError:
            return f"{person.name} would not be asked"
        return _decided(person.name, self._now.would(robot, self._now.room(rule.do.room), command))

    # -- paused

    def _pause(self, ask: CommandCall, rule: Rule, why: str, *, resume: bool) -> Answer:
        person, paused = self._context.person(ask), self._store.pauses().get(rule.name, "")
        if resume and not paused:
            return Answer(f"{rule.name} is not paused.")
        if not resume and not why:
            raise BadCommand(f"Why? → !rule pause {rule.name} <why>")
        by = Subject(person.name, ask.caller, ask.place, _WORD)
        said = "" if resume else one_line(f"by {person.name}: {why}", 300)
        self._store.pause(rule.name, said, by)
        if resume:
            return Answer(f"{rule.name} goes on. What happened meanwhile is not made up for.")
        return Answer(f"{rule.name} is paused ({said}).", hint=f"→ !rule resume {rule.name}")

    def _refused(self, ask: CommandCall) -> Answer | None:
        self._context.person(ask)
        return self._context.pipeline.plugin_commands.judge(ask.caller, ask.place, _WORD)

    # -- proposals

    def do(self, ask: CommandCall) -> Answer | None:
        """Do what a rule proposed, as whoever says so; once."""
        person = self._context.person(ask)
        if not re.fullmatch(r"\d{1,15}", word := " ".join(ask.words)):
            raise BadCommand("Which proposal? Its number stands behind it. → !do 12")
        action = self._store.find(int(word))
        if action is None or action.what is not What.PROPOSE:
            raise BadCommand(f"Nothing was proposed under the number {int(word)}.")
        if action.state not in _STANDS or action.due > self._context.now():
            return Answer(f"That is no longer proposed: {action.text or action.state}.")
        if self._context.now() - action.due > _FRESH:
            return Answer("That was proposed more than a day ago, so type it yourself, if it is still wanted.")
        if not self._store.take(action.number, f"taken by {person.name}"):
            return Answer("Somebody has taken it in this moment.")
        taken = False
        try:
            taken, answer = self._now.take(
                ask.caller, ask.place, Command(action.body["command"], action.body["values"])
            )
        finally:
            # Refused or broken, so that somebody else may want it; but not while its question is open to this person.
            if not taken and not self._context.pipeline.conversation.asked(ask.caller, ask.place):
                self._store.put_back(action.number)
        if taken:
            self._now.taken(action, person.name)
        return answer

    # -- on call

    def oncall(self, ask: CommandCall) -> Answer:
        """Whom a page goes to; taken by somebody else for a while, and given back."""
        words = ask.words
        if words and words[0].lower() in {"take", "back"}:
            return self._shift(ask, words[1:], back=words[0].lower() == "back")
        policy = self._context.live.policy
        wanted = [self._rota(words[0])] if words else list(policy.oncall)
        if not wanted:
            return Answer("Nobody is on call: policy.yml has no `oncall`.")
        return Answer(
            "On call:", render.table([self._on_call(ask, name) for name in wanted]), "→ !oncall take until 18:00"
        )

    def _on_call(self, ask: CommandCall, name: str) -> tuple[str, ...]:
        policy, now = self._context.live.policy, self._context.now()
        turn, shift = self._now.pages.turn(name)
        zone = policy.zone(self._context.person(ask))
        until = f"until {times.moment_text(turn.until, zone, now)}" if turn.until else ""
        who = ", ".join(turn.people) or f"nobody: {turn.why}"
        planned = policy.oncall[name].planned(now, policy.people)
        note = f"taken; by the plan {', '.join(planned.people) or 'nobody'}" if shift else policy.oncall[name].text
        return name, who, until, note

    def _rota(self, said: str) -> str:
        names = self._context.live.policy.oncall
        found = next((name for name in names if name.casefold() == said.casefold()), None)
        if found is None:
            raise BadCommand(f"policy.yml has no rota {one_line(said, 40)!r}. Known: {', '.join(names) or 'none'}.")
        return found

    def _shift(self, ask: CommandCall, words: Sequence[str], *, back: bool) -> Answer:
        person, policy, now = self._context.person(ask), self._context.live.policy, self._context.now()
        named = bool(words) and words[0].lower() != "until"
        if not named and len(policy.oncall) != 1:
            raise BadCommand(f"Which rota? → !oncall take <{' | '.join(policy.oncall) or 'rota'}> until 18:00")
        rota = self._rota(words[0]) if named else next(iter(policy.oncall))
        if person.name not in policy.oncall[rota].names(policy.people) and ADMINS not in person.groups:
            return Answer(f"No: who takes {rota} is one of its people, or an admin.")
        by = Subject(person.name, ask.caller, ask.place, "oncall")
        if back:
            taken = self._store.give_back(rota, now, by)
            return Answer(f"{rota} goes by its plan again." if taken else f"Nobody has taken {rota}.")
        until = self._until(words[1:] if named else words, now, policy.zone(person))
        self._store.take_shift(Shift(rota, person.name, person.name, now, until), by)
        shown = times.moment_text(until, policy.zone(person), now)
        return Answer(f"{person.name} is on call for {rota} until {shown}.", hint=f"→ !oncall back {rota}")

    @staticmethod
    def _until(words: Sequence[str], now: datetime, zone: str) -> datetime:
        if not words or words[0].lower() != "until":
            raise BadCommand("Until when? → !oncall take until 18:00")
        try:
            until, rest = times.leading(words[1:], now, zone)
        except ValueError as error:
            raise BadCommand(f"Until when? {error}.") from error
        if rest:
            raise BadCommand(f"I do not know what to do with {one_line(rest[0], 40)!r}. → !oncall take until 18:00")
        return until


def _typed(words: Sequence[str], now: datetime) -> ReportedEvent:
    """An event as somebody types it: source=zabbix device=core1 fields.team=net."""
    pairs = [word.partition("=") for word in words]
    if wrong := next((name for name, equals, _ in pairs if not equals), ""):
        raise BadCommand(f"{one_line(wrong, 40)!r} is no field of an event; write severity=high")
    return typed_event({name: value for name, _, value in pairs}, now)


def typed_event(given: Mapping[str, str], now: datetime) -> ReportedEvent:
    """An event from the names of its fields."""
    for name in given:
        if not (name in _FIELDS or name.startswith(filling.OF_SENDER)):
            known = f"{', '.join(_FIELDS)} or fields.<name>"
            raise BadCommand(f"{one_line(name, 40)!r} is no field of an event; write {known}, as in severity=high")
    said = {name: given.get(name, "") for name in _FIELDS}
    of_sender = {name[len(filling.OF_SENDER) :]: value for name, value in given.items() if name not in _FIELDS}
    return ReportedEvent(
        said["source"] or "typed",
        said["kind"],
        said["what"],
        now,
        _member(Phase, said["phase"] or "firing"),
        _member(Severity, said["severity"] or "unknown"),
        said["device"],
        said["about"],
        said["text"],
        fields=of_sender,
    )


def _member(kind: type[_Word], word: str) -> _Word:
    try:
        return kind(word.lower())
    except ValueError:
        raise BadCommand(f"{one_line(word, 30)!r} is none of {', '.join(kind)}.") from None


def _apart(said: str) -> tuple[str, str]:
    key, _, why = said.partition(": ")
    return key, why


def _figures(state: object) -> str:
    found = state if isinstance(state, dict) else {}
    return f"{found.get('matched', 0)} matched, {found.get('done', 0)} acted"


def _held(rule: Rule, book: Rulebook, pauses: dict[str, str]) -> str:
    if rule.name in pauses:
        return f"paused {pauses[rule.name]}"
    return "dry run" if rule.dry or book.dry else ""


def _decided(robot: str, decision: Decision | Answer) -> str:
    if isinstance(decision, Answer):
        return one_line(decision.text, 200)
    if decision.verdict is Verdict.DENY:
        return decision.reason
    by = ", ".join(f'"{rule}"' for rule in decision.rules)
    if decision.confirm:
        return f"{robot} may not: {decision.confirm}, and nobody is asked when a rule acts"
    if decision.verdict is Verdict.APPROVAL:
        return f"{robot} asks for approval by {' or '.join(decision.approvers)} (rule {by})"
    return f"{robot} may (rule {by})"
