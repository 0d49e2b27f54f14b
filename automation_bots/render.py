"""Jobs and outcomes as text: what happened, the few lines that need a person, what to type next. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from automation_bots.model import (
    FINAL,
    GOOD,
    Answer,
    Button,
    Conclusion,
    Job,
    Outcome,
    Place,
    State,
    Status,
    one_line,
)
from automation_bots.text import grouping
from automation_bots.text.grouping import Alike
from automation_bots.text.times import elapsed, moment_text

NAMES_SHOWN = 5
LINES_SHOWN = 20
ROWS_APART = 3  # devices that failed in the same way; more of them are one row
WHOLE_OUTPUTS = 6  # with more devices, outputs are not shown in the recap
_ORDER = (
    Status.FAILED,
    Status.UNREACHABLE,
    Status.UNKNOWN,
    Status.CANCELLED,
    Status.SKIPPED,
    Status.CHANGED,
    Status.OK,
)
NEED_A_PERSON = {Status.FAILED, Status.UNKNOWN, Status.CANCELLED}
NO_CONCLUSION = Conclusion()
_RECAP = (
    Status.CHANGED,
    Status.OK,
    Status.FAILED,
    Status.UNREACHABLE,
    Status.SKIPPED,
    Status.CANCELLED,
    Status.UNKNOWN,
)


def names(devices: Sequence[str]) -> str:
    """List devices as far as a line allows."""
    if len(devices) <= NAMES_SHOWN:
        return ", ".join(devices)
    return f"{', '.join(devices[: NAMES_SHOWN - 1])} and {len(devices) - NAMES_SHOWN + 1} more"


def on(devices: Sequence[str]) -> str:
    """Devices as they follow a title."""
    return f" on {names(devices)}" if devices else ""


def on_its_devices(job: Job) -> str:
    """The devices of a job as they follow its title: many by what was typed for them and their number."""
    return f" on {_its_devices(job)}" if job.devices else ""


def _its_devices(job: Job, shown: int = NAMES_SHOWN) -> str:
    many = len(job.devices) > shown and job.pattern
    return f"{one_line(job.pattern, 24)} ({len(job.devices):,})" if many else names(job.devices)


def accepted(job: Job, why: str = "") -> Answer:
    """The first words about a job."""
    return Answer(f"{_number(job)} {job.title}{on_its_devices(job)}" + (f" · {why}" if why else ""))


def _number(job: Job) -> str:
    """Its number, and that of the schedule or the event that it runs for."""
    if job.cause is not None:
        return f"#{job.number} (event {job.cause.event})"
    return f"#{job.number}" if job.occurrence is None else f"#{job.number} (S{job.occurrence.schedule})"


def emergency(job: Job, where: str) -> Answer:
    """What those hear at once who must know of an emergency."""
    text = f"EMERGENCY: {job.person} runs #{job.number} {job.title}{on_its_devices(job)} from {where}: {job.emergency}"
    return Answer(text, hint=f"→ !job {job.number} · afterwards !review {job.number} <what you found>")


def place_name(place: Place, places: Mapping[str, str], named: Callable[[str], str] | None = None) -> str:
    """A place as people call it: by its name in bot.toml, else by the network's, else by its id."""
    if place.direct:
        return "a direct message"
    names: Sequence[str] = [name for name, room in places.items() if room == place.room]
    name = names[0] if names else named(place.room) if named else ""
    return f"#{one_line(name, 80).removeprefix('#')}" if name else place.room


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    return elapsed(seconds)


