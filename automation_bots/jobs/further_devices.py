"""A running job is about to work where nobody decided on, as by `delegate_to`: judged then, held, and recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from automation_bots.drivers import NO_CONTROLLER, Contact
from automation_bots.inventory.inventory import Inventory
from automation_bots.jobs.run_context import RunContext
from automation_bots.model import Device, Job, Operation, Risk, Verdict
from automation_bots.policy import gate


class FurtherDevices:
    """Answers for one job. `hold` keeps a device from the changes of others, or says why that cannot be."""

    def __init__(self, context: RunContext, job: Job, operation: Operation, hold: Callable[[str], str]) -> None:
        self._context, self._job, self._operation, self._hold = context, job, operation, hold
        self._reached: set[str] = set()

    def why_not(self, contact: Contact) -> str:
        """Why the job may not work there now; empty: it may."""
        device = self._context.inventory.find(contact.device)
        if contact.here and (device is None or device.variables.get("ansible_connection") != "local"):
            fine = self._operation.controller or not self._job.devices
            return "" if fine else f"it is for the bot's own machine, and {NO_CONTROLLER}"
        meant = _meant(contact, self._context.inventory)
        others = [name for name in meant if name not in self._job.devices]
        if not others:
            return "" if contact.own or meant else f"{contact.device} is no device of the inventory"
        return next(filter(None, map(self._of, others)), "")

    def _of(self, name: str) -> str:
        job, known = self._job, name in self._job.also
        asked = replace(gate.asked(job, self._operation), devices=(name,), also=())
        decision = gate.decide(self._context.scope(), asked, datetime.now(UTC))
        if decision.verdict is Verdict.DENY:
            return decision.reason.removeprefix("No: ").rstrip(".")
        if decision.verdict is Verdict.APPROVAL and not known:  # what was known was approved with the rest
            return f"{name} needs approval by {', '.join(decision.approvers)}, and nobody knew of it beforehand"
        return "" if known or name in self._reached else self._taken(name)

    def _taken(self, name: str) -> str:
        if self._job.risk is Risk.CHANGE and (why := self._hold(name)):
            return why
        self._context.store.reach(self._job.number, name)
        self._reached.add(name)
        return ""


def _meant(contact: Contact, inventory: Inventory) -> list[str]:
    """The devices that a place is: the one of that name, and all that have this address and port."""
    found = inventory.find(contact.device)
    names = [] if found is None else [found.name]
    if contact.address:
        every = inventory.devices(inventory.names)
        names += [
            d.name for d in every if d.address == contact.address and d.name not in names and _same_port(d, contact)
        ]
    return names


def _same_port(device: Device, contact: Contact) -> bool:
    port = str(device.variables.get("ansible_port", ""))
    return device.variables.get("ansible_connection") != "local" and (
        not port.isdecimal() or int(port) == (contact.port or int(port))
    )
