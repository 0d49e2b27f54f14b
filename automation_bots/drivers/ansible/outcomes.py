"""What Ansible tells becomes outcomes: failures when they happen, the rest when the counts are known."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any

from automation_bots.drivers import Report, Task
from automation_bots.drivers.ansible.plays import Plays
from automation_bots.drivers.ansible.process import Ending
from automation_bots.drivers.ansible.run_files import HERE, NOWHERE
from automation_bots.errors import DriverError, without_numbers
from automation_bots.model import CONTROLLER, Outcome, Risk, Status, one_line

_PROGRESS_SECONDS = 0.3
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_ERROR = re.compile(r"^(?:\[ERROR\]:|ERROR[!:])\s*(.+?)(?=\n\s*\n|\nOrigin:|\n\[|\Z)", re.DOTALL | re.MULTILINE)
_ORIGIN = re.compile(r"^Origin: (?P<file>.+?):(?P<line>\d+):\d+$", re.MULTILINE)
_SEARCHED = re.compile(r" in /[^\s:]+(:/[^\s:]+)+")
_DENIED = re.compile(r"(?P<user>[^\s@]+)@(?P<host>\S+): Permission denied \((?P<ways>[\w,-]+)\)")
_WRONG = "Invalid/incorrect username/password"  # what Ansible makes of it where sshpass logs in
_NO_TERMINAL = "sudo: sorry, you must have a tty to run sudo"  # Ansible gives one only where nothing is piped to it
_VAULT = re.compile(r"Attempting to decrypt but no vault secrets found\.?|EOFError \(ctrl-d\) on prompt for .*")
_NO_VAULT = "it needs a Vault password that the bot does not have; see vault_password_file in [inventory] of bot.toml"
_SHORTER = re.compile(  # where in a task it failed is said by the task's name
    r"(?:Task failed: )?Finalization of task args for '[\w.]+' failed: |Error while resolving value for (?='[\w.]+': )"
    r"(?:'_raw_params': )?"
)
_UNDEFINED = re.compile(r"'(?!ansible_|item')([A-Za-z_]\w*)' is undefined$")
_NOISE = re.compile(r"^\s*(\[WARNING\]|\[DEPRECATION|Origin:|\d+ |\^|$)")


@dataclass(slots=True)
class _Host:
    texts: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)  # failed, where a rescue may take over
    unforeseen: Counter[str] = field(default_factory=Counter)  # what a preview cannot know
    unasked: list[str] = field(default_factory=list)  # questions of the playbook that nobody was asked
    doing: str = ""  # the task that was begun and has no result
    background: list[str] = field(default_factory=list)
    said: str = ""
    failure: str = ""
    started: float = 0.0
    ended: float = 0.0
    code: int | None = None
    good: int = 0
    targeted: bool = False
    stopped: bool = False  # a failure elsewhere ended the play under it
    reported: bool = False


class Recorder:
    """Takes the events of one run and reports each device once."""

    def __init__(self, task: Task, report: Report, *, verb: bool, told: Callable[[str], str] = str) -> None:
        self._task = task
        self._report = report
        self._verb = verb
        self._told = told  # names what is missing behind an error
        self._hosts = {device.name: _Host() for device in task.devices} or {NOWHERE: _Host()}
        self._names = {name: CONTROLLER for name in HERE if name not in self._hosts and task.operation.controller}
        if self._names and task.devices:
            self._hosts[CONTROLLER] = _Host()
        self._plays = Plays()
        self._counts: Mapping[str, Mapping[str, int]] | None = None
        self._batch: list[str] = []
        self._now = ("", 0)  # task, how many hosts are done with it
        self._spoke = 0.0
        self._pattern = ""
        self._culprit = ""
        self._refused = ""

    def take(self, event: Mapping[str, Any]) -> None:
        """Learn one event."""
        match event.get("event"):
            case "plays":
                self._plays.known(event["names"])
            case "play":
                self._play(event)
            case "task":
                self._now = (str(event["name"]), 0)
                self._progress()
            case "start" | "result":
                self._of_host(event)
            case "stopped":
                self._stop_batch()
            case "stats":
                self._counts = {self._name(name): counts for name, counts in event["hosts"].items()}
            case "refused":
                self._refused = _refusal(event)

    def _name(self, host: object) -> str:
        return self._names.get(str(host), str(host))

    def _of_host(self, event: Mapping[str, Any]) -> None:
        name = self._name(event["host"])
        if (host := self._hosts.get(name)) is None:
            return
        if event["event"] == "result":
            self._result(name, host, event)
            return
        host.started = host.started or time.monotonic()
        host.doing = str(event["task"])
        if event["background"]:
            host.background.append(host.doing)

    def close(self, ending: Ending) -> None:
        """Report every device that has no outcome yet; all is known now."""
        for name, host in self._hosts.items():
            if not host.reported and (name != CONTROLLER or host.targeted):
                status, summary = self._last_word(name, host, ending)
                self._tell(name, host, status, summary)
        self._tell_of_plays()

    def _tell_of_plays(self) -> None:
        """Name the plays that did not run; one that was left out against the playbook's meaning fails the job."""
        if self._counts is None or self._verb:
            return
        if text := self._plays.elsewhere(stopped=bool(self._culprit)):
            self._report.remark(text)
        if why := self._plays.missed():
            raise DriverError(why)

    def skip(self, device: str, platform: str) -> None:
        """Report a device that the verb has no command for."""
        self._tell(device, self._hosts[device], Status.SKIPPED, f"no command for platform {platform}")

    def _play(self, event: Mapping[str, Any]) -> None:
        self._pattern = str(event["name"])
        self._plays.begun(event)
        self._batch = list(event["batch"])
        for name in map(self._name, event["hosts"]):
            if name in self._hosts:
                self._hosts[name].targeted = True

    def _result(self, name: str, host: _Host, event: Mapping[str, Any]) -> None:
        status, title = str(event["status"]), str(event["task"])
        host.ended, host.doing = time.monotonic(), ""
        host.code = event["rc"] if self._verb or status == "failed" else host.code
        host.said = one_line(str(event["said"]).strip().partition("\n")[0]) or host.said
        host.good += status == "ok"
        if status in {"changed", "ignored"}:
            (host.changed if status == "changed" else host.ignored).append(title)
        if status == "failed" and not event["final"]:
            host.mended.append(title)
        host.unforeseen.update(event["unforeseen"])
        host.unasked += [event["unasked"]] if event["unasked"] else []
        self._keep_text(host, title, "not known beforehand" if event["unforeseen"] else status, str(event["text"]))
        self._now = (self._now[0], self._now[1] + 1)
        self._progress()
        if self._verb:
            self._of_verb(name, host, status, event)
        elif status in {"failed", "unreachable"}:
            self._bad(name, host, status, event)

    def _keep_text(self, host: _Host, title: str, status: str, text: str) -> None:
        if self._verb:
            host.texts = [text] if text else []
            return
        host.texts.append(f"[{title}] {status}" + (f"\n{indent(text, '  ')}" if text else ""))

    def _of_verb(self, name: str, host: _Host, status: str, event: Mapping[str, Any]) -> None:
        message = reason(str(event["message"]))
        if status in {"ok", "changed"}:
            lines = str(event["text"]).strip().splitlines()
            message = one_line(lines[0]) if lines else ""
        if host.unforeseen:
            self._tell(name, host, Status.UNKNOWN, _unforeseen(host))
            return
        self._tell(name, host, Status(status), message)

    def _bad(self, name: str, host: _Host, status: str, event: Mapping[str, Any]) -> None:
        message = self._told(reason(str(event["message"]))) or "failed, and says nothing about it"
        if (unknown := _UNDEFINED.search(message)) and not self._verb and not self._task.operation.declared:
            message += f" → `# vars: {unknown[1]}` in the first comments of the playbook lets people give it"
        host.failure = message if status == "unreachable" else one_line(f"[{event['task']}] {message}", 300)
        if not event["final"]:
            return
        self._culprit = self._culprit or name
        self._tell(name, host, Status(status), host.failure)
        if event["stops_all"]:
            self._stop_batch()

    def _stop_batch(self) -> None:
        for name in self._batch:
            if name in self._hosts:
                self._hosts[name].stopped = True

    def _last_word(self, name: str, host: _Host, ending: Ending) -> tuple[Status, str]:
        if self._refused:
            return Status.FAILED, f"stopped: {self._refused}"
        if self._counts is None:
            return self._cut_short(name, host, ending)
        counts = self._counts.get(name)
        if counts is None:
            return self._never_ran(host)
        if counts.get("unreachable"):
            return Status.UNREACHABLE, host.failure
        if counts.get("failures"):
            return Status.FAILED, host.failure
        if host.stopped:
            return Status.FAILED, f"stopped before the end, because {self._culprit or 'another device'} failed"
        return self._went_well(host, counts)

    def _went_well(self, host: _Host, counts: Mapping[str, int]) -> tuple[Status, str]:
        notes = "".join(f"; {note}" for note in _notes(host, counts))
        if counts.get("changed"):
            what = dict.fromkeys(host.changed or [*host.ignored, *host.mended])  # of a loop some items may have failed
            return Status.CHANGED, one_line(f"changed: {', '.join(what)}") + notes
        if host.unforeseen:  # whatever else is ok: nobody can say whether these would change something
            return Status.UNKNOWN, notes.removeprefix("; ")
        if counts.get("ok") or counts.get("rescued") or counts.get("ignored"):
            return Status.OK, (host.said or f"{host.good} tasks ok") + notes
        return Status.SKIPPED, "no task of it applied to this device"

    def _never_ran(self, host: _Host) -> tuple[Status, str]:
        if host.targeted and self._culprit:
            return Status.CANCELLED, f"not run: the playbook stopped before this device, because {self._culprit} failed"
        if host.targeted:
            return Status.SKIPPED, "nothing to do on this device"
        if any(other.targeted for other in self._hosts.values()):
            return Status.SKIPPED, "no play of the playbook is for this device"
        return Status.FAILED, one_line(f"no play of the playbook is for this device (the last is {self._pattern!r})")

    def _cut_short(self, name: str, host: _Host, ending: Ending) -> tuple[Status, str]:
        died = ending.code < 0
        if not ending.stopped and not died:
            return Status.FAILED, self._told(
                sentence(ending.errors)
            ) or f"ansible-playbook ended with code {ending.code}"
        why = ending.stopped or f"ansible-playbook was killed by signal {-ending.code}"
        why += f" after {ending.seconds:.0f} s"
        if host.started and self._task.job.risk is Risk.CHANGE and not self._task.check:
            return Status.UNKNOWN, f"{why}, {self._in_the_middle(name, host)}"
        return (Status.FAILED if died and not ending.stopped else Status.CANCELLED), why

    def _in_the_middle(self, name: str, host: _Host) -> str:
        """What was being done, and what of it may go on there: only what runs on this machine was ended."""
        here = any(d.name == name and d.variables.get("ansible_connection") == "local" for d in self._task.devices)
        text = f"in the middle of {one_line(host.doing, 60)!r}" if host.doing else "in the middle of the work"
        running = [] if here or name == CONTROLLER else [host.doing] if host.doing else []
        if left := dict.fromkeys([*([] if here else host.background), *running]):
            text += f"; on the device may still run: {one_line(', '.join(left), 120)}"
        return text

    def _tell(self, name: str, host: _Host, status: Status, summary: str) -> None:
        if host.reported:
            return
        host.reported = True
        device = name if self._task.devices else ""  # also of the controller, which then is the one place of all
        seconds = max(0.0, (host.ended or time.monotonic()) - host.started) if host.started else 0.0
        output, host.texts = "\n".join(host.texts), []  # a job of many devices must not hold all texts to its end
        self._report.outcome(Outcome(device, status, summary, output, round(seconds, 3), host.code))

    def _progress(self) -> None:
        title, done = self._now
        now = time.monotonic()
        if now - self._spoke < _PROGRESS_SECONDS:
            return
        self._spoke = now
        count = f" {done}/{len(self._batch) or len(self._hosts)}" if done else ""
        self._report.progress(one_line(f"TASK [{title}]{count}"))


