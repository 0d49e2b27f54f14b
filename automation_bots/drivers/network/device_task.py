"""One device's share as the network process gets it: the inventory's variables, the secrets, the trusted host keys."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automation_bots.drivers import Task, defaults
from automation_bots.drivers.network.messages import DeviceRequest, Login
from automation_bots.drivers.ssh.access import Access, LoginSources, access_to
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.errors import DriverError, UserError
from automation_bots.model import Device
from automation_bots.text import filters

_NO_NETWORK_DEVICE = {"linux", "posix", "unix", "windows", "freebsd", "openbsd", "netbsd", "darwin", "macos"}
# What a device may do with an answer before it prints it; the others write files, or start something.
_PIPES = frozenset(
    {"match", "except", "find", "last", "no-more", "display", "json", "json-pretty", "xml", "until", "nz", "grep",
     "egrep", "head"}
)  # fmt: skip
_WRITES = (
    "append",
    "redirect",
    "tee",
    "save",
    "file",
    "bash",
    "sed",
    "awk",
    "email",
    "vsh",
    "source",
    "diff",
    "python",
)
_ONE_FILTER = frozenset({"cisco_ios", "cisco_xe"})
_SHELLS = frozenset({"frr", "vyos"})  # they get no |, as it may lead to a Unix shell; what only filters is done here


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """How this bot reaches network devices: bot.toml's [drivers.ssh] and [drivers.network]."""

    known_hosts: KnownHosts
    connect_seconds: float = defaults.CONNECT_SECONDS
    read_seconds: float = defaults.NETWORK_READ_SECONDS
    keep_seconds: float = defaults.KEEP_SECONDS  # that a command line stays open for the next read
    config_limit: int = defaults.CONFIG_LIMIT  # characters of a configuration; a part of one is no backup
    key_files: tuple[Path, ...] = ()
    agent: bool = True
    around: LoginSources = field(default_factory=LoginSources)


def work_on(
    device: Device, task: Task, options: ConnectionOptions, kind: str, values: Mapping[str, Any]
) -> DeviceRequest:
    """Return the share of one device; a DriverError says what its inventory lacks."""
    if device.platform in _NO_NETWORK_DEVICE:
        raise DriverError(f"is no network device (platform {device.platform}); see platform: in the inventory")
    return DeviceRequest(
        device=device.name,
        platform=device.platform,
        login=_login(device, task.secrets(device.name), options),
        kind=kind,
        values=values,
        connect_seconds=options.connect_seconds,
        read_seconds=_read_seconds(device) or options.read_seconds,
        napalm=str(device.variables.get("napalm_driver") or ""),
        napalm_args=_arguments(device),
    )


def _read_seconds(device: Device) -> float:
    found = device.variables.get("network_read_seconds") or 0
    if not re.fullmatch(r"\d{1,6}(\.\d+)?", str(found)):
        raise DriverError(f"network_read_seconds in its inventory has to be seconds, got {found!r}")
    return float(found)


def _arguments(device: Device) -> Mapping[str, Any]:
    found = device.variables.get("napalm_optional_args") or {}
    if not isinstance(found, Mapping):
        raise DriverError("napalm_optional_args in its inventory has to be names with values")
    return dict(found)


def _login(device: Device, secrets: Mapping[str, str], options: ConnectionOptions) -> Login:
    access = access_to(device, secrets, options.around)
    known: dict[str, Any] = {**device.variables, **secrets}
    enable = str(known.get("network_enable_password") or access.become_password)
    jumps = tuple(_of_access(hop, options) for hop in access.jump)
    become = access.become or access.become_method == "enable"
    return replace(_of_access(access, options), enable=enable, become=become, jumps=jumps)


def _of_access(access: Access, options: ConnectionOptions) -> Login:
    own = (access.key_file,) if access.key_file else (*access.more_keys, *options.key_files)
    named = bool(access.key_file or access.private_key)
    return Login(
        host=access.host,
        port=access.port,
        user=access.user,
        known=_trusted(options.known_hosts, access.host, access.port),
        key_files=() if access.private_key else tuple(str(path) for path in own if named or path.exists()),
        certificate=str(access.certificate or ""),
        agent=options.agent and not named and not access.password,
        legacy=access.legacy,
        password=access.password,
        passphrase=access.passphrase,
        private_key=access.private_key,
    )


def _trusted(known_hosts: KnownHosts, host: str, port: int) -> tuple[str, ...]:
    found = known_hosts.keys(host, port)
    revoked = {key.blob for key in found if key.revoked}
    return tuple(f"{key.type} {base64.b64encode(key.blob).decode()}" for key in found if key.blob not in revoked)


def line_of(words: tuple[str, ...], platform: str) -> str:
    """Return the line of a read; a DriverError names what could do more than read."""
    if not all(word.strip() for word in words):
        raise DriverError("an empty word is none to a device's command line; leave it out")
    line = " ".join(words)
    if not line.isprintable() or "?" in line or ";" in line:
        raise DriverError("a command holds no control characters, ? or ;")
    if platform in _SHELLS and "|" in line:
        raise DriverError(f"{platform} gets no | since it may have a Unix shell")
    command, *pipes = re.split(r"\s*\|\s*", line, maxsplit=1)
    if re.search(r"[<>`&]|\$[({\w]", command if platform not in _SHELLS else line):
        raise DriverError("a command holds none of < > ` & $, which could write files or start something else")
    for pipe in re.split(r"\s+\|\s*", pipes[0]) if pipes else ():
        _check_pipe(pipe)
    return line


def _check_pipe(pipe: str) -> None:
    """Refuse what does not only filter: by its word, or by one that stands where an expression has its `|`."""
    word = pipe.split(" ", 1)[0].partition("|")[0].lower()
    behind = [part.split() for part in pipe.split("|")[1:]]
    writes = any(len(part) > 1 and any(name.startswith(part[0].lower()) for name in _WRITES) for part in behind)
    if (word not in _PIPES and not filters.named(word)) or writes or re.search(r"[<>`]", pipe):
        raise DriverError(f"| {pipe[:40]} is not known to only filter what is printed")


def without_filters(words: tuple[str, ...], platform: str) -> tuple[tuple[str, ...], tuple[filters.Filter, ...]]:
    """Return a command, and the filters that are done here since its platform has none such."""
    at = [number for number, word in enumerate(words) if word == "|"]
    parts = [words[one + 1 : two] for one, two in itertools.pairwise([*at, len(words)])]
    own = _done_there(parts, platform)
    if own == len(parts):
        return words, ()
    try:
        return words[: at[own]], tuple(filters.read(part) for part in parts[own:])
    except UserError as error:
        raise DriverError(str(error)) from error


def _done_there(parts: list[tuple[str, ...]], platform: str) -> int:
    """How many filters, from the first, the device does: of those in a row IOS takes all for one expression."""
    if platform in _SHELLS:
        return 0
    own = len(parts)
    if platform in _ONE_FILTER:
        own = next((number for number, part in enumerate(parts) if number and part and filters.named(part[0])), own)
    while own and parts[own - 1][1:] == () and filters.named("".join(parts[own - 1])) == "count":
        own -= 1  # to most platforms a count without an expression is half a command
    return own
