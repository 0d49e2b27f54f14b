"""The kinds of sources, and bot.toml's tables read by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from automation_bots.alerts.sources import alertmanager, generic, grafana, librenms, zabbix
from automation_bots.alerts.sources.source import Kind, SourceSettings
from automation_bots.alerts.sources.syslog import source as syslog
from automation_bots.alerts.sources.traps import source as traps
from automation_bots.text.nearest import did_you_mean, nearest

KINDS: Mapping[str, Kind] = {
    kind.kind: kind
    for kind in (
        alertmanager.SOURCE,
        generic.SOURCE,
        grafana.SOURCE,
        librenms.SOURCE,
        syslog.SOURCE,
        traps.SOURCE,
        zabbix.SOURCE,
    )
}


class WrongSource(ValueError):
    """A table says something that its kind does not take; `where` are the keys that lead there."""

    def __init__(self, where: tuple[str, ...], reason: str) -> None:
        self.where, self.reason = where, reason
        super().__init__(f"{'.'.join(where)}: {reason}")


def kind_of(name: str, table: Mapping[str, Any]) -> Kind:
    """Return the kind that a table names."""
    written = str(table.get("kind", ""))
    if written not in KINDS:
        known = did_you_mean(nearest(written, KINDS), f"Known: {', '.join(sorted(KINDS))}")
        raise WrongSource((name, "kind"), f"{written!r} is no kind of source.{known}")
    return KINDS[written]


def settings_of(name: str, table: Mapping[str, Any]) -> SourceSettings:
    """Read one table."""
    model: type[SourceSettings] = kind_of(name, table).settings
    try:
        return model.model_validate({**table, "name": name})
    except ValidationError as error:
        first = error.errors()[0]
        where = [str(part) for part in first["loc"]]
        said = str(first["msg"]).removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = f"this key is not known; known here: {', '.join(sorted(set(model.model_fields) - {'name'}))}"
        raise WrongSource((name, *where), said) from error
