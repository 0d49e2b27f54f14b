"""Which device of the inventory a sender means, who may call it by a name, an address, with or without a port."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from automation_bots.inventory.inventory import Inventory
from automation_bots.inventory.same_device import host
from automation_bots.inventory.snapshot import Snapshot
from automation_bots.model import ReportedEvent

# What senders call the field in which a device is named; the first that names one of ours counts.
FIELDS = ("device", "host", "hostname", "host_name", "sysName", "nodename", "node", "instance", "exported_instance",
          "target", "agent_host", "ip", "host_ip")  # fmt: skip
_URL = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*@)?(?P<host>[^/?#]*)", re.IGNORECASE)
_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:]+):\d{1,5}")


@dataclass(frozen=True, slots=True)
class _Index:
    """The devices by all that they may be called."""

    snapshot: Snapshot
    addresses: Mapping[str, tuple[str, ...]]
    names: Mapping[str, frozenset[str]]
    short: Mapping[str, frozenset[str]]  # by the first part of a name


class Devices:
    """Reads the inventory as it is at the moment; the index is made again when it has changed."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._index: _Index | None = None

    def of(self, event: ReportedEvent) -> str:
        """Return the device that is meant; empty where none is, or where it could be several."""
        for written in _candidates(event):
            if name := self.named(written):
                return name
        return ""

    def named(self, written: str) -> str:
        """Return the device that somebody calls so: by name or address, maybe with a port; empty: none, or several."""
        index, called = self._now(), plain(written)
        if not called:
            return ""
        if written in index.snapshot:
            return written
        found = index.names.get(called) or self._by_first_part(index, called)
        if len(found) > 1:
            shared = min(found)
            return shared if index.snapshot.same.all_names((shared,)) >= found else ""
        return next(iter(found), "")

    @staticmethod
    def _by_first_part(index: _Index, called: str) -> frozenset[str]:
        """`core1` for core1.corp.example and the other way round; two different whole names are two devices."""
        first, _, rest = called.partition(".")
        if _is_address(called):
            return frozenset()
        found = index.short.get(first, frozenset())
        return frozenset(name for name in found if not rest or "." not in name)

    def _now(self) -> _Index:
        snapshot, addresses = self._inventory.state, self._inventory.addresses
        index = self._index
        if index is None or index.snapshot is not snapshot or index.addresses is not addresses:
            index = self._index = _indexed(snapshot, addresses)
        return index


def naming_none(fields: Mapping[str, str]) -> dict[str, str]:
    """Fields of which none names a device any more: of senders whose address, or name, says whose they are."""
    return {(f"said_{name}" if name in FIELDS else name): text for name, text in fields.items()}


def plain(written: str) -> str:
    """A name or address without scheme, port and brackets, in lower case."""
    text = written.strip()
    if found := _URL.match(text):
        text = found["host"]
    if found := _PORT.fullmatch(text):
        text = found["host"]
    return host(text)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _candidates(event: ReportedEvent) -> Iterator[str]:
    yield from (text for text in (event.device, event.about) if text)
    yield from (text for name in FIELDS if (text := event.fields.get(name, "")))


def _indexed(snapshot: Snapshot, addresses: Mapping[str, tuple[str, ...]]) -> _Index:
    names: defaultdict[str, set[str]] = defaultdict(set)
    short: defaultdict[str, set[str]] = defaultdict(set)
    for name in snapshot.names:
        names[name.lower()].add(name)
        if not _is_address(name):
            short[name.lower().partition(".")[0]].add(name)
    for name, place in snapshot.endpoints.items():
        for one in (place.host, *addresses.get(place.host, ())):
            names[host(one)].add(name)
    return _Index(snapshot, addresses, _frozen(names), _frozen(short))


def _frozen(found: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(value) for key, value in found.items()}
