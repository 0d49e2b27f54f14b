"""The commands `install` and `uninstall`: a bot becomes a service of this machine, or is none again."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from automation_bots.cli.install import left, parts
from automation_bots.cli.install.machine import Aside, Found, Machine
from automation_bots.cli.install.parts import Part
from automation_bots.config.bot_folder import BotFolder
from automation_bots.errors import AutomationError

Completions = Callable[[], Mapping[str, str]]
_REPLACED = {"program": ("program", "unit", "command", "completion"), "bot": ("bot",)}
_LINES = 8
_OWN_LINE = {
    Found.OTHER: ": another one, or none, is there",
    Found.REPLACED: "",
    Found.MODE: ": now {owner}:{group} {mode:04o}",
}


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # argparse has no public name for it
    command: Callable[..., argparse.ArgumentParser],
    completions: Completions,
) -> None:
    """Add the commands; `completions` gives the text of each file that completes the command in a shell."""
    install = partial(_install, completions)
    one = command(commands, "install", install, "make a bot a service of this machine; says what it did", "folder")
    about = (
        "take over what differs: of the program and its unit, or of the bot's folder; what stood there is kept aside"
    )
    one.add_argument("--replace", action="append", default=[], choices=list(_REPLACED), help=about)
    uninstall = partial(_uninstall, completions)
    other = command(commands, "uninstall", uninstall, "take the service away; what somebody wrote stays", "folder")
    for parser in (one, other):
        parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        parser.add_argument("--root", default="/", metavar="DIR", help="install into this folder as if it were /")


def _install(completions: Completions, parsed: argparse.Namespace) -> int:
    machine, bot = _machine(parsed), BotFolder(Path(parsed.folder), untouched=True)
    if not machine.has_user():
        machine.make_user()
        _line("new", "user", parts.USER)
    wanted = list(parts.everything(bot, completions()))
    strays = [Part("program", path, 0, content=b"") for path in machine.strays(wanted)]
    aside = machine.aside(datetime.now(UTC), [kind for name in parsed.replace for kind in _REPLACED[name]])
    mixed = "program" not in aside.kinds and (bool(strays) or _is_other_version(machine, wanted))
    done = [(_made(machine, part, aside, mixed=mixed), part) for part in wanted]
    done += [(_strayed(machine, part, aside), part) for part in strays]
    for line in _told(done):
        _say(line)
    kept = {part.of for found, part in done if found is Found.OTHER}
    _say_end(machine, kept, aside.place if any(found is Found.REPLACED for found, _ in done) else "")
    for number, line in enumerate(left.to_do(bot, machine), 1):
        _say(f"{number}. {line}")
    return 1 if kept else 0


def _say_end(machine: Machine, kept: set[str], aside: str) -> None:
    if aside:
        _say(f"What stood there lies in {machine.at(aside)}.")
    if kept:
        names = " ".join(f"--replace {name}" for name, kinds in _REPLACED.items() if kept.intersection(kinds))
        _say(f"What is marked `kept` was not overwritten. To take it over, and keep what stood there aside: {names}")
    _say("Done. Left to do:" if machine.changes else "Nothing was done: this was a trial. To do after it:")


def _machine(parsed: argparse.Namespace) -> Machine:
    machine = Machine(Path(parsed.root).resolve(), changes=not parsed.dry_run)
    if machine.here and machine.changes and not machine.owns:
        raise AutomationError("Only root can do that: sudo …; or see what it would do: --dry-run")
    if not machine.root.is_dir():
        raise AutomationError(f"There is no folder {machine.root}.")
    return machine


def _is_other_version(machine: Machine, wanted: Iterable[Part]) -> bool:
    """Whether another version is there: half of this one beside it would be neither."""
    return any(part.of == "program" and machine.look(part) is Found.OTHER for part in wanted)


def _made(machine: Machine, part: Part, aside: Aside, *, mixed: bool) -> Found:
    found = machine.look(part)
    if mixed and part.of == "program" and found is Found.NOTHING:
        return Found.OTHER
    if found is Found.OTHER and part.of in aside.kinds:
        machine.set_aside(part, aside)
        machine.put(part)
        return Found.REPLACED
    if found is Found.NOTHING:
        machine.put(part)
    elif found is Found.MODE:
        machine.mend(part)
    return found


def _strayed(machine: Machine, part: Part, aside: Aside) -> Found:
    """Code that this version has no more would still be loaded."""
    if part.of not in aside.kinds:
        return Found.OTHER
    machine.set_aside(part, aside)
    return Found.REPLACED


def _told(done: Iterable[tuple[Found, Part]]) -> Iterator[str]:
    """Say it in a line for what belongs together; what was changed or kept gets lines of its own, so many at most."""
    groups: dict[tuple[str, Found], list[Part]] = {}
    for found, part in done:
        groups.setdefault((part.of, found), []).append(part)
    for (of, found), those in groups.items():
        if found in _OWN_LINE:
            for part in those[:_LINES]:
                why = _OWN_LINE[found].format(owner=part.owner, group=part.group, mode=part.mode)
                yield _words(found.value, of, part.path + why)
            if (more := len(those) - _LINES) > 0:
                yield _words(found.value, of, f"… and {more} more")
        else:
            files = sum(not part.is_folder for part in those)
            yield _words(found.value, of, those[0].path + (f" ({files} files)" if files > 1 else ""))


def _uninstall(completions: Completions, parsed: argparse.Namespace) -> int:
    machine = _machine(parsed)
    bot = _installed(machine, parsed.folder)
    service = f"automation-bots@{bot.folder.name}"
    if machine.at(f"/etc/systemd/system/multi-user.target.wants/{service}.service").is_symlink():
        raise AutomationError(f"It still starts with the machine. First: sudo systemctl disable --now {service}")
    others = left.others(bot, machine)
    gone = list(parts.of_bot(bot) if others else parts.removable(bot, completions()))
    for part in reversed(gone):
        _take(machine, part)
    if others:
        _say(f"The unit stays: {', '.join(others)} still uses it.")
    _say("Nothing was done: this was a trial." if not machine.changes else "Done. What is yours stays; to remove it:")
    for line in left.yours(bot, others):
        _say(f"  {line}")
    return 0


def _installed(machine: Machine, folder: str) -> BotFolder:
    """The bot's folder as it was installed; what is at hand is not asked."""
    there = machine.at(f"{parts.PROGRAM}/bots/{Path(folder).name}")
    if not there.is_dir():
        raise AutomationError(f"There is no {there}: this bot is not installed.")
    return BotFolder(there, untouched=True)


def _take(machine: Machine, part: Part) -> None:
    found = machine.look(part)
    if found in {Found.SAME, Found.MODE}:
        machine.take_away(part)
        if not part.is_folder:
            _line("gone", part.of, part.path)
    elif found is Found.OTHER:
        _line("kept", part.of, f"{part.path}: somebody changed it")


def _words(mark: str, of: str, text: str) -> str:
    return f"{mark:<8} {of:<10} {text}"


def _line(mark: str, of: str, text: str) -> None:
    _say(_words(mark, of, text))


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
