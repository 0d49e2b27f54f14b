"""The devices: Ansible's inventory, read once by a child process, kept in memory, and read again when it changes."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from collections.abc import Collection, Iterable, Mapping
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType

from automation_bots.errors import ConfigError, DriverError, UnknownDevice
from automation_bots.inventory import snapshot as inventory_snapshot
from automation_bots.inventory.process import CacheFile, Child, fingerprint
from automation_bots.inventory.same_device import is_name
from automation_bots.inventory.snapshot import Snapshot
from automation_bots.model import NOTHING, Device, one_line
from automation_bots.processes.ansible_content import Content
from automation_bots.text.nearest import nearest

Unlocked = tuple[Mapping[str, str], list[tuple[bool, str]]]  # values by name; (is about Vault, what went wrong)

REFRESH_SECONDS = 300.0
_LIKELY = 300  # names compared letter by letter, which for ten thousand of them would take a third of a second

log = logging.getLogger(__name__)


class Inventory:
    """All devices and groups. Reading is safe from any thread, also while the inventory is read again."""

    def __init__(
        self,
        sources: tuple[Path, ...],
        cache_folder: Path,
        vault_password_file: Path | None = None,
        refresh_seconds: float = REFRESH_SECONDS,
        *,
        limit_seconds: float = 120,
        content: Content | None = None,
    ) -> None:
        self.sources = sources
        self.vault_password_file = vault_password_file
        self._refresh_seconds = refresh_seconds
        self._content = content or Content()
        self._child = Child(sources, vault_password_file, limit_seconds, self._content)
        self._cache = CacheFile(cache_folder, sources)
        self._loading = threading.Lock()
        self._unlocking = threading.Lock()
        self._snapshot = Snapshot()
        self._mark = ""  # fingerprint of the last attempt, also of one that failed: it is not tried twice
        self._read_at = 0.0
        self._secrets: dict[str, Unlocked] = {}  # for this state of the inventory
        self._secret_values: frozenset[str] = frozenset()
        self._addresses: Mapping[str, tuple[str, ...]] = {}  # of names, as they were looked up last
        self.problem = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every device, in the order of the inventory."""
        return self._snapshot.names

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Every group with all its devices, those of groups below it included; `all` and `ungrouped` too."""
        return self._snapshot.groups

    @property
    def state(self) -> Snapshot:
        """The inventory as it is now: for whoever needs several answers that fit together."""
        return self._snapshot

    @property
    def addresses(self) -> Mapping[str, tuple[str, ...]]:
        """The addresses of names, as they were looked up last."""
        return self._addresses

    def all_names(self, devices: Iterable[str]) -> frozenset[str]:
        """Return devices by all the names that they have: one that has two is one device all the same."""
        return self._snapshot.same.all_names(devices)

    def names_to_look_up(self) -> tuple[str, ...]:
        """Every address of a device that is a name."""
        hosts = dict.fromkeys(one.host for one in self._snapshot.endpoints.values() if one.port)
        return tuple(host for host in hosts if is_name(host))

    def learn(self, addresses: Mapping[str, tuple[str, ...]]) -> None:
        """Know names by their addresses from now on; of those that were not found, the last known ones stay."""
        with self._loading:
            known = {**self._addresses, **addresses}
            if known != self._addresses:
                self._addresses = known
                self._snapshot = self._snapshot.known_by(known)

    def load(self) -> None:
        """Read the inventory, from the cache when nothing changed; a `ConfigError` says what is wrong where."""
        with self._loading:
            self._load(use_cache=True)

    def changed(self) -> bool:
        """Tell whether a file changed, or hosts from a program are old enough to be asked for again."""
        if self._fingerprint() != self._mark:
            return True
        return self._snapshot.dynamic and not 0 <= time.time() - self._read_at < self._refresh_seconds

    def _fingerprint(self) -> str:
        return fingerprint(self.sources, self.vault_password_file, self._content.current)

    def refresh(self) -> bool:
        """Read again if changed; when that fails the old inventory stays, and `problem` says why."""
        with self._loading:
            if not self.changed():
                return False
            try:
                self._load(use_cache=False)
            except ConfigError as error:
                log.warning("inventory not read again: %s", error)
                self.problem = f"The inventory is the old one, since the new one cannot be read: {error}"
                return False
            return True

    def expand(self, pattern: str) -> tuple[str, ...]:
        """Return the devices that a pattern means; a name that is none, or no device at all, is `UnknownDevice`."""
        found = self._snapshot.matching(pattern)
        if not found:
            raise UnknownDevice(f"No device matches {pattern!r}")
        return found

    def device(self, name: str) -> Device:
        """Return one device with its groups and variables."""
        return self.devices((name,))[0]

    def find(self, name: str) -> Device | None:
        """Return one device; None: there is none of that name."""
        snapshot = self._snapshot
        return snapshot.device(name) if name in snapshot else None

    def devices(self, names: Iterable[str]) -> tuple[Device, ...]:
        """Return several devices, all from the same state of the inventory."""
        snapshot, names = self._snapshot, tuple(names)
        try:
            return snapshot.devices(names)
        except KeyError:
            if missing := [name for name in names if name not in snapshot]:
                raise UnknownDevice(f"No device {', '.join(map(repr, missing))}") from None
            raise

    def secrets(self, host: str) -> Mapping[str, str]:
        """Return the real values of a device's secrets; a `DriverError` says what to set when that cannot be done."""
        device = self.device(host)
        if not device.secrets:
            return NOTHING
        found = self._unlock((device,)).get(host)
        if found is None:
            raise DriverError(f"The secrets of {host} cannot be read: it is no longer in the inventory")
        values, errors = found
        if errors:
            about_vault, error = max(errors)
            advice = self._vault_advice() if about_vault or self._snapshot.locked else "Check it in the inventory."
            raise DriverError(f"The secrets of {host} cannot be read. {advice} Ansible says: {one_line(error, 300)}")
        return values

    def prefetch_secrets(self, names: Iterable[str]) -> None:
        """Get the secrets of many devices with one child process, before `secrets` asks for them one by one."""
        self._unlock(self.devices(names))

    def _unlock(self, devices: Iterable[Device]) -> Mapping[str, Unlocked]:
        with self._unlocking:
            kept = self._secrets  # not looked up again below, since a new inventory starts with an empty one
            wanted = {d.name: sorted(d.secrets) for d in devices if d.secrets and _is_wanting(kept.get(d.name))}
            if not wanted:
                return kept
            try:
                found = self._child.secrets(wanted)
            except ConfigError as error:
                raise DriverError(f"The secrets of the devices cannot be read: {error}") from error
            self._secret_values |= {text for _host, _values, texts, _errors in found for text in texts if text}
            kept.update((host, (MappingProxyType(values), errors)) for host, values, _texts, errors in found)
            return kept

    def secret_values(self) -> frozenset[str]:
        """Return every secret text seen so far, to be cut out of what is stored or shown."""
        return self._secret_values

    def nearest(self, word: str, among: Collection[str]) -> list[str]:
        """Return at most three names that were perhaps meant."""
        likely = heapq.nlargest(_LIKELY, among, key=lambda name: _same_ends(word, name))
        return nearest(word, likely, 3)

    def _load(self, *, use_cache: bool) -> None:
        mark = self._fingerprint()
        self._read_at, self._mark = time.time(), mark
        for source in self.sources:
            if not source.exists():
                raise ConfigError(source, "there is no such inventory file or folder")
        kept = self._cache.read(mark) if use_cache else None
        if kept is not None and self._swap(kept[0]):
            self._read_at = kept[1]
            return
        printed = self._child.read()
        if not self._swap(printed):
            raise ConfigError(self.sources[0], "what Ansible made of the inventory cannot be read")
        try:
            self._cache.write(mark, printed)
        except OSError as error:
            log.warning("inventory not kept for the next start: %s", error)

    def _swap(self, printed: bytes) -> bool:
        try:
            snapshot = inventory_snapshot.parse(printed)
        except (ValueError, KeyError):
            return False
        self._snapshot, self._secrets = snapshot.known_by(self._addresses), {}
        self.problem = self._what_is_missing()
        return True

    def _what_is_missing(self) -> str:
        if locked := self._snapshot.locked:
            return f"{', '.join(locked)}: encrypted and left out. {self._vault_advice()}"
        if not self._snapshot.names:
            return f"The inventory has no devices: add some to {', '.join(map(str, self.sources))}"
        if odd := next((name for name in self._snapshot.names if "," in name), ""):
            return f"{odd!r} has a comma in its name, so nobody can mean it: a file of the inventory has a line a host"
        return ""

    def _vault_advice(self) -> str:
        if self.vault_password_file is None:
            return "Set vault_password_file to a file with the Vault password."
        if not self.vault_password_file.exists():
            return f"The vault_password_file {self.vault_password_file} is not there."
        return f"Check the Vault password in {self.vault_password_file}."


def _same_ends(word: str, name: str) -> int:
    """Count the characters that two names begin and end with together; a typing mistake is between them."""
    together = zip(word, name, strict=False), zip(reversed(word), reversed(name), strict=False)
    return sum(1 for pairs in together for _same in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _is_wanting(found: Unlocked | None) -> bool:
    """What could not be decrypted is tried again, since the password may be there now."""
    return found is None or bool(found[1])
