"""`automation-bots peer`: a bot's own key, and which other bots it trusts; beside a running bot or without one."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automation_bots.config.bot_folder import BotFolder
    from automation_bots.peers.cards import Card
    from automation_bots.peers.trust import OwnKeys, TrustFile

Add = Callable[..., argparse.ArgumentParser]


def add(commands: Any, add_command: Add) -> None:
    """Add the commands to the parser."""
    peer = commands.add_parser("peer", help="peer key | trust | list | rotate | revoke FOLDER …")
    found = peer.add_subparsers(required=True, metavar="what")
    key = add_command(found, "key", _key, "write the file that other bots trust this one by", "folder")
    key.add_argument("--out", type=Path, metavar="FILE", help="default: printed")
    trust = add_command(found, "trust", _trust, "look at another bot's file and trust it", "folder", "file")
    trust.add_argument("--fingerprint", metavar="SHA256:…", help="trust without asking, if it is this one")
    trust.add_argument("--replace", action="store_true", help="although another key of that bot is trusted")
    add_command(found, "list", _list, "show which bots are trusted, by which keys", "folder")
    rotate = add_command(found, "rotate", _rotate, "go over to a new key: first its file, then --finish", "folder")
    rotate.add_argument("--finish", action="store_true", help="sign with the new key from now on")
    add_command(found, "revoke", _revoke, "trust a bot no more, and its keys never again", "folder", "bot")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _bot(folder: str) -> tuple[BotFolder, OwnKeys, TrustFile]:
    from automation_bots.app.peers import key_files
    from automation_bots.config.bot_folder import BotFolder

    bot = BotFolder(Path(folder))
    return bot, *key_files(bot.data)


def _key(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import now
    from automation_bots.peers import cards

    bot, own, _ = _bot(parsed.folder)
    text = cards.written(bot.settings.name, own.signs, now())
    if parsed.out is None:
        sys.stdout.write(text)
    else:
        parsed.out.write_text(text)
        _say(f"Written to {parsed.out}. Its fingerprint, for whoever trusts it: {own.signs.public.fingerprint}")
    return 0


def _trust(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import now
    from automation_bots.peers import cards
    from automation_bots.peers.cards import BadCard

    bot, own, file = _bot(parsed.folder)
    card, trusted = cards.of_file(Path(parsed.file)), file.now
    if card.bot == bot.settings.name or card.keys == own.signs.public:
        raise BadCard(f"{parsed.file} is the key of this bot itself; it goes to the others.")
    changed = trusted.adding(card, getpass.getuser(), now(), replaces=parsed.replace)
    _say(f"{card.bot} has the key {card.keys.fingerprint}")
    _say(f"{bot.settings.name} (this bot) has {own.signs.public.fingerprint}")
    if not _is_sure(parsed.fingerprint, card):
        _say("Nothing was changed.")
        return 1
    file.write(changed)
    _say(f"Trusted. {_then(bot, card)}")
    return 0


def _is_sure(fingerprint: str | None, card: Card) -> bool:
    from automation_bots.peers.cards import BadCard

    if fingerprint is not None:
        if fingerprint.strip() != card.keys.fingerprint:
            raise BadCard(f"It is not {fingerprint}, so somebody may have changed the file. Nothing was changed.")
        return True
    question = f"Compare it with what `automation-bots peer list` or !peers shows at {card.bot}. The same? [yes/no] "
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:  # nobody is there to ask
        return False


def _then(bot: BotFolder, card: Card) -> str:
    if card.bot not in bot.settings.peers.bots:
        return f"It is asked, and may ask, when bot.toml has [peers.{card.bot}] and [peers] queue."
    return "A running bot knows it at once."


def _list(parsed: argparse.Namespace) -> int:
    bot, own, file = _bot(parsed.folder)
    _say(f"{bot.settings.name} (this bot) {own.signs.public.fingerprint}")
    for name, one in sorted(file.now.bots.items()):
        for key in one.keys:
            _say(f"{name} {key.fingerprint} trusted by {one.by} at {one.at}")
    for fingerprint in sorted(file.now.revoked):
        _say(f"revoked {fingerprint}")
    return 0


def _rotate(parsed: argparse.Namespace) -> int:
    from automation_bots.app.bot import now
    from automation_bots.peers import cards

    bot, own, _ = _bot(parsed.folder)
    if parsed.finish:
        _say(f"{bot.settings.name} signs with {own.go_over().public.fingerprint} from now on. The old key is gone.")
        return 0
    old, new = own.signs, own.prepare()
    sys.stdout.write(cards.written(bot.settings.name, new, now(), old))
    sys.stderr.write(
        "This file is for the other bots: automation-bots peer trust there. The old key vouches for it, and both are"
        " good meanwhile. When all have it: automation-bots peer rotate --finish\n"
    )
    return 0


def _revoke(parsed: argparse.Namespace) -> int:
    _, _, file = _bot(parsed.folder)
    file.write(file.now.without(parsed.bot))
    _say(f"{parsed.bot} is trusted no more, and its keys never again.")
    return 0
