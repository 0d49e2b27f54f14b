"""Which function of Salt an operation means on a device, and the operations that are Salt's own. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation_bots.drivers.quoting import HasCommand, refuse_windows
from automation_bots.errors import DriverError
from automation_bots.model import POSIX, Device, Operation, Parameter, Risk, one_line
from automation_bots.operations import target_words

# Salt's own functions that only look, and show nothing usually kept secret (files, pillars, settings, command lines).
READS = (
    "test.ping", "test.version", "test.versions", "test.versions_report", "test.echo", "test.arg", "test.true",
    "grains.item", "grains.items", "grains.ls", "grains.get", "grains.has_value",
    "status.uptime", "status.loadavg", "status.meminfo", "status.cpuinfo", "status.diskusage", "status.time",
    "disk.usage", "disk.inodeusage", "network.interfaces", "network.ip_addrs", "network.ip_addrs6", "network.arp",
    "network.routes", "network.default_route", "network.active_tcp", "service.status", "service.available",
    "service.get_all", "service.enabled", "service.disabled", "pkg.version", "pkg.list_pkgs", "lowpkg.list_pkgs",
    "saltutil.running", "saltutil.find_job", "saltutil.is_running", "sys.doc", "sys.list_functions", "sys.list_modules",
    "sys.argspec", "timezone.get_zone", "timezone.get_offset", "user.list_users", "group.getent",
)  # fmt: skip
_KEYWORD = re.compile(r"([^\d\W][\w.-]*)=(?!=)(.*)", re.DOTALL)  # what a minion itself takes for one
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})")
_QUOTED = re.compile(r"""(["'])(true|false|-?\d+)\1""", re.IGNORECASE)  # as in Salt's own words: it stays text
_PREVIEWED = re.compile(r"state\.(?:apply|sls|sls_id|highstate|high|single|top)")

FUNCTION = Operation(
    name="salt",
    help="Run one function of Salt on its minions",
    risk_by=("function", {**dict.fromkeys(READS, Risk.READ), "*": Risk.CHANGE}),
    driver="salt",
    parameters=(
        Parameter("function", match=r"[A-Za-z_]\w*\.[A-Za-z_]\w*", help="one function, such as test.ping"),
        Parameter("args", rest=True, required=False, max_length=2_000, help="what it is given; name=value by name"),
    ),
    leading=target_words.SALT,
    examples=("salt web* test.ping", "salt G@role:web pkg.version nginx", "salt -L web1,web2 disk.usage"),
    group="Salt",
    previews=True,
    body="function",
)
STATE = Operation(
    name="state",
    help="Bring minions into the state that a file of Salt describes",
    driver="salt",
    parameters=(
        Parameter("sls", match=r"[\w.,-]+", help="the state, or several with commas"),
        Parameter("test", "bool", required=False, help="show what would change, as --check does"),
    ),
    leading=target_words.SALT,
    examples=("state web* nginx --test", "state 'G@role:web and not web3' nginx"),
    group="Salt",
    previews=True,
    body="state",
)
GRAINS = Operation(
    name="grains",
    help="What minions say of themselves",
    risk=Risk.READ,
    driver="salt",
    parameters=(Parameter("items", rest=True, required=False, help="which grains; all of them if none is named"),),
    leading=target_words.DEVICES,
    examples=("grains web os osrelease", "grains web1"),
    group="Salt",
    body="grains",
)


@dataclass(frozen=True, slots=True)
class Call:
    """One function with its values as data."""

    function: str
    args: tuple[Any, ...] = ()
    kwargs: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        named = (f"{name}={value}" for name, value in self.kwargs)
        return one_line(" ".join([self.function, *map(str, self.args), *named]), 300)

    @property
    def is_state(self) -> bool:
        """Whether it answers state by state."""
        return bool(_PREVIEWED.fullmatch(self.function))

    @property
    def previews(self) -> bool:
        """Whether it was told to change nothing."""
        return self.is_state and dict(self.kwargs).get("test") is True


def call_for(operation: Operation, device: Device, values: Mapping[str, Any], *, check: bool) -> Call | None:
    """Return what to call; None when the operation has nothing for this platform."""
    if operation.body == "function":
        return _function(values, check=check)
    if operation.body == "state":
        test = check or bool(values.get("test"))
        return Call("state.apply", (values["sls"],), (("test", True),) if test else ())
    if operation.body == "grains":
        items = tuple(values.get("items") or ())
        return Call("grains.item", items) if items else Call("grains.items")
    if isinstance(operation.body, HasCommand):
        refuse_windows(device.platform)
        command = operation.body.command(device.platform, values)
        # A list and no shell: what a person typed stays the word that it is.
        options = (("python_shell", False), ("ignore_retcode", False))
        return None if command is None else Call("cmd.run_all", (command.argv,), options)
    raise DriverError(f"{operation.name} says nothing that Salt could run; see its file")


def _function(values: Mapping[str, Any], *, check: bool) -> Call:
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    command = values["function"].startswith("cmd.")  # what it runs is text, such as the program false
    for word in values.get("args") or ():
        named = _KEYWORD.fullmatch(word)
        if named is None:
            args.append(word if command else _typed(word))
        elif named[1].startswith("__"):
            raise DriverError(f"{one_line(named[1], 40)} is a name that Salt keeps to itself")
        else:
            kwargs[named[1]] = _typed(named[2])
    call = Call(values["function"], tuple(args), tuple(kwargs.items()))
    return Call(call.function, call.args, tuple({**kwargs, "test": True}.items())) if check and call.is_state else call


def _typed(word: str) -> Any:
    """Read what is plainly a number or a truth value, as Salt does; everything else stays text."""
    if quoted := _QUOTED.fullmatch(word):
        return quoted[2]
    if word.lower() in {"true", "false"}:
        return word.lower() == "true"
    return int(word) if _NUMBER.fullmatch(word) else word


def minion_of(device: Device) -> str:
    """The minion's id: `salt_minion` of the inventory, or the name."""
    return str(device.variables.get("salt_minion") or device.name)


def may_be_a_minion(device: Device) -> bool:
    """Whether the inventory leaves it open that Salt is there: not on a switch, nor on what has other drivers."""
    drivers = device.variables.get("driver", "salt" if device.platform in POSIX | {"windows"} else "")
    return "salt_minion" in device.variables or "salt" in (drivers if isinstance(drivers, list | tuple) else [drivers])
