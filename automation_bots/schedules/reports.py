"""What the place of a schedule reads when a job of it has ended: all of it, what changed, what failed, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from difflib import unified_diff

from automation_bots.model import Answer, Job, State, Tells, one_line
from automation_bots.schedules import recurrence
from automation_bots.store import Store

_DEVICES_SHOWN = 10
_LINES_SHOWN = 30
_ANSWERS = frozenset({State.DONE, State.FAILED})


class ScheduleReports:
    """Compares answers with the ones before them, as the record has both."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, job: Job, recap: Answer) -> Answer | None:
        """Return what is to be said of an end; None: nothing."""
        schedule = self._store.schedules.find(job.occurrence.schedule) if job.occurrence else None
        if job.occurrence is None or schedule is None or schedule.tells is Tells.ALWAYS or job.state not in _ANSWERS:
            return recap
        if recurrence.is_beside(schedule.times, job.occurrence.at):
            return recap
        number = self._store.schedules.previous(job.occurrence)
        before = self._store.job(number) if number is not None else None
        if schedule.tells is Tells.FAILURE:
            return _failure(job, before, recap)
        return self._change(job, before, recap)

    def _change(self, job: Job, before: Job | None, recap: Answer) -> Answer | None:
        if before is None:
            return replace(recap, text=f"{recap.text} · the first answer; from now on I tell what changes")
        if self._store.forgotten(before):
            return replace(recap, text=f"{recap.text} · what #{before.number} answered is no longer kept")
        changed = self._changed(job, before)
        if not changed and job.state is before.state is State.DONE:
            return None
        if not changed and job.state is State.FAILED:
            return replace(recap, text=f"{recap.text} · as #{before.number}")
        many = f"{len(changed)} of {len(job.devices)} devices" if len(job.devices) > 1 else "it"
        text = f"{recap.text} · {many} changed since #{before.number}"
        return replace(recap, text=text, block="\n".join(self._beside(job, before, changed)), files=())

    def _changed(self, job: Job, before: Job) -> list[str]:
        """The devices with another answer, those that came or went included."""
        now, then = self._answers(job), self._answers(before)
        return sorted(device for device in now.keys() | then.keys() if now.get(device) != then.get(device))

    def _answers(self, job: Job) -> dict[str, tuple[str, str]]:
        digests = self._store.digests(job.number)
        found = {o.device: (o.status.value, digests.get(o.device, "")) for o in self._store.outcomes(job.number)}
        said = self._store.conclusion(job.number).block if not any(digests.values()) and not job.devices else ""
        return {**found, "": ("", said)} if said else found

    def _beside(self, job: Job, before: Job, changed: list[str]) -> Iterator[str]:
        """The last answer and the new one, device by device, as far as a screen allows."""
        lines: list[str] = []
        for device in changed[:_DEVICES_SHOWN]:
            lines += self._one(job, before, device)
        yield from lines[:_LINES_SHOWN]
        if len(lines) > _LINES_SHOWN or len(changed) > _DEVICES_SHOWN:
            yield f"… and more → !job {job.number} outputs · !job {before.number} outputs"

    def _one(self, job: Job, before: Job, device: str) -> list[str]:
        old, new = self._text(before, device), self._text(job, device)
        name = f"{device}  " if device else ""
        if len(old) < 2 and len(new) < 2:
            return [f"{name}{_word(old)} → {_word(new)}"]
        diff = list(unified_diff(old, new, lineterm="", n=0))[2:]
        return [f"── {device}"] * bool(device) + [line for line in diff if not line.startswith("@@")]

    def _text(self, job: Job, device: str) -> list[str]:
        """What a device answered, as lines; its summary where it printed nothing; nothing where it was not asked."""
        found = next((o for o in self._store.outcomes(job.number) if o.device == device), None)
        if found is None:
            return self._store.conclusion(job.number).block.splitlines()
        text = self._store.output(job.number, device).strip("\n") or found.summary
        good = found.status.value in {"ok", "changed"} and text
        return text.splitlines() if good else [one_line(f"{found.status.value} {text}")]


def _failure(job: Job, before: Job | None, recap: Answer) -> Answer | None:
    if job.state is not State.DONE:
        return recap
    if before is None or before.state is State.DONE:
        return None
    return replace(recap, text=f"{recap.text} · good again: #{before.number} was {before.state.value}")


def _word(lines: list[str]) -> str:
    return one_line(lines[0], 80) if lines else "nothing"
