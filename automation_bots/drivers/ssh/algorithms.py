"""Which algorithms are spoken: modern ones, the quick ones first; old ones only where the inventory says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

# Elliptic curves first: a Diffie-Hellman group of 4096 bits costs twenty times the processor, here and on the device.
KEX = (
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
)
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
    "chacha20-poly1305@openssh.com",
)
MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1",
)
SIGNATURES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
OLD_KEX = ("diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1")
OLD_CIPHERS = ("aes128-cbc", "aes192-cbc", "aes256-cbc", "3des-cbc")
OLD_MACS = ("hmac-sha1-96", "hmac-md5", "hmac-md5-96")
OLD_SIGNATURES = ("ssh-rsa", "ssh-dss")

_OLD = frozenset((*OLD_KEX, *OLD_CIPHERS, *OLD_MACS, *OLD_SIGNATURES))
_CERTIFIED = "-cert-v01@openssh.com"
_BY_TYPE = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa")}  # a key type that signs under other names

Chosen = dict[str, list[str]]


def chosen(*, legacy: bool, wishes: Mapping[str, str]) -> Chosen:
    """Return asyncssh's options; `wishes` are lists of an ssh_config, of which only allowed ones are taken."""
    return {
        "kex_algs": _wished((*KEX, *OLD_KEX) if legacy else KEX, wishes.get("kexalgorithms", "")),
        "encryption_algs": _wished((*CIPHERS, *OLD_CIPHERS) if legacy else CIPHERS, wishes.get("ciphers", "")),
        "mac_algs": _wished((*MACS, *OLD_MACS) if legacy else MACS, wishes.get("macs", "")),
        "signature_algs": list((*SIGNATURES, *OLD_SIGNATURES) if legacy else SIGNATURES),
    }


def for_host_keys(known_types: Iterable[str], *, legacy: bool, certified: bool) -> list[str]:
    """Return which host keys to ask for: kinds that are known first, or a new kind would look like a new device."""
    usable = (*SIGNATURES, *OLD_SIGNATURES) if legacy else SIGNATURES
    first = [name for kind in known_types for name in _BY_TYPE.get(kind, (kind,)) if name in usable]
    plain = dict.fromkeys([*first, *usable])
    signed = [_certified(name) for name in usable] if certified else []
    return list(dict.fromkeys([*signed, *plain]))


def only_old(offered: Sequence[str]) -> list[str]:
    """Return the old ones of what a device offers, where `ssh_legacy: true` would help."""
    return [name for name in offered if name in _OLD]


def _certified(name: str) -> str:
    return name.removesuffix("@openssh.com") + _CERTIFIED


def _wished(allowed: Sequence[str], wish: str) -> list[str]:
    """Read one line of ssh_config: a list, or one with +, - or ^ before it."""
    names = [name for name in wish.lstrip("+-^").split(",") if name]
    if wish.startswith("-"):
        return [name for name in allowed if name not in names] or list(allowed)
    kept = [name for name in names if name in allowed]
    if not kept or wish.startswith("+"):
        return list(allowed)
    return list(dict.fromkeys([*kept, *allowed])) if wish.startswith("^") else kept
