"""`!device trust` and `!device untrust`: an admin looks at the host keys that devices offer, and confirms them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from automation_bots import render
from automation_bots.commands import host_key_text, slow_answer
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.commands.host_key_text import Key, Look, Standing
from automation_bots.drivers.ssh import access as ssh_access
from automation_bots.drivers.ssh import known_hosts
from automation_bots.drivers.ssh.access import Access
from automation_bots.drivers.ssh.known_hosts import TRUSTED_BY, HostKey, KnownHosts
from automation_bots.drivers.ssh.offered import OfferedKey, offered_keys
from automation_bots.errors import AutomationError, BadCommand, DriverError
from automation_bots.model import Answer, Device, Place, one_line
from automation_bots.pipeline import parser as grammar
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject
from automation_bots.store.host_keys import Endpoint

log = logging.getLogger(__name__)
_ASK_SECONDS = 5.0  # for one device
_SIDE_BY_SIDE = 20
_MOST_DEVICES = 1000
_KEPT = timedelta(minutes=15)  # how long what was shown can be confirmed
_NOT_SSH = {"local", "winrm", "psrp"}


def read_access(device: Device) -> Access:
    """Read where a device listens; no secret is needed to look at its keys."""
    return ssh_access.access_to(device, {})


def ask_directly(access: Access) -> list[OfferedKey]:
    """Ask a device for its keys."""
    return offered_keys(access.host, access.port, _ASK_SECONDS)


@dataclass(frozen=True, slots=True)
class Means:
    """What the commands work with: the file that decides, a way to ask devices, a way to say something later."""

    known_hosts: Path
    tell: Callable[[Place, Answer], object]
    access: Callable[[Device], Access] = read_access
    offered: Callable[[Access], list[OfferedKey]] = ask_directly


@dataclass(frozen=True, slots=True)
class _Shown:
    looks: tuple[Look, ...]
    until: datetime


@dataclass(slots=True)
class HostKeyCommands:
    """Both commands. What was shown to somebody is kept for a while, so that exactly that is confirmed."""

    context: CommandContext
    means: Means
    _shown: dict[tuple[str, ...], _Shown] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def command(self, ask: CommandCall) -> Answer:
        """Take the words behind `!device`."""
        verb, *words = ask.words
        person = self.context.person(ask)
        if ADMINS not in person.groups:
            return self._refuse(ask, person.name)
        typed = words.index("yes") if verb == "trust" and "yes" in words else len(words)
        pattern = grammar.pattern(grammar.words(" ".join(words[:typed]).removeprefix("on ")))
        if not pattern or len(words) > typed + 2:
            raise BadCommand("→ !device trust <devices> · !device untrust <devices>")
        names = self.context.live.inventory.expand(pattern)
        if len(names) > _MOST_DEVICES:
            raise BadCommand(f"{len(names)} devices at once are too many; at most {_MOST_DEVICES}.")
        if verb == "untrust":
            return self._untrust(ask, names)
        if typed < len(words):
            return self._confirmed(ask, pattern, (words[typed + 1 :] or [""])[0])
        doing = f"Asking {render.many(len(names), 'device')} for host keys"
        return slow_answer.soon(ask.place, doing, lambda: self._show(ask, pattern, names), self.means.tell)

    def _refuse(self, ask: CommandCall, person: str) -> Answer:
        reason = "which host keys are trusted is for admins to say"
        about = Subject(person, ask.caller, ask.place, f"device {ask.words[0]}")
        self.context.store.record(AuditKind.DENIED, {"reason": reason, "pattern": one_line(ask.line, 100)}, about)
        people = self.context.live.policy.people.values()
        admins = sorted(one.name for one in people if ADMINS in one.groups)
        return Answer(f"No: {reason} ({render.names(admins)}).")

    def _about(self, ask: CommandCall, operation: str, looks: Sequence[Look]) -> Subject:
        devices = tuple(look.device for look in looks)
        return Subject(self.context.person(ask).name, ask.caller, ask.place, operation, devices)

    # -- looking

    def _show(self, ask: CommandCall, pattern: str, names: Sequence[str]) -> Answer:
        devices, known = self.context.live.inventory.devices(tuple(names)), KnownHosts(self.means.known_hosts)
        with ThreadPoolExecutor(min(_SIDE_BY_SIDE, len(devices)), thread_name_prefix="trust") as pool:
            looks = tuple(pool.map(lambda device: self._look(device, known), devices))
        self._keep(_key(ask, pattern), looks)
        command = f"!device trust {one_line(pattern, 200)}"
        return host_key_text.one(looks[0], command) if len(looks) == 1 else host_key_text.several(looks, command)

    def _keep(self, key: tuple[str, ...], looks: tuple[Look, ...]) -> None:
        now = self.context.now()
        with self._lock:
            self._shown = {known: shown for known, shown in self._shown.items() if shown.until > now}
            self._shown[key] = _Shown(looks, now + _KEPT)

    def _look(self, device: Device, known_hosts: KnownHosts) -> Look:
        look = Look(device.name, device.address, 22)
        if device.variables.get("ansible_connection") in _NOT_SSH:
            return _with(look, problem=f"it is not reached over SSH, but by {device.variables['ansible_connection']}")
        try:
            access = self.means.access(device)
            found = known_hosts.keys(access.host, access.port)
            known = tuple(self._key(key, access) for key in found if not key.revoked)
            revoked = tuple(Key(key.type, key.fingerprint) for key in found if key.revoked)
            look = Look(device.name, access.host, access.port, known=known, revoked=revoked)
            offered = self.means.offered(access)
        except AutomationError as error:
            return _with(look, problem=str(error))
        return _with(look, offered=tuple(Key(key.type, key.fingerprint, line=key.line) for key in offered))

    def _key(self, key: HostKey, access: Access) -> Key:
        """A known key, with who trusted it: the file says so, or the record does."""
        if key.comment.startswith(TRUSTED_BY):
            return Key(key.type, key.fingerprint, one_line(key.comment, 120))
        for row in self.context.store.host_keys.of(access.host, access.port):
            if row.fingerprint == key.fingerprint and not row.revoked_by:
                return Key(key.type, key.fingerprint, _note(row.trusted_by, row.trusted_at))
        return Key(key.type, key.fingerprint)

    # -- trusting

    def _confirmed(self, ask: CommandCall, pattern: str, typed: str) -> Answer:
        shown, command = (
            self._shown.get(_key(ask, pattern)),
            f"!device trust {one_line(pattern, 200)}",
        )
        if shown is None or shown.until <= self.context.now():
            return Answer(
                f"You have not looked at the host keys of {one_line(pattern, 60)} just now.", hint=f"→ {command}"
            )
        looks, right = _chosen(shown.looks, typed)
        if not looks:
            return Answer("There is nothing to confirm.", hint=f"→ {command}")
        if not right:
            which = f"the first {host_key_text.CODE_LENGTH} characters of a fingerprint of {looks[0].device}"
            wanted = which if len(shown.looks) == 1 else "the code that I gave"
            return Answer(f"Nothing was trusted: {one_line(typed, 60)!r} is not {wanted}.", hint=f"→ {command}")
        self._shown.pop(_key(ask, pattern), None)
        return self._trust(ask, looks)

    def _trust(self, ask: CommandCall, looks: Sequence[Look]) -> Answer:
        """Record it, then write the file that decides; where that fails, the record is taken back."""
        endpoints = {_endpoint(look): tuple(key.same for key in look.offered) for look in looks}
        about, store = self._about(ask, "device trust", looks), self.context.store.host_keys
        store.trust(endpoints, about)
        note = _note(about.person, self.context.now())
        try:
            for look in looks:
                lines = [f"{key.line} {note}" for key in look.offered]
                known_hosts.trust(self.means.known_hosts, look.address, look.port, lines)
        except DriverError as error:
            store.revoke(endpoints, about, f"not written: {error}")
            return Answer(f"Nothing is trusted: {error}")
        return host_key_text.trusted(looks)

    def _untrust(self, ask: CommandCall, names: Sequence[str]) -> Answer:
        known, looks = KnownHosts(self.means.known_hosts), []
        for device in self.context.live.inventory.devices(tuple(names)):
            access = self.means.access(device)
            keys = tuple(self._key(key, access) for key in known.keys(access.host, access.port) if not key.revoked)
            if keys:
                looks.append(Look(device.name, access.host, access.port, known=keys))
        if not looks:
            return Answer(f"No host key of {render.names(names)} is known.")
        endpoints = {_endpoint(look): tuple(key.same for key in look.known) for look in looks}
        self.context.store.host_keys.revoke(endpoints, self._about(ask, "device untrust", looks))
        for look in looks:
            known_hosts.distrust(self.means.known_hosts, look.address, look.port)
        return self._untrusted(looks, known)

    def _untrusted(self, looks: Sequence[Look], known: KnownHosts) -> Answer:
        names = [look.device for look in looks]
        rows = [(look.device, *key.same, key.note) for look in looks for key in look.known]
        text = f"The host keys of {render.names(names)} are no longer trusted."
        left = [look.device for look in looks if any(not key.revoked for key in known.keys(look.address, look.port))]
        if left:
            file = self.means.known_hosts.name
            text += f" But a pattern in {file} still covers {render.names(left)}; an editor is needed there."
        return Answer(text, render.table(rows, limit=render.LINES_SHOWN), f"→ !device trust {names[0]}")


def _with(look: Look, *, offered: tuple[Key, ...] = (), problem: str = "") -> Look:
    return Look(look.device, look.address, look.port, offered, look.known, look.revoked, problem)


def _chosen(looks: Sequence[Look], typed: str) -> tuple[tuple[Look, ...], bool]:
    """Return what a confirmation is about, and whether the right thing was typed."""
    if len(looks) == 1:
        usable = looks[0].standing in {*host_key_text.TO_TRUST, Standing.CHANGED}
        return (looks[0],) if usable else (), looks[0].begins(typed)
    new = tuple(look for look in looks if look.standing in host_key_text.TO_TRUST)
    return new, typed == host_key_text.code(new)


def _key(ask: CommandCall, pattern: str) -> tuple[str, ...]:
    return ask.caller.network, ask.caller.id, ask.place.room, ask.place.thread, pattern


def _endpoint(look: Look) -> Endpoint:
    return Endpoint(look.device, look.address, look.port)


def _note(person: str, at: datetime) -> str:
    return f"{TRUSTED_BY}{one_line(person, 60)} on {at.strftime('%Y-%m-%d %H:%M UTC')}"
