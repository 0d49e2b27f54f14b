"""Calls that nobody may ever accept, as bytes: no HTTP, without proof, cut, packed, or no event."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from random import Random

TOKEN = "a-token-of-this-test-alone"
SOURCES = ("alertmanager", "grafana", "librenms", "traps", "zabbix")
MOST = 65_536  # bytes that a source takes


@dataclass(frozen=True, slots=True)
class Call:
    """What is sent; `cut`: then the sender hangs up."""

    kind: str
    raw: bytes
    cut: bool = False


def call(chance: Random) -> Call:
    """Make one of any kind."""
    kind = chance.choice(KINDS)
    made = kind(chance)
    return made if isinstance(made, Call) else Call(kind.__name__.strip("_"), made)


def head(chance, *headers, method="POST", path="", token=TOKEN, version="1.1"):
    where = path or f"/hooks/{chance.choice(SOURCES)}"
    known = [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([f"{method} {where} HTTP/{version}", "Host: bot", "Connection: close", *known, *headers, "", ""])


def whole(chance, body, *headers, **how):
    return head(chance, f"Content-Length: {len(body)}", *headers, **how).encode("latin-1", "replace") + body


def rubbish(chance, most):
    return chance.randbytes(chance.randrange(1, most))


def letters(chance, count):
    return "".join(chance.choices("abcXYZ/%&?=.:;[]{}\"'\\ \t", k=count))


# -- who proves nothing


def _no_token(chance):
    return whole(chance, b"{}", token="")


def _wrong_token(chance):
    return whole(
        chance, b"{}", token=chance.choice([TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\xff\xfe", " ", "x" * 4_000])
    )


def _wrong_scheme(chance):
    scheme = chance.choice(["Basic !!!", f"Token {TOKEN}", f"Bearer{TOKEN}", "Basic " + "x" * 99, "Bearer", ""])
    return whole(chance, b"{}", f"Authorization: {scheme}", token="")


def _elsewhere(chance):
    wanted = ["/", "/hooks/", "/hooks/none", "/hooks/zabbix/", "/hooks//zabbix", "/hooks/../hooks/zabbix", "*",
              "/metrics", "/hooks/zabbix%00", "/hooks/zabbix;x", "//hooks/zabbix", "/HOOKS/zabbix", "http://[",
              "/%ff%fe"]  # fmt: skip
    return whole(chance, b"{}", path=chance.choice(wanted))


def _other_method(chance):
    return whole(
        chance, b"", method=chance.choice(["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "BREW", "CONNECT"])
    )


# -- what is no HTTP


def _noise(chance):
    return Call("noise", rubbish(chance, 400), cut=True)


def _old(chance):
    others = [b"GET /hooks/zabbix\r\n\r\n", b"\r\n\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"SSH-2.0-x\r\n",
              b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"]  # fmt: skip
    return Call("old", chance.choice(others), cut=True)


def _line(chance):
    line = chance.choice([
        "POST", "POST /hooks/zabbix", "POST  /hooks/zabbix HTTP/1.1", "POST /hooks/zabbix HTTP/9.9",
        "POST /a b HTTP/1.1", "P\x00ST / HTTP/1.1", "POST /\x00 HTTP/1.1", "POST /hooks/zabbix HTTP/1.1 x",
        "POST /" + "a" * 20_000 + " HTTP/1.1",
        letters(chance, 60),
    ])  # fmt: skip
    return Call("line", f"{line}\r\nHost: a\r\n\r\n".encode("latin-1"), cut=True)


def _headers(chance):
    odd = chance.choice([
        "X: " + "a" * 20_000, "\r\n".join(f"X-{n}: a" for n in range(20_000)), "X" * 9_000 + ": a", "no colon", ": a",
        "X : a", "X: a\r\n b", "X: a\x00b", "X: a\rb", "\x01: a", "Host: b", "Content-Length: 2\r\nContent-Length: 3",
    ])  # fmt: skip
    return Call("headers", head(chance, odd, token="").encode("latin-1") + b"{}", cut=True)


# -- lengths that are not true


def _length(chance):
    odd = chance.choice(["-1", "+2", "0x2", "2, 3", "2;", "two", "", " ", "1e3", "9" * 30, str(MOST + 1), "\u0662"])
    return Call("length", head(chance, f"Content-Length: {odd}").encode("utf-8") + b"{}", cut=True)


def _short(chance):
    return Call("short", head(chance, f"Content-Length: {chance.randrange(3, MOST)}").encode() + b"{}", cut=True)


def _both(chance):
    odd = chance.choice(
        ["chunked", "Chunked", "xchunked", "chunked, identity", "identity, chunked", "\x0bchunked", "gzip, chunked"]
    )
    begin = head(chance, "Content-Length: 2", f"Transfer-Encoding: {odd}")
    return Call("both", begin.encode() + b"2\r\n{}\r\n0\r\n\r\n", cut=True)


def _chunks(chance):
    odd = chance.choice([b"ZZ\r\n{}\r\n0\r\n\r\n", b"-2\r\n{}\r\n0\r\n\r\n", b"2\r\n{}0\r\n\r\n", b"F" * 30 + b"\r\n{}",
                         b"2\r\n{}\r\n", b"5\r\n{}\r\n", b"2;" + b"x" * 20_000 + b"\r\n{}\r\n0\r\n\r\n", b"\r\n\r\n",
                         b"2\n{}\n0\n\n"])  # fmt: skip
    return Call("chunks", head(chance, "Transfer-Encoding: chunked").encode() + odd, cut=True)


def _too_big(chance):
    size = f"{8_192:x}\r\n".encode() + b"x" * 8_192 + b"\r\n"
    return Call("too big", head(chance, "Transfer-Encoding: chunked").encode() + size * 9 + b"0\r\n\r\n")


def _packed(chance):
    bomb = gzip.compress(b"[" * 10_000_000, 1)[: MOST // 2]
    return whole(chance, bomb, f"Content-Encoding: {chance.choice(['gzip', 'deflate', 'br', 'zstd', 'x'])}")


def _expect(chance):
    return Call("expect", whole(chance, b"{}", "Expect: a-pony"), cut=False)


def _hanging(chance):
    """Only the beginning of what could have been good."""
    good = whole(chance, b'{"version": "4", "alerts": []}')
    return Call("hanging", good[: chance.randrange(1, len(good))], cut=True)


def _pipeline(chance):
    return Call(
        "pipeline", b"".join(_no_token(chance).replace(b"Connection: close\r\n", b"") for _ in range(30)), cut=True
    )


# -- what is no event


def _no_json(chance):
    deep, wide = chance.randrange(1_000, 60_000), chance.randrange(5_000, 60_000)
    rest = rubbish(chance, 2_000), letters(chance, 2_000).encode(), b"\x00" * 100
    bodies = [
        b"", b"\xff\xfe\x00", b"NaN", b"-Infinity", b"null", b"true", b"[]", b"[[]]", b'"text"', b"1", b"[" * deep,
        b'{"a":' * deep, b"[" * deep + b"]" * deep, b"9" * wide, b'{"a":' + b"9" * wide + b"}", b"1e999999999",
        b'{"a": "\\ud800"}', b'{"alerts": NaN}', b'{"alerts": {}, "alerts": 1}', '{"a": "b"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}", b"{'a': 1}", b'{"a": 1} trailing', *rest,
    ]  # fmt: skip
    return whole(chance, chance.choice(bodies))


def _other_table(chance):
    """A table of JSON, of anything but what was agreed on."""
    return whole(chance, json.dumps({f"x{n}": _value(chance, 3) for n in range(chance.randrange(5))}).encode())


def _value(chance, depth):
    plain = [None, True, 0, -1, 1.5, 1e308, "", "x" * 500, "<!here> @channel", "\u202e", "\ud800", 10**300]
    if not depth or chance.random() < 0.5:
        return chance.choice(plain)
    if chance.random() < 0.5:
        return [_value(chance, depth - 1) for _ in range(chance.randrange(4))]
    return {chance.choice(["a", "", "alerts", "status"]): _value(chance, depth - 1) for _ in range(chance.randrange(4))}


KINDS = (_no_token, _wrong_token, _wrong_scheme, _elsewhere, _other_method, _noise, _old, _line, _headers, _length,
         _short, _both, _chunks, _too_big, _packed, _expect, _hanging, _pipeline, _no_json, _no_json,
         _other_table)  # fmt: skip
