"""The secrets that bot.toml points to, looked up for one bot; what was found is known to the redactor from then on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from automation_bots.config import settings
from automation_bots.config.settings import Settings
from automation_bots.redaction.redactor import Redactor
from automation_bots.secrets import references as secrets
from automation_bots.secrets.key_value import Kv, Login


class References:
    """Looks references up in the environment, files, Ansible Vault, and the key/value server of [vault]."""

    def __init__(self, folder: Path, wanted: Settings, environment: Mapping[str, str], redactor: Redactor) -> None:
        self._folder, self._wanted = folder, wanted
        self._environment, self._redactor = environment, redactor
        self.kv = self._kv()

    def resolved(self, references: Mapping[str, str], *table: str) -> dict[str, str]:
        """Return the values of one table's keys; a ConfigError names the line of what is missing."""
        found = {}
        for key, value in references.items():
            try:
                found[key] = self._looked_up(value)
            except LookupError as error:
                raise settings.wrong(self._folder, (*table, key), str(error)) from error
        return found

    def _looked_up(self, value: str) -> str:
        password_file = self._wanted.inventory.vault_password_file
        vault = self._folder / Path(password_file).expanduser() if password_file else None
        found = secrets.resolve(value, self._environment, self._folder, vault, self.kv)
        if secrets.is_reference(value):
            self._redactor.add([found])
        return found

    def _kv(self) -> Kv:
        """The server; its own log-in is looked up each time it logs in, so that it may be renewed."""
        wanted = self._wanted.vault

        def later(value: str) -> Callable[[], str] | None:
            return (lambda: self._looked_up(value)) if value else None

        login = Login(later(wanted.token), later(wanted.role_id), later(wanted.secret_id), wanted.approle)
        ca_file = str(self._folder / Path(wanted.ca_file).expanduser()) if wanted.ca_file else ""
        return Kv(wanted.url, login, wanted.namespace, ca_file, wanted.timeout_seconds, wanted.cache_seconds)
