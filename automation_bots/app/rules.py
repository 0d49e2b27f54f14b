"""Rules put together: rules.yml as it is now, who lets it look at events, and what does what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from automation_bots.alerts.event import ReportedEvent
from automation_bots.alerts.rules import matching, rulebook
from automation_bots.alerts.rules.actions import ActionContext, Command, RuleActions
from automation_bots.alerts.rules.follower import RuleContext, RuleFollower
from automation_bots.alerts.rules.pages import Pages
from automation_bots.alerts.rules.rule import Rule, Rulebook
from automation_bots.commands.context import CommandCall
from automation_bots.config.live import LiveConfig, Watched
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Caller, Cause, Decision, Place
from automation_bots.pipeline import filled
from automation_bots.pipeline.filled import Filling
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.schedules.own_answers import is_refusal
from automation_bots.store import Store
from automation_bots.store.rules import RuleAction
from automation_bots.surface import Surface


class Rules:
    """rules.yml of a bot's folder, read again when it changes."""

    def __init__(self, live: LiveConfig, path: Path) -> None:
        self._live, self._path = live, path
        self.book = Rulebook()
        live.watch(Watched("rules", path, self._read))
        live.rooms = self.rooms

    def _read(self) -> Sequence[str]:
        self.book = rulebook.load(self._path, self._live.policy.window)
        return [str(broken) for broken in self.book.broken]

    def rooms(self) -> list[tuple[str, str]]:
        """Every room that they name, and where."""
        return [(f'rules.yml, rule "{rule.name}"', room) for rule in self.book.rules for room in rooms(rule)]

    def ask_for(self, event: ReportedEvent, now: datetime) -> bool:
        """Whether a rule asks for something that the bot itself tells, which is kept for no other reason."""
        return any(matching.asks_for(rule, event, now, self.inside) for rule in self.book.rules)

    def inside(self, pattern: str) -> frozenset[str] | None:
        """The devices of a pattern; None: it means nothing."""
        return self._live.scope.inside(pattern)


@dataclass(frozen=True, slots=True)
class Speaking:
    """How the rules reach rooms, and the time."""

    room: Callable[[str], Place]
    surface: Callable[[Place], Surface]
    now: Callable[[], datetime]
    admins: Callable[[Answer], None]
    own: Callable[[], Mapping[str, Callable[[CommandCall], Answer | None]]]  # the bot's own commands


_NOBODY, _NOWHERE = Caller("", ""), Place("", "")


def rooms(rule: Rule) -> list[str]:
    """The rooms of one rule."""
    do = rule.do
    return list(dict.fromkeys(filter(None, [*do.post, do.to, *(step.room for step in do.escalate)])))


class Acting:
    """The rules of a running bot."""

    def __init__(
        self,
        rules: Rules,
        store: Store,
        live: LiveConfig,
        pipeline: Pipeline,
        speaking: Speaking,
    ) -> None:
        self.rules, self._live, self.pipeline, now = rules, live, pipeline, speaking.now
        self.room, self._own = speaking.room, speaking.own
        self.pages = Pages(lambda: live.policy, store.rules, now)
        self.actions = RuleActions(
            ActionContext(
                store=store.rules,
                pages=self.pages,
                policy=lambda: live.policy,
                now=now,
                room=speaking.room,
                surface=speaking.surface,
                alert=store.alerts.find,
                title=self.title,
                run=self._run,
                admins=speaking.admins,
                book=lambda: rules.book,
            )
        )
        context = RuleContext(store.rules, lambda: rules.book, rules.inside, now, self.actions.look)
        self.follower = RuleFollower(context)

    @property
    def book(self) -> Rulebook:
        """All rules, as they are now."""
        return self.rules.book

    def filling(self, command: Command) -> Filling:
        """What fills a command, and which names are devices now."""
        return Filling(command.values, lambda name: self._live.inventory.find(name) is not None)

    def said(self, caller: Caller, place: Place, command: Command) -> TypedCommand:
        """A command as somebody's."""
        name, _, line = command.line.partition(" ")
        return TypedCommand(caller, place, name, line)

    def title(self, command: Command) -> str:
        """A command as it would be typed; a UserError says why it makes none."""
        return self.pipeline.title(self.said(_NOBODY, _NOWHERE, command), self.filling(command))

    def _run(self, robot: Caller, place: Place, command: Command, cause: Cause) -> Answer | None:
        return self.pipeline.by_rule(self.said(robot, place, command), self.filling(command), cause)

    def would(self, robot: Caller, place: Place, command: Command) -> Decision | Answer:
        """What would be decided about it now."""
        return self.pipeline.would(self.said(robot, place, command), self.filling(command))

    def take(self, caller: Caller, place: Place, command: Command) -> tuple[bool, Answer | None]:
        """Do it as somebody: whether it is done or has a job, and what to answer.

        A command of the bot itself that says no more than what it did is done; of others only what has a job.
        """
        said = self.said(caller, place, command)
        if self._live.operation(said.operation) is None and (own := self._own().get(said.operation)):
            answer = own(CommandCall(caller, place, filled.words(said.line, self.filling(command))))
            return answer is None or not is_refusal(answer), answer
        answer = self.pipeline.proposed(said, self.filling(command))
        return answer is None, answer

    def taken(self, action: RuleAction, by: str) -> None:
        """Show in its message that somebody has taken a proposal."""
        self.actions.taken(action, by)
