"""What a message of syslog says: RFC 5424, RFC 3164, and what devices send instead. Pure; nothing is ever refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from automation_bots.alerts.sources.syslog import head as heads
from automation_bots.alerts.sources.syslog.line import Line

TEXT_LIMIT = 2_000  # characters of a text that are kept
_FIELDS, _VALUE = 40, 300
_PRIORITY = re.compile(r"<(\d{1,3})>")
_ELEMENT = re.compile(r'\[(?P<id>[^\s=\]"]{1,64})(?P<pairs>(?: +[^\s=\]"]{1,64}="(?:[^"\\]|\\.)*")*) ?\]')
_PARAMETER = re.compile(r'([^\s=\]"]{1,64})="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r'\\(["\\\]])')

_COMMAND = re.compile(r"(logged command:)(?=\S)")  # whoever looks for secrets knows a command by where it begins
_CISCO = re.compile(r"%(?P<name>[\w-]{1,80}?)-+(?P<severity>[0-7EWINDCAF])-(?P<event>\w{1,80}) ?:\s*")
_HUAWEI = re.compile(r"%%\d\d(?P<name>\w{1,40})/(?P<severity>[0-7])/(?P<event>\w{1,80})(?:\(\w\))?(?:\[\d*\])?:\s*")
_FRR = re.compile(r"%(?P<event>[A-Z][A-Z0-9_]{2,60}):\s*")
_JUNOS = re.compile(r"(?P<event>[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+):\s+")
_NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_PROGRAM = re.compile(r"(?P<program>[\w./@()-]{1,64}?)(?:\[(?P<pid>[^\]\s]{0,40})\])? ?:(?=\s|%|$)\s*")
_LETTERS = {"F": 0, "A": 1, "C": 2, "E": 3, "W": 4, "N": 5, "I": 6, "D": 7}  # Cisco's small switches

_FORTINET = re.compile(r"(?:^|\s)(?:devname|devid|device_id)=")
_PAIR = re.compile(r'([A-Za-z][\w-]{0,40})=(?:"((?:[^"\\]|\\.)*)"|(\S*))')
_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "information", "debug")
_VERSION = re.compile(r"\A1 (?=\d{4}-\d\d-\d\dT)")  # RFC 5424's, where the rest is not
_LEVEL_WORD = re.compile(r"(?:emerg|alert|crit|err|warning|notice|info|debug) (?=[\w./()-]{1,64}\[)")  # of F5's
_PALO_ALTO = re.compile(r"\d,\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,\w*,(?P<type>[A-Z][A-Z-]{2,20}),")
_PALO_SEVERITIES = {"critical": 2, "high": 3, "medium": 4, "low": 5, "informational": 6}


def parse(message: bytes) -> Line:
    """Read a message; what is in no known form is a text."""
    number, rest = _priority(_decoded(message))
    facility, severity = (number >> 3, number & 7) if number is not None else (None, None)
    line = _by_rfc5424(rest, severity) or _otherwise(rest, severity)
    return Line(
        text=_COMMAND.sub(r"\1 ", line.text[:TEXT_LIMIT]),
        severity=line.severity,
        facility=facility,
        hosts=line.hosts,
        program=line.program,
        mnemonic=line.mnemonic,
        clock=line.clock,
        fields=line.fields,
    )


def _priority(text: str) -> tuple[int | None, str]:
    """What a text begins with, and the rest."""
    found = _PRIORITY.match(text)
    if not found or int(found[1]) > 191:
        return None, text
    return int(found[1]), text[found.end() :]


def _decoded(message: bytes) -> str:
    raw = message.rstrip(b"\r\n\0 ").removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # which has a character for everything


# -- RFC 5424


def _by_rfc5424(text: str, severity: int | None) -> Line | None:
    if not (found := heads.RFC5424.match(text)):
        return None
    fields, end = _structured(text, found.end())
    if end is None:
        return None
    rest = text[end:].lstrip(" ").removeprefix("\ufeff")
    body = _body(rest, severity)
    clock, host, app, pid, id_ = ("" if part == "-" else part for part in found.groups())
    named = body.mnemonic or (id_ if _NAME.fullmatch(id_) else "")
    more = {name: value for name, value in (("pid", pid), ("message_id", id_)) if value}
    return Line(
        text=body.text or " ".join(f"{name}={value}" for name, value in fields.items()),
        severity=body.severity,
        hosts=(host,) if host else (),
        program=app or body.program,
        mnemonic=named,
        clock=clock,
        fields={**fields, **more},
    )


def _structured(text: str, start: int) -> tuple[dict[str, str], int | None]:
    """The parameters of structured data by `id.name`, and where they end; None where they never do."""
    if text.startswith("-", start):
        return {}, start + 1
    fields: dict[str, str] = {}
    end = start
    while found := _ELEMENT.match(text, end):
        end = found.end()
        for name, value in _PARAMETER.findall(found["pairs"]):
            if len(fields) < _FIELDS:
                fields[f"{found['id']}.{name}"] = _ESCAPED.sub(r"\1", value)[:_VALUE]
    return fields, end if end > start else None


# -- everything else


def _otherwise(text: str, severity: int | None) -> Line:
    head = heads.read(_VERSION.sub("", text))
    number, rest = _priority(head.rest)
    if number is not None:  # a collector put its own words before all of a message
        inner, severity = heads.read(rest), number & 7
        inner.hosts[:0], rest = head.hosts, inner.rest
        head = inner
    body = _by_rfc5424(rest, severity) or _fortinet(rest, severity) or _palo_alto(rest, severity)
    body = body or _body(rest, severity)
    known = {"sequence": head.sequence, "location": head.location, "data": head.data}
    return Line(
        text=body.text,
        severity=body.severity,
        hosts=tuple(dict.fromkeys((*head.hosts, *body.hosts))),
        program=body.program,
        mnemonic=body.mnemonic,
        clock=body.clock or head.clock,
        fields={**body.fields, **{name: value for name, value in known.items() if value}},
    )


def _body(text: str, severity: int | None) -> Line:
    """A program's name, the name of what happened, and the text."""
    level = _LEVEL_WORD.match(text)
    program, fields, rest = "", dict[str, str](), text[level.end() :] if level else text
    if found := _PROGRAM.match(rest):
        program, rest = found["program"], rest[found.end() :]
        fields = {"pid": found["pid"]} if found["pid"] else {}
        if _NAME.fullmatch(program) and not _JUNOS.match(rest):
            return Line(rest, severity, mnemonic=program, fields=fields)
    mnemonic, own, rest = _mnemonic(rest)
    return Line(rest, own if own is not None else severity, program=program, mnemonic=mnemonic, fields=fields)


