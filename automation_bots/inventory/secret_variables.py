"""Which variables are secrets, by their name or by coming out of Vault; only the child process imports this."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Any

from ansible import constants
from ansible._internal._datatag._tags import Origin, VaultedValue
from ansible.parsing.vault import EncryptedString

from automation_bots.inventory.strict_sources import is_vault

Variables = dict[str, Any]
Layer = tuple[Variables, list[str]]  # the plain variables of one origin, and the names of its secret ones

SECRET_NAME = re.compile(
    r"password|passwd|passphrase|secret|token|api_?key|private_key$|(^|_)(pass|pwd)$", re.IGNORECASE
)


class _SecretFound(Exception):
    """A value, or a part of it, must not be written anywhere."""


def layer(variables: Mapping[str, Any], *, all_secret: bool = False) -> Layer:
    """Part the variables of one host or group into plain ones, as JSON can hold them, and the names of secrets."""
    shown: Variables = {}
    secrets: list[str] = []
    for name, value in variables.items():
        if name in constants.INTERNAL_STATIC_VARS:
            continue
        try:
            shown[_key(name, all_secret=all_secret)] = _plain(value)
        except _SecretFound:
            secrets.append(str(name))
    return shown, secrets


def leaves(value: Any, *, secret: bool) -> Iterator[str]:
    """Yield the texts inside a value that must never be shown; `secret` says that all of it is."""
    secret = secret or _is_encrypted(value)
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, secret=secret or SECRET_NAME.search(str(name)) is not None)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, secret=secret)
    # a number of one or two digits is in every output, and hiding it would hide the output
    elif secret and (isinstance(value, str) or (isinstance(value, int | float) and len(str(value)) > 3)):
        yield str(value)


def _plain(value: Any) -> Any:
    if _is_encrypted(value):
        raise _SecretFound
    if isinstance(value, Mapping):
        return {_key(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float) else str(value)


def _key(name: Any, *, all_secret: bool = False) -> str:
    if all_secret or SECRET_NAME.search(str(name)):
        raise _SecretFound
    return str(name)


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, EncryptedString) or VaultedValue.is_tagged_on(value):
        return True
    origin = Origin.get_tag(value)
    return origin is not None and origin.path is not None and is_vault(origin.path)
