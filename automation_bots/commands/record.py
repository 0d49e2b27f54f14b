"""Answers about the record: what is in it, whether it is whole, and the whole of it as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.audit import export
from automation_bots.commands import help_text
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, File, one_line
from automation_bots.store import AuditKind, AuditRow, Criteria, Store, Subject
from automation_bots.text import times

_AT_ONCE = 1000
_FILTERS = ("person", "device", "operation", "kind", "job", "since", "until", "limit")
MOST_IN_CHAT = 50_000  # entries in one file


class RecordCommands:
    """`!audit` and what stands behind it."""

    def __init__(self, context: CommandContext, public_key: str) -> None:
        self._context, self._public_key = context, public_key

    def audit(self, ask: CommandCall) -> Answer:
        """The record, newest first, filtered by key=value; or verify, key, export."""
        denied = self._context.pipeline.plugin_commands.judge(ask.caller, ask.place, "audit")
        if denied is not None:
            return denied
        word = ask.words[0].lower() if ask.words else ""
        if word == "verify":
            count = self._context.store.verify_audit()
            return Answer(whole(count))
        if word == "key":
            return Answer(
                "This bot signs the checkpoints of its record with the key whose public half is:",
                self._public_key,
                "Keep it, and the checkpoints, where the bot's machine cannot change them.",
            )
        return self._export(ask) if word == "export" else self._rows(ask)

    def _rows(self, ask: CommandCall) -> Answer:
        criteria, limit = self._filters(ask.words)
        rows = self._context.store.audit_rows(limit=limit, **criteria)
        if not rows:
            return Answer("No such entries.")
        zone = self._context.live.policy.timezone
        shown = [help_text.audit_row(row, zone) for row in rows]
        hint = f"→ older ones: !audit until={_seconds(rows[-1].at, zone)} …" if len(rows) == limit else ""
        return Answer(f"{len(rows)} entries, newest first, times in {zone}:", render.table(shown), hint)

    def _export(self, ask: CommandCall) -> Answer:
        words = ask.words[1:]
        forms = [word for word in words if word.lower() in {"csv", "json"}]
        since, until = export.period([word for word in words if word not in forms], self._context.now())
        rows = list(between(self._context.store, since, until, MOST_IN_CHAT + 1))
        if len(rows) > MOST_IN_CHAT:
            raise BadCommand(
                f"These are more than {MOST_IN_CHAT} entries, too many for a chat. Take a shorter period, or on the "
                "bot's machine:  automation-bots audit export <folder> --from … --to …"
            )
        if not rows:
            return Answer("There is no entry from that time.")
        if ask.trial:
            return TRIED
        person, name = self._context.person(ask), f"audit-{since:%Y%m%d}-{until - timedelta(seconds=1):%Y%m%d}"
        body = {"from": since, "to": until, "entries": len(rows)}
        self._context.store.record(AuditKind.EXPORTED, body, Subject(person.name, ask.caller, ask.place, "audit"))
        files = tuple(File.of_text(f"{name}.{form}", written(form, rows)) for form in dict.fromkeys(forms or ["csv"]))
        return Answer(f"{len(rows)} entries from {since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC.", files=files)

    def _filters(self, words: Sequence[str]) -> tuple[Criteria, int]:
        criteria, limit = Criteria(), 50
        for word in _filled(words):
            key, equals, value = (part.strip("\"'") for part in word.partition("="))
            if not equals or not value:
                raise BadCommand(f"Filters: {', '.join(f'{name}=' for name in _FILTERS)}. → !help audit")
            if key == "limit":
                limit = min(_number(key, value), 500)
            else:
                criteria.update(self._criterion(key, value))
        return criteria, limit

    def _criterion(self, key: str, value: str) -> Criteria:
        if key == "person":
            return {"person": value}
        if key == "device":
            return {"device": value}
        if key == "operation":
            return {"operation": value}
        if key == "job":
            return {"job": _number(key, value)}
        if key == "kind":
            return {"kind": _kind(value)}
        if key == "since":
            return {"since": self._past(key, value)}
        if key == "until":
            return {"until": self._past(key, value)}
        raise BadCommand(f"{one_line(key, 30)!r} is no filter; known: {', '.join(_FILTERS)}")

    def _past(self, key: str, value: str) -> datetime:
        try:
            return times.past(value, self._context.now(), self._context.live.policy.timezone)
        except ValueError as error:
            raise BadCommand(f"{key}: {error}.") from error


def _seconds(at: datetime, zone: str) -> str:
    """A moment as `until=` takes it."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"


def whole(entries: int) -> str:
    """What is said of a record that is as it was written."""
    chained = f"The record is whole: {entries} entries, each chained to the one before"
    return f"{chained}; devices, votes, outcomes and schedules agree with it."


def between(store: Store, since: datetime, until: datetime, most: int | None = None) -> Iterator[AuditRow]:
    """Yield the rows of a time, oldest first."""
    last, left = 0, most
    while rows := store.audit_after(last, min(_AT_ONCE, left or _AT_ONCE), since=since, until=until):
        yield from rows
        last = rows[-1].seq
        if left is not None and (left := left - len(rows)) <= 0:
            return


def written(form: str, rows: Sequence[AuditRow]) -> str:
    """Write rows as csv or json."""
    return export.as_json(rows) if form.lower() == "json" else export.as_csv(rows)


def _number(key: str, value: str) -> int:
    digits = value.lstrip("#")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
        raise BadCommand(f"{key} must be a number, got {one_line(value, 30)!r}")
    return int(digits)


def _kind(value: str) -> AuditKind:
    kinds = {kind.value.replace(" ", "-"): kind for kind in AuditKind}
    if value not in kinds:
        raise BadCommand(f"kind is one of {', '.join(kinds)}")
    return kinds[value]


def _filled(words: Sequence[str]) -> list[str]:
    """Join the words of a value that has several, as `since=1d 12h`."""
    found: list[str] = []
    for word in words:
        if "=" in word or not found:
            found.append(word)
        else:
            found[-1] += f" {word}"
    return found
