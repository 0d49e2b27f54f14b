"""Ansible's own inventory classes, made to stop at a broken file and to name it; only the child imports this."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from errno import ENOEXEC
from functools import cache
from pathlib import Path
from typing import Any

import ansible.inventory.manager as manager_module
from ansible import constants
from ansible._internal._datatag._tags import Origin
from ansible.cli import CLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import AnsibleVaultError
from ansible.plugins.loader import init_plugin_loader

from automation_bots.errors import in_words
from automation_bots.processes.ansible_content import Content, Missing, collection_of

_display = manager_module.display
_UNKNOWN = re.compile(r"specifies unknown plugin '([^']+)'")
_NOT_STARTED = "Failed to execute inventory script"
_STANDARD_ERROR = "Standard error from inventory script:"


class Broken(Exception):
    """The inventory cannot be read; says which file, why, and the line where Ansible knows it."""

    def __init__(self, path: str, reason: str, line: int | None = None, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.described = {"path": path, "reason": reason, "line": line, "missing": missing}


class Loader(DataLoader):  # type: ignore[misc]  # Ansible ships no types
    """Ansible's loader; without a password, encrypted files of variables are left out instead of stopping the load."""

    def __init__(self) -> None:
        super().__init__()
        self.has_password = False
        self.locked: set[str] = set()
        self._recent: tuple[str, Any] = ("", None)

    def load_from_file(self, file_name: str, cache: str = "all", **options: Any) -> Any:
        """Load as Ansible does; only variable files are loaded with `cache="all"`, inventory sources with "none"."""
        path = self.path_dwim(file_name)
        if cache == "none" and path == self._recent[0]:
            return self._recent[1]
        if cache == "all" and not self.has_password and is_vault(path):
            self.locked.add(path)
            return {}
        if cache != "none":
            return super().load_from_file(file_name, cache=cache, **options)
        # two inventory plugins, auto and yaml, read each source in turn, and that is half of the whole time;
        # trusted, since only the second one, whose values count, asks for that; and nobody else has this data, so
        # that it need not be copied, which takes longer than to read it
        data = super().load_from_file(
            file_name, cache="none", **{**options, "trusted_as_template": True, "unsafe": True}
        )
        self._recent = (path, data)
        return data


class _Failures:
    """Stands before Ansible's display to keep the exceptions that it would only print as warnings."""

    def __init__(self) -> None:
        self.caught: list[tuple[str, BaseException]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(_display, name)

    def error_as_warning(self, msg: str, exception: BaseException, **_options: Any) -> None:
        """Keep it; Ansible's name and arguments."""
        self.caught.append((msg, exception))


class _Inventory(InventoryManager):  # type: ignore[misc]  # Ansible ships no types
    """Ansible's inventory, except that it goes no further when no plugin can read a source."""

    def parse_source(self, source: str, cache: bool = False) -> bool:  # noqa: FBT001, FBT002 - Ansible's signature
        failures = manager_module.display = _Failures()
        parsed = bool(super().parse_source(source, cache=cache))
        if not parsed and not Path(source).is_dir():
            raise _likely(source, failures.caught)
        return parsed


def read(sources: list[str], vault_password_file: str | None) -> tuple[Loader, Any]:
    """Return Ansible's loader and its inventory of these sources, or raise `Broken`."""
    init_plugin_loader()
    loader = Loader()
    files = [vault_password_file] if vault_password_file else []
    identities = list(constants.DEFAULT_VAULT_IDENTITY_LIST)
    try:
        # this also sets the passwords for values that are encrypted one by one
        found = CLI.setup_vault_secrets(loader, identities, files, ask_vault_pass=False, auto_prompt=False)
    except AnsibleError as error:
        raise broken(vault_password_file or "ansible.cfg", error) from error
    loader.set_vault_secrets(found)
    loader.has_password = bool(found)
    try:
        return loader, _Inventory(loader, sources=sources)
    except AnsibleError as error:
        raise broken(sources[0], error) from error


def broken(source: str, error: BaseException) -> Broken:
    """Keep Ansible's words; the place is in the exception, or in one of those that it came from."""
    if unknown := _UNKNOWN.search(str(error)):
        return _not_installed(source, unknown[1])
    for link in chain(error):
        tagged = getattr(link, "obj", None)
        origin = tagged if isinstance(tagged, Origin) else Origin.get_tag(tagged)
        if origin is not None and origin.path:
            return Broken(origin.path, _reason(error), origin.line_num)
    return Broken(source, _reason(error))


def _reason(error: BaseException) -> str:
    """Say why, in the words of whoever failed: Ansible, the script, the system."""
    system = next((link for link in chain(error) if isinstance(link, OSError) and link.errno), None)
    if system is not None and _NOT_STARTED in str(error):
        hint = ": its first line must name a program, as #!/usr/bin/env python3" if system.errno == ENOEXEC else ""
        return f"it cannot be started ({in_words(system)}){hint}"
    said = next((text for link in chain(error) if (text := str(getattr(link, "_help_text", None) or ""))), "")
    lines = [line.strip() for line in said.partition(_STANDARD_ERROR)[2].splitlines() if line.strip()]
    if not lines:
        return str(error)
    return f"{str(error).rstrip('.')}. It says: {lines[-1] if lines[0].startswith('Traceback (') else lines[0]}"


def _not_installed(source: str, plugin: str) -> Broken:
    missing = Missing("inventory plugin", plugin, collection_of(plugin, "inventory"))
    if missing.collection:
        return Broken(source, Content.lack(missing), missing=True)
    looked = "where Ansible looks (inventory_plugins in ansible.cfg)"
    return Broken(source, f"there is no inventory plugin {plugin!r} {looked}")


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it came from."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def is_about_vault(error: BaseException) -> bool:
    """Tell whether a value could not be decrypted, rather than something else being wrong."""
    return any(isinstance(link, AnsibleVaultError) for link in chain(error))


@cache
def is_vault(path: str) -> bool:
    """Tell whether a whole file is encrypted."""
    try:
        with Path(path).open("rb") as file:
            return file.read(14) == b"$ANSIBLE_VAULT"
    except OSError:
        return False


def is_dynamic(path: Path) -> bool:
    """Tell whether hosts come from a program or a plugin, so that they change while the file stays."""
    return path.is_file() and (os.access(path, os.X_OK) or _is_for_a_plugin(path))


def _is_for_a_plugin(path: Path) -> bool:
    if path.suffix not in {".yml", ".yaml"}:
        return False
    with path.open(errors="replace") as file:
        return re.search(r"^plugin:", file.read(65_536), re.MULTILINE) is not None


def _likely(source: str, caught: list[tuple[str, BaseException]]) -> Broken:
    """Every plugin complains about a broken file; choose the complaint of the one that the file was written for."""
    path = Path(source)
    if path.read_bytes()[:2] == b"#!" and not os.access(path, os.X_OK):
        return Broken(source, f"it is a program that may not be started: chmod +x {source}")
    wanted = f"'{_kind(path)}' plugin"
    for _message, error in sorted(caught, key=lambda pair: wanted not in pair[0]):
        return broken(source, error)
    return Broken(source, "no inventory plugin of Ansible can read this file")


def _kind(path: Path) -> str:
    if _is_for_a_plugin(path):
        return "auto"
    if path.suffix in {".yml", ".yaml", ".json"}:
        return "yaml"
    if os.access(path, os.X_OK):
        return "script"
    looks_like_yaml = re.match(r"\s*(---|\w+:\s*$)", path.read_text(errors="replace"), re.MULTILINE)
    return "yaml" if looks_like_yaml else "ini"
