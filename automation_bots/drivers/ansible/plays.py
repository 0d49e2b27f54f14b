"""The plays of one run: which ran, and why the others did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from automation_bots.drivers import NO_CONTROLLER
from automation_bots.model import one_line

_SHOWN = 5


class Plays:
    """Takes the events about plays; `missed` is what somebody has to hear of, `elsewhere` what was not asked for."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._begun: dict[int, Mapping[str, Any]] = {}

    def known(self, names: list[str]) -> None:
        """Learn which plays there are."""
        self._names = [one_line(str(name), 60) for name in names]

    def begun(self, event: Mapping[str, Any]) -> None:
        """Learn that one begins, or its next batch."""
        number = int(event["number"])
        hosts = [*self._begun.get(number, {}).get("hosts", ()), *event["hosts"]]
        self._begun[number] = {**event, "hosts": hosts}

    def missed(self) -> str:
        """Which plays, or hosts of plays, were left out although the playbook means them; empty: none."""
        return "; ".join(self._left_out())

    def elsewhere(self, *, stopped: bool) -> str:
        """Which plays did not run because their devices were not asked for, or the playbook had stopped."""
        found = [f"{self._name(n)} ({_for(event)})" for n, event in sorted(self._begun.items()) if _is_elsewhere(event)]
        if stopped:
            found += [
                f"{self._name(n)} (the playbook had stopped)" for n in range(len(self._names)) if n not in self._begun
            ]
        return f"not run: {', '.join(found)}" if found else ""

    def _name(self, number: int) -> str:
        return f'play "{self._names[number]}"' if number < len(self._names) else "a play"

    def _left_out(self) -> Iterator[str]:
        for number, event in sorted(self._begun.items()):
            how = "did not run on" if event["hosts"] else "was not run: it is for"
            if event["controller"]:
                yield f"{self._name(number)} {how} the bot's own machine, and {NO_CONTROLLER}"
            if event["added"]:
                added = _some(event["added"])
                yield f"{self._name(number)} {how} {added}, which the playbook itself added and nobody decided on"


def _is_elsewhere(event: Mapping[str, Any]) -> bool:
    return not (event["hosts"] or event["controller"] or event["added"])


def _for(event: Mapping[str, Any]) -> str:
    if event["others"]:
        return f"for {_some(event['others'])}, not asked for"
    return f"no device is {one_line(str(event['pattern']), 60)!r}"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return one_line(", ".join(map(str, names[:_SHOWN])) + more)
