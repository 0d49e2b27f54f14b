"""Which host keys are good, and what people read about those that are not."""

from __future__ import annotations

from dataclasses import dataclass

from automation_bots.drivers.ssh import algorithms as ssh_algorithms
from automation_bots.drivers.ssh.access import Access, LoginFailed
from automation_bots.drivers.ssh.known_hosts import HostKey, KnownHosts
from automation_bots.model import Status


@dataclass(frozen=True, slots=True)
class Trust:
    """Which host keys are good."""

    known: KnownHosts

    def problem(self, access: Access, shown: HostKey) -> LoginFailed | None:
        """Say why a host key is not to be trusted; None: it is."""
        known = self.known.keys(access.host, access.port)
        text = f"{shown.type} {shown.fingerprint}"
        advice = f"!device trust {access.device} (or automation-bots trust <bot folder> {access.device})"
        if any(key.revoked and key == shown for key in known):
            return LoginFailed(f"the host key of {access.where} ({text}) is marked as revoked", Status.FAILED)
        trusted = [key for key in known if not key.revoked]
        if not trusted:
            return LoginFailed(
                f"the host key of {access.where} is not known: it offers {text}. "
                f"Compare that at the device, then: {advice}"
            )
        if shown in trusted:
            return None
        old = ", ".join(key.told for key in trusted)
        return LoginFailed(
            f"the host key of {access.where} changed: known is {old}, offered is {text}. Somebody may be in "
            f"between; only if the device was set up anew: {advice}",
            Status.FAILED,
        )

    def is_authority(self, access: Access, key: HostKey) -> bool:
        """Return whether what this key signed is trusted as that host's."""
        revoked = [known for known in self.known.keys(access.host, access.port) if known.revoked]
        return key not in revoked and key in self.known.authorities(access.host, access.port)

    def still(self, access: Access, shown: HostKey, authority: HostKey | None) -> bool:
        """Return whether what an open connection showed at its beginning would be trusted now."""
        if authority is not None:
            return self.is_authority(access, authority)
        return self.problem(access, shown) is None

    def algorithms(self, access: Access) -> list[str]:
        """Return which kinds of host key to ask for."""
        types = [key.type for key in self.known.keys(access.host, access.port) if not key.revoked]
        certified = bool(self.known.authorities(access.host, access.port))
        return ssh_algorithms.for_host_keys(types, legacy=access.legacy, certified=certified)
