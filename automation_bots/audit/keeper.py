"""Everything that goes on around the record while the bot runs: copies, signed checkpoints, forgetting old details."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from automation_bots.audit.checkpoints import Checkpoint, Checkpoints, Signer
from automation_bots.audit.ecs import EcsLog
from automation_bots.audit.syslog import Syslog
from automation_bots.config.settings import Settings
from automation_bots.store import Store
from automation_bots.surface import log_unsaid
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
KEY = "keys/record.key"
_FIRST_SECONDS = 600.0  # not while everybody waits for the start
_DAY_SECONDS = 86_400.0


class Keeper:
    """Started with the bot, ended just before the store is closed."""

    def __init__(self, store: Store, settings: Settings, data: Path, now: Callable[[], datetime]) -> None:
        wanted = settings.record
        (data / "log").mkdir(mode=0o700, exist_ok=True)
        self._store, self._now, self._every = store, now, wanted.checkpoint_minutes * 60
        self._post: Callable[[Checkpoint], None] = lambda _checkpoint: None
        self.signer = Signer.of_file(data / KEY)
        file = Path(wanted.checkpoint_file.replace("{data}", str(data))) if wanted.checkpoint_file else None
        self._checkpoints = Checkpoints(self.signer, settings.name, store.audit_head, file, self._posted)
        self._ecs = EcsLog(data / "log" / "audit.jsonl")
        self._syslog = Syslog(wanted.syslog, data / "log" / "syslog.seq", settings.name) if wanted.syslog else None
        self._keep_days = settings.retention.days
        self._chores = Loop("chores", self._forget, _FIRST_SECONDS)
        self._signing = Loop("checkpoints", self._sign)

    def start(self, post: Callable[[Checkpoint], None]) -> None:
        """Begin; `post` shows a checkpoint where people see it."""
        self._post = post
        self._ecs.follow(self._store)
        if self._syslog:
            self._syslog.follow(self._store)
        self._chores.start()
        self._signing.start()

    def stop(self) -> None:
        """Sign the end, finish the copies."""
        self._chores.stop()
        self._signing.stop()
        self._post = lambda _checkpoint: None  # the chat network may be gone
        self._signing.turn()
        self._ecs.close()
        if self._syslog:
            self._syslog.close()

    def waiting(self) -> tuple[str, ...]:
        """What the copies still lack, in words; nothing while they keep up."""
        behind = self._syslog.behind(self._store) if self._syslog else 0
        return (f"{behind:,} entries wait for {self._syslog.copies}",) if self._syslog and behind else ()

    def _sign(self) -> float:
        self._checkpoints.make(self._now())
        return self._every

    def _forget(self) -> float:
        log.info("old jobs forgotten: %s", self._store.prune(self._keep_days))
        return _DAY_SECONDS

    def _posted(self, checkpoint: Checkpoint) -> None:
        try:
            self._post(checkpoint)
        except Exception as error:  # noqa: BLE001 - the room may be away; the file has it
            log_unsaid(log, error, "the checkpoint of record %d could not be posted", checkpoint.seq)
