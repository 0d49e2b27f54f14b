"""What each operation asks the devices for, and how it tells what came back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from automation_bots.drivers import Task
from automation_bots.drivers.network import device_task
from automation_bots.drivers.network.archive import Archive
from automation_bots.drivers.network.config import diff as plans
from automation_bots.drivers.network.config import lines as config_lines
from automation_bots.drivers.network.messages import DISPLAY, DeviceReply, DeviceRequest
from automation_bots.drivers.network.own_operations import Body, Snippet
from automation_bots.drivers.network.show import tables
from automation_bots.drivers.network.show.answers import Rows
from automation_bots.drivers.network.show.report import Asked, NetworkRequest, ReadReport, once
from automation_bots.drivers.quoting import HasCommand
from automation_bots.errors import DriverError, UserError
from automation_bots.model import GOOD, Conclusion, Device, Outcome, Risk, Status, one_line
from automation_bots.operations import verbs
from automation_bots.render import many

ASKED = {"cisco_ios", "cisco_xe", "cisco_nxos", "arista_eos"}  # by NAPALM over SSH
ASKED |= {"frr", "juniper_junos", "cisco_xr"}  # by their own command lines


def request_of(task: Task, archive: Archive) -> NetworkRequest:
    """Return the deed of an operation."""
    body = task.operation.body
    if isinstance(body, Body | Snippet):
        made: NetworkRequest = _DEEDS[body.request](task, archive)
        return made
    if isinstance(body, HasCommand) or task.operation.network:
        return Verb(task, archive)
    raise DriverError(f"{task.operation.name} says nothing that a network device could be asked; see its file")


_CONFIGURATION = re.compile(
    r"(?:^|[ /])(?:run|running|runn|running-?config\w*|start|startup-?config\w*|conf|config|configuration|cur|current"
    r"|current-?configuration|saved-?configuration|full-?configuration|candidate\w*|export|tech|tech-support)(?:$|[ |])"
)


def is_of_configuration(work: DeviceRequest) -> bool:
    """Whether what comes back is a device's configuration or a part of it."""
    if work.kind in {"show", "send"}:
        return _CONFIGURATION.search(str(work.values.get("command", "")).lower()) is not None
    return work.kind in {"config", "restore", "running"}


def _word(platform: str) -> str:
    return "display" if platform in DISPLAY else "show"


def _as_there(words: tuple[str, ...], platform: str, word: str) -> tuple[str, ...]:
    """The words of a question as the people of a platform type them: `/interface print`, `get system status`."""
    if platform == "mikrotik_routeros":
        if "print" not in words or any(sign in part for part in words for sign in "[](){}"):
            raise DriverError("RouterOS is asked with print, such as !show /interface print, and without brackets")
        return words
    return words if platform == "fortinet" and words[0].lower() == "get" else (word, *words)


@dataclass(slots=True)
class Show(ReadReport):
    """`!show`."""

    def ask(self, device: Device) -> Asked | Outcome:
        """One line that begins with the platform's word for it."""
        _ = self.view.text("")  # a wrong expression is told before any device is asked
        word = _word(device.platform)
        words = tuple(str(part) for part in self.task.parameters["command"])
        if words[0].lower() in {"show", "display"}:  # sent without it, it would be a command that no rule has seen
            raise DriverError(f"leave out the second word: !show {' '.join(words[1:])}")
        as_table = bool(self.task.parameters.get("columns") or self.task.parameters.get("csv"))
        words, found = device_task.without_filters(words, device.platform)
        line = device_task.line_of(_as_there(words, device.platform, word), device.platform)
        return "show", {"command": line, "as_table": as_table, "filters": found}


@dataclass(slots=True)
class Verb(ReadReport):
    """A verb, or `!run`: the platform's own command, or a question that NAPALM knows."""

    def ask(self, device: Device) -> Asked | Outcome:
        """The verb's entry for any network device comes first."""
        body, values = self.task.operation.body, self.task.parameters
        name = body.getter() if isinstance(body, verbs.Verb) else self.task.operation.network
        if name and (device.platform in ASKED or device.variables.get("napalm_driver")):
            return "getter", {"getter": name, "target": str(values.get("destination") or "")}
        version = f"{_word(device.platform)} version"
        if name == "facts" and tables.known(device.platform, version):
            return "show", {"command": version, "facts": True}
        command = body.command(device.platform, values) if isinstance(body, HasCommand) else None
        words = _unwrapped(command.argv if command else (), device.platform)
        if not words:
            return self.skipped(device, f"no command for platform {device.platform}")
        change = self.task.job.risk is Risk.CHANGE
        if self.task.check and change:
            return self.skipped(device, one_line(f"would run: {' '.join(words)}", 500))
        line = device_task.line_of(words, device.platform)
        return ("send" if change else "show"), {"command": line}


def _unwrapped(argv: tuple[str, ...], platform: str) -> tuple[str, ...]:
    """A verb may reach FRR through the Unix shell below it; here its own command line listens."""
    if platform != "frr" or len(argv) < 3 or argv[:2] != ("vtysh", "-c"):
        return argv
    return tuple(argv[2].split())


