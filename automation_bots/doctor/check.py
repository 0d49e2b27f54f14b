"""`automation-bots check`: everything of a bot's folder that can be wrong, before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from automation_bots import render
from automation_bots.app import alerts, rule_problems
from automation_bots.app.bot import Bot, now
from automation_bots.config import room_names
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.doctor import as_if, peers, playbooks, rules
from automation_bots.errors import AutomationError, UserError
from automation_bots.inventory.addresses import Addresses
from automation_bots.model import Caller, Person, Request, Verdict, one_line
from automation_bots.pipeline import parser as grammar
from automation_bots.policy import gate
from automation_bots.policy.policy import Policy
from automation_bots.policy.rules import EVERYONE, Rule
from automation_bots.policy.scope import Scope
from automation_bots.text import times
from automation_bots.text.yaml_lines import load_yaml

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_LOOK_SECONDS = 5.0  # that looking up the names of devices may take

Lines = list[tuple[str, str]]  # ("ok" | "NOTE" | "WRONG", text)


def report(lines: Iterable[tuple[str, str]], say: Callable[[str], object]) -> int:
    """Say each line as it comes, and the sum; return the exit code."""
    wrong = 0
    for mark, text in lines:
        wrong += mark == "WRONG"
        say(f"{mark:<5} {text}")
    say(render.many(wrong, "problem") if wrong else "all is well")
    return 1 if wrong else 0


def folder(path: Path, known: Callable[[str], object] = lambda _backend: None) -> Lines:
    """Check settings, inventory, policy with its tests, and every operation file; `known` knows the backends."""
    try:
        bot = Bot(path, read_only=True)
        known(bot.settings.backend)
    except AutomationError as error:
        return [("WRONG", str(error))]
    return [
        ("ok", f"{path}/bot.toml: backend {bot.settings.backend}, prefix {bot.settings.prefix}"),
        *_sources(bot.bot_folder),
        *of_world(bot.live, bot.bot_folder),
    ]


def _sources(bot_folder: BotFolder) -> Lines:
    """Read what tells of events, as a start would, without any token."""
    try:
        found = alerts.read(bot_folder, resolved=False)
    except AutomationError as error:
        return [("WRONG", str(error))]
    wanted = bot_folder.settings.http
    if not found:
        return (
            [("NOTE", "[http] has a port, but nothing calls it: there are no [events.sources]")] if wanted.port else []
        )
    lines: Lines = [("ok", f"{render.many(len(found), 'source')} of events: {', '.join(sorted(found))}")]
    if wanted.port and wanted.address not in _LOOPBACK and not wanted.proxies:
        text = f"[http] listens on {wanted.address}: without a proxy with TLS, tokens pass the network in clear"
        lines.append(("NOTE", text))
    return lines


def of_world(live: LiveConfig, bot_folder: BotFolder) -> Lines:
    """Check what was read: inventory, operations, policy."""
    names = live.inventory.names
    lines: Lines = [("ok", f"inventory: {len(names)} devices, {len(live.inventory.groups)} groups")]
    if live.inventory.problem:
        lines.append(("WRONG", f"inventory: {live.inventory.problem}"))
    lines += _several_names(live, bot_folder)
    lines += [("WRONG", str(problem)) for problem in live.catalog.problems]
    lines.append(("ok", f"{len(live.catalog.operations)} operations"))
    lines += peers.trusted(bot_folder)
    given = bot_folder.settings.drivers.ansible.environment
    lines += playbooks.lines(live.catalog, live.folders, bot_folder.content, given, live.inventory.sources)
    return lines + _policy(live, bot_folder) + rules.lines(live, bot_folder, now())


def _several_names(live: LiveConfig, bot_folder: BotFolder) -> Lines:
    """Name the devices that have more than one name; what one of the names is denied, all are."""
    if bot_folder.resolves:
        Addresses(live.inventory).look(_LOOK_SECONDS)
    state = live.inventory.state
    lines: Lines = []
    for names in state.same.groups:
        where = state.endpoints[min(names)]
        place = ":".join(filter(None, (where.host, where.port)))
        text = f"inventory: {render.names(sorted(names))} are one device ({place}): the strictest of its names decides"
        lines.append(("NOTE", text))
    return lines


def policy_only(path: Path) -> Lines:
    """Lint the policy and run its test cases."""
    try:
        bot = Bot(path, read_only=True)
    except AutomationError as error:
        return [("WRONG", str(error))]
    return _policy(bot.live, bot.bot_folder)


def tests_only(path: Path) -> Lines:
    """Run the policy's test cases alone."""
    try:
        bot = Bot(path, read_only=True)
    except AutomationError as error:
        return [("WRONG", str(error))]
    tests = path / "policy-tests.yml"
    return run_tests(bot.live, tests, bot.settings.network) if tests.exists() else [("WRONG", f"there is no {tests}")]


def _policy(live: LiveConfig, bot_folder: BotFolder) -> Lines:
    lines = lint(live.policy, live.scope)
    lines += _rooms_by_name(live, bot_folder)
    for rule, text in rule_problems.never_matching(bot_folder, live):
        lines.append(("WRONG", f'rule "{rule.name}" denies nothing by this: {text}') if rule.deny else
                     ("NOTE", f'rule "{rule.name}": {text}'))  # fmt: skip
    tests = bot_folder.folder / "policy-tests.yml"
    if tests.exists():
        lines += run_tests(live, tests, bot_folder.settings.network)
    else:
        lines.append(("NOTE", f"no {tests}: write down what the policy must allow and refuse"))
    return [("ok", f"policy: {len(live.policy.people)} people, {len(live.policy.rules)} rules"), *lines]


