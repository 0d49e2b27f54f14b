"""What may be typed after a job that did not go well: only what whoever asked for it may use there."""

from __future__ import annotations

from collections.abc import Sequence

from automation_bots.config.live import LiveConfig
from automation_bots.model import Job, Outcome, State, Status
from automation_bots.policy import gate

_PING = "ping"


def then(live: LiveConfig, job: Job, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return the further commands: a ping of the first device that was not reached."""
    away = next((one.device for one in outcomes if one.status is Status.UNREACHABLE and one.device), "")
    ping = live.catalog.find(_PING)
    if not away or ping is None or job.operation == _PING or job.state is State.INTERRUPTED:
        return ()
    usable = gate.usable(live.scope, live.policy.person(job.caller), ping, job.place) or ()
    return (f"{_PING} {away}",) if away in usable else ()
