"""PowerShell over SSH: the same envelope, carried by the SSH driver's process."""

import threading
import time
from dataclasses import replace

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.windows.ps_operation import PS
from automation_bots.model import Device, Risk, Status
from automation_bots.operations.verbs import Entry
from tests.drivers.contract import Bench, Lab, LoginContract, Logins
from tests.drivers.ssh.bench import closed_port
from tests.drivers.windows.bench import LIMIT, cmdlet, powershell, text, trace_in
from tests.fakes.winrm.ssh import PASSWORD, logins_in, windows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


class TestContract(LoginContract):
    @pytest.fixture
    def lab(self, device, tmp_path):
        path = f"C:\\traces\\{tmp_path.name}-{time.time_ns()}"
        driver = powershell(tmp_path, device.variables["folder"] / "known_hosts")
        failing = Entry(cmdlet={"cmdlet": "Write-Error", "Message": "no"})
        yield Lab(
            driver=driver,
            good=tuple(replace(device, name=f"win{number}") for number in (1, 2, 3)),
            broken=Device("bad1", variables={**device.variables, "platform": "broken"}),
            unreachable=Device("gone1", variables={**device.variables, "ansible_port": closed_port()}),
            hello=cmdlet("Write-Output", InputObject="hello", others={"broken": failing}),
            slow=cmdlet("Start-Sleep", Seconds=60, risk=Risk.CHANGE),
            loud=cmdlet("Get-Content", TotalCount=LIMIT * 3 // 100),
            touch=cmdlet("Set-Content", LiteralPath=path, Value="x", risk=Risk.CHANGE),
            touched=lambda: trace_in(device.variables["folder"], path) is not None,
            output_limit=LIMIT,
            secrets=lambda _: {"ansible_password": PASSWORD},
            logins=Logins(
                count=lambda: logins_in(device.variables["folder"]),
                password=PASSWORD,
                prints=lambda said: cmdlet("Write-Output", InputObject=said),
                wrong=(driver, device, lambda _: {"ansible_password": "wrong-1"}),
                wrong_password="wrong-1",
            ),
        )
        driver.ssh.ssh.close()


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows-ssh")
    with windows(folder) as variables:
        yield Device("win1", variables={**variables, "folder": folder})


@pytest.fixture
def run(device, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    driver = powershell(tmp_path, device.variables["folder"] / "known_hosts")
    bench = Bench(driver, work, secrets=lambda _: {"ansible_password": PASSWORD})
    yield lambda operation, **options: bench.run(operation, device, **options)["win1"]
    driver.ssh.ssh.close()


def test_the_inventory_says_so(device):
    assert (device.driver, device.platform) == ("powershell", "windows")


def test_objects_and_errors_come_the_same_way(run):
    assert "größe" in run(cmdlet("Get-Service", Name="*")).output
    assert run(cmdlet("Get-Service", Name="no")).summary == "Cannot find any service with service name 'no'."


@pytest.mark.parametrize("value", ["; Remove-Item", "$(x)", "‘x’", "a'b\"c", "two\nlines"])
def test_what_a_person_types_stays_data(run, value):
    echo = cmdlet("Write-Output", InputObject="<{value}>", parameters=[text()])
    assert run(echo, parameters={"value": value}).output == f"<{value}>"


def test_a_script_of_200_kilobytes_arrives_whole(run):
    outcome = run(PS, parameters={"script": "# " + "ü" * 100_000 + "\nWrite-Output 'arrived ✓'\n"})
    assert (outcome.status, outcome.output) == (Status.CHANGED, "arrived ✓")


def test_a_cancel_is_told(run):
    run(cmdlet("Get-Date"))  # so that the connection is open, however busy this machine is
    cancel = Cancel()
    threading.Timer(2, cancel.set, ("ana said stop",)).start()
    outcome = run(cmdlet("Start-Sleep", Seconds=30, risk=Risk.CHANGE), cancel=cancel)
    assert (outcome.status, "may still be running there" in outcome.summary) == (Status.UNKNOWN, True)


def test_a_wrong_password_is_told(run):
    outcome = run(cmdlet("Get-Date"), secrets=lambda _: {"ansible_password": "no"})
    assert (outcome.status, "authentication failed" in outcome.summary) == (Status.UNREACHABLE, True)
