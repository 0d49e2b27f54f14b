"""The command `automation-bots db`: the record's tables, backup, restore, and its move to another database."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # argparse has no public name for it
    """Add the commands."""
    parser = commands.add_parser("db", help="db status|migrate|backup|restore|move FOLDER")
    kinds = parser.add_subparsers(required=True, metavar="what")
    for name, action, help_ in (
        ("status", _status, "how much the record holds; beside a running bot"),
        ("migrate", _migrate, "bring the tables up to date, as the next start would"),
    ):
        one = kinds.add_parser(name, help=help_, description=help_, allow_abbrev=False)
        one.add_argument("folder", help="the bot's folder")
        one.set_defaults(action=action)
    for name, action, help_, where in (
        ("backup", _backup, "write the record as one SQLite file; beside a running bot", "the file to write"),
        ("restore", _restore, "put a backup into the bot's empty record; the bot must not run", "the backup"),
        (
            "move",
            _move,
            "copy the record elsewhere; the bot must not run",
            "env:NAME of a URL, or a folder",
        ),
    ):
        one = kinds.add_parser(name, help=help_, description=help_, allow_abbrev=False)
        one.add_argument("folder", help="the bot's folder")
        one.add_argument("where", help=where)
        one.set_defaults(action=action)


def _record(parsed: argparse.Namespace) -> str | Path:
    from automation_bots.app.bot import Bot

    return Bot(Path(parsed.folder), read_only=True).bot_folder.record


def _data(parsed: argparse.Namespace) -> Path:
    from automation_bots.app.bot import Bot

    return Bot(Path(parsed.folder), read_only=True).bot_folder.data


def _say(text: str) -> int:
    sys.stdout.write(f"{text}\n")
    return 0


def _status(parsed: argparse.Namespace) -> int:
    from automation_bots.store import backup as moving

    rows = moving.status(_record(parsed))
    return _say("\n".join(f"{name:<16} {count:>10}" for name, count in rows.items()))


def _migrate(parsed: argparse.Namespace) -> int:
    from automation_bots.store import backup as moving

    moving.migrate(_record(parsed))
    return _say("The tables are up to date.")


def _backup(parsed: argparse.Namespace) -> int:
    from automation_bots.store import backup as moving

    length = moving.backup(_record(parsed), Path(parsed.where))
    keys = moving.keep_keys(_data(parsed), Path(parsed.where))
    also = f"\nThe bot's keys are in {keys}: keep them as you keep passwords." if keys else ""
    return _say(f"Wrote {parsed.where}: the whole record, {length} audit entries, checked.{also}")


def _restore(parsed: argparse.Namespace) -> int:
    from automation_bots.store import backup as moving

    length = moving.restore(Path(parsed.where), _record(parsed))
    keys = moving.put_keys(Path(parsed.where), _data(parsed))
    also = f"Its keys are in {keys}." if keys else "No keys are beside it: apps enrolled then are dead without them."
    return _say(
        f"Restored {parsed.where}: {length} audit entries, checked. {also}\n"
        "What was pending then waits until somebody says what goes on: !pending"
    )


def _move(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import Bot
    from automation_bots.config.settings import StoreSettings
    from automation_bots.errors import StoreError
    from automation_bots.secrets import references as secrets
    from automation_bots.store import backup as moving

    target = parsed.where
    try:
        StoreSettings(url=target)
        url = secrets.resolve(target, dict(os.environ), Path(parsed.folder))
    except ValueError:
        raise StoreError("Others can see the words of a command; put the URL into the environment: env:NAME") from None
    except LookupError as error:
        raise StoreError(str(error)) from error
    bot_folder = Bot(Path(parsed.folder), read_only=True).bot_folder
    home = (
        "://" not in url and Path(url).resolve() == bot_folder.data.resolve() and bot_folder.record != bot_folder.data
    )
    aside = moving.set_aside(bot_folder.data) if home else None
    length = moving.move(bot_folder.record, url)
    return _say(
        f"Copied: {length} audit entries, checked. The old record is as it was. {_keys(bot_folder.data, target, url)}"
        + (f"\nThe record that was left here when it was moved away is now {aside}." if aside else "")
    )


def _keys(data: Path, target: str, url: str) -> str:
    """Say every key of bot.toml that must change with a move, and what does not move by itself."""
    if "://" in url:
        return f'Now write into bot.toml:  url = "{target}"  below [store]; leave data as it is.'
    if Path(url).resolve() == data.resolve():
        return "Now take the key url below [store] out of bot.toml."
    return (
        f'Now write into bot.toml:  data = "{target}"  and take the key url below [store] out, if it is there. '
        f"Only the record was copied: move keys/ and all else from {data} yourself before the start."
    )
