"""One look at a web address: status, time, a text that has to be there, how long the certificate is still good."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.probes import BAD, GOOD, NOTHING, POOR

SOON_DAYS = 14  # a certificate that ends within so many is told
_MOST = 1 << 20  # bytes of an answer that are read
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ?([^\r\n]{0,60})")
_HEADER = re.compile(rb"\r\n([A-Za-z-]+):[ \t]*([^\r\n]*)")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})[^\r\n]*\r\n")
_KEPT = "/%:@!$&'()*+,;=~-._"  # of a path as it was typed
_UNSAFE = re.compile(r"[^!-~]")
_RENEWED_SECONDS = 3_600  # after which the machine's own authorities are read again
_FALL_BACK_SECONDS = 0.25  # until another address of a name is tried beside the first
_UNREACHED = {500, 502, 503, 504}  # what a proxy says when it could not reach the address

Found = tuple[str, float | None, str]  # what was seen, latency in ms, in words
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What has to hold, and how one gets there."""

    text: str = ""  # that has to stand in the answer
    without: str = ""  # that must not stand in it
    status: str = ""  # such as 200,3xx; empty: everything below 400
    within: float = 0.0  # ms that an answer may take; 0: as long as one waits
    days: int = SOON_DAYS  # that a certificate must still be good for
    proxy: str = ""  # http://[user:password@]host:port
    ca: str = ""  # file of authorities beside those of the machine

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Wanted:
        """Take what a probe says."""
        return cls(**{name: told[name] for name in cls.__slots__ if told.get(name) not in {None, ""}})

    def accepts(self, status: int) -> bool:
        """Whether a status is one that was wanted."""
        if not self.status:
            return status < 400
        wanted = self.status.lower().split(",")
        return str(status) in wanted or f"{status // 100}xx" in wanted


_WORDS = {
    asyncio.IncompleteReadError: "hung up without an answer",
    asyncio.LimitOverrunError: "the answer's head has no end",
}


class _Unsure(Exception):
    """It says nothing of the address: the way there is not as it should be."""


class _Unreached(Exception):
    """The proxy says that it could not reach it."""


async def look(url: str, wanted: Wanted, seconds: float) -> Found:
    """Ask once; nothing is followed, nothing but a GET is sent."""
    began = perf_counter()
    try:
        async with asyncio.timeout(seconds):
            return await _asked(urlsplit(url), wanted, began)
    except (OSError, EOFError, UnicodeError, asyncio.LimitOverrunError, _Unsure, _Unreached) as error:
        return _failed(error, seconds)


def _failed(error: Exception, seconds: float) -> Found:
    """What a look that came to nothing says; a time-out is an OSError too."""
    if isinstance(error, TimeoutError):
        return BAD, None, f"no answer within {seconds:g} s"
    if isinstance(error, ssl.SSLCertVerificationError):
        return BAD, None, f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return BAD, None, f"TLS: {error.reason or 'broken off'}"
    if isinstance(error, OSError):
        return BAD, None, _unconnected(error)
    if isinstance(error, UnicodeError):
        return NOTHING, None, "that is no name of a host"
    return NOTHING if isinstance(error, _Unsure) else BAD, None, _WORDS.get(type(error)) or str(error)


def _unconnected(error: OSError) -> str:
    """Why there is no connection; where several addresses were tried there is no single reason."""
    if isinstance(error, socket.gaierror):
        return "name does not resolve"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return kernel_errors.sending(error) if error.errno else "none of its addresses can be connected to"


async def _asked(url: SplitResult, wanted: Wanted, began: float) -> Found:
    host = (url.hostname or "").encode("idna").decode()
    secure = _trust(wanted.ca) if url.scheme == "https" else None
    port = url.port or (443 if secure else 80)
    reader, writer = await _connected(host, port, secure, wanted.proxy)
    try:
        writer.write(_request(url, host, "" if secure else wanted.proxy))
        head = await _head(reader)
        ms = (perf_counter() - began) * 1000
        wrong = await _wrong(reader, head, wanted)
        ends = (writer.get_extra_info("peercert") or {}).get("notAfter")
    finally:
        writer.close()
    return _judged(head, ms, ends, wanted, wrong)


# -- the way there


async def _connected(host: str, port: int, secure: ssl.SSLContext | None, proxy: str) -> Streams:
    """Straight, or through a proxy, in a tunnel where it is secure; the environment is never asked for one."""
    if not proxy:
        return await asyncio.open_connection(
            host, port, ssl=secure, limit=_MOST, happy_eyeballs_delay=_FALL_BACK_SECONDS
        )
    via = urlsplit(proxy)
    try:
        reader, writer = await asyncio.open_connection(via.hostname, via.port or 3128, limit=_MOST)
    except OSError as error:
        raise _Unsure(f"the proxy {via.hostname} cannot be reached: {_unconnected(error)}") from error
    if secure is None:
        return reader, writer
    try:
        await _tunnel(reader, writer, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", via)
        await writer.start_tls(secure, server_hostname=host)
    except BaseException:
        writer.close()
        raise
    return reader, writer


async def _tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: str, via: SplitResult) -> None:
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{_account(via)}\r\n".encode())
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise _Unsure(f"the proxy {via.hostname} hung up") from error
    status = _STATUS.match(head)
    if status is None or not 200 <= (code := int(status[1])) < 300:
        words = f"{status[1].decode()} {status[2].decode(errors='replace')}" if status else "no HTTP"
        if status and code in _UNREACHED:
            raise _Unreached(f"the proxy cannot reach it: {words}")
        raise _Unsure(f"the proxy {via.hostname} says {words}")


