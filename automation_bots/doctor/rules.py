"""What `automation-bots check` says about rules.yml: rules that cannot be read, or cannot do what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from automation_bots.alerts.event import ReportedEvent, StoredEvent
from automation_bots.alerts.rules import judgement, rulebook
from automation_bots.alerts.rules.judgement import Circumstances, Result
from automation_bots.alerts.rules.rule import Rule, Rulebook
from automation_bots.alerts.rules.throttle import RuleState
from automation_bots.app.rules import rooms
from automation_bots.commands.rules import typed_event
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.errors import AutomationError, UserError
from automation_bots.model import Caller, Operation, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import filled
from automation_bots.policy import gate
from automation_bots.policy.oncall import ON_CALL
from automation_bots.policy.people import ROBOTS
from automation_bots.policy.policy import Policy
from automation_bots.text.yaml_lines import load_yaml

Line = tuple[str, str]  # ("ok" | "NOTE" | "WRONG", text)


def lines(live: LiveConfig, bot_folder: BotFolder, now: datetime) -> list[Line]:
    """Look at the rules, and run rules-tests.yml."""
    path = bot_folder.folder / "rules.yml"
    rotas = [("WRONG", f"oncall {name}: {rota.problem}") for name, rota in live.policy.oncall.items() if rota.problem]
    if not path.exists():
        return rotas
    book = rulebook.load(path, live.policy.window)
    found = [("WRONG", str(broken)) for broken in book.broken]
    for rule in book.rules:
        found += [("WRONG", f"rules.yml, line {rule.line}: rule {rule.name!r}: {text}")
                  for text in dict.fromkeys(_wrong(rule, live, bot_folder))]  # fmt: skip
    dry = ", all of them dry" if book.dry else ""
    return [("ok", f"rules: {len(book.rules)}{dry}"), *rotas, *found, *_tests(path, book, live, now)]


def rooms_named(policy: Policy, folder: Path) -> list[tuple[str, str]]:
    """Every room that the rules name, and where."""
    book = rulebook.load(folder / "rules.yml", policy.window)
    return [(f'rules.yml, rule "{rule.name}"', room) for rule in book.rules for room in rooms(rule)]


def _wrong(rule: Rule, live: LiveConfig, bot_folder: BotFolder) -> Iterator[str]:
    for when in (*rule.when, *rule.unless):
        if when.on and live.scope.inside(when.on) is None:
            yield f"on: {when.on!r} means no device or group of the inventory"
    for name in {*rule.do.mention, *(name for step in rule.do.escalate for name in step.to)}:
        if why := _unknown(name, live):
            yield why
    if rule.do.propose:
        yield from _command(rule.do.propose, live, own=True)
    if rule.do.run:
        yield from _command(rule.do.run, live, own=False)
        yield from _robot(rule, live, bot_folder)


def _unknown(name: str, live: LiveConfig) -> str:
    """Why a name calls nobody."""
    policy = live.policy
    word, _, rota = name.partition(" ")
    if word == ON_CALL:
        if not rota and len(policy.oncall) != 1:
            return f"{name}: policy.yml has {len(policy.oncall)} rotas, so say which: {ON_CALL} <rota>"
        return "" if not rota or rota in policy.oncall else f"{name}: policy.yml has no rota {rota!r}"
    known = set(policy.people).union(*(person.groups for person in policy.people.values()))
    return "" if name in known else f"nobody is or belongs to {name!r}"


def _command(text: str, live: LiveConfig, *, own: bool) -> Iterator[str]:
    name, operation = text.split()[0], _operation(text, live)
    if operation is None:
        if not (own and name in OWN):
            kind = "a command of the bot itself, which a rule can only propose" if name in OWN else "no operation"
            yield f"{name} is {kind}"
        return
    try:
        yield from (f"{name}: {flaw}" for flaw in filled.flaws(operation, _line(operation, text)))
    except UserError as error:
        yield f"{name}: {error}"


def _operation(text: str, live: LiveConfig) -> Operation | None:
    """The operation of one word or, as config diff, of two."""
    first, second = [*text.split(maxsplit=2), "", ""][:2]
    return live.operation(f"{first}-{second}") or live.operation(first)


def _line(operation: Operation, text: str) -> str:
    """What stands behind the name, which may be two words."""
    name, _, line = text.partition(" ")
    return line.removeprefix(operation.name.removeprefix(f"{name}-")) if operation.name != name else line


def _robot(rule: Rule, live: LiveConfig, bot_folder: BotFolder) -> Iterator[str]:
    robot = live.policy.person(Caller(ROBOTS, rule.robot))
    if robot is None or not robot.robot:
        yield f"it may run nothing: policy.yml has no robot with `{ROBOTS}: {rule.robot}`"
        return
    place, operation = bot_folder.room(rule.do.room, live.places), _operation(rule.do.run, live)
    if operation is not None and gate.usable(live.scope, robot, _as_meant(operation, rule.do.run), place) is None:
        yield f"{robot.name} may not do that in {rule.do.room} at all, by policy.yml"


def _as_meant(operation: Operation, text: str) -> Operation:
    """The operation with the risk that it has with the values of a rule, where they say which."""
    try:
        values = filled.known(operation, _line(operation, text))
    except UserError:  # it has been named already
        return operation
    return replace(operation, risk=operation.risk_of(values), risk_by=None)


# -- rules-tests.yml


def _tests(path: Path, book: Rulebook, live: LiveConfig, now: datetime) -> list[Line]:
    """Run the cases beside the rules: a list of {event, acts}."""
    tests = path.with_name("rules-tests.yml")
    if not tests.exists():
        return []
    try:
        cases, line_of = load_yaml(tests)
    except AutomationError as error:
        return [("WRONG", str(error))]
    if not isinstance(cases, list):
        return [("WRONG", f"{tests}: must be a list of {{event, acts}}")]
    found = [("WRONG", f"{tests}, line {line_of(number)}: {why}")
             for number, case in enumerate(cases) if (why := _case(case, book, live, now))]  # fmt: skip
    return found or [("ok", f"{tests}: {len(cases)} cases")]


def _case(case: Any, book: Rulebook, live: LiveConfig, now: datetime) -> str:
    """Why a case is not as it says; empty when it is."""
    if not isinstance(case, Mapping) or set(case) != {"event", "acts"} or not isinstance(case["event"], Mapping):
        return f"a case is {{event: {{source: …}}, acts: [names of rules]}}; got {one_line(str(case), 80)}"
    try:
        event = typed_event({str(name): str(value) for name, value in case["event"].items()}, now)
    except UserError as error:
        return str(error)
    wanted = [case["acts"]] if isinstance(case["acts"], str) else list(case["acts"] or ())
    acts = [rule.name for rule in book.rules if _acts(rule, event, live, now)]
    if sorted(acts) == sorted(map(str, wanted)):
        return ""
    return f"expected {', '.join(map(str, wanted)) or 'no rule'} to act, got {', '.join(acts) or 'none'}"


def _acts(rule: Rule, event: ReportedEvent, live: LiveConfig, now: datetime) -> bool:
    """Whether a rule would act, or count it for later."""
    around = Circumstances(now, live.scope.inside)
    judged, _ = judgement.judge(rule, StoredEvent(0, event), RuleState(), around)
    return judged.result in {Result.ACTS, Result.DRY, Result.HELD}
