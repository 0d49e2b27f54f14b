"""The one place that decides: person × place × operation × values × devices × time → allow, deny or approval. Pure.

Every device is judged by itself and the strictest answer wins. Whatever is missing (policy, person, rule) means no.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from automation_bots.model import (
    NO_LIMITS,
    Caller,
    Decision,
    Job,
    Limits,
    Operation,
    Person,
    Place,
    Request,
    Verdict,
    one_line,
)
from automation_bots.policy import ADMINS, Rule
from automation_bots.scope import Scope

_NAMES_SHOWN = 5


def decide(scope: Scope, request: Request, now: datetime) -> Decision:
    """Decide one request."""
    person = scope.policy.person(request.caller)
    if person is None:
        return Decision(Verdict.DENY, stranger(request.caller), refused=tuple(sorted(request.devices)))
    found = _Found(scope, person, request, now)
    if request.operation.devices != "none" and (request.devices or request.operation.devices != "optional"):
        return found.on_devices()
    return found.without_devices()


def again(scope: Scope, operation: Operation, job: Job) -> Decision:
    """Decide an accepted job once more: by the policy and devices of now, at the hour at which it was asked for."""
    request = Request(job.caller, job.place, operation, job.parameters, job.pattern, job.devices, check=job.check)
    return decide(scope, request, job.created or datetime.now(UTC))


def stranger(caller: Caller) -> str:
    """The sentence for somebody whom the policy does not name."""
    return (
        f"No: I do not know you. Your id on {caller.network} is {one_line(caller.id, 80)}; "
        "an admin can add it to people in policy.yml."
    )


class _Found:
    """The rules that match a request, sorted by what they say."""

    def __init__(self, scope: Scope, person: Person, request: Request, now: datetime) -> None:
        self.scope, self.person, self.request, self.now = scope, person, request, now
        self.rules = [rule for rule in scope.policy.rules if rule.concerns(person) and self._fits(rule)]

    def _fits(self, rule: Rule) -> bool:
        request = self.request
        return _what(rule, request, self.person) and not unmet(rule, request, self.now, self.scope.places)

    def without_devices(self) -> Decision:
        """Decide an operation that touches no device."""
        denying = [rule for rule in self.rules if rule.deny and self.scope.covers(rule)]
        allowing = [rule for rule in self.rules if not rule.deny and self.scope.devices(rule) is not None]
        if denying or not allowing:
            return Decision(Verdict.DENY, self._sentence(frozenset(), denying), tuple(r.name for r in denying))
        return self._allowed(allowing, ())

    def on_devices(self) -> Decision:
        """Decide device by device; one refusal refuses the request."""
        wanted = frozenset(self.request.devices)
        used, allowed = self._allowing(wanted)
        denied = [(rule, hits) for rule in self.rules if rule.deny and (hits := self._denied(rule, wanted))]
        good = allowed.difference(*(hits for _, hits in denied))
        refused = wanted - good
        if refused or not wanted:
            denying = [rule for rule, _ in denied]
            names = tuple(rule.name for rule in denying)
            reason = self._sentence(refused, denying)
            in_order = tuple(device for device in self.request.devices if device in good)
            return Decision(Verdict.DENY, reason, names, refused=tuple(sorted(refused)), allowed=in_order)
        return self._allowed(used, tuple(self.request.devices))

    def _allowing(self, wanted: frozenset[str]) -> tuple[list[Rule], frozenset[str]]:
        """Return the rules that allow some of these devices, and which; what many rules share is looked at once."""
        allowing = [rule for rule in self.rules if not rule.deny]
        meant = {rule.on: self.scope.devices(rule) or frozenset() for rule in allowing}
        left = wanted
        for devices in sorted(meant.values(), key=len, reverse=True):
            left = left - devices
        return [rule for rule in allowing if not wanted.isdisjoint(meant[rule.on])], wanted - left

    def _denied(self, rule: Rule, wanted: frozenset[str]) -> frozenset[str]:
        hits = self.scope.hits(rule, wanted)
        if self.request.operation.driver or not any(w.text.startswith("driver:") for w in rule.what):
            return hits
        driver = self.scope.driver
        return frozenset(device for device in hits if _what(rule, self.request, self.person, driver(device)))

    def _allowed(self, rules: list[Rule], devices: tuple[str, ...]) -> Decision:
        names = tuple(rule.name for rule in rules)
        limits = strictest(rule.limits for rule in rules)
        if limits.devices is not None and len(devices) > limits.devices:
            by = next(rule.name for rule in rules if rule.limits.devices == limits.devices)
            reason = f'No: {len(devices)} devices at once; rule "{by}" allows {limits.devices}.'
            return Decision(Verdict.DENY, reason, names, refused=devices)
        approvers = tuple(dict.fromkeys(group for rule in rules for group in rule.approvers))
        verdict = Verdict.APPROVAL if approvers else Verdict.ALLOW
        return Decision(verdict, rules=names, approvers=approvers, limits=limits, allowed=devices)

    def _sentence(self, refused: frozenset[str], denying: list[Rule]) -> str:
        request, seen = self.request, visible(self.scope, self.person)
        on = _on(refused, seen) if refused else ""
        what = f"No: {one_line(request.operation.name, 60)}{on}"
        if hinted := self._because(refused & seen if refused else refused, denying):
            return f"{what} {hinted}"
        if not request.operation.declared:
            why = (
                "its file says nothing about its risk, and no rule names it"
                if request.operation.source
                else "no rule names it"
            )
            return f"{what} is for admins: {why}."
        return f"{what} is not allowed to you by any rule."

    def _because(self, refused: frozenset[str], denying: list[Rule]) -> str:
        """The nearest reason: a rule that denies, one that would allow elsewhere or later, or whom it is for."""
        if denying:
            return f'is denied by rule "{denying[0].name}".'
        candidates = [r for r in self.scope.policy.rules if not r.deny and self._about(r, refused)]
        for rule in candidates:
            if rule.concerns(self.person) and (why := unmet(rule, self.request, self.now, self.scope.places)):
                return f'is allowed only {why} (rule "{rule.name}").'
        for rule in candidates:
            if not rule.concerns(self.person) and refused:
                return f'is for {", ".join(sorted(rule.who))} (rule "{rule.name}").'
        return ""

    def _about(self, rule: Rule, refused: frozenset[str]) -> bool:
        return _what(rule, self.request, self.person) and (not refused or bool(self.scope.hits(rule, refused)))


def _what(rule: Rule, request: Request, person: Person, driver: str = "") -> bool:
    operation, risk = request.operation, request.risk
    spoken = spoken_words(operation, request.parameters)
    if rule.deny:
        return any(words.bites(operation, risk, spoken, driver) for words in rule.what)
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, spoken, admin=admin) for words in rule.what)


def spoken_words(operation: Operation, values: Mapping[str, object]) -> tuple[str, ...]:
    """The values one by one, in declared order: what the words of a rule are compared with."""
    found: list[str] = []
    for parameter in operation.parameters:
        if parameter.name in values:
            value = parameter.spoken or values[parameter.name]
            found.extend(map(str, _items(value)))
    return tuple(found)


def _items(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _spellings(item: object) -> tuple[str, ...]:
    """How people write a value: the word yes of a policy is what the program knows as True."""
    if isinstance(item, bool):
        return ("True", "true", "yes", "on") if item else ("False", "false", "no", "off")
    return (str(item),)


def unmet(rule: Rule, request: Request, now: datetime, places: Mapping[str, str]) -> str:
    """Return which condition of a rule does not hold, in words that follow "only"; empty when all hold."""
    if rule.where and not any(_is_at(where, request.place, places) for where in rule.where):
        return f"in {', '.join(rule.where)}"
    if rule.when and not any(window.contains(now) for window in rule.when):
        return f"at {' or '.join(window.text for window in rule.when)}"
    for name, globs in rule.values.items():
        value = request.parameters.get(name)
        fits = [any(fnmatchcase(text, g) for text in _spellings(item) for g in globs) for item in _items(value)]
        # All values must be allowed ones, but one forbidden value is enough.
        if value is None or not (any(fits) if rule.deny else fits and all(fits)):
            return f"with {name} {' or '.join(globs)}"
    return ""


def _is_at(where: str, place: Place, places: Mapping[str, str]) -> bool:
    if where == "dm":
        return place.direct
    if where == place.network:
        return True
    room = places.get(where.removeprefix("#"), where)
    return not place.direct and room.removeprefix("#") == place.room.removeprefix("#")


def _on(refused: frozenset[str], seen: frozenset[str]) -> str:
    names = sorted(refused & seen)
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(refused) - min(len(names), _NAMES_SHOWN)
    if not names:
        return " on these devices"
    return f" on {shown}" + (f" and {more} more" if more else "")


def strictest(limits: Iterable[Limits]) -> Limits:
    """Combine limits: of each kind the smallest."""
    every = list(limits)

    def least(values: Iterable[int | None]) -> int | None:
        return min((value for value in values if value is not None), default=None)

    rates = [limit.rate for limit in every if limit.rate]
    slowest = min(rates, key=lambda rate: rate[0] / rate[1], default=None)
    if slowest is None and not any(limit != NO_LIMITS for limit in every):
        return NO_LIMITS
    return Limits(least(x.devices for x in every), least(x.concurrent for x in every), slowest)


def visible(scope: Scope, person: Person | None) -> frozenset[str]:
    """The devices that a person may know of: those on which some rule allows something at some time."""
    if person is None:
        return frozenset()
    return scope.seen(person)


def usable(scope: Scope, person: Person | None, operation: Operation, place: Place) -> frozenset[str] | None:
    """Where a person could use an operation here, whatever the values and the hour; None: not at all.

    For an operation without devices the answer is an empty set, which is not None.
    """
    if person is None:
        return None
    mine = [rule for rule in scope.policy.rules if rule.concerns(person) and _here(rule, place, scope.places)]
    allowing = [rule for rule in mine if not rule.deny and _could(rule, operation, person)]
    denying = [rule for rule in mine if rule.deny and _always(rule, operation)]
    if not allowing or any(scope.covers(rule) for rule in denying):
        return None
    if operation.devices == "none":
        return frozenset()
    allowed = scope.reach(person, allowing, denying)
    return None if operation.devices != "optional" and not allowed else allowed


def _always(rule: Rule, operation: Operation) -> bool:
    """Whether a denying rule takes the operation whatever its values and whenever."""
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    plain = [words for words in rule.what if len(words.text.split()) == 1 and not words.text.startswith("driver:")]
    return not (rule.when or rule.values) and all(any(w.bites(operation, risk, ()) for w in plain) for risk in risks)


def _here(rule: Rule, place: Place, places: Mapping[str, str]) -> bool:
    return not rule.where or any(_is_at(where, place, places) for where in rule.where)


def _could(rule: Rule, operation: Operation, person: Person) -> bool:
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, None, admin=admin) for words in rule.what for risk in risks)


def asks_nothing(operation: Operation, caller: Caller, place: Place) -> Request:
    """A request without values and devices, as Errbot's own and third-party commands make them."""
    return Request(caller, place, operation)
