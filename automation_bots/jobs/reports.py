"""What drivers report of one job: taken once for each device, without secrets, and handed to the store in batches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from automation_bots.errors import StoreError
from automation_bots.jobs.filtering import Filtering
from automation_bots.model import CONTROLLER, Conclusion, File, Job, Outcome, Status, items_of, one_line
from automation_bots.redaction.redactor import Redactor
from automation_bots.render import LINES_SHOWN, NEED_A_PERSON, rows, table
from automation_bots.store import Store
from automation_bots.text import binary

log = logging.getLogger(__name__)
_FLUSH_SECONDS = 0.25
_LINES_SAID = 30  # of what a driver shows while it works
_FLUSH_OUTCOMES = 5000
_LINES_KEPT = 5000  # different summaries
_LOGGED_EACH = 1000  # with more devices, the store knows what came of each, and the log how many
_SECRETS_SECONDS = 180.0  # more than the inventory's loader may take


class OutcomeCollector:
    """The `Report` of one job; nothing is taken before its secrets are known."""

    def __init__(self, job: Job, hidden: Mapping[str, Any], store: Store, redactor: Redactor) -> None:
        self.seen: dict[str, Status] = {}
        self.words = ""  # the driver's last ones
        self.remarks: list[str] = []
        self.secrets_known = threading.Event()
        self._job, self._store, self._redactor = job, store, redactor
        self._devices = frozenset(job.devices)
        self._own = Redactor(_texts(hidden.values()))
        self._lock = threading.Lock()
        self._filtering = Filtering(job)
        self._pending: list[Outcome] = []
        self._lines: tuple[object, dict[str, str]] = (None, {})  # what is known, and what was cleared by it
        self._flushed = 0.0

    @property
    def is_late(self) -> bool:
        """Whether what came has not been stored for a while."""
        return time.monotonic() - self._flushed > _FLUSH_SECONDS

    def outcome(self, outcome: Outcome) -> None:
        """Take one device's outcome (Report)."""
        self.batch([outcome])

    def batch(self, found: Sequence[Outcome]) -> None:
        """Take the outcomes of many devices (Report)."""
        clean = self._cleaned(found)
        with self._lock:
            new = [outcome for outcome in clean if self._is_new(outcome)]
            self._pending += new
            due = self._is_due()
        self._log_each(new if len(self._job.devices) <= _LOGGED_EACH else ())
        if due:
            self.try_flush()

    def _cleaned(self, found: Sequence[Outcome]) -> list[Outcome]:
        """Take secrets out."""
        lines, clean = self._cleared_lines({outcome.summary for outcome in found}), []
        for outcome in found:
            line = lines[outcome.summary]
            if not (outcome.output or self._filtering):  # the rule, where tens of thousands are asked
                clean.append(outcome if line == outcome.summary else replace(outcome, summary=line))
                continue
            output = self._clear_output(outcome)
            if what := binary.described(outcome.output):
                line = what if outcome.status is Status.OK else line
                output = f"{what}; what can be read of it:\n{self.clear(binary.readable(output))}"
            same = line == outcome.summary and output == outcome.output
            known = outcome if same else replace(outcome, summary=line, output=output)
            clean.append(self._filtering.outcome(known))  # what is found in it must not tell what was a secret
        return clean

    def _cleared_lines(self, texts: set[str]) -> Mapping[str, str]:
        """Clear each summary once, since many devices have few different things to say."""
        self.secrets_known.wait(_SECRETS_SECONDS)
        known, lines = self._lines
        if known is not self._redactor.secrets or len(lines) > _LINES_KEPT:
            known, lines = self._redactor.secrets, {}
        lines |= {text: one_line(self.clear(text), 500) for text in texts.difference(lines)}
        self._lines = known, lines
        return lines

    def _clear_output(self, outcome: Outcome) -> str:
        return self.clear(outcome.output, configuration_of=outcome.configuration_of) if outcome.output else ""

    def _is_new(self, outcome: Outcome) -> bool:
        """Note an outcome; False when the device has one, or is not of this job. With the lock held."""
        mine = not self._job.devices or outcome.device in self._devices or outcome.device == CONTROLLER
        if outcome.device in self.seen or not mine:
            return False
        self.seen[outcome.device] = outcome.status
        return True

    def _is_due(self) -> bool:
        if len(self._pending) >= _FLUSH_OUTCOMES or len(self.seen) == len(self._devices):
            return True
        return self.is_late

    def _log_each(self, found: Iterable[Outcome]) -> None:
        for outcome in found:
            log.info("job %s %s %s %s", self._job.number, outcome.device or "-", outcome.status.value, outcome.summary)

    def progress(self, text: str, lines: Sequence[str] = ()) -> None:
        """Take a word on what is going on, and perhaps lines to show below it (Report)."""
        printed = "\n".join(lines)
        printed = binary.described(printed) or printed
        whole = self.clear(printed, unfinished=True)  # line by line a key of many would not be known as one
        shown = map(one_line, whole.splitlines()[-_LINES_SAID:])
        self.words = "\n".join([one_line(self.clear(text, unfinished=True), 80), *shown])

    def remark(self, text: str) -> None:
        """Take what the end of the job says beside its outcomes (Report)."""
        if text not in self.remarks:  # each batch of a canary says it again
            self.remarks.append(text)

    def conclude(self, conclusion: Conclusion) -> None:
        """Take a driver's words on the whole job (Report)."""
        if self._filtering and not conclusion.filtered:
            return
        files = tuple(self._clear_file(file) for file in conclusion.files)
        block = self.clear(conclusion.block, configuration_of=conclusion.configuration_of)
        clear = Conclusion(one_line(self.clear(conclusion.text), 500), block, files)
        try:
            self._store.conclude(self._job.number, clear)
        except StoreError as error:
            log.warning("job %s: its summary cannot be stored: %s", self._job.number, error)

    def sum_up(self) -> None:
        """Add what the filters make of all answers together, when all have come."""
        if (said := self._filtering.conclusion()) is not None:
            self.conclude(replace(said, filtered=True))

    def _clear_file(self, file: File) -> File:
        return file if file.text is None else File.of_text(file.name, self.clear(file.text))

    def clear(self, text: str, *, unfinished: bool = False, configuration_of: str = "") -> str:
        """Take out all known secrets, and the secret values that this job was given."""
        self.secrets_known.wait(_SECRETS_SECONDS)
        if self._own.secrets:  # what looks like a secret, the bot's own redactor takes out in any case
            text = self._own.text(text, unfinished=unfinished)
        return self._redactor.text(text, unfinished=unfinished, configuration_of=configuration_of)

    def flush(self) -> None:
        """Store what came."""
        with self._lock:
            pending, self._pending = self._pending, []
            self._flushed = time.monotonic()
        try:
            if pending:
                self._store.add_outcomes(self._job.number, pending)
                log.debug("job %s: %d outcomes stored", self._job.number, len(pending))
        except StoreError:
            with self._lock:
                self._pending = pending + self._pending
            raise

    def try_flush(self) -> None:
        """Store what came; while the store is away it is kept here, and neither driver nor device notices."""
        try:
            self.flush()
        except StoreError as error:
            log.warning("job %s: outcomes cannot be stored now: %s", self._job.number, error)


