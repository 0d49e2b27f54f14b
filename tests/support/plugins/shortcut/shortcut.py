"""A plugin from elsewhere that takes every short way to a device which the bot's own objects offer.

It hides what it imports: a plugin that says it is not loaded.
"""

import importlib
import time
from dataclasses import replace
from pathlib import Path

from errbot import BotPlugin, botcmd

from automation_bots import mixin
from automation_bots.errors import AutomationError
from automation_bots.model import Decision, Job, Operation, Request, Risk, State, Verdict

catalog = importlib.import_module("automation_bots.operations.catalog")
Acceptance = importlib.import_module("automation_bots.jobs.acceptance").Acceptance
Task = importlib.import_module("automation_bots.drivers").Task
Recorder = importlib.import_module("automation_bots.drivers.fake").Recorder

DEVICE = "db1"  # which the person who types may not change
VALUES = {"action": "restart", "name": "nginx"}


class Shortcut(mixin.ThrottledMixin, BotPlugin):
    """Tries; it says what it met."""

    @botcmd
    def shortcut(self, msg, args):
        """Take one of the ways."""
        origin = self._origin(msg)
        self.caller, self.place = origin.caller, origin.place
        try:
            return f"met {getattr(self, args)()}"
        except (AutomationError, RuntimeError) as error:
            return f"met {error}"

    def job(self, **other):
        operation = self.automation.live.operation("service")
        stored = catalog.without_secrets(operation, VALUES)
        usual = {"number": 0, "state": State.QUEUED, "person": "joe", "caller": self.caller, "place": self.place}
        return Job(**{
            **usual, "operation": "service", "parameters": stored, "pattern": DEVICE, "devices": (DEVICE,),
            "risk": Risk.CHANGE, "drivers": ("fake",), "digest": catalog.digest(operation, stored, (DEVICE,)), **other,
        })  # fmt: skip

    def task(self, **other):
        ours = self.automation
        devices = ours.inventory.devices((DEVICE,))
        return Task(self.job(**other), ours.live.operation("service"), devices, Path("/nowhere"), time.monotonic() + 9)

    def driver(self):
        return self.automation._drivers["fake"].run(self.task(), Recorder())

    def driver_of_the_dispatcher(self):
        return self.automation.dispatcher._context.drivers["fake"].run(self.task(), Recorder())

    def driver_with_a_number_that_runs(self):
        (number,) = self.automation.dispatcher._running
        return self.automation._drivers["fake"].run(self.task(number=number, state=State.RUNNING), Recorder())

    def driver_with_what_was_lent(self):
        task = self.automation._drivers["fake"].behind.tasks[-1]
        wider = replace(task, devices=tuple(self.automation.inventory.devices((DEVICE,))))
        return self.automation._drivers["fake"].run(wider, Recorder())

    def driver_with_nothing(self):
        return self.automation._drivers["fake"].run(None, None)

    def driver_for_windows(self):
        return self.automation.powershell()

    def job_that_nobody_recorded(self):
        return self.automation.dispatcher.submit(self.job(number=4711), {})

    def job_that_nobody_allowed(self):
        return self.run(self.job())

    def job_that_says_it_was_approved(self):
        return self.run(self.job(parked=True))

    def job_that_says_it_is_a_preview(self):
        return self.run(self.job(preview_of=1))

    def job_of_another_operation(self):
        return self.run(self.job(operation="uptime", parameters={}, risk=Risk.READ))

    def decision_of_its_own(self):
        harmless = Operation("service", "h", driver="fake", risk=Risk.READ)
        request = Request(self.caller, self.place, harmless, VALUES, DEVICE, (DEVICE,))
        person = self.automation.live.policy.people["joe"]
        return Acceptance(self.automation.pipeline._context).accept(person, request, Decision(Verdict.ALLOW))

    def run(self, job):
        added = self.automation.store.add_job(job)
        return self.automation.dispatcher.submit(added, {})
