"""Zabbix's API: acknowledge, comment, close, suppress one problem. Errors come with status 200.

The token goes into a header, which servers before 6.4 do not know: they want it in the body, which 7.2 refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from automation_bots.drivers.alerts.back import ACKNOWLEDGE, CLOSE, COMMENT, SILENCE, UNACKNOWLEDGE, UNSILENCE, Deed
from automation_bots.drivers.alerts.http import Server, ask, refused
from automation_bots.errors import DriverError
from automation_bots.model import Alert, one_line

_PAGE = "/api_jsonrpc.php"
_CLOSE, _ACKNOWLEDGE, _MESSAGE, _UNACKNOWLEDGE, _SUPPRESS, _UNSUPPRESS = 1, 2, 4, 16, 32, 64
_ACTIONS: Mapping[str, tuple[int, str]] = {
    ACKNOWLEDGE: (_ACKNOWLEDGE, "acknowledged in Zabbix"),
    UNACKNOWLEDGE: (_UNACKNOWLEDGE, "no longer acknowledged in Zabbix"),
    COMMENT: (0, "commented in Zabbix"),
    CLOSE: (_CLOSE, "Zabbix was told to close it, and says when it is over"),
    SILENCE: (_SUPPRESS, "suppressed in Zabbix"),
    UNSILENCE: (_UNSUPPRESS, "no longer suppressed in Zabbix"),
}
Version = tuple[int, int]
_HEADER, _NO_BODY, _SUPPRESSES = (6, 4), (7, 2), (6, 2)


@dataclass(frozen=True, slots=True)
class Problem:
    """One that goes on, and who acknowledged it last, as far as the bot's user may see."""

    number: str
    acknowledged: bool
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class _Refusal(Exception):
    """What the API says instead of a result."""

    code: int
    said: str


