"""Whether a rule fits a request: what, where, when and with which values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase

from automation_bots.model import Operation, Person, Place, Request
from automation_bots.policy.rules import ADMINS, Rule, completes


def does(rule: Rule, request: Request, person: Person, driver: str = "") -> bool:
    """Whether a rule speaks of what is asked for; `driver` is that of one device."""
    operation, risk = request.operation, request.risk
    spoken = spoken_words(operation, request.parameters)
    whole = (request.pattern, *spoken) if operation.leading else spoken
    if rule.deny:  # with the devices' word or without it, since a rule that is to deny must not miss
        return any(words.bites(operation, risk, said, driver) for words in rule.what for said in {whole, spoken})
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, whole, admin=admin) for words in rule.what)


def spoken_words(operation: Operation, values: Mapping[str, object]) -> tuple[str, ...]:
    """The values one by one, in declared order: what the words of a rule are compared with."""
    found: list[str] = []
    for parameter in operation.parameters:
        if parameter.name in values and not parameter.view:
            found.extend(map(str, _items(parameter.spoken or values[parameter.name])))
    return tuple(found)


def _items(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _spellings(item: object) -> tuple[str, ...]:
    """How people write a value: the word yes of a policy is what the program knows as True."""
    if isinstance(item, bool):
        return ("True", "true", "yes", "on") if item else ("False", "false", "no", "off")
    return (str(item),)


def _fits(item: object, glob: str, *, short: bool) -> bool:
    """Compare one value with a pattern; `short` takes words that a device would complete: `rou bgp` is `router bgp`."""
    if any(fnmatchcase(text.strip(), glob) for text in _spellings(item)):
        return True
    said, words = str(item).split(), glob.removesuffix("*").split()
    return short and len(said) >= len(words) and all(map(completes, said, words))


def unmet(rule: Rule, request: Request, now: datetime, places: Mapping[str, str]) -> str:
    """Return which condition of a rule does not hold, in words that follow "only"; empty when all hold."""
    return next((text for _, text in lacks(rule, request, now, places)), "")


def lacks(rule: Rule, request: Request, now: datetime, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name every condition that does not hold: the rule's key, and words that follow "only"."""
    if rule.where and not any(is_at(where, request.place, places) for where in rule.where):
        yield "where", f"in {', '.join(rule.where)}"
    if rule.when and not any(window.contains(now) for window in rule.when):
        yield "when", f"at {' or '.join(window.text for window in rule.when)}"
    for name, globs in rule.values.items():
        value = request.parameters.get(name)
        parameter = request.operation.parameter(name)
        short = rule.deny and parameter is not None and parameter.text
        fits = [any(_fits(item, g, short=short) for g in globs) for item in _items(value)]
        # All values must be allowed ones, but one forbidden value is enough.
        if value is None or not (any(fits) if rule.deny else fits and all(fits)):
            yield "with", f"with {name} {' or '.join(globs)}"


def is_at(where: str, place: Place, places: Mapping[str, str]) -> bool:
    """Whether a place is the one that a rule names: a room, a network, or `dm`."""
    if where == "dm":
        return place.direct
    if where == place.network:
        return True
    room = places.get(where.removeprefix("#"), where)
    return not place.direct and room.removeprefix("#") == place.room.removeprefix("#")


def always(rule: Rule, operation: Operation) -> bool:
    """Whether a denying rule takes the operation whatever its values and whenever."""
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    plain = [words for words in rule.what if len(words.text.split()) == 1 and not words.text.startswith("driver:")]
    return not (rule.when or rule.values) and all(any(w.bites(operation, risk, ()) for w in plain) for risk in risks)


def here(rule: Rule, place: Place, places: Mapping[str, str]) -> bool:
    """Whether a rule holds at a place."""
    return not rule.where or any(is_at(where, place, places) for where in rule.where)


def could(rule: Rule, operation: Operation, person: Person) -> bool:
    """Whether a rule allows an operation with some values."""
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, None, admin=admin) for words in rule.what for risk in risks)
