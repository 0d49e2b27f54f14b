"""Reads from the text of a repository's modules what they use beside what the bot gives to plugins. Pure.

No wall: code can hide what it does. It is what an admin sees at a glance before reading.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from automation_bots.errors import BadRepository
from automation_bots.model import one_line

# what a plugin may import of the bot: all else leads past the gate or into the record
OFFERED = frozenset({"mixin", "model", "errors", "render", "surface"})
_OURS = "automation_bots"
_MEANINGS = {
    "starts programs": {"subprocess", "pty", "multiprocessing", "pexpect", "sh", "invoke", "fabric"},
    "opens connections of its own": {
        "socket", "ssl", "asyncio", "http", "urllib", "urllib3", "requests", "httpx", "aiohttp", "websocket",
        "websockets", "paramiko", "asyncssh", "netmiko", "napalm", "scrapli", "winrm", "pypsrp", "ansible",
        "ansible_runner", "salt", "smtplib", "ftplib", "telnetlib", "xmlrpc", "ldap3",
    },
    "hides or makes code while it runs": {"ctypes", "cffi", "importlib", "runpy", "pickle", "marshal", "codeop", "gc"},
}  # fmt: skip
_HIDES = frozenset({"exec", "eval", "compile", "__import__"})
_OF_OS = frozenset({"system", "popen", "posix_spawn", "fork", "execv", "execve", "execvp", "spawnv"})


def read(text: str, shown: str) -> set[str]:
    """Say what a module uses, as `meaning (name)`; one that imports what the bot does not offer is refused."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):  # a file that nobody can import
        return set()
    except (RecursionError, MemoryError) as error:
        raise BadRepository(f"{shown} is nested too deeply to be read.") from error
    names = set(_imported(tree))
    for name in sorted(names):
        _check_ours(name, shown)
    tops = {name.partition(".")[0] for name in names}
    found = {f"{meaning} ({top})" for meaning, some in _MEANINGS.items() for top in tops & some}
    return found | set(filter(None, map(_called, ast.walk(tree))))


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            if node.module == _OURS:
                yield from (f"{_OURS}.{alias.name}" for alias in node.names)
            else:
                yield node.module


def _check_ours(name: str, shown: str) -> None:
    top, _, part = name.partition(".")
    if top in {"backends", "config"} or (top == _OURS and part.partition(".")[0] not in OFFERED):
        inside = f"{shown} imports {one_line(name, 60)}, which is the inside of the bot"
        raise BadRepository(f"{inside}; plugins may import of {_OURS}: {', '.join(sorted(OFFERED))}.")


def _called(node: ast.AST) -> str:
    if isinstance(node, ast.Name) and node.id in _HIDES:
        return f"hides or makes code while it runs ({node.id})"
    if not isinstance(node, ast.Attribute):
        return ""
    if node.attr == "automation":
        return "uses the bot's own parts (automation)"
    of_os = isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in _OF_OS
    return f"starts programs (os.{node.attr})" if of_os else ""
