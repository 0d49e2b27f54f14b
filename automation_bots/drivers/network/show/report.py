"""What the network driver's operations share: an answer kept as a table or text, compared, and summed up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from automation_bots.drivers import Task
from automation_bots.drivers.network.archive import Archive
from automation_bots.drivers.network.messages import DeviceReply
from automation_bots.drivers.network.show import answers
from automation_bots.drivers.network.show.answers import Rows, View
from automation_bots.drivers.output import first_line
from automation_bots.model import GOOD, Conclusion, Device, Outcome, Risk, Status, one_line
from automation_bots.render import LINES_SHOWN, many, table
from automation_bots.text import filters
from automation_bots.text.grouping import short

Asked = tuple[str, Mapping[str, Any]]  # the kind of work, and its values
LATER = ("diff", "csv")  # values that change nothing in what is kept of an answer


class NetworkRequest(Protocol):
    """One operation's share in a run."""

    def ask(self, device: Device) -> Asked | Outcome:
        """Say what a device is asked for; an Outcome when it need not be asked."""

    def outcome(self, device: Device, found: DeviceReply) -> Outcome:
        """Tell what came of it."""

    def conclusion(self) -> Conclusion | None:
        """Sum the job up; None: its outcomes say it all."""


@dataclass(slots=True)
class ReadReport:
    """What deeds share that show tables or text."""

    task: Task
    archive: Archive
    tables: dict[str, Rows] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)  # what is other than the last time
    others: dict[str, tuple[str, str]] = field(default_factory=dict)  # those without a table, and what they said
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def view(self) -> View:
        """How the answer is wanted."""
        values, behind = self.task.parameters, dict(self.task.job.filters)
        match = str(values.get("match") or behind.get("match") or "")
        columns = tuple(
            values.get("columns") or (name.strip() for name in behind.get("columns", "").split(",") if name)
        )
        return View(match, columns, tuple(one for one in self.task.job.filters if one[0] not in filters.TABLES))

    @property
    def wants_text(self) -> bool:
        """Whether lines are to be counted, which a table has none of."""
        return any(name == "count" for name, _ in self.task.job.filters)

    def outcome(self, device: Device, found: DeviceReply) -> Outcome:
        """Keep a table for the summary; the device's own part of it is its output."""
        status = Status(found.status)
        if status not in GOOD:
            if status is Status.UNREACHABLE:
                self._keep_other(device, status, found.summary)
            return Outcome(device.name, status, one_line(found.summary, 500), found.text)
        if found.header and not self.wants_text:
            rows = self.view.rows(found.header, found.rows)
            with self.lock:
                self.tables[device.name] = rows
            text = rows.text
            summary = "  ".join(filter(None, rows.rows[0])) if len(rows.rows) == 1 else many(len(rows.rows), "row")
        else:
            text = self.view.text(found.text or Rows(found.header, found.rows).text)
            summary = first_line(text)
            self._keep_other(device, status, summary)
        if self.task.parameters.get("diff"):
            summary = self._compared(device.name, text)
        filtered = device.name in self.tables
        return Outcome(device.name, self.good, one_line(summary, 200), text, filtered=filtered)

    def skipped(self, device: Device, why: str) -> Outcome:
        """Say why a device is not asked, beside the table of the others too."""
        self._keep_other(device, Status.SKIPPED, why)
        return Outcome(device.name, Status.SKIPPED, why)

    def _keep_other(self, device: Device, status: Status, summary: str) -> None:
        with self.lock:
            self.others[device.name] = status.value, one_line(summary, 90)

    @property
    def good(self) -> Status:
        """What a device that did as it was told is called."""
        return Status.CHANGED if self.task.job.risk is Risk.CHANGE else Status.OK

    def _compared(self, device: str, text: str) -> str:
        before = self.task.before_output(device, LATER)
        if not before:
            return "asked for the first time: nothing to compare with"
        changed = answers.changed(before.rstrip("\n"), text.rstrip("\n"))
        if not changed:
            return "same as the last time"
        with self.lock:
            self.texts[device] = changed
        return f"{changed.count(chr(10)) + 1} lines are other than the last time"

    def conclusion(self) -> Conclusion | None:
        """The tables, and who gave none (the recap knows of those that failed); or what is other than the last time."""
        if self.task.parameters.get("diff"):
            return Conclusion(block=block) if (block := once(self.texts)) else None
        if not self.tables or len(self.tables) < len(self.task.devices) / 2:
            return None
        name = f"{self.task.operation.name}-{self.task.job.number}"
        csv = bool(self.task.parameters.get("csv")) or any(name == "csv" for name, _ in self.task.job.filters)
        named, columns = len(self.task.job.devices) > 1, self.task.columns
        said = answers.concluded(self.tables, name, as_csv=csv, named=named, columns=columns)
        others = table(((device, *other) for device, other in sorted(self.others.items())), limit=LINES_SHOWN)
        return replace(said, block=f"{said.block}\n\n{others}" if others else said.block, filtered=True)


def once(texts: Mapping[str, str]) -> str:
    """Show what devices have to tell, equal texts once."""
    groups: dict[str, list[str]] = {}
    for device, text in sorted(texts.items()):
        groups.setdefault(text, []).append(device)
    return "\n".join(f"── {short(devices)}\n{text}" for text, devices in groups.items())
