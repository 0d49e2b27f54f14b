"""Reads the address of a repository as it was typed; whatever git could take for something else is refused. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection

from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.repos.values import Source

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,60}")
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,99}")
_PATH = r"(?P<path>[A-Za-z0-9_./~+ -]+)(?:@(?P<ref>.*))?"
_HOST = r"(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*)(?P<port>:\d{1,5})?"
_FORMS = (
    re.compile(rf"https://{_HOST}/{_PATH}"),
    re.compile(rf"ssh://(?:(?P<user>[A-Za-z0-9_][\w.-]*)@)?{_HOST}/{_PATH}"),
    re.compile(rf"(?P<user>[A-Za-z0-9_][\w.-]*)@(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<scp>){_PATH}"),
    re.compile(rf"(?P<local>file://|)(?=/){_PATH}"),
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_USAGE = "An address looks like https://github.com/owner/name, git@host:owner/name or /a/folder, then @tag or @commit."


def read(text: str, hosts: Collection[str], *, local: bool) -> Source:
    """Read an address, and refuse a place that bot.toml does not allow; another port of a host is another place."""
    if re.match(r"[^/]*//[^/]*:[^/]*@", text):
        raise BadRepository("A password must not stand in an address: it is in the chat's history now.")
    match = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    if match is None:
        raise BadRepository(f"{one_line(text, 80)!r} is no address that I take. {_USAGE}")
    parts = match.groupdict()
    ref, path = parts["ref"], parts["path"]
    if ref is not None:
        check_ref(ref)
    host = (parts.get("host") or "").lower()
    port = (parts.get("port") or "").lstrip(":")
    allowed(host if port in {"", _standard_port(text)} else f"{host}:{int(port)}", hosts, local=local)
    return Source(_url(text, path, ref), _name(path), host, ref or "")


def _standard_port(text: str) -> str:
    return "443" if text.startswith("https:") else "22"


def check_ref(ref: str) -> None:
    """Refuse what is no name of a tag, and no commit."""
    if not _REF.fullmatch(ref) or ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock")):
        raise BadRepository(f"{one_line(ref, 60)!r} is no tag or commit.")


def is_commit(ref: str) -> bool:
    """Whether a pin is a whole commit id, not a tag."""
    return bool(_COMMIT.fullmatch(ref))


def _url(text: str, path: str, ref: str | None) -> str:
    whole = text if ref is None else text[: -len(ref) - 1]
    return f"file://{path}" if whole.startswith("/") else whole


def _name(path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not _NAME.fullmatch(name):
        raise BadRepository(f"{one_line(name, 60)!r} is no name for a repository: letters, digits, and - _ . in it.")
    if any(part in {"..", "."} for part in path.split("/")):
        raise BadRepository("An address must not contain .. as a step.")
    return name


def allowed(host: str, hosts: Collection[str], *, local: bool) -> None:
    """Refuse a host that bot.toml does not name; none is this machine."""
    if not host and not local:
        raise BadRepository("Repositories of this machine are not allowed; see [repos] local in bot.toml.")
    if host and host not in {known.lower() for known in hosts}:
        known = ", ".join(sorted(hosts)) or "none"
        raise BadRepository(f"{host} is not allowed here (allowed: {known}); see [repos] hosts in bot.toml.")
