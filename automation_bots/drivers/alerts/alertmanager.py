"""Alertmanager's API, version 2: what it has now, and silences. Grafana's own Alertmanager speaks the same.

It knows neither acknowledgements nor comments, and ends alerts by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from automation_bots.drivers.alerts.back import SILENCE, UNSILENCE, Deed
from automation_bots.drivers.alerts.http import Reply, Server, ask, refused
from automation_bots.errors import DriverError
from automation_bots.model import NOTHING, Alert, one_line

_API = "/api/v2"
_SKEW = timedelta(minutes=1)  # its clock may be behind; what begins in the past begins at once there
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence that is in effect."""

    id: str
    by: str
    comment: str
    until: datetime
    matchers: tuple[tuple[str, str, bool, bool], ...]  # (label, value, is a regular expression, is equal)

    def only(self, labels: Mapping[str, str]) -> bool:
        """Whether it was made for an alert with exactly these labels."""
        return set(self.matchers) == {(name, value, False, True) for name, value in labels.items()}


@dataclass(frozen=True, slots=True)
class Present:
    """An alert that it has now."""

    fingerprint: str
    started: datetime | None
    labels: Mapping[str, str]
    silenced_by: tuple[str, ...]
    notes: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Naming:
    """What an alert is known by here, and which of its labels a silence is of."""

    fingerprint: Callable[[str, Mapping[str, str]], str] = lambda own, _labels: own
    silenced: frozenset[str] = frozenset()  # none: all labels
    ignored: frozenset[str] = frozenset()  # those that make no other alert

    def matched(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels of a silence; an alert that has none of the wanted ones is silenced by all of its own."""
        left = {name: text for name, text in labels.items() if name not in self.ignored}
        return {name: text for name, text in left.items() if name in self.silenced} or left


class AlertmanagerBack:
    """One Alertmanager, or one address of several that share what they know."""

    does = frozenset({SILENCE, UNSILENCE})

    def __init__(self, server: Server, naming: Naming | None = None) -> None:
        self._server = replace(server, url=server.url.rstrip("/").removesuffix(_API))
        self._naming = naming or Naming()

    def tell(self, alert: Alert, deed: Deed) -> str:
        """Silence it, or end that."""
        return self._silence(alert, deed) if deed.what == SILENCE else self._unsilence(alert)

    def trouble(self) -> str:
        """Ask what it is."""
        try:
            self._ask("GET", "/status")
        except DriverError as error:
            return str(error)
        return ""

    def present(self) -> list[Present]:
        """Return all alerts that it has now."""
        found = self._ask("GET", "/alerts")
        present = [_present(one) for one in self._tables(found)]
        return [replace(one, fingerprint=self._naming.fingerprint(one.fingerprint, one.labels)) for one in present]

    def silences(self) -> dict[str, Silence]:
        """Return the silences in effect, by their ids."""
        found = [_silence(one) for one in self._tables(self._ask("GET", "/silences")) if _is_active(one)]
        return {one.id: one for one in found}

    def running_since(self) -> datetime | None:
        """Return when it began: a young one does not know yet what goes on."""
        found = self._ask("GET", "/status")
        return _moment(found.get("uptime")) if isinstance(found, Mapping) else None

    def _silence(self, alert: Alert, deed: Deed) -> str:
        present, now = self._of(alert), datetime.now(UTC)
        labels = self._naming.matched(present.labels)
        matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in labels.items()]
        if deed.until is None or not matchers:
            raise DriverError("a silence needs an end, and an alert with labels")
        self._ask("POST", "/silences", {
            "matchers": matchers, "startsAt": (now - _SKEW).isoformat(), "endsAt": deed.until.isoformat(),
            "createdBy": deed.person, "comment": deed.signed,
        })  # fmt: skip
        others = [one for one in self.present() if one.fingerprint != present.fingerprint and _covers(labels, one)]
        also = f"; with it {len(others)} more, whose labels match too" if others else ""
        return f"silenced in Alertmanager{also}"

    def _unsilence(self, alert: Alert) -> str:
        present, silences = self._of(alert), self.silences()
        mine = [silences[name] for name in present.silenced_by if name in silences]
        own = [one for one in mine if one.only(self._naming.matched(present.labels))]
        for one in own:
            self._ask("DELETE", f"/silence/{one.id}")
        wider = [f"{one_line(one.by, 40)} ({one_line(one.comment, 60)})" for one in mine if one not in own]
        if wider:
            still = f"a wider silence of {'; '.join(wider)} stays: end it there"
            if not own:
                raise DriverError(still)
            return f"its silence in Alertmanager was ended; {still}"
        return "its silence in Alertmanager was ended" if own else "no silence of Alertmanager was on it"

    def _of(self, alert: Alert) -> Present:
        """Find it there: the record may keep fewer labels, or some without their secrets."""
        same = [one for one in self.present() if one.fingerprint == alert.fingerprint]
        if not same:
            raise DriverError(f"Alertmanager no longer has A{alert.number}: it is over there, or url is another's")
        return same[0]

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        reply: Reply = ask(self._server, method, f"{_API}{path}", body)
        if not 200 <= reply.status < 300:
            raise refused(reply, self._server.url, {})
        return reply.value

    def _tables(self, found: Any) -> Sequence[Mapping[str, Any]]:
        if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
            raise DriverError(f"{one_line(self._server.url, 100)} does not answer as Alertmanager does; is url right?")
        return found


def _covers(labels: Mapping[str, str], other: Present) -> bool:
    """Whether what matches these labels matches that alert too."""
    return labels.items() <= other.labels.items()


def _present(found: Mapping[str, Any]) -> Present:
    status = found.get("status")
    by = status.get("silencedBy") if isinstance(status, Mapping) else None
    return Present(
        str(found.get("fingerprint", "")),
        _moment(found.get("startsAt")),
        _texts(found.get("labels")),
        tuple(map(str, by)) if isinstance(by, list) else (),
        _texts(found.get("annotations")),
    )


def _texts(found: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}


def _is_active(found: Mapping[str, Any]) -> bool:
    status = found.get("status")
    return isinstance(status, Mapping) and status.get("state") == "active"


def _silence(found: Mapping[str, Any]) -> Silence:
    matchers = found.get("matchers")
    return Silence(
        str(found.get("id", "")),
        str(found.get("createdBy", "")),
        str(found.get("comment", "")),
        _moment(found.get("endsAt")) or _NEVER,
        tuple(
            (str(one.get("name")), str(one.get("value")), bool(one.get("isRegex")), bool(one.get("isEqual", True)))
            for one in (matchers if isinstance(matchers, list) else [])
            if isinstance(one, Mapping)
        ),
    )


def _moment(written: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(written)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
