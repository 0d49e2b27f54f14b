"""What snmptrapd gives to its traphandle: the sender, then a line for each value, with numbers for names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from automation_bots.errors import BadPayload

_SENDER = re.compile(r"\S{1,20}: \[(?P<address>[\dA-Fa-f:.]{2,45})(?:%\w{1,20})?\]")
_VARIABLE = re.compile(r"\.?(?P<oid>[0-2](?:\.\d{1,10}){1,127})(?: (?P<value>.*))?")
_HEX = re.compile(r"(?:[0-9A-F]{2}\s+)+")
_UPTIME, _TRAP = "1.3.6.1.2.1.1.3.0", "1.3.6.1.6.3.1.1.4.1.0"
_AGENT = "1.3.6.1.6.3.18.1.3.0"
_COMMUNITY = "1.3.6.1.6.3.18.1.4.0"  # a password of the device: kept nowhere
_ENTERPRISE = "1.3.6.1.6.3.1.1.4.3.0"
_MOST = 60  # values of one trap that are kept


@dataclass(frozen=True, slots=True)
class Trap:
    """One trap or inform: its name as a number, who sent it, and its values in their order."""

    oid: str
    sender: str  # the address that it came from
    agent: str = ""  # whom a version 1 trap is of, by its own word: another one where somebody passed it on
    uptime: str = ""
    values: tuple[tuple[str, str], ...] = ()


def read(body: bytes) -> Trap:
    """Read what one call of the traphandle got; BadPayload where it is not that."""
    lines = body.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    sender = next((found["address"] for line in lines[:2] if (found := _SENDER.match(line))), "")
    if not sender:
        raise BadPayload("the second line names no sender as snmptrapd does, `UDP: [192.0.2.1]:…`")
    known: dict[str, str] = {}
    values: list[tuple[str, str]] = []
    for oid, value in _variables(lines[2:]):
        if oid in (_UPTIME, _TRAP, _AGENT, _COMMUNITY, _ENTERPRISE):
            known.setdefault(oid, value)
        elif len(values) < _MOST:
            values.append((oid, value))
    name = known.get(_TRAP, "").removeprefix(".")
    if not re.fullmatch(r"[0-2](?:\.\d{1,10}){1,127}", name):
        raise BadPayload("no line names the trap by its number: is snmptrapd started with -On and MIBS empty?")
    return Trap(name, sender, known.get(_AGENT, ""), known.get(_UPTIME, ""), tuple(values))


def _variables(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each number with its value; a text in quotes may go on over several lines, whatever stands in them."""
    at = 0
    while at < len(lines):
        found = _VARIABLE.fullmatch(lines[at])
        at += 1
        if not found:
            continue
        value = found["value"] or ""
        while value.startswith('"') and not _closed(value) and at < len(lines):
            value = f"{value}\n{lines[at]}"
            at += 1
        yield found["oid"], _plain(value)


def _closed(value: str) -> bool:
    body = value[1:].rstrip(" ")
    return body.endswith('"') and (len(body) - len(body[:-1].rstrip("\\"))) % 2 == 1


def _plain(value: str) -> str:
    """A text without its quotes; one that snmptrapd printed as numbers is text again where it is one."""
    if not (value.startswith('"') and len(value) > 1):
        return value
    text = value.rstrip(" ")[1:].removesuffix('"')
    if not _HEX.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
    raw = bytes.fromhex(text)
    try:
        said = raw.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        return " ".join(text.split())
    return said if said and all(char.isprintable() or char in "\r\n\t" for char in said) else " ".join(text.split())