def many(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def age(moment: datetime | None, now: datetime, zone: str = "UTC") -> str:
    """How long ago, in words; after a day the moment itself, as the clocks of a zone showed it."""
    if moment is None:
        return "never"
    seconds = max(0.0, (now - moment).total_seconds())
    if seconds < 86400:
        return f"{duration(seconds)} ago"
    return moment_text(moment, zone)


def counts(found: Mapping[str, int]) -> str:
    """`2 changed, 1 failed`."""
    return ", ".join(f"{found[status]} {status}" for status in _RECAP if found.get(status))


def progress(job: Job, now: datetime, said: str = "") -> Answer:
    """The live line of a running job."""
    total = max(1, len(job.devices))
    done = min(total, sum(job.counts.values()))  # the bot's own machine may be one more
    filled = 10 * done // total
    parts = [f"#{job.number} {'█' * filled}{'░' * (10 - filled)} {done}/{total}"]
    if job.counts:
        parts.append(counts(job.counts))
    if job.started and not said.startswith("paused"):  # else it would be said anew as the seconds go by
        parts.append(duration((now - job.started).total_seconds()))
    head, _, lines = said.partition("\n")
    if head:
        parts.append(one_line(head, 80))
    return Answer(" · ".join(parts), lines)


def headline(job: Job) -> str:
    """How a job ended, in one line."""
    took = ""
    if job.started and job.ended:
        took = f" in {duration((job.ended - job.started).total_seconds())}"
    words = {State.DONE: f"done{took}", State.FAILED: f"failed{took}" if not job.counts else f"done{took}",
             State.CANCELLED: "cancelled", State.INTERRUPTED: "interrupted"}  # fmt: skip
    text = f"{_number(job)} {job.title}{on_its_devices(job)} {words.get(job.state, job.state.value)}"
    tail = counts(job.counts) if job.devices or job.state is not State.DONE else ""
    text += f": {tail}" if tail else ""
    return text + (f" · {one_line(job.error)}" if job.error else "")


def forgotten(job: Job) -> str:
    """Say that the details of a job are kept no longer."""
    ended = f"#{job.number} {job.title} ended {job.state.value} ({counts(job.counts)})."
    return f"{ended} What came of each device was forgotten after its time ([retention] in bot.toml)."


def recap(
    job: Job,
    outcomes: Sequence[Outcome],
    conclusion: Conclusion = NO_CONCLUSION,
    groups: Sequence[Alike] = (),
    *,
    screen_lines: int = 40,
    then: Sequence[str] = (),
) -> Answer:
    """What came of a job: its driver's own words, or failures first and short outputs whole; then what to type next.

    `then` are further commands for what failed, of those that whoever asked may use.
    """
    answer = _recap(job, outcomes, conclusion, groups, screen_lines)
    lines = (*next_lines(job, outcomes), *then) if _failed(job, outcomes) else ()
    if not lines:
        return answer
    # What does something is typed, since a click may slip.
    looks = [line for line in lines if not line.startswith(("retry ", "ack "))]
    buttons = tuple(Button(f"!{line}", line, said=True) for line in looks)
    return replace(answer, hint=_hint(lines), buttons=buttons)


def _recap(
    job: Job, outcomes: Sequence[Outcome], conclusion: Conclusion, groups: Sequence[Alike], screen_lines: int
) -> Answer:
    if conclusion != NO_CONCLUSION:
        return _concluded(job, outcomes, conclusion)
    if job.quiet and all(outcome.status in GOOD for outcome in outcomes):
        return Answer(headline(job))
    if grouped := _grouped(job, outcomes, groups, screen_lines):
        return grouped
    whole = _outputs(outcomes, screen_lines)
    block = whole or table(rows(outcomes), limit=LINES_SHOWN, all_of_it=f"!job {job.number} outputs")
    return Answer(headline(job), block, next_words(job, outcomes, shown=bool(whole)))


def _grouped(job: Job, outcomes: Sequence[Outcome], groups: Sequence[Alike], screen_lines: int) -> Answer | None:
    """The same answer once, what differs, and every failure with its reason; None where a table reads better."""
    short = len(outcomes) <= WHOLE_OUTPUTS and not any("\n" in grouping.plain(group.text) for group in groups)
    if not groups or short or _summed_up(outcomes, groups):
        return None
    bad = table(rows([o for o in outcomes if o.status not in GOOD]), limit=screen_lines // 2)
    block = grouping.block(groups, screen_lines - bad.count("\n") - 2 if bad else screen_lines)
    text = f"{headline(job)} · {grouping.sentence(groups)}"
    hint = next_words(job, outcomes, shown=True)
    if not hint and " more lines" in block:
        hint = f"→ !job {job.number} output {groups[0].devices[0]} · !job {job.number} outputs"
    return Answer(text, "\n\n".join(part for part in (bad, block) if part), hint)


def _summed_up(outcomes: Sequence[Outcome], groups: Sequence[Alike]) -> bool:
    """Whether the summaries say something of their own, rather than how the outputs begin."""
    said = {outcome.device: outcome.summary for outcome in outcomes}
    first = ((said[group.devices[0]], grouping.plain(group.text).split("\n", 1)[0]) for group in groups if group.text)
    return all(one_line(summary) != one_line(line) for summary, line in first)


def _concluded(job: Job, outcomes: Sequence[Outcome], said: Conclusion) -> Answer:
    """The driver knows best what to show of its outcomes; only failures of the kind it did not expect are added."""
    failed = [outcome for outcome in outcomes if outcome.status in NEED_A_PERSON]
    block = "\n\n".join(
        part for part in (said.block, table(rows(failed), limit=LINES_SHOWN, all_of_it=f"!job {job.number}")) if part
    )
    text = f"{headline(job)}. {said.text}" if said.text else headline(job)
    return Answer(text, block, next_words(job, outcomes, shown=True), said.files)


def rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """One row a device, those that need a person first; what went wrong on many in the same way is one row."""
    ordered = sorted(outcomes, key=lambda outcome: (_ORDER.index(outcome.status), outcome.device))
    same: dict[tuple[str, str, str], list[str]] = {}
    for outcome in ordered:
        status, text = outcome.status, one_line(_said(outcome), 90 if outcome.status in GOOD else 400)
        same.setdefault((status.value, text, outcome.device if status in GOOD else ""), []).append(outcome.device)
    return [row for (status, text, _), devices in same.items() for row in _rows_of(devices, status, text)]


def _rows_of(devices: Sequence[str], status: str, text: str) -> list[tuple[str, ...]]:
    together = [grouping.short(devices)] if len(devices) > ROWS_APART else devices
    return [(device or "-", status, text) for device in together]


def _said(outcome: Outcome) -> str:
    """The summary, with the exit code of a failure unless it says that already."""
    code = outcome.exit_code
    if not code or outcome.status in GOOD or f"exit code {code}" in outcome.summary:
        return outcome.summary
    return f"{outcome.summary} (exit code {code})"


def _outputs(outcomes: Sequence[Outcome], screen_lines: int) -> str:
    """Few good outputs that fit a screen are shown whole; a table would only hide them."""
    if len(outcomes) == 1 and not outcomes[0].device and outcomes[0].status not in GOOD:
        return one_line(outcomes[0].summary, 500)
    if not outcomes or len(outcomes) > WHOLE_OUTPUTS or any(outcome.status not in GOOD for outcome in outcomes):
        return ""
    texts = [outcome.output.strip("\n") for outcome in outcomes]
    if len(outcomes) > 1 and (_told(outcomes) or not any("\n" in text for text in texts)):
        return ""  # the summaries say it all, or the outputs are single lines: a table reads better
    parts = [
        f"── {o.device}\n{text or o.summary}" if len(outcomes) > 1 else text or o.summary
        for o, text in zip(outcomes, texts, strict=True)
    ]
    whole = "\n".join(parts)
    return whole if whole.count("\n") < screen_lines else ""


def _told(outcomes: Sequence[Outcome]) -> bool:
    """Whether the summaries say something of their own, rather than how the outputs begin."""
    return all(one_line(o.summary) != one_line(o.output.strip("\n").split("\n", 1)[0]) for o in outcomes)


def next_words(job: Job, outcomes: Sequence[Outcome], *, shown: bool = False) -> str:
    """What a person would type now."""
    return _hint(next_lines(job, outcomes, shown=shown))


def next_lines(job: Job, outcomes: Sequence[Outcome], *, shown: bool = False) -> tuple[str, ...]:
    """The commands that a person would type now."""
    longer = [o for o in outcomes if o.output.count("\n") > 1]
    if job.state is State.INTERRUPTED:
        change = job.risk == "change" and job.devices and not job.check
        return (f"ack {job.number}" if change else f"retry {job.number}",)
    if bad := _failed(job, outcomes):
        return (f"job {job.number} output {bad[0].device}".rstrip(), f"retry {job.number} failed")
    if longer and not shown and not _told(outcomes):
        return (f"job {job.number} output {longer[0].device}".rstrip(),)
    return ()


def _failed(job: Job, outcomes: Sequence[Outcome]) -> list[Outcome]:
    fine = GOOD | {Status.UNKNOWN} if job.check else GOOD  # what a preview cannot know, it cannot know again
    return [outcome for outcome in outcomes if outcome.status not in fine]


def _hint(lines: Iterable[str]) -> str:
    words = " · ".join(f"!{line}" for line in lines)
    return f"→ {words}" if words else ""


def table(rows: Iterable[Sequence[str]], *, limit: int = 1000, header: Sequence[str] = (), all_of_it: str = "") -> str:
    """Columns padded to the same width; a cut table says how much is missing, and what to type for all of it."""
    every = [tuple(row) for row in rows]
    shown = [tuple(header), *every[:limit]] if header else every[:limit]
    if not shown:
        return ""
    widths = [max(len(row[i]) for row in shown) for i in range(len(shown[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in shown]
    if len(every) > limit:
        lines.append(f"… and {len(every) - limit:,} more{f' → {all_of_it}' if all_of_it else ''}")
    return "\n".join(lines)


def job_line(job: Job, now: datetime, zone: str = "UTC") -> str:
    """One line of `!jobs`, short enough for a phone held upright to show it in two."""
    when = job.ended if job.state in FINAL else job.created
    on_what = f" on {_its_devices(job, 2)}" if job.devices else ""
    return (
        f"#{job.number} {job.state.value} · {one_line(job.title, 28)}{on_what} · {job.person} · {age(when, now, zone)}"
    )


def status_counts(outcomes: Iterable[Outcome]) -> Mapping[str, int]:
    """Count outcomes by status."""
    return Counter(outcome.status.value for outcome in outcomes)
