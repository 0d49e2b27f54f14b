"""The Ansible driver holds what every driver must hold; its playbooks are tested beside this."""

import subprocess
import sys
import time
from dataclasses import dataclass

import pytest

from automation_bots.drivers.ansible import Ansible
from automation_bots.model import Command, Device, Operation, Risk
from tests.drivers.contract import DriverContract, Lab

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
LIMIT = 20_000
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
GONE = {"ansible_host": "127.0.0.1", "ansible_port": 1}


@dataclass(frozen=True)
class Verb:
    """One command for every platform, but another one where a device is to fail."""

    argv: tuple[str, ...]

    def command(self, platform, parameters):
        return Command(("false",)) if platform == "broken" else Command(self.argv)


def verb(*argv, risk=Risk.READ):
    return Operation(argv[0], "", risk=risk, driver="ansible", body=Verb(argv))


class TestContract(DriverContract):
    @pytest.fixture
    def lab(self, tmp_path):
        sleep = f"60.{time.monotonic_ns() % 1_000_000:06}"
        trace = tmp_path / "trace"
        return Lab(
            driver=Ansible(output_limit=LIMIT),
            good=tuple(Device(f"web{number}", variables=LOCAL) for number in (1, 2, 3)),
            broken=Device("bad1", variables={**LOCAL, "platform": "broken"}),
            unreachable=Device("gone1", variables=GONE),
            hello=verb("echo", "hello"),
            slow=verb("sleep", sleep, risk=Risk.CHANGE),
            loud=verb("sh", "-c", f"yes | head -c {LIMIT * 3}"),
            touch=verb("touch", str(trace), risk=Risk.CHANGE),
            touched=trace.exists,
            still_running=lambda: bool(subprocess.run(["pgrep", "-f", f"sleep {sleep}"], capture_output=True).stdout),
            output_limit=LIMIT,
        )
