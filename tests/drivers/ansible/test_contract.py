"""The Ansible driver holds what every driver must hold, over SSH; its playbooks are tested beside this."""

import contextlib
import time
from dataclasses import dataclass

import pytest

from automation_bots.drivers.ansible.driver import Ansible
from automation_bots.model import Command, Device, Operation, Risk
from automation_bots.processes import marked
from tests.drivers.ansible.left_over import left_over
from tests.drivers.contract import Lab, LoginContract, Logins
from tests.drivers.ssh.bench import closed_port, device, secrets, with_password

pytestmark = [pytest.mark.slow, pytest.mark.works, pytest.mark.timeout(180)]
LIMIT = 20_000


@dataclass(frozen=True)
class Verb:
    """One command for every platform, but another one where a device is to fail."""

    argv: tuple[str, ...]

    def command(self, platform, parameters):
        return Command(("false",)) if platform == "broken" else Command(self.argv)


def verb(*argv, risk=Risk.READ):
    return Operation(argv[0], "", risk=risk, driver="ansible", body=Verb(argv))


class TestContract(LoginContract):
    @pytest.fixture
    def ansible(self, tmp_path):
        """A driver with a home of its own: its processes are known by it, and nothing is written to ours."""
        with contextlib.closing(Ansible(environment={"HOME": str(tmp_path)}, output_limit=LIMIT)) as driver:
            yield driver

    @pytest.fixture
    def lab(self, ansible, sshd, tmp_path):
        usual = {
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_timeout": 60,  # of ssh's own, which a busy machine needs longer than its 10 seconds
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={sshd.known_hosts}",
        }
        good = tuple(device(sshd, number, **usual) for number in range(3))
        trace = sshd.home / tmp_path.name
        sshd.home.chmod(0o777)
        sleep = f"60.{time.monotonic_ns() % 1_000_000:06}"
        return Lab(
            driver=ansible,
            good=good,
            broken=Device("bad1", variables={**good[0].variables, "platform": "broken"}),
            unreachable=Device("gone1", variables={**good[0].variables, "ansible_port": closed_port()}),
            hello=verb("echo", "hello"),
            slow=verb("sleep", sleep, risk=Risk.CHANGE),
            loud=verb("sh", "-c", f"yes | head -c {LIMIT * 3}"),
            touch=verb("touch", str(trace), risk=Risk.CHANGE),
            touched=trace.exists,
            # What runs on a device cannot be ended by Ansible; on this machine nothing of it may be left.
            still_running=lambda: bool(left_over(f"HOME={tmp_path}")),
            output_limit=LIMIT,
            begun=lambda: any(marked.find(sleep)),
            logins=Logins(
                count=lambda: sshd.log.read_text().count("Accepted "),
                password="t0ken-of-the-lab",
                prints=lambda said: verb("echo", said),
                wrong=(ansible, with_password(sshd, 3, **usual), secrets(ansible_password="wrong-1")),
                wrong_password="wrong-1",
            ),
        )