class ZabbixBack:
    """One Zabbix, by its API and a token of a user of the bot's own."""

    does = frozenset(_ACTIONS)

    def __init__(self, server: Server) -> None:
        url = server.url.rstrip("/").removesuffix(_PAGE)
        self._server = Server(url, server.token, ca=server.ca)
        self._version: Version | None = None

    def tell(self, alert: Alert, deed: Deed) -> str:
        """Do it there."""
        if deed.what in {SILENCE, UNSILENCE} and self.version() < _SUPPRESSES:
            return "here alone: Zabbix before 6.2 cannot suppress one problem"
        action, done = _ACTIONS[deed.what]
        params: dict[str, Any] = {
            "eventids": [alert.fingerprint], "action": action | _MESSAGE, "message": deed.signed,
        }  # fmt: skip
        if deed.what == SILENCE and deed.until is not None:
            params["suppress_until"] = int(deed.until.timestamp())
        self._call("event.acknowledge", params)
        return done

    def trouble(self) -> str:
        """Ask for one problem, as which nothing is changed; empty when that is allowed."""
        try:
            self._call("problem.get", {"output": ["eventid"], "limit": 1})
        except DriverError as error:
            return str(error)
        return ""

    def problems(self, numbers: Sequence[str]) -> dict[str, Problem]:
        """Return those of these problems that go on, by their event ids."""
        found = self._call("problem.get", {
            "eventids": list(numbers), "output": ["eventid", "acknowledged"], "selectAcknowledges": "extend",
        })  # fmt: skip
        return {one.number: one for one in map(_problem, _tables(found))}

    def ended(self, numbers: Sequence[str]) -> dict[str, datetime]:
        """Return when those of these problems ended that are over; those that it does not show are not among them."""
        over = {
            str(one.get("r_eventid")): str(one.get("eventid"))
            for one in self._events(numbers, "r_eventid")
            if str(one.get("r_eventid", "0")) != "0"
        }
        ends = self._events(list(over), "clock") if over else []
        return {over[number]: _moment(one) for one in ends if (number := str(one.get("eventid"))) in over}

    def _events(self, numbers: Sequence[str], field: str) -> Sequence[Mapping[str, Any]]:
        return _tables(self._call("event.get", {"eventids": list(numbers), "output": ["eventid", field]}))

    def version(self) -> Version:
        """Which Zabbix it is; asked once, without proving anything."""
        if self._version is None:
            found = re.match(r"(\d+)\.(\d+)", str(self._result(self._post("apiinfo.version", [], in_body=None))))
            if found is None:
                raise DriverError(f"{one_line(self._server.url, 100)} does not answer as Zabbix does; is url right?")
            self._version = int(found[1]), int(found[2])
        return self._version

    def _call(self, method: str, params: Any) -> Any:
        version = self.version()
        try:
            try:
                return self._result(self._post(method, params, in_body=version < _HEADER))
            except _Refusal as refusal:
                if not _is_login(refusal) or not _HEADER <= version < _NO_BODY:
                    raise
                # Apache with PHP-FPM loses the header; these versions take the token in the body too.
                return self._result(self._post(method, params, in_body=True))
        except _Refusal as refusal:
            raise self._meant(refusal) from refusal

    def _post(self, method: str, params: Any, *, in_body: bool | None) -> Any:
        body: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
        if in_body:
            body["auth"] = self._server.token
        reply = ask(self._server, "POST", _PAGE, body, bearer=in_body is False)
        if reply.status != 200:
            raise refused(reply, self._server.url, {412: "has no API there; is url that of the front end?"})
        return reply.value

    def _result(self, answer: Any) -> Any:
        if not isinstance(answer, Mapping) or not {"result", "error"} & answer.keys():
            raise DriverError(f"{one_line(self._server.url, 100)} does not answer as Zabbix does; is url right?")
        error = answer.get("error")
        if isinstance(error, Mapping):
            code = error.get("code")
            said = str(error.get("data") or error.get("message") or "")
            raise _Refusal(code if isinstance(code, int) else 0, one_line(said, 200))
        return answer.get("result")

    def _meant(self, refusal: _Refusal) -> DriverError:
        """The API's errors in words that say what to do."""
        if _is_login(refusal):
            header = "" if self.version() < _NO_BODY else "; Apache with PHP-FPM needs CGIPassAuth On, else it loses it"
            return DriverError(f"Zabbix does not take the bot's api_token: is it whole, enabled, not expired{header}?")
        if refusal.said.startswith("No permissions to referred object"):
            return DriverError(
                "Zabbix says that the bot's user may not do that, or that there is no such problem any more: "
                "the user needs read-write rights on the host's group"
            )
        if "manual close" in refusal.said.lower() or "cannot close" in refusal.said.lower():
            return DriverError(f"Zabbix does not close it: {refusal.said} (the trigger needs Allow manual close)")
        return DriverError(f"Zabbix refused it: {refusal.said}")


def _tables(found: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _problem(found: Mapping[str, Any]) -> Problem:
    said = [one for one in _tables(found.get("acknowledges")) if _bits(one) & _ACKNOWLEDGE]
    last = max(said, key=lambda one: str(one.get("clock")), default={})
    name = " ".join(str(last.get(part) or "") for part in ("name", "surname")).strip() or str(
        last.get("username") or ""
    )
    return Problem(
        str(found.get("eventid")), str(found.get("acknowledged")) == "1", name, str(last.get("message") or "")
    )


def _bits(found: Mapping[str, Any]) -> int:
    action = str(found.get("action"))
    return int(action) if action.isdecimal() else 0


def _moment(found: Mapping[str, Any]) -> datetime:
    clock = str(found.get("clock"))
    return datetime.fromtimestamp(int(clock) if clock.isdecimal() else 0, UTC)


def _is_login(refusal: _Refusal) -> bool:
    said = refusal.said.lower()
    return "not authori" in said or "session terminated" in said or "api token expired" in said
