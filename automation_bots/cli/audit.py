"""`automation-bots audit`: the record checked, exported and its key shown, beside a running bot or without one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automation_bots.store import Store

Add = Callable[..., argparse.ArgumentParser]


def add(commands: Any, add_command: Add) -> None:
    """Add the commands to the parser."""
    audit = commands.add_parser("audit", help="audit verify | export | key FOLDER")
    found = audit.add_subparsers(required=True, metavar="what")
    verify = add_command(
        found,
        "verify",
        _verify,
        "check the record's chain and its checkpoints; a bot's folder or its data folder",
        "folder",
    )
    verify.add_argument("--checkpoints", type=Path, metavar="FILE", help="checkpoints that were kept elsewhere")
    verify.add_argument("--key", help="the public key, as !audit key showed it")
    export = add_command(found, "export", _export, "write the record, or a time of it, for an auditor", "folder")
    export.add_argument("--from", dest="since", required=True, metavar="DAY", help="2026-11-01, in UTC")
    export.add_argument("--to", dest="until", metavar="DAY", help="2026-11-30, included; default: now")
    export.add_argument("--format", choices=("csv", "json"), default="csv")
    export.add_argument("--out", type=Path, metavar="FILE", help="default: printed")
    add_command(found, "key", _key, "show the public key that checkpoints are signed with", "folder")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _places(folder: Path) -> tuple[str | Path, Path]:
    """Where record and data of this folder are: a data folder, or a bot's, whose policy and inventory may be broken."""
    import os

    from automation_bots.config import settings
    from automation_bots.config.bot_folder import ROOT
    from automation_bots.config.secret_lookup import References
    from automation_bots.redaction.redactor import Redactor

    if (folder / "bot.db").is_file():
        return folder, folder
    wanted = settings.load(folder)
    data = settings.data_folder(wanted, folder, os.environ, ROOT)
    if not wanted.store.url:
        return data, data
    found = References(folder, wanted, os.environ, Redactor()).resolved({"url": wanted.store.url}, "store")
    return found["url"], data


def _open(record: str | Path) -> Store:
    from automation_bots.store import Store

    return Store.open(record, exclusive=False)


def _verify(parsed: argparse.Namespace) -> int:
    from automation_bots.audit import copy_check
    from automation_bots.commands import record as record_commands

    record, data = _places(Path(parsed.folder).resolve())
    signed, said = _signed(parsed, data)
    store = _open(record)
    try:
        rows = store.verify_audit(signed)
        copied = copy_check.check(data / "log" / "audit.jsonl", store)
    finally:
        store.close()
    _say(record_commands.whole(rows))
    _say(said)
    if copied:
        _say(f"So do the {copied} entries of its copy {data / 'log' / 'audit.jsonl'}.")
    return 0


def _signed(parsed: argparse.Namespace, data: Path) -> tuple[Mapping[int, Collection[str]], str]:
    """The checkpoints to compare with, and what the comparison is worth."""
    from automation_bots import render
    from automation_bots.audit import checkpoints
    from automation_bots.audit.keeper import KEY

    file, own_key = parsed.checkpoints or data / "log" / "checkpoints.jsonl", (data / KEY).with_suffix(".pub")
    key = parsed.key or (own_key.read_text().strip() if own_key.is_file() else "")
    if not key or not (parsed.checkpoints or file.is_file()):
        return (
            {},
            "There is no checkpoint to compare it with: a record written anew from the start would look the same.",
        )
    signed = checkpoints.checked(checkpoints.read(file), key)
    newest = max(signed, default=0)
    said = f"It agrees with {render.many(len(signed), 'signed checkpoint')}, the newest of record {newest}."
    if not (parsed.key and parsed.checkpoints):
        said += " (Give --key and --checkpoints from elsewhere: who has this folder can make both anew.)"
    return signed, said


def _export(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import now
    from automation_bots.audit import export
    from automation_bots.commands import record as record_commands
    from automation_bots.model import File

    words = ["from", parsed.since, *(["to", parsed.until] if parsed.until else [])]
    since, until = export.period(words, now())
    store = _open(_places(Path(parsed.folder).resolve())[0])
    try:
        rows = list(record_commands.between(store, since, until))
    finally:
        store.close()
    text = record_commands.written(parsed.format, rows)
    if parsed.out is None:
        sys.stdout.write(text)
        return 0
    _write(parsed.out, File.of_text(f"record.{parsed.format}", text).content)
    _say(f"{len(rows)} entries written to {parsed.out}")
    return 0


def _write(path: Path, content: bytes) -> None:
    """For its owner alone: it says who did what."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)


def _key(parsed: argparse.Namespace) -> int:
    from automation_bots.audit.keeper import KEY
    from automation_bots.errors import StoreError

    file = (_places(Path(parsed.folder).resolve())[1] / KEY).with_suffix(".pub")
    if not file.is_file():
        raise StoreError(f"There is no key yet ({file}); the bot makes it when it starts.")
    _say(file.read_text().strip())
    return 0
