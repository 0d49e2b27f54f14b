"""`automation-bots try windows`: what a real Windows says to all that the driver does, cleaned up behind itself."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation_bots.drivers import Driver, Task
from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.windows.call import Call
from automation_bots.drivers.windows.ps_operation import PS
from automation_bots.model import Caller, Device, Job, Outcome, Place, Risk, State, Status

_HOSTILE = "; Remove-Item x ' \" ‘’ “” $(1+1) `n größe ✓"


def run(folder: Path, device: str) -> int:
    """Try a device of a bot; print what it says to each, and return the exit code."""
    from automation_bots.app.bot import Bot

    bot = Bot(folder, read_only=True)
    driver = bot.powershell()
    try:
        trial = Trial(driver, bot.inventory.device(device), bot.inventory.secrets)
        return 1 if trial.run(lambda line: sys.stdout.write(f"{line}\n")) else 0
    finally:
        driver.ssh.ssh.close()


@dataclass(frozen=True, slots=True)
class _Asks:
    """The body of an operation that is one call."""

    one: Call

    def call(self, _parameters: Mapping[str, Any]) -> Call:
        return self.one


class Trial:
    """One device, asked one thing after another."""

    def __init__(self, driver: Driver, device: Device, secrets: Callable[[str], Mapping[str, str]]) -> None:
        self.driver, self.device, self.secrets = driver, device, secrets
        self.trace = f"C:\\Windows\\Temp\\automation-bots-try-{time.time_ns()}.txt"

    def run(self, say: Callable[[str], object]) -> int:
        """Say of each thing whether it went well; return how many did not."""
        wrong = 0
        try:
            for name, call, good in self._steps():
                outcome = self._asked(call)
                fine = good(outcome)
                wrong += not fine
                how = f"{outcome.status}, {outcome.seconds:.1f} s, {outcome.summary}"
                say(f"{'ok   ' if fine else 'WRONG'} {name}: {how}")
                if outcome.status is Status.UNREACHABLE:
                    return wrong
        finally:
            gone = self._asked(Call("Remove-Item", {"LiteralPath": self.trace, "Force": True, "ErrorAction": "Ignore"}))
            say(f"      cleaned up: {gone.status} {gone.summary}")
        return wrong

    def _steps(self) -> list[tuple[str, Call, Callable[[Outcome], bool]]]:
        def well(outcome: Outcome) -> bool:
            return outcome.status in {Status.OK, Status.CHANGED}

        write = {"LiteralPath": self.trace, "Value": "größe"}
        long = "# " + "ü" * 100_000 + "\nWrite-Output 'arrived ✓'"
        return [
            ("objects", Call("Get-Service", {"Name": "*"}), well),
            ("typed text stays data", Call("Write-Output", {"InputObject": _HOSTILE}), lambda o: o.output == _HOSTILE),
            ("a preview", Call("Set-Content", write, whatif=True), lambda o: "What if" in o.output),
            ("a change", Call("Set-Content", write), well),
            ("a script of 200 kB", Call(script=long), lambda o: "arrived ✓" in o.output),
            (
                "an error in words",
                Call("Get-Service", {"Name": "no-such-service"}),
                lambda o: o.status is Status.FAILED,
            ),
            ("an exit code", Call(script="exit 3"), lambda o: o.exit_code == 3),
            (
                "longer than an operation",
                Call(script="Start-Sleep 5\nWrite-Output awake"),
                lambda o: "awake" in o.output,
            ),
        ]

    def _asked(self, call: Call) -> Outcome:
        recorder = Recorder()
        with tempfile.TemporaryDirectory() as folder:
            self.driver.run(self._task(call, Path(folder)), recorder)
        return recorder.outcomes[self.device.name]

    def _task(self, call: Call, folder: Path) -> Task:
        name = self.device.name
        job = Job(
            number=0,
            state=State.RUNNING,
            person="trial",
            caller=Caller("trial", "trial"),
            place=Place("trial", "trial"),
            operation=PS.name,
            parameters={},
            pattern=name,
            devices=(name,),
            risk=Risk.CHANGE,
            drivers=("powershell",),
            created=datetime.now(UTC),
        )
        operation = replace(PS, body=_Asks(call))
        return Task(job, operation, (self.device,), folder, time.monotonic() + 120, secrets=self.secrets)