def lint(policy: Policy, scope: Scope) -> Lines:
    """Find rules that cannot mean what somebody wanted: unknown people, no device, nobody, said already."""
    lines: Lines = []
    groups = {group for person in policy.people.values() for group in person.groups}
    for rule in policy.rules:
        for who in sorted(rule.who - groups - set(policy.people) - {EVERYONE}):
            lines.append(("WRONG", f'rule "{rule.name}": nobody is or belongs to {who!r}'))
        for approver in {*rule.approvers, *rule.above_approvers} - groups - set(policy.people):
            lines.append(("WRONG", f'rule "{rule.name}": nobody belongs to {approver!r}, so nobody can approve'))
        hits = scope.devices(rule)
        if hits is None:
            lines.append(("WRONG", f'rule "{rule.name}": on: {rule.on!r} means no device or group of the inventory'))
        elif not hits:
            lines.append(("NOTE", f'rule "{rule.name}": on: {rule.on!r} is empty today'))
        if other := _shadowed_by(rule, policy, scope):
            lines.append(("NOTE", f'rule "{rule.name}" adds nothing to rule "{other.name}"'))
    both = sorted(groups & set(policy.people))
    lines += [("WRONG", f"{name!r} is both a person and a group; rules cannot tell which is meant") for name in both]
    return lines


def _shadowed_by(rule: Rule, policy: Policy, scope: Scope) -> Rule | None:
    """Find a rule that allows all of this one without any condition."""
    for other in policy.rules:
        conditions = other.where or other.when or other.values or other.approvers
        if other is rule or rule.deny or rule.demands or other.deny or other.emergency or conditions:
            continue
        wide = rule.who <= other.who or EVERYONE in other.who
        what = set(rule.what) <= set(other.what)
        mine, theirs = scope.devices(rule), scope.devices(other)
        if wide and what and mine is not None and theirs is not None and mine <= theirs:
            return other
    return None


def _rooms_by_name(live: LiveConfig, bot_folder: BotFolder) -> Lines:
    """Name the rooms that are looked up at each start: by then the doctor says whether there are such."""
    settings, further = bot_folder.settings, rules.rooms_named(live.policy, bot_folder.folder)
    return [
        ("NOTE", f"{where}: #{name} is looked up by its name at each start, and {settings.network} lets a name be taken"
         f' over. Write the id: [places] {name} = "<the id of the room>"')
        for where, name in room_names.named(live.policy, settings, further)
    ]  # fmt: skip


def run_tests(live: LiveConfig, path: Path, network: str = "text") -> Lines:
    """Run policy-tests.yml: a list of {who, what, where, when, expect: allow|deny|approval}, on this network."""
    try:
        cases, line_of = load_yaml(path)
    except AutomationError as error:
        return [("WRONG", str(error))]
    if not isinstance(cases, list):
        return [("WRONG", f"{path}: must be a list of {{who, what, expect}}")]
    lines: Lines = []
    for number, case in enumerate(cases):
        try:
            problem = _case(live, case, network)
        except (AutomationError, ValueError) as error:
            problem = f"cannot be run: {error}"
        if problem:
            lines.append(("WRONG", f"{path}, line {line_of(number)}: {problem}"))
    return lines or [("ok", f"{path}: {len(cases)} cases")]


_EXPECTED = (*Verdict, "confirm")
_CASE = ("who", "what", "expect", "where", "when", "proved")


def _case(live: LiveConfig, case: Any, network: str) -> str:
    if not isinstance(case, Mapping) or not set(_CASE[:3]) <= set(case) <= set(_CASE):
        return f"a case is {{who, what, expect}}, with where, when and proved if needed; got {one_line(str(case), 80)}"
    if case["expect"] not in _EXPECTED:
        return f"expect is one of {', '.join(_EXPECTED)}; got {one_line(str(case['expect']), 30)!r}"
    person = live.policy.people.get(case["who"]) or Person(str(case["who"]))
    network, id_ = as_if.account(person, network)
    place = as_if.place(str(case.get("where", "dm")), network, live)
    name, _, line = str(case["what"]).partition(" ")
    operation = live.catalog.find(name)
    if operation is None:
        return f"no operation {name!r}"
    try:
        moment = _moment(str(case["when"]), live.policy.timezone) if "when" in case else now()
    except ValueError as error:
        return f"when: {error}"
    typed = grammar.parse(operation, line)
    values = grammar.checked(operation, typed)
    if isinstance(values, grammar.Missing):
        return f"{case['what']!r} is not complete"
    try:
        devices = live.inventory.expand(typed.pattern) if typed.pattern else ()
    except UserError as error:
        return str(error)
    request = Request(
        Caller(network, id_), place, operation, values, typed.pattern, devices, typed.check, emergency=typed.emergency
    )
    scope = replace(live.scope, proved=lambda _caller, _person: moment if case.get("proved") else None)
    decision = gate.decide(scope, request, moment)
    got = "confirm" if decision.confirm and decision.verdict is Verdict.ALLOW else decision.verdict.value
    if got == case["expect"]:
        return ""
    return f"{case['who']} {case['what']!r}: expected {case['expect']}, got {got}. {decision.reason}"


def _moment(text: str, zone: str) -> datetime:
    return times.dated(text, zone) or times.moment(text, now(), zone)
