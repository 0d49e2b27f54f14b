"""The file by which a bot's keys go to the people of another: whose, which, and which earlier key vouches for them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from automation_bots.errors import UserError, in_words
from automation_bots.model import one_line
from automation_bots.secrets.envelopes import Keys, PublicKeys, canonical, strict
from automation_bots.store.schema import stamp

PURPOSE = "peer card"
_LONGEST = 10_000  # characters of a file
_COMMENT = """# The keys of the bot "{bot}". Nothing here is secret, but it must come from where you think it does.
# Compare {fingerprint}
# with what `automation-bots peer list` or !peers shows there.
# Then: automation-bots peer trust <the folder of your bot> <this file>
"""


class BadCard(UserError):
    """A file that is no card, or one that is not trusted as things are."""


@dataclass(frozen=True, slots=True)
class Card:
    """A bot's name and keys, signed by these keys, and by earlier ones that vouch for them."""

    bot: str
    keys: PublicKeys
    signatures: tuple[tuple[str, bytes], ...] = ()  # of earlier keys, by their fingerprints

    def vouched_by(self, keys: PublicKeys) -> bool:
        """Whether an earlier key says that these are the new ones."""
        return any(
            name == keys.fingerprint and keys.made(PURPOSE, _text(self.bot, self.keys), signature)
            for name, signature in self.signatures
        )


def _text(bot: str, keys: PublicKeys) -> str:
    return canonical({"bot": bot, "keys": keys.text})


def written(bot: str, keys: Keys, at: datetime, *earlier: Keys) -> str:
    """Return the text of the file."""
    text = _text(bot, keys.public)
    signed = {one.public.fingerprint: _shown(one.sign(PURPOSE, text)) for one in earlier}
    body = {"bot": bot, "keys": keys.public.text, "at": stamp(at), "signature": _shown(keys.sign(PURPOSE, text)),
            "earlier": signed}  # fmt: skip
    return f"{_COMMENT.format(bot=bot, fingerprint=keys.public.fingerprint)}{canonical(body)}\n"


def of_file(path: Path) -> Card:
    """Read a file; BadCard says what is wrong with it."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise BadCard(f"{path} cannot be read: {in_words(error)}") from error
    return read(text, str(path))


def read(text: str, where: str) -> Card:
    """Read the text of a file."""
    lines = [line for line in text[:_LONGEST].splitlines() if line.strip() and not line.startswith("#")]
    try:
        return _card(strict("\n".join(lines)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        why = one_line(str(error), 80)
        raise BadCard(f"{where} is no key of a bot ({why}). Write it anew there: automation-bots peer key") from error


def _card(body: Any) -> Card:
    bot, keys = body["bot"], PublicKeys.of_text(body["keys"])
    if not isinstance(bot, str) or not keys.made(PURPOSE, _text(bot, keys), _raw(body["signature"])):
        raise ValueError("its keys did not sign it")
    signatures = tuple((str(name), _raw(one)) for name, one in body.get("earlier", {}).items())
    return Card(bot, keys, signatures)


def _shown(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
