"""One question to one server by HTTP: how it is reached, and its troubles in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from automation_bots.drivers.alerts.back import Unsure
from automation_bots.errors import DriverError, in_words
from automation_bots.model import one_line

_CONNECT, _ANSWER = 5.0, 20.0  # seconds
_MOST = 64 * 1024 * 1024  # bytes of an answer


@dataclass(frozen=True, slots=True)
class Server:
    """Where it is, and how the bot proves itself there."""

    url: str
    token: str = field(default="", repr=False)  # sent as bearer
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None  # the certificate of a private authority; None: those of the system


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: status, and JSON or the text that stands in its place."""

    status: int
    value: Any


def ask(server: Server, method: str, path: str, body: Any = None, *, bearer: bool = True) -> Reply:
    """Ask once. DriverError: it did not arrive, or makes no sense; Unsure: it may have been done all the same."""
    url = f"{server.url.rstrip('/')}{path}"
    with requests.Session() as http:
        http.trust_env = False  # a proxy of the environment must not see the token
        http.verify = str(server.ca) if server.ca else True
        if server.token and bearer:
            http.headers["Authorization"] = f"Bearer {server.token}"
        elif server.user:
            http.auth = (server.user, server.password)
        try:
            answer = http.request(
                method, url, json=body, timeout=(_CONNECT, _ANSWER), allow_redirects=False, stream=True
            )
            return Reply(answer.status_code, _read(answer))
        except requests.exceptions.RequestException as error:
            raise _told(error, server.url) from error


def _read(answer: requests.Response) -> Any:
    found = bytearray()
    for part in answer.iter_content(65_536):
        found += part
        if len(found) > _MOST:
            raise DriverError(f"its answer is longer than {_MOST // 1_048_576} MiB")
    try:
        return json.loads(found) if found else None
    except (ValueError, RecursionError):
        return one_line(found[:2_000].decode("utf-8", "replace"), 200)


def _told(error: requests.exceptions.RequestException, url: str) -> DriverError:
    where = one_line(url, 100)
    if isinstance(error, requests.exceptions.SSLError):
        return DriverError(f"the certificate of {where} is not trusted; set ca to its authority's: {_why(error)}")
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return DriverError(f"{where} cannot be reached: no answer in {_CONNECT:g} s")
    if isinstance(error, requests.exceptions.ConnectionError) and "aborted" not in str(error).lower():
        return DriverError(f"{where} cannot be reached: {_why(error)}")
    if isinstance(error, requests.exceptions.ConnectionError | requests.exceptions.Timeout):
        return Unsure(f"{where} did not answer; it may have done it all the same: look there")
    return DriverError(f"{where} cannot be asked: {_why(error)}")


def _why(error: Exception) -> str:
    return one_line(in_words(error).rpartition(": ")[2].strip("')\""), 120)


def refused(reply: Reply, url: str, hints: Mapping[int, str]) -> DriverError:
    """What a status that is no success means."""
    where = one_line(url, 100)
    usual = {
        401: "does not take the bot's login",
        403: "does not allow that to the bot",
        404: "has no such page; is url right?",
    }
    if 300 <= reply.status < 400:
        return DriverError(f"{where} sends elsewhere (status {reply.status}); set url to where it really is")
    if reason := {**usual, **hints}.get(reply.status):
        return DriverError(f"{where} {reason} (status {reply.status})")
    said = reply.value.get("message", "") if isinstance(reply.value, Mapping) else reply.value
    return DriverError(f"{where} answered with status {reply.status}: {one_line(str(said or 'nothing'), 200)}")
