"""Does what the rules have decided: says it, proposes it, runs it; each when it is due, and a run at most once, ever.

One thread for all of it. What is to be done stands in the record before, and what came of it afterwards.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from automation_bots.alerts.rules import text
from automation_bots.alerts.rules.judgement import LATE
from automation_bots.alerts.rules.pages import Pages
from automation_bots.alerts.rules.rule import Rulebook
from automation_bots.errors import BadCommand, UserError
from automation_bots.model import Alert, Answer, Button, Caller, Cause, Mark, Place, one_line
from automation_bots.policy.people import ROBOTS
from automation_bots.policy.policy import Policy
from automation_bots.store.rules import ActionState, RuleAction, RuleStore, What
from automation_bots.surface import MessageRef, Refusal, Surface
from automation_bots.text.times import duration_text
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_LONGEST_SECONDS = 60.0
_AGAIN_SECONDS = 30.0  # after a room could not be told
_SHOWN = 10  # lines of one message
_OLD = timedelta(hours=12)  # what could not be said for so long is of no use any more


@dataclass(frozen=True, slots=True)
class Command:
    """What a rule wants done, with the values of the event apart."""

    line: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ActionContext:
    """What the actions stand on."""

    store: RuleStore
    pages: Pages
    policy: Callable[[], Policy]
    now: Callable[[], datetime]
    room: Callable[[str], Place]
    surface: Callable[[Place], Surface]
    alert: Callable[[int], Alert | None]
    title: Callable[[Command], str]  # as it would be typed; a UserError says why it makes no command
    run: Callable[[Caller, Place, Command, Cause], Answer | None]  # None: there is a job for it
    admins: Callable[[Answer], None] = lambda _answer: None
    book: Callable[[], Rulebook] = Rulebook


class RuleActions:
    """The thread, and what it does about one action."""

    def __init__(self, context: ActionContext) -> None:
        self._context, self._store = context, context.store
        self._loop = Loop("rules", self.round)
        self._do = {What.POST: self._post, What.PROPOSE: self._propose, What.RUN: self._run,
                    What.ESCALATE: self._escalate, What.TELL: self._tell}  # fmt: skip

    def start(self) -> None:
        """Tell what a kill has left, and begin."""
        for lost in self._store.lose():
            log.warning("rule %r, event %d: %s", lost.rule, lost.event, lost.body.get("command"))
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop()

    def look(self) -> None:
        """There may be something to do."""
        self._loop.wake()

    def round(self) -> float:
        """Do what is due, and tell what was lost; return how long nothing will be."""
        failed = [action for action in self._store.due(self._context.now()) if not self._safely(action)]
        failed += [action for action in self._store.lost() if not self._safely(action)]
        due = self._store.next_due()
        if failed:
            return _AGAIN_SECONDS
        left = _LONGEST_SECONDS if due is None else (due - self._context.now()).total_seconds()
        return min(max(left, 0.05), _LONGEST_SECONDS)

    def _safely(self, action: RuleAction) -> bool:
        """Do one; whether it is over, done or not: one that is not comes again."""
        if self._context.now() - action.due > _OLD:
            self._store.settle(action.number, ActionState.ENDED, "it could not be said for half a day")
            return True
        if why := self._stopped(action):
            self._store.settle(action.number, ActionState.ENDED, why)
            return True
        try:
            do = self._lost if action.state is ActionState.LOST else self._do[action.what]
            do(action)
        except Refusal as error:
            self._store.settle(action.number, ActionState.REFUSED, f"the room does not take it: {error}")
            log.warning("rule %r: %s does not take what it says: %s", action.rule, action.body.get("room"), error)
        except OSError as error:
            log.warning("rule %r: event %d could not be told: %s", action.rule, action.event, error)
            return False
        except Exception:  # whatever one action meets, the others are done all the same
            log.exception("rule %r: its %s for event %d failed", action.rule, action.what, action.event)
            self._store.settle(action.number, ActionState.REFUSED, "it failed; the log says why")
        return True

    def _stopped(self, action: RuleAction) -> str:
        """Why nothing more is done for a rule that was paused, made dry or taken away meanwhile."""
        if action.what is What.TELL or action.state is ActionState.LOST:
            return ""
        if paused := self._store.pauses().get(action.rule):
            return f"the rule is paused {paused}"
        book = self._context.book()
        rule = book.rule(action.rule)
        if rule is None:  # of a file that cannot be read nobody knows what is gone: only what is harmless goes on
            return "the rule is no longer there" if action.what is What.RUN or not book.broken else ""
        return "the rule is a dry one now" if rule.dry or book.dry else ""

    # -- what is said

    def _post(self, action: RuleAction) -> None:
        lines = self._going(action)
        if not lines:
            self._store.settle(action.number, ActionState.ENDED, "over by then")
            return
        self._said(action, self._calling(action, lines, ()))

    def _escalate(self, action: RuleAction) -> None:
        alert = self._context.alert(action.alert or 0)
        if why := _acted_on(alert, self._context.now()):
            self._store.settle(action.number, ActionState.ENDED, why)
            return
        since = (
            duration_text(timedelta(seconds=round((self._context.now() - alert.heard).total_seconds())))
            if alert
            else ""
        )
        lead = f"Nobody has acknowledged it for {since}:"
        answer = self._calling(action, [line for line, _ in action.body["lines"]], (lead,))
        self._said(action, replace(answer, buttons=(Button("Ack", f"ack A{action.alert}"),)))

    def _tell(self, action: RuleAction) -> None:
        said = f"{text.begins(action.rule)} is held back: {action.body['why']}."
        self._said(action, Answer(said, hint=f"→ !rule {action.rule}"))

    def _lost(self, action: RuleAction) -> None:
        what = one_line(action.body["command"], 100)
        said = f"{text.begins(action.rule)} was to run {what} for event {action.event}: {action.text}."
        self._say(action, Answer(said, hint=f"→ !event {action.event}"))
        self._store.settle(action.number, ActionState.REFUSED, action.text)

    def _going(self, action: RuleAction) -> list[str]:
        """The lines of what is not over, where it was waited for."""
        lines = [(str(line), alert) for line, alert in action.body["lines"]]
        if not action.body.get("wait"):
            return [line for line, _ in lines]
        return [line for line, alert in lines if alert is None or not _is_over(self._context.alert(alert))]

    def _calling(self, action: RuleAction, lines: Sequence[str], lead: Sequence[str]) -> Answer:
        room = self._context.room(action.body["room"])
        called = self._context.pages.call(action.body.get("mention", ()), room.network)
        left = action.body["many"] - min(len(lines), _SHOWN)
        more = [f"… and {left} more"] if left > 0 and len(lines) >= _SHOWN else []
        notes = [f"({note})" for note in called.notes]
        if action.body.get("mention") and not called.mentions:
            said = f"{text.begins(action.rule)} calls nobody: {'; '.join(called.notes)}."
            self._context.admins(Answer(said, "\n".join(lines[:_SHOWN]), f"→ !rule {action.rule}"))
        whole = "\n".join([*lead, *lines[:_SHOWN], *more, *notes])
        return Answer(whole, hint=f"→ !event {action.event}", mentions=called.mentions)

    def _said(self, action: RuleAction, answer: Answer) -> None:
        self._store.settle(action.number, ActionState.DONE, message=self._say(action, answer))

    def _say(self, action: RuleAction, answer: Answer) -> str:
        place = self._context.room(action.body["room"])
        surface = self._context.surface(place)
        shown = answer if surface.capabilities.buttons else answer.in_words()
        message = surface.say(
            place, replace(shown, mark=Mark(f"rule action {action.number} at {action.due}", action.due))
        )
        return json.dumps(asdict(message)) if message else ""

    # -- what is done

    def _propose(self, action: RuleAction) -> None:
        lines = self._going(action)
        if not lines:
            self._store.settle(action.number, ActionState.ENDED, "over by then")
            return
        try:
            title = self._context.title(_command(action))
            if "…" in title:  # whoever clicks has to be able to read all of it
                raise BadCommand("a value of the event is longer than can be shown whole")
        except UserError as error:
            self._not_done(action, f"would propose {one_line(action.body['command'], 100)}", str(error))
            return
        proposes = f"{text.begins(action.rule)} proposes: {title}"
        answer = self._calling(action, [*lines[:_SHOWN], proposes], ())
        answer = replace(answer, hint="", buttons=(Button(one_line(title, 70), f"do {action.number}"),))
        self._store.ask(action.number, self._say(action, answer))

    def taken(self, action: RuleAction, by: str) -> None:
        """Show in its message that somebody has taken a proposal, where messages can be changed."""
        if not action.message:
            return
        told = json.loads(action.message)
        message = MessageRef(Place(**told["place"]), told["id"])
        lines = "\n".join(str(line) for line, _ in action.body["lines"])
        try:
            surface = self._context.surface(message.place)
            if surface.capabilities.edits:
                surface.edit(message, Answer(f"{lines}\n{text.begins(action.rule)}: taken by {by}."))
        except (OSError, Refusal) as error:
            log.warning("rule %r: its proposal could not be changed: %s", action.rule, error)

    def _run(self, action: RuleAction) -> None:
        """Run it as the rule's own robot: noted before, and never tried again."""
        if why := self._unfit(action):
            self._not_done(action, self._would(action), why)
            return
        if not self._store.begin(action):
            return
        cause = Cause(tuple(action.body["origin"]), action.event, action.number)
        answer = self._context.run(
            self._robot(action), self._context.room(action.body["room"]), _command(action), cause
        )
        known = self._store.find(action.number)
        if known is not None and known.job is not None:
            self._store.settle(action.number, ActionState.DONE, f"#{known.job}")
        else:
            said = one_line(answer.text, 300) if answer else "it was not started; the log says why"
            self._not_done(action, self._would(action), said)

    def _unfit(self, action: RuleAction) -> str:
        """Why it cannot run at all: nobody to run it, an event that is old, an alert that is over."""
        policy, body = self._context.policy(), action.body
        person = policy.person(self._robot(action))
        if policy.problem:
            return "the rules of policy.yml cannot be read, so nothing starts until they are mended"
        if person is None or not person.robot:
            return f"policy.yml has no robot for it: people: <name>: {{robot: true, {ROBOTS}: {body['robot']}}}"
        age = self._context.now() - datetime.fromisoformat(body["heard"]) - timedelta(seconds=body["wait"])
        if age > LATE:
            return (
                f"it comes {duration_text(timedelta(seconds=round(age.total_seconds())))} late, so nothing runs for it"
            )
        if body["wait"] and action.alert and _is_over(self._context.alert(action.alert)):
            return "it is over by now"
        return ""

    @staticmethod
    def _robot(action: RuleAction) -> Caller:
        return Caller(ROBOTS, action.body["robot"], action.rule, robot=True)

    @staticmethod
    def _would(action: RuleAction) -> str:
        return f"would run {one_line(action.body['command'], 100)}"

    def _not_done(self, action: RuleAction, what: str, why: str) -> None:
        """Note first, then tell: what was refused is not tried again because a room is away."""
        self._store.settle(action.number, ActionState.REFUSED, why)
        log.info("rule %r, event %d: not done: %s", action.rule, action.event, why)
        said = f"{text.begins(action.rule)} {what} for event {action.event}, but did not: {why.rstrip('.')}."
        try:
            self._say(action, Answer(said, hint=f"→ !rule {action.rule}"))
        except (OSError, Refusal) as error:
            log.warning("rule %r: its room could not be told: %s", action.rule, error)


def _command(action: RuleAction) -> Command:
    return Command(action.body["command"], dict(action.body["values"]))


def _is_over(alert: Alert | None) -> bool:
    return alert is not None and not alert.firing


def _acted_on(alert: Alert | None, now: datetime) -> str:
    """Why nobody else has to be called."""
    if alert is None:
        return "the alert is no longer known"
    if not alert.firing:
        return "it is over"
    if alert.acknowledged:
        return f"acknowledged: {alert.acknowledged}"
    return f"muted: {alert.muted_why}" if alert.muted and alert.muted > now else ""
