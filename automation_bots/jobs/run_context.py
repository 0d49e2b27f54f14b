"""What every job needs to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from automation_bots.drivers import Asked, Driver, Task, nobody_to_ask
from automation_bots.inventory.inventory import Inventory
from automation_bots.jobs.driver_guard import Permits
from automation_bots.jobs.restored import RestoredRequests
from automation_bots.model import Job, Operation, Place
from automation_bots.policy.scope import Scope
from automation_bots.redaction.redactor import Redactor
from automation_bots.secrets.key_value import NOWHERE, Kv
from automation_bots.store import Store
from automation_bots.surface import COLUMNS


@dataclass(frozen=True, slots=True)
class RunContext:
    """The parts of the bot that a job works with."""

    store: Store
    inventory: Inventory
    drivers: Mapping[str, Driver]
    operation: Callable[[str], Operation | None]
    scope: Callable[[], Scope]  # what the gate knows now
    paused: Callable[[], str]  # why nothing may start now; empty: it may
    redactor: Redactor
    time_limit: float  # seconds, of an operation that names none
    folder: Path  # for the private folders of runs
    stop_seconds: float = 15.0  # what a driver may take to come back after it was told to stop
    validity: Callable[[Operation, Job], str] = lambda _operation, _job: "nobody can say whether it was approved"
    all_names: Callable[[Iterable[str]], frozenset[str]] = frozenset  # devices by every name that they have
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    columns: Callable[[Place], int] = lambda _place: COLUMNS  # that fit where an answer is read
    kv: Kv = NOWHERE  # the server that variables of devices may point to
    restored: RestoredRequests = field(default_factory=RestoredRequests)  # what waits for a word
    ask: Callable[[Task, str], Asked] = nobody_to_ask  # another bot, in the name of whose job it is
    permits: Permits = field(default_factory=Permits)  # by which drivers know that a job has sent them