@dataclass(slots=True)
class Config(ReadReport):
    """`!config` and fixed snippets."""

    def ask(self, device: Device) -> Asked | Outcome:
        """The lines, and what must be as before afterwards."""
        body, values = self.task.operation.body, self.task.parameters
        lines = body.lines if isinstance(body, Snippet) else values["lines"]
        try:
            replaces = isinstance(body, Body) and body.replaces
            lines = config_lines.checked(lines, platform=device.platform, whole=replaces)
        except UserError as error:
            raise DriverError(str(error)) from error
        return "config", {
            "lines": lines,
            "expect": tuple(values.get("expect") or ()),
            "within": values.get("within") or 30,
            "stay": values.get("stay", 5),
            "save": bool(values.get("save")),
            "check": self.task.check,
            "replace": not isinstance(body, Snippet) and body.replaces,
            "job": self.task.job.number,
        }

    def outcome(self, device: Device, found: DeviceReply) -> Outcome:
        """Keep what was replaced before it is told that it was."""
        status, summary = Status(found.status), one_line(found.summary, 500)
        try:
            self._keep(device.name, found)
        except DriverError as error:
            summary = f"{summary}; {error}"
        if status is Status.CHANGED or (status is Status.OK and found.text):
            with self.lock:
                self.texts[device.name] = found.text
        return Outcome(device.name, status, summary, found.text)

    def _keep(self, device: str, found: DeviceReply) -> None:
        if found.kept:
            self.archive.remember(self.task.job.number, device, {"after": "", **found.kept})
        elif not self.task.check and found.status != Status.UNKNOWN:
            self.archive.forget(self.task.job.number, device)

    def conclusion(self) -> Conclusion | None:
        """The differences, equal ones once."""
        block = once(self.texts)
        if not block:
            return None
        job = self.task.job.number
        text = "Nothing was sent." if self.task.check else f"Back to before: !config rollback {job}"
        return Conclusion(text, block)


@dataclass(slots=True)
class Restore(Config):
    """`!config rollback`."""

    def ask(self, device: Device) -> Asked | Outcome:
        """What that job replaced."""
        values = self.task.parameters
        replaced = self.archive.replaced(int(values["job"]), device.name)
        if replaced is None:
            return Outcome(device.name, Status.SKIPPED, f"#{values['job']} changed no configuration here")
        return "restore", {
            **replaced,
            "anyway": bool(values.get("anyway")) or not replaced["after"],
            "save": bool(values.get("save")),
            "check": self.task.check,
            "job": self.task.job.number,
        }


@dataclass(slots=True)
class Backup(ReadReport):
    """`!backup`: all at once, in one commit."""

    configs: dict[str, str] = field(default_factory=dict)

    def ask(self, device: Device) -> Asked | Outcome:  # noqa: ARG002 - the same for every device
        """The running configuration, which never leaves the bot's own folder."""
        return "running", {}

    def outcome(self, device: Device, found: DeviceReply) -> Outcome:
        """Keep the configuration; only its size is told."""
        status = Status(found.status)
        if status not in GOOD:
            return Outcome(device.name, status, one_line(found.summary, 500))
        text = found.kept["running"].rstrip("\n") + "\n"
        with self.lock:
            self.configs[device.name] = text
        return Outcome(device.name, Status.OK, f"{text.count(chr(10))} lines")

    def conclusion(self) -> Conclusion | None:
        """Commit, and say what is other than in the backup before."""
        if not self.configs:
            return None
        why = f"#{self.task.job.number} by {self.task.job.person}"
        saved = self.archive.save(
            self.configs, why, lambda old, new: config_lines.plain(old) == config_lines.plain(new)
        )
        first = f"{len(saved.first)} for the first time" if saved.first else ""
        other = f"{len(saved.other)} other than in the backup before" if saved.other else ""
        text = ", ".join(filter(None, (other, first))) or "nothing is other than before"
        changed = sorted(saved.other)
        shown = ", ".join(changed[:20]) + (" …" if len(changed) > 20 else "")
        hint = f"→ !config diff {changed[0]} 1" if len(changed) == 1 else ""
        return Conclusion(f"{text}.", "\n".join(part for part in (shown, hint) if part))


@dataclass(slots=True)
class Diff(ReadReport):
    """`!config diff`."""

    def ask(self, device: Device) -> Asked | Outcome:
        """The running configuration of now."""
        self.archive.config(device.name, str(self.task.parameters.get("since") or ""))
        return "running", {}

    def outcome(self, device: Device, found: DeviceReply) -> Outcome:
        """Compare it with the backup."""
        status = Status(found.status)
        if status not in GOOD:
            return Outcome(device.name, status, one_line(found.summary, 500))
        before = self.archive.config(device.name, str(self.task.parameters.get("since") or ""))
        changed = plans.difference(before, found.kept["running"])
        lines = changed.count("\n") + 1 if changed else 0
        return Outcome(
            device.name, Status.OK, f"{many(lines, 'line')} changed since" if lines else "as in the backup", changed
        )

    def conclusion(self) -> Conclusion | None:
        """The outcomes say it all."""
        return None


@dataclass(slots=True)
class History(ReadReport):
    """`!config history`: no device is asked."""

    def ask(self, device: Device) -> Asked | Outcome:
        """Read the archive."""
        found = self.archive.history(device.name)
        if not found:
            raise DriverError(f"there is no backup of {device.name} yet. → !backup {device.name}")
        rows = tuple((str(number), it.commit, it.when, it.why) for number, it in enumerate(found))
        text = Rows(("ago", "commit", "when (UTC)", "job"), rows).text
        return Outcome(device.name, Status.OK, many(len(rows), "version"), text)


_DEEDS: dict[str, Any] = {
    "show": Show,
    "config": Config,
    "restore": Restore,
    "backup": Backup,
    "diff": Diff,
    "history": History,
}
