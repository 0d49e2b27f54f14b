"""Every error of the package, split by who can act on it.

AutomationError
├── UserError            shown in chat as it is: what happened, on what, what to do next
│   ├── BadCommand       the words do not make a command
│   ├── BadParameter     a value has the wrong type, is out of limits, or is missing
│   ├── UnknownDevice    a pattern names nothing that this person may see
│   ├── NoSuchJob        no job has that number
│   └── BadRepository    a repository of plugins cannot be installed as it is
├── DefinitionError      a file of an admin (verb, playbook, function, policy, bot.toml) is wrong: file, line, reason
│   └── ConfigError      the same, and it stops the start
├── DriverError          a driver could not even try; its short form is shown
├── BadPayload           what somebody sent is not what was agreed on; nothing of it is kept
└── StoreError           the record cannot be written or read; nothing may start
"""

import re
from pathlib import Path

_NUMBER = re.compile(r"\[(?:Errno|WinError|SSL(?:: \w+)?)\s?(?:None|-?\d*)\] ?")
_FILE = re.compile(r": '[^'\n]*'(?: -> '[^'\n]*')?$")


def in_words(error: BaseException) -> str:
    """Say what went wrong as people say it: the system's own words, without its numbers."""
    if isinstance(error, OSError) and error.strerror:
        return _NUMBER.sub("", str(error.strerror))
    text = _NUMBER.sub("", str(error)).strip()
    if text != str(error).strip():
        text = _FILE.sub("", text)
    return text or ("no answer in time" if isinstance(error, TimeoutError) else type(error).__name__)


def without_numbers(text: str) -> str:
    """Take the system's numbers out of what another program says."""
    return _NUMBER.sub("", text)


class AutomationError(Exception):
    """The root: nothing else is raised on purpose."""

    @property
    def plain(self) -> str:
        """What a room may read of it."""
        return str(self)


class UserError(AutomationError):
    """The person who typed can mend this; the text is shown in chat."""


class BadCommand(UserError):
    """The words do not make a command."""


class BadParameter(UserError):
    """A parameter is missing, has the wrong type, or is out of its limits."""


class UnknownDevice(UserError):
    """A device pattern names nothing that this person may see."""


class NoSuchJob(UserError):
    """No job has that number, or this person may not see it."""


class BadRepository(UserError):
    """A repository of plugins cannot be fetched, looked at, installed or loaded."""


class DefinitionError(AutomationError):
    """A file is wrong; says which one, where, and how to mend it."""

    def __init__(self, path: Path | str, reason: str, line: int | None = None) -> None:
        self.path = Path(path)
        self.reason = reason
        self.line = line
        super().__init__(f"{path}{f', line {line}' if line else ''}: {reason}")


class ConfigError(DefinitionError):
    """A file that the bot cannot start without is wrong."""


class DriverError(AutomationError):
    """A driver could not even try: a tool or package is missing, a setting is wrong."""


class BadPayload(AutomationError):
    """What somebody sent is not what was agreed on; the text says where, and repeats nothing of it."""


class StoreError(AutomationError):
    """The store cannot be read or written; where it is may stand in the text, and not in `plain`."""

    def __init__(self, text: str, plain: str = "") -> None:
        super().__init__(text)
        self._plain = plain or text

    @property
    def plain(self) -> str:
        """The same without the place."""
        return self._plain
