"""Configure one device with a way back at every step: before, commit, look again by a new connection, undo."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any

from automation_bots.drivers.network.config import accounting
from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.config.contract import ConfigChange, ConfigMethod
from automation_bots.drivers.network.config.platforms import opened
from automation_bots.drivers.network.messages import DeviceReply, Problem
from automation_bots.drivers.network.session.cli import Cli
from automation_bots.errors import in_words
from automation_bots.render import many

_LOOK_SECONDS = 1.0
_MORE_SECONDS = 120  # for the new login and for going back over the connection that is open
EXPECTATIONS = ("bgp", "interfaces")


@dataclass(slots=True)
class Change:
    """One device's change; `stopping` is set when the job is cancelled or its time is over."""

    cli: Cli
    stopping: threading.Event

    @property
    def values(self) -> Any:
        """What was asked for."""
        return self.cli.work.values

    def run(self) -> DeviceReply:
        """Configure; whatever goes wrong after the first line was sent leads back to where it began."""
        plans.load()  # what is needed to go back is there before anything is sent
        with opened(self.cli) as way:
            before = way.running()
            wanted = ConfigChange(config_lines.structured(self.values["lines"]), bool(self.values.get("replace")))
            if self.values["check"]:
                return _plan(way.candidate(before, wanted))
            seen = {what: _good(self.cli, what) for what in self.values["expect"]}
            self.cli.keep(before)
            return self._applied(way, before, wanted, seen)

    def _applied(self, way: ConfigMethod, before: str, wanted: ConfigChange, seen: dict[str, set[str]]) -> DeviceReply:
        try:
            way.commit(wanted, self._patience)
            after = way.running()
            changed = plans.difference(before, after)
            missing = self._unaccounted(way, wanted, before, after)
            if changed:
                self._look(seen)
            way.confirm(save=bool(self.values["save"]))
            if way.goes_back:
                _still(way, after)
        except Exception as error:  # noqa: BLE001 - whatever a library meets, the device is brought back
            return self._undone(way, before, _said(error))
        if not changed:
            return _unchanged(missing)
        summary = "; ".join(filter(None, (_counted(changed), accounting.told(missing) if missing else "")))
        return DeviceReply("changed", summary, changed, kept={"before": before, "after": after})

    def _unaccounted(self, way: ConfigMethod, wanted: ConfigChange, before: str, after: str) -> tuple[str, ...]:
        """Return the lines that left no trace; what is so by default shows only when a device is asked for all."""
        account = accounting.Account(before, after)
        missing = account.missing(wanted.tree)
        if missing and (whole := way.with_defaults()):
            return account.missing(wanted.tree, whole)
        return missing

    @property
    def _patience(self) -> int:
        """Seconds after which a device that nobody confirms to goes back by itself: more than the look takes."""
        return _MORE_SECONDS + 60 * -(-int(self.values["within"] + self.values["stay"]) // 60)

    def _undone(self, way: ConfigMethod, before: str, why: str) -> DeviceReply:
        """Go back over the connection that is still open, else by a new one."""
        cancelled = self.stopping.is_set()
        left: str | None
        try:
            left = way.undo(before)
        except Exception:  # noqa: BLE001 - whatever it is, a new connection may still do it
            left = self._undone_anew(before)
        if left is None:
            text = f"{why}; it could NOT be rolled back, since the device does not answer any more"
            return DeviceReply("unknown", text, kept={"before": before})
        if left:
            return DeviceReply(
                "unknown", f"{why}; rolled back, but not all of it: see the output", left, kept={"before": before}
            )
        return DeviceReply("cancelled" if cancelled else "failed", f"{why}; rolled back to what it was before")

    def _undone_anew(self, before: str) -> str | None:
        for _ in range(3):
            with contextlib.suppress(Exception), opened(self.cli) as way:
                return way.undo(before)
            time.sleep(_LOOK_SECONDS)
        return None

    def _look(self, seen: dict[str, set[str]]) -> None:
        """Raise a Problem unless a new login works, and what was good is good again and stays so."""
        began, good_since = time.monotonic(), 0.0
        while True:
            if self.stopping.is_set():
                raise Problem("stopped before the change was checked")
            missing = self._missing(seen)
            now = time.monotonic()
            good_since = 0.0 if missing else good_since or now
            if not missing and (not seen or now - good_since >= self.values["stay"]):
                return
            if missing and now - began > self.values["within"]:
                raise Problem(f"{missing} after {now - began:.0f} s")
            self.stopping.wait(_LOOK_SECONDS)

    def _missing(self, seen: dict[str, set[str]]) -> str:
        try:
            self.cli.log_in()
            for what, before in seen.items():
                if gone := before - _good(self.cli, what):
                    return f"{_NAMES[what]} {', '.join(sorted(gone))} not back"
        except (Problem, OSError) as problem:
            return f"a new login does not work ({in_words(problem)})"
        return ""


_NAMES = {"bgp": "BGP neighbour", "interfaces": "interface"}


def _good(cli: Cli, what: str) -> set[str]:
    """The BGP neighbours that are up, or the interfaces."""
    from automation_bots.drivers.network.show import getters  # and with it NAPALM

    if what == "bgp":
        header = getters.HEADERS["bgp"]
        state, neighbor = header.index("state"), header.index("neighbor")
        return {row[neighbor] for row in getters.rows(cli, "bgp") if row[state] == "Established"}
    return {row[0] for row in getters.rows(cli, "interfaces") if row[1] == "yes"}


def _unchanged(missing: tuple[str, ...]) -> DeviceReply:
    if not missing:
        return DeviceReply("ok", "nothing to change: it is so already")
    return DeviceReply("failed", f"nothing changed, and {accounting.told(missing)}")


def _still(way: ConfigMethod, after: str) -> None:
    if plans.difference(after, way.running()):
        raise Problem("the device went back by itself before the change was confirmed")


def _plan(changed: str) -> DeviceReply:
    if not changed:
        return DeviceReply("ok", "nothing would change: it is so already")
    return DeviceReply("ok", f"would be: {_counted(changed)}", changed)


def _counted(changed: str) -> str:
    added = sum(line.startswith("+") for line in changed.splitlines())
    removed = sum(line.startswith("-") for line in changed.splitlines())
    return f"{many(added, 'line')} added, {removed} removed"


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, Problem) else f"{type(error).__name__}: {error}"


def restore(cli: Cli) -> DeviceReply:
    """Bring a device back to what a job replaced; refused when somebody changed it since, unless that is wanted."""
    values = cli.work.values
    with opened(cli) as way:
        running = way.running()
        since = plans.difference(values["after"], running)
        if since and not values["anyway"]:
            text = "the configuration was changed since that job; look at the output, then say --anyway"
            return DeviceReply("failed", text, since)
        changed = plans.difference(running, values["before"])
        if values["check"]:
            return _plan(changed)
        if not changed:
            return DeviceReply("ok", "nothing to do: it is as it was before that job")
        cli.keep(running)
        try:
            left = way.undo(values["before"])
            if left:
                return DeviceReply("failed", "not all of it came back: see the output", left, kept={"before": running})
            way.confirm(save=bool(values["save"]))
        except Exception as error:  # noqa: BLE001 - whatever it is, the device may stand half-way
            return DeviceReply("unknown", f"{_said(error)}; part of it may have come back", kept={"before": running})
    return DeviceReply(
        "changed",
        f"as before that job: {_counted(changed)}",
        changed,
        kept={"before": running, "after": values["before"]},
    )