def _account(via: SplitResult) -> str:
    if not via.username:
        return ""
    name = f"{unquote(via.username)}:{unquote(via.password or '')}"
    return f"Proxy-Authorization: Basic {base64.b64encode(name.encode()).decode()}\r\n"


def _trust(ca: str) -> ssl.SSLContext:
    """Whom to trust: read anew now and then, and when the file changes, since reading takes longer than a look."""
    try:
        changed = Path(ca).stat().st_mtime if ca else 0.0
        return _trusted(ca, changed, int(time.time() // _RENEWED_SECONDS))
    except (OSError, ssl.SSLError) as error:
        raise _Unsure(f"the authorities in {ca or 'SSL_CERT_FILE'} cannot be read ({type(error).__name__})") from error


@lru_cache(maxsize=4)
def _trusted(ca: str, _changed: float, _hour: int) -> ssl.SSLContext:
    found = ssl.create_default_context()
    if ca:
        found.load_verify_locations(ca)
    return found


def _request(url: SplitResult, host: str, proxy: str) -> bytes:
    path = quote(url.path or "/", safe=_KEPT)
    path += f"?{quote(url.query, safe=_KEPT + '?[]')}" if url.query else ""
    place = (f"[{host}]" if ":" in host else host) + (f":{url.port}" if url.port else "")
    account = _account(urlsplit(proxy)) if proxy else ""
    return (
        f"GET {f'http://{place}' if proxy else ''}{path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: automation-bots\r\n"
        f"Accept: */*\r\n{account}Connection: close\r\n\r\n"
    ).encode("ascii")


# -- what comes back


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of the answer; 100 Continue and 103 Early Hints come before it."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        if not re.match(rb"HTTP/1\.[01] 1\d\d", head):
            return head


def _headers(head: bytes) -> dict[str, str]:
    return {name.decode().lower(): value.decode(errors="replace").strip() for name, value in _HEADER.findall(head)}


async def _wrong(reader: asyncio.StreamReader, head: bytes, wanted: Wanted) -> str:
    """What is wrong with the text of the answer; it is read as far as it takes to tell."""
    if not wanted.text and not wanted.without:
        return ""
    body = await _body(reader, head, wanted)
    if wanted.text and not _stands(wanted.text, body):
        return "but the text is not there"
    return "but a text is there that must not be" if wanted.without and _stands(wanted.without, body) else ""


def _stands(text: str, body: bytes) -> bool:
    """Whether a text stands there, in one of the two usual encodings."""
    return text.encode() in body or text.encode("latin-1", "replace") in body


async def _body(reader: asyncio.StreamReader, head: bytes, wanted: Wanted) -> bytes:
    headers = _headers(head)
    is_chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    size = headers.get("content-length", "")
    most = min(_MOST, int(size)) if size.isdecimal() and not is_chunked else _MOST
    raw, body = bytearray(), b""
    while len(raw) < most and (more := await reader.read(65_536)):
        raw += more
        body, is_whole = _joined(bytes(raw)) if is_chunked else (bytes(raw), False)
        if is_whole or (not wanted.without and _stands(wanted.text, body)):
            break
    return body


def _joined(raw: bytes) -> tuple[bytes, bool]:
    """Put chunks together, since a text may lie across two of them; whether the last one has come."""
    found, at = bytearray(), 0
    while head := _CHUNK.match(raw, at):
        size = int(head[1], 16)
        if not size:
            return bytes(found), True
        found += raw[head.end() : head.end() + size]
        at = head.end() + size + 2
    return bytes(found), False


def _judged(head: bytes, ms: float, ends: str | None, wanted: Wanted, wrong: str) -> Found:
    status = _STATUS.match(head)
    if status is None:
        return BAD, None, "what answers speaks no HTTP"
    code = int(status[1])
    words = f"{status[1].decode()} {status[2].decode(errors='replace')}".strip()
    if 300 <= code < 400 and (leads := _headers(head).get("location")):
        words += f", leads to {_UNSAFE.sub('?', leads)[:80]}"
    if not wanted.accepts(code):
        return BAD, None, words + (f", not {wanted.status}" if wanted.status else "")
    if wrong:
        return BAD, None, f"{words}, {wrong}"
    is_slow = 0 < wanted.within < ms
    words += f", took {ms:.0f} ms" if is_slow else ""
    if ends is None:
        return POOR if is_slow else GOOD, ms, words
    days = int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400)
    return POOR if is_slow or days < wanted.days else GOOD, ms, f"{words}, certificate ends in {days} days"
