"""What a device's offered host keys mean beside those that are known, and how that is shown. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from automation_bots import render
from automation_bots.model import Answer, File, one_line

CODE_LENGTH = 6  # characters of a fingerprint that a person types to confirm: 36 bits
_SHA = "SHA256:"


class Standing(StrEnum):
    """What a device's keys are to this bot; the values are what people read."""

    NEW = "new"
    MORE = "has more kinds of keys than are known"
    KNOWN = "known"
    CHANGED = "CHANGED"
    REVOKED = "REVOKED"
    SILENT = "not reached"


TO_TRUST = {Standing.NEW, Standing.MORE}


@dataclass(frozen=True, slots=True)
class Key:
    """One host key; `note` says who trusted it when that is known."""

    type: str
    fingerprint: str
    note: str = ""
    line: str = ""  # as known_hosts writes it

    @property
    def same(self) -> tuple[str, str]:
        """What tells it from another."""
        return self.type, self.fingerprint


@dataclass(frozen=True, slots=True)
class Look:
    """One device: what it offered now, what is known of it, or why it could not be asked."""

    device: str
    address: str
    port: int
    offered: tuple[Key, ...] = ()
    known: tuple[Key, ...] = ()
    revoked: tuple[Key, ...] = ()
    problem: str = ""

    @property
    def where(self) -> str:
        """The device with its address."""
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.device} ({address}:{self.port})"

    @property
    def standing(self) -> Standing:
        """What these keys are to the bot; any doubt counts as a change."""
        if self.problem or not self.offered:
            return Standing.SILENT
        offered, known = ({key.same for key in keys} for keys in (self.offered, self.known))
        if offered & {key.same for key in self.revoked}:
            return Standing.REVOKED
        if not known:
            return Standing.NEW
        if offered <= known:
            return Standing.KNOWN
        fresh = {kind for kind, _ in offered - known}
        return Standing.CHANGED if fresh & {kind for kind, _ in known} or not offered & known else Standing.MORE

    @property
    def first(self) -> str:
        """The fingerprint that stands for the device in a table: of the kind that people look up first."""
        ordered = sorted(self.offered, key=lambda key: (key.type != "ssh-ed25519", key.type))
        return f"{ordered[0].type} {ordered[0].fingerprint}" if ordered else ""

    def begins(self, typed: str) -> bool:
        """Whether what a person typed is the beginning of a fingerprint that was offered."""
        typed = typed.removeprefix(_SHA)
        return len(typed) >= CODE_LENGTH and any(
            key.fingerprint.removeprefix(_SHA).startswith(typed) for key in self.offered
        )


def code(looks: Sequence[Look]) -> str:
    """A short digest of all keys that one confirmation would trust."""
    text = "\n".join(sorted(f"{look.where} {' '.join(key.same)}" for look in looks for key in look.offered))
    return hashlib.sha256(text.encode()).hexdigest()[: CODE_LENGTH + 2]


_SENTENCE = {
    Standing.NEW: "{where} is not known yet. Compare a fingerprint with one that you read at the device itself.",
    Standing.MORE: "{where} is known, and offers more kinds of keys.",
    Standing.KNOWN: "{where} offers the keys that are known; there is nothing to confirm.",
    Standing.CHANGED: "{where} offers OTHER keys than those that are known. Somebody may be in between: confirm only "
    "if the device was set up anew, and compare at the device itself.",
    Standing.REVOKED: "{where} offers a key that is marked as revoked; it cannot be trusted from chat.",
    Standing.SILENT: "{where} could not be asked: {problem}",
}


def one(look: Look, command: str) -> Answer:
    """Show one device; `command` is what to type to confirm, without the code."""
    text = _SENTENCE[look.standing].format(where=look.where, problem=one_line(look.problem, 300))
    hint = ""
    if look.standing in {*TO_TRUST, Standing.CHANGED}:
        hint = f"→ {command} yes <the first {CODE_LENGTH} characters behind {_SHA} of one of them>"
    return Answer(text, render.table(_rows(look)), hint)


def _rows(look: Look) -> list[tuple[str, ...]]:
    """Offered keys first, then what is known and was not offered."""
    known = {key.same: key.note for key in look.known}
    revoked = {key.same for key in look.revoked}
    rows: list[tuple[str, ...]] = []
    for key in look.offered:
        said = "REVOKED" if key.same in revoked else "not known"
        if key.same in known:
            said = ", ".join(part for part in ("known", known[key.same]) if part)
        rows.append(("offered", *key.same, said))
    offered = {key.same for key in look.offered}
    for key in look.known:
        if key.same not in offered:
            rows.append(("known", *key.same, key.note if look.problem else f"not offered now {key.note}".strip()))
    return rows


def several(looks: Sequence[Look], command: str) -> Answer:
    """Show many devices: what needs a person first; one code confirms all that are new."""
    new = [look for look in looks if look.standing in TO_TRUST]
    order = [Standing.REVOKED, Standing.CHANGED, Standing.SILENT, Standing.NEW, Standing.MORE, Standing.KNOWN]
    counts = [(sum(look.standing is standing for look in looks), standing) for standing in order]
    text = f"{len(looks)} devices: {', '.join(f'{number} {standing}' for number, standing in counts if number)}."
    if any(look.standing is Standing.CHANGED for look in looks):
        text += " A changed key is confirmed for its device alone."
    ordered = sorted(looks, key=lambda look: (order.index(look.standing), look.device))
    rows = [(look.device, look.standing.value, look.first or one_line(look.problem, 120)) for look in ordered]
    every = [(look.where, look.standing.value, *row) for look in ordered for row in _rows(look)]
    file = File.of_text("host-keys.txt", render.table(every, limit=100_000))
    hint = f"→ {command} yes {code(new)}  trusts the {len(new)} new" if new else ""
    return Answer(text, render.table(rows, limit=render.LINES_SHOWN), hint, (file,) if len(looks) > 1 else ())


def trusted(looks: Sequence[Look]) -> Answer:
    """Say what is trusted now."""
    names = [look.device for look in looks]
    block = ""
    if len(looks) == 1:
        block = render.table([key.same for key in looks[0].offered])
    verb = "is" if len(names) == 1 else "are"
    return Answer(f"{render.names(names)} {verb} trusted now.", block, f"→ !device untrust {names[0]} undoes it")
