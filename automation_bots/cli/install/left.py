"""What an installation leaves to its admin: what only people can decide, or have."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from automation_bots.cli.install import parts
from automation_bots.cli.install.machine import Machine
from automation_bots.config.bot_folder import ROOT, BotFolder

_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108 - from the unit, not written to


def to_do(bot: BotFolder, machine: Machine) -> Iterator[str]:
    """Yield what is left, in the order in which it is done."""
    if not machine.owns:
        yield f"Give the files to {parts.USER}: run it again as root"
    if _old(machine.at(f"{parts.PROGRAM}/.venv/.run"), machine.at(f"{parts.PROGRAM}/requirements.txt")):
        yield f"Python packages:  sudo PYTHON=/usr/bin/python3 {parts.PROGRAM}/tools/setup run"
    yield from _of_settings(bot)
    yield from _secrets(bot, machine)
    yield from _elsewhere(bot, machine)
    yield f"Look at it as the service will:  sudo automation-bots doctor bots/{bot.folder.name}"
    yield f"Start it, now and with the machine:  sudo systemctl enable --now automation-bots@{bot.folder.name}"


def _old(stamp: Path, requirements: Path) -> bool:
    return not stamp.exists() or (requirements.exists() and requirements.stat().st_mtime > stamp.stat().st_mtime)


def others(bot: BotFolder, machine: Machine) -> list[str]:
    """Return the names of the other installed bots."""
    found = machine.at(f"{parts.PROGRAM}/bots").glob("*/bot.toml")
    return sorted({path.parent.name for path in found} - {bot.folder.name, "demo"})


def yours(bot: BotFolder, others: list[str]) -> Iterator[str]:
    """Yield what an uninstallation leaves, as the commands that would remove it."""
    yield f"rm -r {parts.home(bot)}  # its rules, inventory, playbooks"
    yield f"rm -r {parts.secrets_of(bot)}  # its secrets"
    yield f"rm -r {parts.STATE}/{bot.settings.name}  # its record and keys; first: automation-bots backup"
    if not others:
        yield f"rm -r {parts.PROGRAM}  # the program"
        yield f"userdel {parts.USER}  # its user; {parts.STATE} and {parts.BACKUPS} stay"
    yield "systemctl daemon-reload"


def _of_settings(bot: BotFolder) -> Iterator[str]:
    wanted, toml = bot.settings, f"{parts.home(bot)}/bot.toml"
    if wanted.backend == "Text":
        yield f'A service has no terminal: name a chat network, backend = "…" in {toml}'
    if wanted.data:
        yield f"data = {wanted.data!r} in {toml}: the unit lets the bot write in {parts.STATE} only; take the line out"
    elif (tried := ROOT / "data" / wanted.name).is_dir() and str(ROOT) != parts.PROGRAM:
        yield f"What it remembers of its trials stays in {tried}; to take it along: automation-bots backup, restore"
    if "{data}" not in wanted.drivers.ssh.known_hosts:
        yield f'For !device trust, below [drivers.ssh] in {toml}: known_hosts = "{{data}}/known_hosts"'
    for link in parts.links(bot):
        yield f"{link} is a link to {link.readlink()}: not copied; copy what it leads to into {parts.home(bot)}"


def _secrets(bot: BotFolder, machine: Machine) -> Iterator[str]:
    place = parts.secrets_of(bot)
    for name in parts.named(bot, "credential"):
        if not machine.at(f"{place}/{name}").exists():
            into = f"sudo install -o {parts.USER} -m 400 /dev/stdin {place}/{name}"
            yield f"The secret {name} (paste it, then Enter and Ctrl-D):  {into}"
    names, file = parts.named(bot, "env"), f"{place}/environment"
    if names and not machine.at(file).exists():
        yield f"{', '.join(names)} as lines NAME=value in {file}, mode 0600; better a credential: see operate.md"


def _elsewhere(bot: BotFolder, machine: Machine) -> Iterator[str]:
    """What bot.toml names outside its own folder must be readable by the bot's user, below the unit's walls."""
    for path in dict.fromkeys(bot.named_files()):
        real = path.resolve()
        if real.is_relative_to(bot.folder) or real.is_relative_to(bot.data.resolve()) or not real.exists():
            continue
        if str(real).startswith(_HIDDEN):
            place = parts.secrets_of(bot)
            yield f"{real}: the service cannot see it there; move it to {place}, and name that in bot.toml"
        elif not _readable(real, machine):
            yield f"{real}: {parts.USER} cannot read it; chown {parts.USER} {real}, mode 0400"


def _readable(path: Path, machine: Machine) -> bool:
    status = path.stat()
    if status.st_uid == machine.ids("passwd").get(parts.USER, -1):
        return bool(status.st_mode & stat.S_IRUSR)
    if status.st_gid == machine.ids("group").get(parts.USER, -1):
        return bool(status.st_mode & stat.S_IRGRP)
    return bool(status.st_mode & stat.S_IROTH)
