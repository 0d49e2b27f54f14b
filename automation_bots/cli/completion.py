"""`automation-bots completion bash|zsh|fish`: what a shell needs to complete the command."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

SHELLS = {
    "bash": "/usr/local/share/bash-completion/completions/automation-bots",
    "zsh": "/usr/local/share/zsh/site-functions/_automation-bots",
    "fish": "/usr/local/share/fish/vendor_completions.d/automation-bots.fish",
}


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Write the completion of a shell; folders and files are completed as such."""
    import shtab  # loaded by whoever asks for it

    ways = {"folder": shtab.DIRECTORY, "file": shtab.FILE, "other": shtab.FILE}
    for action in _actions(parser):
        if way := ways.get(action.dest):
            action.complete = way  # type: ignore[attr-defined]  # shtab's own way to be told
    return shtab.complete(parser, shell).rstrip() + "\n"


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no public list of them
        yield action
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - nor a public name for this
            for below in action.choices.values():
                yield from _actions(below)
