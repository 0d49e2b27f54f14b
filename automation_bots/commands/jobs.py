"""Answers about jobs, the queue and the record, and what can be done with a job that exists already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from automation_bots import render
from automation_bots.commands import help_text, monitor_words
from automation_bots.commands.alerts import NUMBER, AlertCommands
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.commands.peers import PeerCommands
from automation_bots.errors import BadCommand, NoSuchJob, UnknownDevice, UserError
from automation_bots.model import FINAL, PARKED, Answer, Conclusion, File, Job, Person, State, one_line
from automation_bots.policy import gate
from automation_bots.policy.freezes import ALL, sentence
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject
from automation_bots.text import bundle

_QUEUE = 30  # rows of !queue
_JOBS = 20  # lines of !jobs
_LOOKED_AT = 500  # jobs among which a word of !jobs finds some
_STATES = {
    "running": (State.RUNNING, State.QUEUED, *PARKED),
    "waiting": (State.QUEUED, *PARKED),
    "failed": (State.FAILED, State.INTERRUPTED),
    **{state.value: (state,) for state in FINAL if state is not State.FAILED},
}


class JobCommands:
    """One method a command; each returns what to say."""

    def __init__(
        self, context: CommandContext, alerts: AlertCommands | None = None, peers: PeerCommands | None = None,
        outage: Callable[[CommandCall], Answer] | None = None,
    ) -> None:  # fmt: skip
        self._context, self._alerts, self._peers = context, alerts, peers or PeerCommands(context)
        self._outage = outage  # acknowledges one of a monitor

    def job_of(self, ask: CommandCall, word: str) -> Job:
        """The job of a number that this person may see: one's own, one on devices one sees, or any for admins."""
        person, digits = self._context.person(ask), word.lstrip("#")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
            raise NoSuchJob(f"{one_line(word, 30)!r} is no job number. → !jobs")
        job = self._context.store.job(int(digits))
        if not self._context.sees(person, job):
            raise NoSuchJob(f"There is no job #{int(digits)}. → !jobs")
        return job

    def jobs(self, ask: CommandCall) -> Answer:
        """The latest jobs; each word narrows them: mine, running, failed, a person, an operation, devices."""
        person, words = self._context.person(ask), [word for word in ask.words if word.lower() not in {"all", "on"}]
        fits = [self._narrowed(person, word) for word in words]
        limit = _LOOKED_AT if words else ask.most(50)
        found = self._context.store.jobs(limit=limit, asked_for=True)
        now, zone = self._context.now(), self._context.live.policy.timezone
        seen = (job for job in found if all(fit(job) for fit in fits) and self._context.sees(person, job))
        few = islice(seen, ask.most(_JOBS) + 1)
        lines = [render.job_line(job, now, zone) + self._peers.suffix(job) for job in few]
        which = one_line(" ".join(words), 60)
        if not lines:
            among = f" among the last {_LOOKED_AT}" if len(found) == _LOOKED_AT else ""
            return Answer(f"No jobs: {which}{among}." if which else "No jobs.")
        shown = lines[: ask.most(_JOBS)]
        if len(lines) > len(shown):
            shown.append("… and older ones → !audit since=1d · !job <n>")
        return Answer(
            f"Jobs, {which}, latest first:" if which else "Jobs, latest first:", "\n".join(shown), "→ !job <n>"
        )

    def _narrowed(self, person: Person, word: str) -> Callable[[Job], bool]:
        """What one word of `!jobs` leaves."""
        name, live = word.lower().removeprefix("@"), self._context.live
        if states := _STATES.get(name):
            return lambda job: job.state in states
        if name == "mine" or name in live.policy.people:
            whose = person.name if name == "mine" else name
            return lambda job: job.person == whose
        if live.catalog.find(name):
            return lambda job: job.operation == name
        try:
            devices = frozenset(self._context.pipeline.expand(person, word))
        except UserError as error:
            known = "mine, running, all, failed, a person, an operation or a device"
            raise BadCommand(f"{one_line(word, 30)!r} is not one of {known}. → !help jobs") from error
        return lambda job: not devices.isdisjoint(job.devices)

    def job(self, ask: CommandCall) -> Answer:
        """One job, or its output."""
        if not ask.words:
            raise BadCommand("Which job? → !job <n> · !jobs")
        job = self.job_of(ask, ask.words[0])
        reads, what = self._context.reads(ask, job), ask.words[1] if len(ask.words) > 1 else ""
        if what in {"output", "outputs"} and not reads:
            return Answer(f"No: what #{job.number} printed is for {job.person} and those who may run it themselves.")
        if what and self._context.store.forgotten(job):
            return Answer(render.forgotten(job), hint=f"→ !job {job.number} · !audit job={job.number}")
        if what == "outputs":
            return self._outputs(job)
        if what == "output":
            return self._output(job, ask.words[2] if len(ask.words) > 2 else "")
        said = self._context.store.conclusion(job.number) if reads else render.NO_CONCLUSION
        if what == "files":
            return Answer(f"#{job.number} has {render.many(len(said.files), 'file')}.", files=said.files)
        return self._facts(job, said, reads=reads)

    def _facts(self, job: Job, said: Conclusion, *, reads: bool) -> Answer:
        outcomes = self._context.store.outcomes(job.number)
        if not reads:
            outcomes = [replace(outcome, summary="") for outcome in outcomes]
        approvals = self._context.pipeline.approvals
        where, zone = self._context.pipeline.place_name(job.place), self._context.live.policy.timezone
        rows = help_text.job_facts(job, where, self._context.now(), zone)
        rows += self._peers.about(job)
        rows += [("queued", why)] if (why := self._context.dispatcher.why(job.number)) else []
        rows += [("approved", vote) for vote in approvals.votes(job)]
        rows += [("waits", waits)] if (waits := approvals.waits_for(job)) else []
        if self._context.store.forgotten(job):
            facts = Answer(render.headline(job), render.table(rows), f"→ !audit job={job.number}")
            return replace(facts, block=f"{facts.block}\n\n{render.forgotten(job)}")
        each = said.block or render.table(render.rows(outcomes), limit=40, all_of_it=f"!job {job.number} outputs")
        block = "\n\n".join(part for part in (render.table(rows), each) if part)
        if job.state in FINAL:
            return Answer(render.headline(job), block, render.recap(job, outcomes, said).hint)
        then = "details" if job.state in PARKED else "cancel"
        return Answer(f"#{job.number} {job.title} {job.state.value}", block, f"→ !{then} {job.number}")

    def _output(self, job: Job, device: str) -> Answer:
        if device and device not in job.devices:
            raise UnknownDevice(
                f"#{job.number} did not run on {one_line(device, 60)!r}; it ran on {render.names(job.devices)}."
            )
        names = (device,) if device else job.devices or ("",)
        if len(names) > 1:
            return self._all(job)
        whole = next((text for _, text in self._texts(job, names)), "")
        if not whole.strip():
            return Answer(f"#{job.number} has no output{f' of {device}' if device else ''}{_yet(job)}.")
        title = f"#{job.number} {job.title}{render.on([name for name in names if name])}"
        return Answer(title, files=(File.of_text(f"job-{job.number}{'-' + device if device else ''}.txt", whole),))

    def _texts(self, job: Job, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        """What each device printed, or the line that stands for it; one at a time."""
        said = {outcome.device: outcome.summary for outcome in self._context.store.outcomes(job.number)}
        for name in names:
            if text := self._context.store.output(job.number, name) or said.get(name, ""):
                yield name, text

    def _all(self, job: Job) -> Answer:
        """One text with every device's output, as long as it can be read as one."""
        whole = bundle.text(f"job-{job.number}.txt", self._texts(job, job.devices))
        if whole is None:
            return self._outputs(job)
        if not whole.content.strip():
            return Answer(f"#{job.number} has no output{_yet(job)}.")
        return Answer(f"#{job.number} {job.title}{render.on_its_devices(job)}", files=(whole,))

    def _outputs(self, job: Job) -> Answer:
        """A zip with one file a device."""
        file = bundle.zipped(f"job-{job.number}-outputs.zip", self._texts(job, job.devices or ("",)))
        return Answer(f"#{job.number} {job.title}{render.on_its_devices(job)}: one file a device", files=(file,))

    def queue(self, ask: CommandCall) -> Answer:
        """What waits, at which position, and for what."""
        person = self._context.person(ask)
        waiting, rows = self._context.dispatcher.waiting(), []
        for position, number in enumerate(waiting[: ask.most(_QUEUE)], 1):
            job = self._context.store.job(number)
            sees = self._context.sees(person, job)
            shown = (job.title, job.person, self._context.dispatcher.why(number)) if sees else ("…", "", "")
            rows.append((f"{position}.", f"#{number}", *shown))
        more = f"… and {len(waiting) - len(rows)} more" if len(waiting) > len(rows) else ""
        running = self._context.dispatcher.active[0]
        closed = self._closed(person)
        if not rows:
            return Answer(f"Nothing waits; {render.many(running, 'job')} running.", closed)
        return Answer(
            f"{render.many(len(waiting), 'job')} waiting, {running} running:",
            "\n".join(filter(None, [render.table(rows), more, closed])),
        )

    def _closed(self, person: Person) -> str:
        """What is frozen or locked of the devices that a person sees, one line each."""
        seen, zone = gate.visible(self._context.live.scope, person), self._context.live.policy.timezone
        found = [c for c in self._context.store.change_blocks.current() if ALL in c.devices or c.hits(seen)]
        return "\n".join(
            f"{'all' if ALL in c.devices else render.names(c.hits(seen))}: {sentence(c, zone)}" for c in found[:10]
        )

    def cancel(self, ask: CommandCall) -> Answer | None:
        """Stop one's own job; admins stop any."""
        job, person = self.job_of(ask, ask.words[0] if ask.words else ""), self._context.person(ask)
        if job.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: #{job.number} is {job.person}'s; {job.person} or an admin can cancel it.")
        if ask.trial:
            return Answer(f"#{job.number} has ended already: {job.state.value}.") if job.state in FINAL else TRIED
        if job.state in PARKED:
            return self._context.pipeline.approvals.withdraw(ask.caller, ask.place, job.number)
        if job.state in FINAL and (elsewhere := self._peers.cancel(ask, job)) is not None:
            return elsewhere
        if job.state in FINAL or not self._context.dispatcher.cancel(job.number, person.name):
            return Answer(f"#{job.number} has ended already: {job.state.value}. → !job {job.number}")
        if job.state is State.RUNNING:  # a queued one is recorded as it leaves the queue
            about = Subject(person.name, ask.caller, ask.place, job.operation, job=job.number)
            self._context.store.record(AuditKind.CANCELLED, {"requester": job.person}, about)
            return Answer(f"#{job.number} is being cancelled.")
        return Answer(f"#{job.number} is taken out of the queue.")

    def retry(self, ask: CommandCall) -> Answer | None:
        """Ask for a job again, on all its devices or those that failed."""
        job = self.job_of(ask, ask.words[0] if ask.words else "")
        which = ask.words[1].lower() if len(ask.words) > 1 else "all"
        if which not in {"all", "failed"}:
            raise BadCommand(f"→ !retry {job.number} · !retry {job.number} failed")
        failed = which == "failed"
        if ask.trial:
            return self._context.pipeline.could_retry(ask.caller, ask.place, job, failed=failed) or TRIED
        return self._context.pipeline.retry(
            ask.caller, ask.place, job, failed=failed, occurrence=ask.occurrence, confirmed=ask.confirmed
        )

    def ack(self, ask: CommandCall) -> Answer | None:
        """Acknowledge an alert, an outage, or an interrupted change, whose devices are free again then."""
        if self._alerts is not None and ask.words and NUMBER.fullmatch(ask.words[0]):
            return self._alerts.acknowledge(ask)
        if self._outage is not None and ask.words and monitor_words.is_monitor(ask.words[0]):
            return self._outage(ask)
        job, person = self.job_of(ask, ask.words[0] if ask.words else ""), self._context.person(ask)
        if job.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: {job.person} or an admin acknowledges #{job.number}.")
        if not self._context.store.acknowledge(job.number, person.name):
            return Answer(f"#{job.number} holds no device.")
        self._context.dispatcher.released()
        return Answer(f"#{job.number} is acknowledged; {render.names(job.devices)} can be changed again.")


def _yet(job: Job) -> str:
    return "" if job.state in FINAL else f" yet: it is {job.state.value}, and what it prints is there when it has ended"
