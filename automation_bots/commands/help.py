"""Answers to `!help`: a page of what a person may do here, a group, one command, or what fits a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from automation_bots.commands import help_text
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.commands.help_text import Entry, Topic
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Operation, Person, Place, Risk
from automation_bots.operations.own_commands import OWN, OwnCommand, Shown
from automation_bots.operations.ways import has_way
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS

_ABOUT = {
    "look": "they change nothing",
    "change": "they may change something",
    "watch": "what runs at times, and what is watched",
    "jobs": "what was asked for",
    "approvals": "a second pair of eyes",
    "freezes": "changes kept away",
    "people": "who is who",
    "bot": "the bot itself",
    "plugins": "of plugins of Errbot",
}
_REMEMBERED = 60  # jobs that say what somebody uses
_ROOM = {
    "aliases": "bot",
    "monitors": "watch",
    "alerts": "watch",
    "rules": "watch",
    "changes": "watch",
    "schedules": "watch",
    "watches": "watch",
    "record": "bot",
    "repos": "bot",
}


@dataclass(slots=True)
class HelpSources:
    """What is known beside the catalog and the rules."""

    unready: Collection[str] = ()  # drivers that are not set up
    plugins: Callable[[], Iterable[tuple[str, str]]] = tuple  # commands of Errbot plugins, with their first lines


class Help:
    """Reads what a person may do here at this moment."""

    def __init__(self, context: CommandContext, sources: HelpSources) -> None:
        self._context, self._sources = context, sources

    def help(self, ask: CommandCall) -> Answer:
        """The page, or what the words mean."""
        person = self._context.person(ask)
        if not ask.words:
            return self._page(ask, person)
        words = [word.removeprefix(self._context.prefix).removeprefix("--").lower() for word in ask.words]
        return self._command(ask, person, words) or self._group(ask, person, words) or self._search(ask, person, words)

    # -- the four kinds of answers

    def _page(self, ask: CommandCall, person: Person) -> Answer:
        may = {operation.name for operation in self._usable(ask, person)}
        found = self._context.store.jobs(person=person.name, limit=_REMEMBERED, asked_for=True)
        mine = [job for job in found if job.operation in may and job.preview_of is None and job.occurrence is None]
        often = [name for name, _ in Counter(job.operation for job in mine).most_common()]
        last = mine[0] if mine else None
        return help_text.overview(self._topics(ask, person), often, last, self._groups(ask, person))

    def _command(self, ask: CommandCall, person: Person, words: Sequence[str]) -> Answer | None:
        name, *more = words
        if name == "flags" and not more:
            return help_text.flags()
        usable = {operation.name: operation for operation in self._context.usable(ask)}
        if own := OWN.get(name):
            topics = self._topics(ask, person)
            topic = topics.get(_topic_of(own))
            said = help_text.own_usage(own, topic.entries if topic else ())
            return help_text.with_topic(said, topics[name]) if name in topics else said
        operation = usable.get(f"{name}-{more[0]}" if more else "", usable.get(name))  # `salt jobs` is salt-jobs
        if operation is None:
            return None
        devices = self._with_way(self._context.pipeline.lookup.person(ask.caller), operation, ask.place)
        return help_text.usage(operation, devices, tuple(usable))

    def _group(self, ask: CommandCall, person: Person, words: Sequence[str]) -> Answer | None:
        name = " ".join(words)
        known = {**self._groups(ask, person), **self._topics(ask, person)}
        topic = known.get(name) or known.get(f"{name}s") or known.get(name.removesuffix("s"))
        return help_text.topic(topic) if topic else None

    def _search(self, ask: CommandCall, person: Person, words: Sequence[str]) -> Answer:
        entries = [entry for topic in self._topics(ask, person).values() for entry in topic.entries]
        if found := help_text.found(entries, words):
            return found
        return self._context.pipeline.lookup.unknown(TypedCommand(ask.caller, ask.place, words[0]))

    # -- what there is for this person

    def _topics(self, ask: CommandCall, person: Person) -> dict[str, Topic]:
        """The rows of the page, by name."""
        operations = self._usable(ask, person)
        names = tuple(operation.name for operation in operations)
        rows: dict[str, list[Entry]] = {name: [] for name in _ABOUT}
        for operation in operations:
            rows["look" if operation.risk is Risk.READ else "change"].append(Entry.of(operation, names))
        for own in OWN.values():
            if self._is_shown(own, ask, person):
                rows.setdefault(_topic_of(own), []).append(Entry.of_own(own))
        rows["plugins"] += [Entry(name, about, f"!{name}") for name, about in self._plugins(ask)]
        return {name: Topic(name, _ABOUT.get(name, ""), tuple(found)) for name, found in rows.items() if found}

    def _groups(self, ask: CommandCall, person: Person) -> dict[str, Topic]:
        """The operations once more, by their kind."""
        operations = self._usable(ask, person)
        names, found = tuple(operation.name for operation in operations), dict[str, list[Entry]]()
        for operation in operations:
            found.setdefault(operation.group.lower(), []).append(Entry.of(operation, names))
        return {name: Topic(name, "", tuple(entries)) for name, entries in sorted(found.items())}

    def _usable(self, ask: CommandCall, person: Person) -> list[Operation]:
        mine = [one for one in self._context.usable(ask) if one.driver not in self._sources.unready]
        return sorted((one for one in mine if self._is_of_use(person, one, ask.place)), key=lambda one: one.name)

    def _is_of_use(self, person: Person, operation: Operation, place: Place) -> bool:
        """Whether it has a way on one of the devices on which it is allowed, or needs none."""
        return operation.devices in {"none", "optional", "job", "alert"} or bool(
            self._with_way(person, operation, place)
        )

    def _with_way(self, person: Person | None, operation: Operation, place: Place) -> list[str]:
        mine = gate.usable(self._context.live.scope, person, operation, place) or frozenset()
        devices = self._context.live.inventory.devices(tuple(sorted(mine)))
        return [device.name for device in devices if has_way(operation, device)]

    def _is_shown(self, own: OwnCommand, ask: CommandCall, person: Person) -> bool:
        if own.shown is Shown.ADMINS:
            return ADMINS in person.groups
        if own.shown is Shown.PROOFS:
            return any(rule.reauth for rule in self._context.live.policy.rules)
        if own.shown is Shown.SOMEWHERE:
            operation = Operation(own.rule or own.name, own.help, Risk.READ, devices="optional", declared=False)
            return gate.usable(self._context.live.scope, person, operation, ask.place) is not None
        return own.shown is Shown.EVERYBODY or self._allowed(ask, own.rule or own.name)

    def _plugins(self, ask: CommandCall) -> list[tuple[str, str]]:
        return [(name, about) for name, about in self._sources.plugins() if self._allowed(ask, name.replace(" ", "_"))]

    def _allowed(self, ask: CommandCall, name: str) -> bool:
        return self._context.pipeline.plugin_commands.allowed(ask.caller, ask.place, name)


def _topic_of(own: OwnCommand) -> str:
    return _ROOM.get(own.group, own.group)
