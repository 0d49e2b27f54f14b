"""One look at a web address: status, time, a text that has to be there, how long the certificate is still good."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from time import perf_counter
from urllib.parse import SplitResult, urlsplit

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.probes import BAD, GOOD, POOR

SOON_DAYS = 14  # a certificate that ends within so many is told
_MOST = 1 << 20  # bytes of an answer that are read
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ?([^\r\n]{0,60})")
_CHUNK = re.compile(rb"\r\n[0-9a-fA-F]{1,8}\r\n")

Found = tuple[str, float | None, str]  # what was seen, latency in ms, in words


async def look(url: str, text: str, seconds: float) -> Found:
    """Ask once; nothing is followed, nothing but a GET is sent."""
    began = perf_counter()
    try:
        async with asyncio.timeout(seconds):
            return await _asked(urlsplit(url), text, began)
    except TimeoutError:
        return BAD, None, f"no answer within {seconds:g} s"
    except ssl.SSLCertVerificationError as error:
        return BAD, None, f"certificate: {error.verify_message}"
    except ssl.SSLError as error:
        return BAD, None, f"TLS: {error.reason or 'broken off'}"
    except ConnectionRefusedError:
        return BAD, None, "refused"
    except OSError as error:
        return BAD, None, kernel_errors.sending(error) if error.errno and error.errno > 0 else "name does not resolve"


async def _asked(url: SplitResult, text: str, began: float) -> Found:
    secure = ssl.create_default_context() if url.scheme == "https" else None
    port = url.port or (443 if secure else 80)
    reader, writer = await asyncio.open_connection(url.hostname, port, ssl=secure, limit=_MOST)
    try:
        writer.write(_request(url))
        head = await reader.readuntil(b"\r\n\r\n")
        ms = (perf_counter() - began) * 1000
        body = await _body(reader) if text else b""
        ends = (writer.get_extra_info("peercert") or {}).get("notAfter")
    except asyncio.IncompleteReadError:
        return BAD, None, "hung up without an answer"
    except asyncio.LimitOverrunError:
        return BAD, None, "the answer's head has no end"
    finally:
        writer.close()
    return _judged(head, ms, ends, has_text=text.encode() in body if text else None)


def _judged(head: bytes, ms: float, ends: str | None, *, has_text: bool | None) -> Found:
    status = _STATUS.match(head)
    if status is None:
        return BAD, None, "what answers speaks no HTTP"
    words = f"{status[1].decode()} {status[2].decode(errors='replace')}".strip()
    if int(status[1]) >= 400:
        return BAD, ms, words
    if has_text is False:
        return BAD, ms, f"{words}, but the text is not there"
    if ends is None:
        return GOOD, ms, words
    days = int((ssl.cert_time_to_seconds(ends) - time.time()) // 86_400)
    return POOR if days < SOON_DAYS else GOOD, ms, f"{words}, certificate ends in {days} days"


def _request(url: SplitResult) -> bytes:
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    return (
        f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nUser-Agent: automation-bots\r\nAccept: */*\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


async def _body(reader: asyncio.StreamReader) -> bytes:
    found = bytearray()
    while len(found) < _MOST and (more := await reader.read(65_536)):
        found += more
    return _CHUNK.sub(b"", bytes(found))  # a text may lie across two chunks
