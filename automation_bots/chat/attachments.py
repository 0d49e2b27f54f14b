"""The file that came with a command, as the command's text."""

from __future__ import annotations

from automation_bots.chat.client import Attached, Rejected
from automation_bots.errors import BadCommand, in_words

_FILE_BYTES = 200_000  # more is no text that somebody typed


def text_of(files: tuple[Attached, ...]) -> str:
    """The one small text file that came with a command."""
    if len(files) > 1:
        raise BadCommand(f"You sent {len(files)} files; send one.")
    file = files[0]
    if file.size > _FILE_BYTES:
        raise BadCommand(f"{file.name} has {file.size} bytes; I read at most {_FILE_BYTES} of a file.")
    try:
        content = file.fetch()
        if len(content) > _FILE_BYTES or b"\0" in content:
            raise BadCommand(f"{file.name} is too long or no text.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCommand(f"{file.name} is no text in UTF-8.") from None
    except (OSError, Rejected) as error:
        raise BadCommand(
            f"{file.name} cannot be fetched now ({in_words(error)}); nothing was done. Try again."
        ) from error
