"""What would happen if somebody typed a command: read, judged, and shown as it would be sent; nothing is done."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from automation_bots import render
from automation_bots.app.bot import Bot, now
from automation_bots.config.live import LiveConfig
from automation_bots.errors import BadCommand
from automation_bots.model import Caller, Device, Person, Place, Request, Verdict, one_line, typed_words
from automation_bots.operations import catalog
from automation_bots.operations.verbs import Free, Verb
from automation_bots.operations.ways import has_way
from automation_bots.pipeline import habits
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.targets import TargetResolver
from automation_bots.policy import explain, gate
from automation_bots.text.nearest import did_you_mean, nearest

_SHOWN = 10  # devices


def lines(folder: Path, line: str, who: str, where: str) -> Iterator[str]:
    """Say how a command is read, what the rules make of it, and what each device would be asked."""
    bot = Bot(folder, read_only=True)
    person = bot.live.policy.people.get(who)
    if person is None:
        raise BadCommand(f"There is no {who!r} in policy.yml.{did_you_mean(nearest(who, bot.live.policy.people, 1))}")
    request = asked(bot.live, line.removeprefix(bot.settings.prefix), person, where, bot.settings.network)
    shown = catalog.without_secrets(request.operation, request.parameters)
    words = " ".join([request.operation.name, *typed_words(request.operation, shown)])
    yield f"read as   {words}{render.on(request.devices)}, by {who} in {where}"
    decision = gate.decide(bot.live.scope, request, now())
    yield f"rules     {explain.verdict(decision, request)}"
    for row in explain.block(explain.explain(bot.live.scope, request, person, now())).splitlines():
        yield f"          {row}"
    if decision.verdict is not Verdict.DENY:
        yield from _sent(bot.live, replace(request, parameters=shown))
    yield "Nothing was done."


def asked(live: LiveConfig, line: str, person: Person, where: str, network: str) -> Request:
    """Make the request that somebody's words mean; UserError where they mean none."""
    first, _, rest = line.partition(" ")
    name, rest = habits.meant(first, rest, lambda word: live.catalog.find(word.lower()) is not None)
    operation = live.catalog.find(f"{name}-{rest.split()[0]}") if rest.split() else None
    if operation is not None:
        rest = rest.split(maxsplit=1)[1] if len(rest.split()) > 1 else ""
    operation = operation or live.catalog.find(name) or live.catalog.find(name.lower())
    if operation is None:
        known = live.catalog.operations
        raise BadCommand(f"no operation {one_line(name, 40)!r}.{did_you_mean(nearest(name, known, 1))}")
    typed = grammar.parse(operation, rest)
    values = grammar.checked(operation, typed)
    if isinstance(values, grammar.Missing):
        missing = values.parameter.name if values.parameter else "devices"
        raise BadCommand(f"{line!r} is not complete: the bot would ask for {missing}")
    caller = Caller(*account(person, network))
    request = Request(caller, place(where, network, live), operation, values, typed.pattern, (), typed.check,
                      emergency=typed.emergency)  # fmt: skip
    resolver = TargetResolver(live, {})
    return resolver.with_others(replace(request, devices=resolver.devices(person, request)))


def _sent(live: LiveConfig, request: Request) -> Iterator[str]:
    """What each device would be asked, as far as that is known before."""
    for device in live.inventory.devices(request.devices[:_SHOWN]):
        yield f"          {device.name}: {_way(request, device)}"
    if (more := len(request.devices) - _SHOWN) > 0:
        yield f"          … and {more} more"


def _way(request: Request, device: Device) -> str:
    operation = request.operation
    driver = operation.driver_on(device)
    if not has_way(operation, device, request.parameters):
        return f"no way: {operation.name} has nothing for {device.platform} by {driver}"
    if not isinstance(operation.body, Verb | Free) or not (
        command := operation.body.command(device.platform, request.parameters)
    ):
        return f"by {driver}"
    return f"by {driver}: {'sudo ' if command.become else ''}{one_line(shlex.join(command.argv), 120)}"


def account(person: Person, network: str) -> tuple[str, str]:
    """As whom somebody speaks: on the bot's own network; who has no account there, with any."""
    if network in person.ids:
        return network, person.ids[network]
    return next(iter(person.ids.items()), (network, f"@{person.name}"))


def place(where: str, network: str, live: LiveConfig) -> Place:
    """A room by its name in [places] or its id, or `dm`."""
    if where == "dm":
        return Place(network, "dm", direct=True)
    return Place(network, live.scope.places.get(where.removeprefix("#"), where))