def _texts(values: Iterable[Any]) -> list[str]:
    """The texts in values, those in lists one by one."""
    return [str(text) for value in values for text in (value.values() if isinstance(value, dict) else items_of(value))]


class DriverShare:
    """The `Report` of one driver."""

    def __init__(self, collector: OutcomeCollector) -> None:
        self.progress, self.remark = collector.progress, collector.remark
        self.concluded = False
        self.told: list[Outcome] = []  # without their outputs
        self._collector = collector

    def outcome(self, outcome: Outcome) -> None:
        """Take one device's outcome (Report)."""
        self.batch([outcome])

    def batch(self, found: Sequence[Outcome]) -> None:
        """Take the outcomes of many devices (Report)."""
        self.told += [replace(outcome, output="") if outcome.output else outcome for outcome in found]
        self._collector.batch(found)

    def conclude(self, conclusion: Conclusion) -> None:
        """Take a driver's words on its share (Report)."""
        self.concluded = True
        self._collector.conclude(conclusion)


def beside(shares: Iterable[DriverShare]) -> Conclusion | None:
    """Return what stands beside the words of drivers that summed their share up: outcomes of those that did not.

    The recap adds those that need a person by itself.
    """
    every = list(shares)
    if not any(share.concluded for share in every):
        return None
    told = [outcome for share in every if not share.concluded for outcome in share.told]
    block = table(rows([outcome for outcome in told if outcome.status not in NEED_A_PERSON]), limit=LINES_SHOWN)
    return Conclusion(block=block, filtered=True) if block else None
