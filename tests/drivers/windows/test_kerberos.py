"""Windows with Kerberos: a real KDC, tickets of real logins, and the test server, which knows its service by a keytab.

All that logs in does so in a process of its own: that is where Kerberos looks for tickets.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fakes.kdc import REALM, Kdc
from tests.fakes.winrm import USER, Winrm
from tests.support.chatbot import BOT_TOML, POLICY, write_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(bool(Kdc.missing), reason=Kdc.missing),
]
HOST, PASSWORD = "win1.lab.test", "ticket-please-1"
ANSIBLE = str(Path(sys.executable).with_name("ansible"))


@pytest.fixture(scope="module")
def kdc(tmp_path_factory):
    with Kdc(tmp_path_factory.mktemp("kerberos") / "kdc", service=f"HTTP/{HOST}") as running:
        for person in (USER, "stranger"):
            running.add(person, PASSWORD)
        yield running


def windows(kdc, folder, **how):
    return Winrm(folder, auth=("kerberos",), environment=kdc.environment(), realm=REALM, **how)


@pytest.fixture(scope="module")
def server(tmp_path_factory, kdc):
    with windows(kdc, tmp_path_factory.mktemp("winrm")) as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory, kdc):
    with windows(kdc, tmp_path_factory.mktemp("winrm"), tls=True) as running:
        yield running


@pytest.fixture
def variables(server):
    return reached(server)


def reached(server):
    kerberos = {"ansible_winrm_transport": "kerberos", "ansible_winrm_kerberos_hostname_override": HOST}
    return server.variables(ansible_user=f"{USER}@{REALM}", **kerberos)


@pytest.fixture
def folder(tmp_path, variables):
    return folder_with(tmp_path / "bot", variables)


def folder_with(path, variables):
    hosts = json.dumps({"all": {"hosts": {"win1": variables}}})
    return write_folder(path, toml=BOT_TOML, policy=POLICY, hosts=hosts)


def ran(environment, *argv):
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=60)
    return f"{done.stdout}{done.stderr}"


def tried(environment, folder):
    argv = (sys.executable, "-m", "automation_bots.cli.main", "try", "windows", str(folder), "win1")
    return ran(environment, *argv)


def test_with_a_ticket_and_no_password_all_that_the_driver_does_works_on_sealed_messages(kdc, server, folder):
    said = tried(kdc.log_in(USER, PASSWORD), folder)
    assert (said.count("ok   "), "WRONG" in said) == (8, False), said
    assert {entry["user"] for entry in server.asked("created")} == {USER}


def test_kerberos_inside_tls_works_too(kdc, tls, tmp_path):
    said = tried(kdc.log_in(USER, PASSWORD), folder_with(tmp_path / "bot", reached(tls)))
    assert (said.count("ok   "), "WRONG" in said) == (8, False), said


def test_without_a_ticket_it_is_said_where_one_comes_from(kdc, folder):
    said = tried(kdc.environment("nobody"), folder)
    assert f"by Kerberos: Can't find client principal {USER}@{REALM}" in said
    assert "kinit gets one" in said


def test_a_ticket_that_has_run_out_is_told(kdc, folder):
    environment = kdc.log_in(USER, PASSWORD, "-l", "1s")
    time.sleep(2)
    assert "by Kerberos: Ticket expired." in tried(environment, folder)


def test_a_device_that_the_domain_knows_by_another_name_is_told(kdc, variables, tmp_path):
    wrong = folder_with(tmp_path / "bot", {**variables, "ansible_winrm_kerberos_hostname_override": "win9.lab.test"})
    said = tried(kdc.log_in(USER, PASSWORD), wrong)
    assert f"Server HTTP/win9.lab.test@{REALM} not found" in said
    assert "ansible_winrm_kerberos_hostname_override" in said


def test_a_ticket_of_somebody_who_has_no_account_there_opens_nothing(kdc, server, variables, tmp_path):
    other = folder_with(tmp_path / "bot", {**variables, "ansible_user": f"stranger@{REALM}"})
    before = len(server.asked("created"))
    said = tried(kdc.log_in("stranger", PASSWORD), other)
    assert f"authentication failed for user stranger@{REALM}" in said
    assert len(server.asked("created")) == before


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_pypsrp_as_an_independent_client(kdc, server, auth):
    lines = (
        "from pypsrp.wsman import WSMan; from pypsrp.shell import Process, WinRS; import sys, json",
        "with WSMan('127.0.0.1', **json.loads(sys.argv[1])) as wsman, WinRS(wsman) as shell:",
        "    process = Process(shell, 'whoami'); process.invoke(); print(process.stdout)",
    )
    login = {"port": server.port, "ssl": False, "auth": auth, "username": f"{USER}@{REALM}",
             "negotiate_hostname_override": HOST, "negotiate_service": "HTTP"}  # fmt: skip
    code = (sys.executable, "-c", "\n".join(lines), json.dumps(login))
    assert "lab" in ran(kdc.log_in(USER, PASSWORD), *code)


def test_ansibles_own_winrm_as_an_independent_client(kdc, variables, tmp_path):
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(json.dumps({"all": {"hosts": {"win1": {**variables, "ansible_winrm_kinit_mode": "manual"}}}}))
    environment = {**kdc.log_in(USER, PASSWORD), "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_HOME": str(tmp_path)}
    assert "grün" in ran(environment, ANSIBLE, "win1", "-i", str(hosts), "-m", "raw", "-a", "Write-Output grün")
