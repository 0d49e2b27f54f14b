"""The secrets of devices, opened at the last moment: Ansible's own, and references to a key/value server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from automation_bots.errors import DriverError
from automation_bots.inventory.inventory import Inventory
from automation_bots.model import Device
from automation_bots.redaction.redactor import Redactor
from automation_bots.secrets import key_value
from automation_bots.secrets.key_value import Kv


class DeviceSecrets:
    """What drivers log in with. Every value goes to the redactor before anybody gets it."""

    def __init__(self, inventory: Inventory, server: Kv, redactor: Redactor) -> None:
        self._inventory, self._server, self._redactor = inventory, server, redactor
        self._hidden: set[str] = set()

    def learn(self, devices: Iterable[Device]) -> None:
        """Open the secrets of many devices at once; DriverError when some cannot be opened."""
        every = tuple(devices)
        if names := [device.name for device in every if device.secrets]:
            self._inventory.prefetch_secrets(names)
            self._redactor.add(self._inventory.secret_values())
        with suppress(DriverError):  # said again, for its device, to the driver that asks for it
            for device in every:
                self.opened(device.name)

    def of(self, name: str) -> Mapping[str, str]:
        """Return the secret variables of a device; what only pointed to a secret is the secret."""
        own, references = self._parted(name)
        return {**own, **self._resolved(name, references)}

    def opened(self, name: str) -> Mapping[str, str]:
        """Return only those variables that pointed to the server; nothing where the bot has none."""
        return self._resolved(name, self._parted(name)[1]) if self._server.url else {}

    def _parted(self, name: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        device, own = self._inventory.device(name), self._inventory.secrets(name)
        known = {**device.variables, **own}
        return own, {key: value for key, value in known.items() if key_value.is_reference(value)}

    def _resolved(self, name: str, references: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for variable, reference in references.items():
            try:
                found[variable] = self._server.resolve(reference)
            except LookupError as error:
                raise DriverError(f"{variable} of {name} cannot be had: {error}") from error
        if news := set(found.values()) - self._hidden:
            self._hidden |= news
            self._redactor.add(news)
        return found
