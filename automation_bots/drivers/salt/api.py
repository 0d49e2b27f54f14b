"""salt-api over HTTP: a token that is kept and renewed, one function a call, errors by their status code."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from automation_bots.drivers import defaults
from automation_bots.errors import DriverError
from automation_bots.model import one_line

_EARLY = 60.0  # seconds before its end at which a token is renewed
_CONNECT = 5.0


@dataclass(frozen=True, slots=True)
class Login:
    """Where salt-api is, and who the bot is there."""

    url: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    eauth: str = defaults.SALT_EAUTH
    ca: Path | None = None  # the certificate of a private authority; None: those of the system


@dataclass(frozen=True, slots=True)
class Published:
    """A job that Salt took: its number there, and the minions whose keys the master has."""

    jid: str
    minions: frozenset[str]


class NoMinions(DriverError):
    """Salt knows none of the minions."""


class NoAnswer(DriverError):
    """The call was sent, and what became of it is not known."""


class SaltApi:
    """Calls salt-api; safe to use from several threads, each with a session of its own."""

    def __init__(self, login: Login, *, seconds: float = 30) -> None:
        self.login = login
        self.seconds = seconds
        self._lock = threading.Lock()
        self._token, self._expires = "", 0.0

    def check_set_up(self) -> None:
        """Raise a DriverError where nobody has said which Salt there is."""
        if not self.login.url:
            raise DriverError("Salt is not set up: [drivers.salt] of bot.toml needs url, user and password")

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a connection that several calls share."""
        self.check_set_up()
        http = requests.Session()
        http.trust_env = False  # a proxy of the environment must not see the password
        http.verify = str(self.login.ca) if self.login.ca else True
        http.headers["Accept"] = "application/json"
        try:
            yield Session(self, http)
        finally:
            http.close()

    def token(self, http: requests.Session, refused: str = "") -> str:
        """Return a token that is good; `refused` is one that Salt no longer takes."""
        with self._lock:
            if self._token == refused or time.time() > self._expires - _EARLY:
                self._token, self._expires = self._logged_in(http)
            return self._token

    def _logged_in(self, http: requests.Session) -> tuple[str, float]:
        login = self.login
        body = {"username": login.user, "password": login.password, "eauth": login.eauth}
        answer = post(http, f"{login.url}/login", body, self.seconds)
        if answer.status_code == 401:
            raise DriverError(
                f"Salt refused the login of {login.user!r} (eauth {login.eauth}): "
                "check user, password and eauth in [drivers.salt], and external_auth on the master"
            )
        found = _data(answer, login.url)
        try:
            return str(found[0]["token"]), float(found[0]["expire"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise DriverError(f"{login.url} does not answer as salt-api does; check url in [drivers.salt]") from error


@dataclass(frozen=True, slots=True)
class Session:
    """One connection to salt-api."""

    api: SaltApi
    http: requests.Session

    def publish(
        self, minions: Sequence[str], function: str, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Published:
        """Send one function to exactly these minions, without waiting for what they answer."""
        low = {"client": "local_async", "tgt": list(minions), "tgt_type": "list", "fun": str(function),
               "arg": list(args), "kwarg": dict(kwargs or {})}  # fmt: skip
        found = self._call(low, f"{function} on these minions")
        if not isinstance(found, dict) or not found.get("jid"):
            raise NoMinions("Salt knows none of these minions: their keys are not accepted")
        return Published(str(found["jid"]), frozenset(map(str, found.get("minions") or ())))

    def runner(self, function: str, **kwargs: Any) -> Any:
        """Ask the master itself."""
        return self._call({"client": "runner", "fun": function, "kwarg": kwargs}, f"the runner {function}")

    def wheel(self, function: str, **kwargs: Any) -> Any:
        """Ask the master about its keys and settings."""
        found = self._call({"client": "wheel", "fun": function, **kwargs}, f"the wheel function {function}")
        return found.get("data", {}).get("return") if isinstance(found, dict) else None

    def job(self, jid: str) -> Mapping[str, Any]:
        """Return what the master has of a job: by minion, what it returned."""
        found = self.runner("jobs.list_job", jid=jid)
        result = found.get("Result") if isinstance(found, dict) else None
        return result if isinstance(result, dict) else {}

    def stream(self, token: str, seconds: float) -> requests.Response:
        """Open the event stream; 401 is for the caller to see."""
        headers = {"X-Auth-Token": token, "Accept": "text/event-stream"}
        url = f"{self.api.login.url}/events"
        with _told(url):
            return self.http.get(url, headers=headers, stream=True, timeout=(_CONNECT, seconds), allow_redirects=False)

    def token(self, refused: str = "") -> str:
        """Return a token that is good."""
        return self.api.token(self.http, refused)

    def _call(self, low: Mapping[str, Any], what: str) -> Any:
        url, token = self.api.login.url, self.token()
        answer = post(self.http, url, [low], self.api.seconds, token)
        if answer.status_code == 401 and not self._holds(token):  # the master forgot it, or its time was over
            answer = post(self.http, url, [low], self.api.seconds, self.token(refused=token))
        if answer.status_code == 401:
            raise DriverError(f"Salt does not allow {what} to {self.api.login.user!r}: see external_auth on the master")
        found = _data(answer, url)
        return found[0] if isinstance(found, list) and found else found

    def _holds(self, token: str) -> bool:
        """Whether a token is still good: 401 is also the answer to what the user may not do."""
        url = f"{self.api.login.url}/stats"
        with _told(url):
            return bool(self.http.get(url, headers={"X-Auth-Token": token}, timeout=_CONNECT).status_code != 401)


def post(http: requests.Session, url: str, body: Any, seconds: float, token: str = "") -> requests.Response:
    """Post JSON; a DriverError says why nothing came back."""
    headers = {"X-Auth-Token": token} if token else {}
    with _told(url):
        return http.post(url, json=body, headers=headers, timeout=(_CONNECT, seconds), allow_redirects=False)


@contextmanager
def _told(url: str) -> Iterator[None]:
    where = one_line(url, 100)
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise DriverError(
            f"the certificate of {where} is not trusted; set ca in [drivers.salt]: {_why(error)}"
        ) from error
    except requests.exceptions.ReadTimeout as error:
        raise NoAnswer(f"salt-api at {where} does not answer in time; is the master overloaded?") from error
    except requests.exceptions.ConnectionError as error:
        if "aborted" in str(error):
            raise NoAnswer(f"salt-api at {where} broke the connection off") from error
        raise DriverError(f"salt-api at {where} cannot be reached; does it run? {_why(error)}") from error
    except (requests.exceptions.RequestException, OSError, ValueError) as error:
        raise DriverError(f"salt-api at {where} cannot be asked: {_why(error)}") from error


def _why(error: Exception) -> str:
    return one_line(str(error).rpartition(": ")[2].strip("')"), 120)


def _data(answer: requests.Response, url: str) -> Any:
    """Return what salt-api returned; its errors are HTML, so that only their number says something."""
    code = answer.status_code
    if code == 200:
        try:
            return answer.json()["return"]
        except (ValueError, KeyError, TypeError) as error:
            raise DriverError(f"{url} does not answer as salt-api does; check url in [drivers.salt]") from error
    reasons = {
        400: "did not understand the call; is `netapi_enable_clients` set on the master?",
        404: "has no such page; check url in [drivers.salt]",
        500: "failed inside; see its log. Does the master run?",
        503: "has no free thread, or the master does not run",
        504: "says that the master did not answer",
    }
    raise DriverError(f"salt-api at {url} {reasons.get(code, 'answered')} (status {code})")
