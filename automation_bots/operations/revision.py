"""Which state of an operation's files would run: a digest of their content, and the git commit that is checked out."""

from __future__ import annotations

from pathlib import Path

from automation_bots.errors import DefinitionError
from automation_bots.model import Operation
from automation_bots.operations import catalog

_SHOWN = 12


def revision(operation: Operation) -> str:
    """Say it in words that fit in a line; nothing of an operation that has no file."""
    if operation.source is None:
        return ""
    try:
        content = f"content {catalog.content(operation)[:_SHOWN]}"
    except (DefinitionError, OSError):
        return "its files cannot be read"
    commit = _commit(operation.source.resolve())
    return f"{content}, git at {commit[:_SHOWN]}" if commit else content


def _commit(path: Path) -> str:
    """Read what `git rev-parse HEAD` would say; git itself would be a process for each question."""
    for folder in path.parents:
        place = folder / ".git"
        if place.exists():
            return _head(_git_folder(place))
    return ""


def _git_folder(place: Path) -> Path:
    """Return the folder itself, where `.git` is a file that points to it: a worktree or a submodule."""
    if place.is_dir():
        return place
    text = place.read_text(encoding="utf-8", errors="replace")
    return (place.parent / text.removeprefix("gitdir:").strip()).resolve()


def _head(git: Path) -> str:
    try:
        head = (git / "HEAD").read_text(encoding="utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name, shared = head.removeprefix("ref: "), git
        if (git / "commondir").is_file():
            shared = (git / (git / "commondir").read_text(encoding="utf-8").strip()).resolve()
        if (shared / name).is_file():
            return (shared / name).read_text(encoding="utf-8").strip()
        packed = (shared / "packed-refs").read_text(encoding="utf-8").splitlines()
        return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
    except (OSError, ValueError):  # no commit yet, or a repository of another form
        return ""
