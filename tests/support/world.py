"""Small worlds for tests: an inventory as plain sets, a policy from text, requests without a chat network."""

import textwrap
from datetime import UTC, datetime

from automation_bots.errors import UnknownDevice
from automation_bots.model import Caller, Operation, Parameter, Place, Request, Risk
from automation_bots.policy import policy
from automation_bots.policy.scope import Scope

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
GROUPS = {
    "all": ("web1", "web2", "db1", "core1", "vault1"),
    "web": ("web1", "web2"),
    "db": ("db1",),
    "core": ("core1",),
    "vault": ("vault1",),
}
UPTIME = Operation("uptime", "h", Risk.READ)
PATCH = Operation("patch", "h", Risk.CHANGE, driver="ansible", previews=True)
SERVICE = Operation(
    "service",
    "h",
    risk_by=("action", {"status": Risk.READ, "*": Risk.CHANGE}),
    parameters=(Parameter("action", choices=("status", "restart")), Parameter("name")),
)
UNDECLARED = Operation("strange", "h", Risk.CHANGE, declared=False)
DNS = Operation("dns", "h", Risk.READ, devices="none")


def expand(pattern):
    devices = set()
    for part in pattern.split(":"):
        name = part.lstrip("!&")
        found = set(GROUPS.get(name, (name,) if name in GROUPS["all"] else ()))
        if not found:
            raise UnknownDevice(pattern)
        devices = (
            devices - found if part.startswith("!") else devices & found if part.startswith("&") else devices | found
        )
    return frozenset(devices)


def policy_of(tmp_path, text):
    path = tmp_path / "policy.yml"
    path.write_text(textwrap.dedent(text))
    return policy.load(path)


def scope_of(tmp_path, text, places=None):
    return Scope(policy_of(tmp_path, text), expand, places or {})


def request(who, operation, *devices, where="dm", check=False, **parameters):
    place = Place("text", "dm", direct=True) if where == "dm" else Place("text", where)
    return Request(Caller("text", f"@{who}"), place, operation, parameters, ",".join(devices), devices, check=check)
