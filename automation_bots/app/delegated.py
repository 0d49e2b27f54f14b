"""What a running job asks another bot: judged here as a command of whose job it is, asked, and waited for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from automation_bots.config.live import LiveConfig
from automation_bots.drivers import Asked, Driver, Task, nobody_to_ask
from automation_bots.errors import AutomationError
from automation_bots.model import GOOD, Conclusion, Outcome, Verdict
from automation_bots.operations.peers import COMMAND, DRIVER
from automation_bots.policy import gate
from automation_bots.store import AuditKind, Store, Subject

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Heard:
    """What the driver says, for the one who asked."""

    outcomes: list[Outcome] = field(default_factory=list)

    def outcome(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def batch(self, found: Sequence[Outcome]) -> None:
        self.outcomes += found

    def progress(self, text: str, lines: object = ()) -> None:
        """The playbook says how far it is."""

    def remark(self, text: str) -> None:
        """Nothing stands behind counts."""

    def conclude(self, conclusion: Conclusion) -> None:
        """The outcome says it."""


@dataclass(frozen=True, slots=True)
class Delegated:
    """Asks by the driver of other bots, with no job of its own: what comes of it is part of the job that asked."""

    live: LiveConfig
    store: Store
    driver: Callable[[], Driver | None]
    now: Callable[[], datetime]

    def ask(self, task: Task, line: str) -> Asked:
        """Ask `@winbot status`; where that is not allowed, or nobody answers, say why."""
        name, _, words = line.partition(" ")
        driver, operation = self.driver(), self.live.operation(name)
        if driver is None:
            return nobody_to_ask(task, line)
        if operation is None or operation.driver != DRIVER or not words.strip():
            return Asked(ok=False, text=f"{name} is no bot of [peers] in bot.toml, or nothing was asked.")
        parameters = {COMMAND: tuple(words.split())}
        job = replace(task.job, operation=name, parameters=parameters, devices=(), also=(), pattern="")
        request = replace(gate.asked(job, operation), check=False)
        decision = gate.decide(self.live.scope, request, self.now())
        if decision.verdict is not Verdict.ALLOW or decision.confirm:
            reason = decision.reason or "It needs approval, which a playbook cannot wait for."
            self.store.record(AuditKind.DENIED, {"reason": reason}, Subject.of_request(request, job.person))
            return Asked(ok=False, text=reason)
        if task.job.check:
            return Asked(ok=True, text=f"would ask {name}: {words}", only_would=True)
        return self._asked(driver, replace(task, job=job, operation=operation, devices=()))

    def _asked(self, driver: Driver, task: Task) -> Asked:
        heard = _Heard()
        try:
            driver.run(task, heard)
        except AutomationError as error:
            return Asked(ok=False, text=str(error))
        if not heard.outcomes:
            return Asked(ok=False, text="Nothing was heard; what became of it is not known.")
        said = "\n".join(part for one in heard.outcomes for part in (one.summary, one.output) if part)
        return Asked(all(one.status in GOOD for one in heard.outcomes), said)