def _refusal(event: Mapping[str, Any]) -> str:
    """Why Ansible itself was stopped by what runs inside it."""
    if "file" in event:
        return f"{one_line(str(event['file']))} was changed after the job was accepted"
    return f"the playbook reached for {one_line(str(event['host']))}, which was not decided on"


def _notes(host: _Host, counts: Mapping[str, int]) -> Iterator[str]:
    """What Ansible's own recap counts beside ok and changed, by name; and what a preview cannot know."""
    if counts.get("rescued"):
        yield f"rescued: {_named(host.mended)}"
    if counts.get("ignored"):
        yield f"failed, ignored: {_named(host.ignored)}"
    if host.unasked:
        yield f"went on without an answer, since nobody was asked: {_named(host.unasked)}"
    if host.unforeseen:
        yield _unforeseen(host)


def _named(titles: list[str]) -> str:
    return one_line(", ".join(dict.fromkeys(titles)), 120)


def _unforeseen(host: _Host) -> str:
    counted = (f"{n} {_plural(what) if n > 1 else what}" for what, n in host.unforeseen.items())
    return f"not known beforehand ({', '.join(counted)})"


def _plural(what: str) -> str:
    first, _, rest = what.partition(" ")
    return f"{first}s {rest}".rstrip()


def reason(message: str) -> str:
    """Why a task failed, in one line; a login that was refused is told as by the other drivers."""
    if denied := _DENIED.search(message):
        return f"authentication failed for user {denied['user']} on {denied['host']}; it takes {denied['ways']}"
    if _NO_TERMINAL in message:
        return f"{_NO_TERMINAL} (requiretty) → ansible_pipelining: false for this device in the inventory"
    message = message.removeprefix("Task failed: ")  # so Ansible calls everything that is no module's own answer
    message = _VAULT.sub(_NO_VAULT, _SHORTER.sub("", without_numbers(message)))
    return one_line(message.replace(_WRONG, f"authentication failed: {_WRONG.lower()}"))


def sentence(errors: str) -> str:
    """Find in Ansible's standard error what went wrong: one line, no colour, no excerpt, no path."""
    errors = _COLOUR.sub("", errors)
    found = _ERROR.search(errors)
    if found is None:
        lines = [line.strip() for line in errors.splitlines() if not _NOISE.match(line)]
        return one_line(lines[-1]) if lines else ""
    origin = _ORIGIN.search(errors, found.end())
    where = f" ({origin['file'].rpartition('/')[2]}, line {origin['line']})" if origin else ""
    return one_line(_VAULT.sub(_NO_VAULT, _SEARCHED.sub("", found[1])), 400) + where