def _mnemonic(text: str) -> tuple[str, int | None, str]:
    if found := _CISCO.match(text) or _HUAWEI.match(text):
        written = found["severity"]
        name = f"{found['name']}-{written}-{found['event']}"
        return name, _LETTERS.get(written, 0) if written.isalpha() else int(written), text[found.end() :]
    if found := _FRR.match(text) or _JUNOS.match(text):
        return found["event"], None, text[found.end() :]
    return "", None, text


def _fortinet(text: str, severity: int | None) -> Line | None:
    """`date=… devname=… level=… msg="…"`, as FortiGate and its kin write."""
    if not _FORTINET.search(text[:400]):
        return None
    pairs = {name: (quoted or plain)[:_VALUE] for name, quoted, plain in islice(_found(text), _FIELDS)}
    kind = "/".join(pairs[name] for name in ("type", "subtype") if pairs.get(name))
    level = pairs.get("level") or pairs.get("pri", "")
    own = next((at for at, word in enumerate(_LEVELS) if level and word.startswith(level[:5])), severity)
    host = pairs.get("devname", "")
    return Line(
        text=pairs.get("msg") or pairs.get("logdesc") or text,
        severity=own,
        hosts=(host,) if host else (),
        program=kind,
        mnemonic=pairs.get("logdesc", ""),
        clock=" ".join(pairs[name] for name in ("date", "time", "tz") if pairs.get(name)),
        fields=pairs,
    )


def _found(text: str) -> Iterator[tuple[str, str, str]]:
    return ((found[1], found[2] or "", found[3] or "") for found in _PAIR.finditer(text))


def _palo_alto(text: str, severity: int | None) -> Line | None:
    """Columns with commas: of the system's messages the name, the severity and the description are known."""
    if not (found := _PALO_ALTO.match(text)):
        return None
    columns = next(csv.reader([text], strict=False))
    kind, sub = found["type"], _column(columns, 4)
    if kind != "SYSTEM":
        return Line(text, severity, program=f"{kind}/{sub}".rstrip("/"))
    own = _PALO_SEVERITIES.get(_column(columns, 13), severity)
    named = _column(columns, 8) or sub
    hosts = (name,) if (name := _column(columns, 22)) else ()
    fields: Mapping[str, str] = {"object": about} if (about := _column(columns, 9)) else {}
    return Line(_column(columns, 14), own, hosts=hosts, program=f"{kind}/{sub}", mnemonic=named, fields=fields)


def _column(columns: list[str], at: int) -> str:
    return columns[at][:TEXT_LIMIT] if at < len(columns) else ""
