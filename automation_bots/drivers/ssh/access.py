"""Who logs in where over SSH, by which way, and which host keys are trusted: shared by everything that speaks SSH."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from automation_bots.drivers import no_secrets, sudo
from automation_bots.drivers.ssh import jump_hosts
from automation_bots.drivers.ssh.ssh_config import SshConfig
from automation_bots.errors import DriverError
from automation_bots.model import NOTHING, Device, Status

_ALGORITHMS = ("ciphers", "kexalgorithms", "macs")


class LoginFailed(DriverError):
    """A device could not be reached or logged in to; the text and status are its outcome."""

    def __init__(self, text: str, status: Status = Status.UNREACHABLE) -> None:
        self.status = status
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Access:
    """Where a device listens and how to log in; the secrets in it stay out of its printed form.

    Two of them that are equal mean the same account: a connection that is kept open serves nobody else.
    """

    device: str
    host: str
    port: int
    user: str
    key_file: Path | None = None
    become_user: str = "root"
    become_method: str = "sudo"
    password: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    become_password: str = field(default="", repr=False)
    become: bool = False  # the inventory says that every command needs it
    certificate: Path | None = None
    more_keys: tuple[Path, ...] = ()  # tried after the passwords
    private_key: str = field(default="", repr=False)  # its text, out of a vault
    jump: tuple[Access, ...] = ()  # in order: the first one is connected to directly
    legacy: bool = False  # old algorithms are spoken
    pty: bool = False
    wishes: tuple[tuple[str, str], ...] = ()  # algorithms, as ssh_config words them

    @property
    def where(self) -> str:
        """Host and port, as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def plain(self) -> dict[str, Any]:
        """Return it as JSON can carry it; what is as usual is left out."""
        return {
            name: _PLAIN[name](value) if name in _PLAIN else value
            for name, usual in _USUAL.items()
            if (value := getattr(self, name)) != usual
        }

    @classmethod
    def of_plain(cls, data: Mapping[str, Any]) -> Access:
        """Read what `plain` made."""
        return cls(**{name: _FULL[name](value) if name in _FULL else value for name, value in data.items()})


_USUAL = {name: field.default for name, field in Access.__dataclass_fields__.items()}
_PLAIN: dict[str, Callable[[Any], Any]] = {
    "key_file": str,
    "certificate": str,
    "more_keys": lambda paths: [str(path) for path in paths],
    "jump": lambda hops: [hop.plain() for hop in hops],
}
_FULL: dict[str, Callable[[Any], Any]] = {
    "key_file": Path,
    "certificate": Path,
    "more_keys": lambda paths: tuple(map(Path, paths)),
    "jump": lambda hops: tuple(map(Access.of_plain, hops)),
    "wishes": lambda pairs: tuple((name, value) for name, value in pairs),
}


@dataclass(frozen=True, slots=True)
class LoginSources:
    """What else says how to get to a device: the bot's ssh_config, and the inventory for the jump hosts in it."""

    config: SshConfig | None = None
    device: Callable[[str], Device | None] = lambda _name: None
    secrets: Callable[[str], Mapping[str, str]] = no_secrets

    def said(self, host: str) -> Mapping[str, Any]:
        """Return what the ssh_config says of a host."""
        return self.config.lookup(host) if self.config else NOTHING


_ALONE = LoginSources()


def access_to(
    device: Device, secrets: Mapping[str, str], around: LoginSources = _ALONE, *, way: tuple[str, ...] = ()
) -> Access:
    """Read the connection variables of a device, and the bot's ssh_config where they say nothing."""
    if device.name in way:
        raise DriverError(f"the jump hosts lead in a circle: {' → '.join([*way, device.name])}")
    known: dict[str, Any] = {**device.variables, **secrets}

    def first(*names: str, default: str = "") -> str:
        return next((str(known[name]) for name in names if known.get(name) not in (None, "")), default)

    name = first("ansible_host", "ansible_ssh_host", default=device.name)
    said = around.said(name)
    key_file = first("ansible_ssh_private_key_file", "ansible_private_key_file")
    wishes = sudo.wishes(known)
    access = Access(
        device=device.name,
        host=str(said.get("hostname") or name),
        port=_port(device.name, first("ansible_port", "ansible_ssh_port", default=str(said.get("port") or "22"))),
        user=first("ansible_user", "ansible_ssh_user") or str(said.get("user") or "") or getpass.getuser(),
        key_file=_file(key_file),
        become_user=wishes.become_user,
        become_method=wishes.become_method,
        password=first("ansible_password", "ansible_ssh_password", "ansible_ssh_pass"),
        passphrase=first("ansible_ssh_private_key_passphrase", "ansible_private_key_passphrase"),
        become_password=wishes.become_password,
        become=wishes.become,
        certificate=_file(first("ssh_certificate") or str(said.get("certificatefile") or "")),
        more_keys=() if key_file else _identities(said),
        private_key=first("ansible_ssh_private_key", "ansible_private_key"),
        legacy=sudo.is_yes(first("ssh_legacy")),
        pty=sudo.is_yes(first("ssh_pty")),
        wishes=_wishes(said),
    )
    hops = jump_hosts.words(device.name, known, said)
    return replace(access, jump=_chain(hops, access, around, (*way, device.name))) if hops else access


def _chain(hops: tuple[str, ...], access: Access, around: LoginSources, way: tuple[str, ...]) -> tuple[Access, ...]:
    found: list[Access] = []
    for word in hops:
        if device := around.device(word):
            hop = access_to(device, around.secrets(word) if device.secrets else NOTHING, around, way=way)
        else:
            hop = _unlisted(word, access, around)
        # As with `ssh -J a,b`: the way to b is through a, and only the first one may have a way of its own.
        found += [*(hop.jump if not found else ()), replace(hop, jump=())]
    return tuple(found)


def _unlisted(word: str, access: Access, around: LoginSources) -> Access:
    """Return a jump host that is not in the inventory: it gets the device's keys, never its password."""
    user, host, port = jump_hosts.place(word)
    said = around.said(host)
    own = _identities(said)
    return Access(
        device=word,
        host=str(said.get("hostname") or host),
        port=port or _port(word, str(said.get("port") or "22")),
        user=user or str(said.get("user") or "") or access.user,
        key_file=None if own else access.key_file,
        passphrase="" if own else access.passphrase,
        private_key="" if own else access.private_key,
        certificate=_file(str(said.get("certificatefile") or "")) or (None if own else access.certificate),
        more_keys=own or access.more_keys,
        wishes=_wishes(said),
    )


def _identities(said: Mapping[str, Any]) -> tuple[Path, ...]:
    return tuple(Path(path).expanduser() for path in said.get("identityfile") or ())


def _wishes(said: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(said[name])) for name in _ALGORITHMS if name in said)


def _file(text: str) -> Path | None:
    # `certificatefile` is one name, or paramiko's list of one
    return Path(text.strip("[]'\"")).expanduser() if text else None


def _port(device: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DriverError(f"ansible_port of {device} must be a port number, got {text!r}")
    return int(text)
