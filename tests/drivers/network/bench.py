"""What the tests of the network driver share: devices of the lab, and one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.network.device_task import ConnectionOptions
from automation_bots.drivers.network.driver import Network
from automation_bots.drivers.network.own_operations import ROLLBACK
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.model import Device, Operation
from tests.drivers.contract import make_task
from tests.fakes.frr import Frr, Router
from tests.support.watching import children

LIMIT = 20_000


def driver(known_hosts: Path, data: Path, **more: Any) -> Network:
    options = ConnectionOptions(
        KnownHosts(known_hosts), **{"connect_seconds": 5, "read_seconds": 5, "agent": False, **more}
    )
    return Network(options, data, output_limit=LIMIT)


def router(lab: Frr, it: Router, name: str = "", **variables: Any) -> Device:
    usual = {"ansible_host": it.address, "ansible_port": it.port, "ansible_user": lab.user, "platform": "frr"}
    return Device(name or it.name, variables={**usual, **variables})


def process_for_devices() -> int:
    """The process that works for the job that runs."""
    return next(pid for pid in children() if b"network/child.py" in Path(f"/proc/{pid}/cmdline").read_bytes())


class Chat:
    """Runs operations as jobs one after the other."""

    def __init__(self, network: Network, folder: Path, **secrets: str) -> None:
        self.network, self.folder, self.known = network, folder, secrets
        folder.mkdir()

    def run(self, operation: Operation, *devices: Device, check: bool = False, **values: Any) -> Recorder:
        heard = Recorder()
        more = {name: values.pop(name) for name in ("cancel", "earlier", "seconds") if name in values}
        task = make_task(operation, devices, self.folder, check=check, parameters=values,
                         secrets=lambda _device: self.known, **{"seconds": 60, **more})  # fmt: skip
        if operation is ROLLBACK:  # a job after the one that it takes back
            task = replace(task, job=replace(task.job, number=task.job.number + 1))
        self.network.run(task, heard)
        return heard

    def one(self, operation: Operation, device: Device, **values: Any):
        return self.run(operation, device, **values).outcomes[device.name]
