"""PowerShell over SSH: the same envelope, carried by the SSH driver's process."""

import threading

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.powershell_ps import PS
from automation_bots.model import Device, Risk, Status
from tests.drivers.contract import Bench
from tests.drivers.winrm_bench import cmdlet, powershell, text
from tests.lab.winrm.ssh import PASSWORD, windows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


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
    cancel = Cancel()
    threading.Timer(1, cancel.set, ("ana said stop",)).start()
    outcome = run(cmdlet("Start-Sleep", Seconds=30, risk=Risk.CHANGE), cancel=cancel)
    assert (outcome.status, "may still be running there" in outcome.summary) == (Status.UNKNOWN, True)


def test_a_wrong_password_is_told(run):
    outcome = run(cmdlet("Get-Date"), secrets=lambda _: {"ansible_password": "no"})
    assert (outcome.status, "authentication failed" in outcome.summary) == (Status.UNREACHABLE, True)
