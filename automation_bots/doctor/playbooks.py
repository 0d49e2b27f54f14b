"""What `automation-bots check` says about playbooks: what each file became, and which of them work elsewhere too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from automation_bots import render
from automation_bots.model import Operation, one_line
from automation_bots.operations import content_needs, delegation, facts, playbook_folders
from automation_bots.operations.catalog import Catalog, Folders
from automation_bots.operations.playbooks import Playbook
from automation_bots.processes.ansible_content import Content


def lines(
    catalog: Catalog, folders: Folders, content: Content, given: Mapping[str, str], inventory: Iterable[Path]
) -> Iterator[tuple[str, str]]:
    """Say what each file of the bot's own folders became, which playbooks work elsewhere too or look for nothing."""
    names = {operation.source: name for name, operation in catalog.operations.items() if operation.source}
    for place in folders.playbooks:
        for path, kind in playbook_folders.every(place) if place != folders.shipped else ():
            if path in names or kind != playbook_folders.PLAYBOOK:  # else it is named with what is wrong
                became = f"!{names[path]}" if path in names else kind
                yield "ok", f"{one_line(str(path.relative_to(place)))}: {became}"
    for name, operation in sorted(catalog.operations.items()):
        if isinstance(operation.body, Playbook):
            yield from _elsewhere(name, operation, delegation.written(operation.body.path))
            if facts.gathered_for_nothing(operation.body, inventory, given):
                yield (
                    "NOTE",
                    f"{name} gathers facts of every device, and uses none: gather_facts: false spares a second",
                )
    yield from _missing(catalog, content, given)


def _missing(catalog: Catalog, content: Content, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name what playbooks would not find; `given` is the environment that runs are given."""
    for one, names in content_needs.of_all(catalog.operations.values(), content, given).items():
        yield "NOTE", f"{content.lack(one)}, for {render.names(names)} → {content.command}"


def _elsewhere(name: str, operation: Operation, found: tuple[delegation.Delegation, ...]) -> Iterator[tuple[str, str]]:
    delegated = sorted({one.to for one in found if one.to not in delegation.HERE})
    if delegated:
        yield "NOTE", f"{name} works on other devices too (delegate_to): {one_line(', '.join(delegated))}"
    here = next((str(one) for one in found if one.to in delegation.HERE and not one.connection), "")
    if here and not operation.controller and operation.devices in {"required", "one"}:
        why = f"is for the bot's own machine too ({here}): refused until its header says controller: true"
        yield "NOTE", f"{name} {why}"
