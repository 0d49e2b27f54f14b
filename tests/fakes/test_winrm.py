"""The WinRM test server, checked with clients that others wrote: pywinrm, pypsrp and Ansible's own connection."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import winrm
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WSManFaultError

from tests.fakes.winrm import PASSWORD, USER, Winrm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


@pytest.fixture(scope="module")
def clear(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm")) as server:
        yield server


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm-tls"), tls=True) as server:
        yield server


def session(server, transport="ntlm", password=PASSWORD, **more):
    if server.authority:
        more.setdefault("ca_trust_path", str(server.authority.ca))
    return winrm.Session(server.url, auth=(USER, password), transport=transport, **more)


@pytest.fixture
def protocol(clear):
    talk = session(clear, operation_timeout_sec=1, read_timeout_sec=10).protocol
    yield talk
    talk.transport.close_session()


def test_pywinrm_runs_powershell_with_sealed_messages(clear):
    ran = session(clear).run_ps("Write-Output 'grün ✓'")
    assert (ran.status_code, ran.std_out.decode()) == (0, "grün ✓\r\n")


def test_an_error_comes_as_clixml_which_pywinrm_reads(clear):
    ran = session(clear).run_ps("Write-Error 'no such thing'")
    assert (ran.status_code, b"no such thing" in ran.std_err) == (1, True)


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
def test_logins_over_tls_with_a_private_ca(tls, transport):
    assert session(tls, transport).run_cmd("whoami").std_out == b"lab\\bot\r\n"


def test_a_client_certificate_logs_in(tls):
    cert, key = map(str, tls.authority.client)
    ran = session(tls, "certificate", cert_pem=cert, cert_key_pem=key).run_cmd("hostname")
    assert ran.std_out == b"LAB\r\n"


@pytest.mark.parametrize(
    ("transport", "password", "more"),
    [("ntlm", "wrong", {}), ("basic", PASSWORD, {}), ("ntlm", PASSWORD, {"message_encryption": "never"})],
    ids=["a wrong password", "basic in clear", "messages in clear"],
)
def test_what_a_real_server_refuses_is_refused(clear, transport, password, more):
    with pytest.raises(InvalidCredentialsError):
        session(clear, transport, password, **more).run_cmd("whoami")


def test_a_command_that_says_nothing_ends_the_operation_with_a_fault(protocol):
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "powershell", ["-Command", "Start-Sleep", "30"])
    with pytest.raises(WinRMOperationTimeoutError):
        protocol.get_command_output_raw(shell, command)
    protocol.close_shell(shell)


def test_output_comes_in_parts_that_fit_the_envelope(protocol):
    shell = protocol.open_shell()
    command = protocol.run_command(shell, "powershell", ["-Command", "Get-Content", "3000"])
    sizes, done = [], False
    while not done:
        with contextlib.suppress(WinRMOperationTimeoutError):  # until it has started
            out, _, code, done = protocol.get_command_output_raw(shell, command)
            sizes.append(len(out))
    protocol.close_shell(shell)
    assert (code, len(sizes) > 3, max(sizes) <= 153600 // 2, sum(sizes)) == (0, True, True, 3000 * 103)


def test_a_line_that_is_too_long_for_cmd_is_refused(clear):
    ran = session(clear).run_cmd("echo", ["x" * 9000])
    assert (ran.status_code, ran.std_err) == (1, b"The command line is too long.\r\n")


def _use_too_much(talk, limits):
    shell = talk.open_shell()
    talk.run_command(shell, "powershell", ["-Command", "Start-Sleep", "30"])
    talk.run_command(talk.open_shell() if "shells" in limits else shell, "echo", ["x" * 4000])


@pytest.mark.parametrize(
    ("limits", "code"), [({"shells": 1}, 2150859173), ({"operations": 1}, 2150859174), ({"envelope": 3000}, 2150858790)]
)
def test_quotas_have_the_codes_of_windows(tmp_path, limits, code):
    with Winrm(tmp_path, limits=limits) as server:
        talk = session(server).protocol
        with pytest.raises(WSManFaultError) as caught:
            _use_too_much(talk, limits)
        talk.transport.close_session()
    assert caught.value.wsman_fault_code == code


def test_a_shell_that_nobody_uses_ends(protocol):
    shell = protocol.open_shell(idle_timeout="PT0.3S")
    time.sleep(0.6)
    with pytest.raises(WSManFaultError) as caught:
        protocol.run_command(shell, "whoami")
    assert caught.value.wsman_fault_code == 2150858843


def test_pypsrp_sends_input_and_signals(clear):
    login = {"port": clear.port, "ssl": False, "username": USER, "password": PASSWORD, "auth": "negotiate"}
    with WSMan("127.0.0.1", **login) as wsman, WinRS(wsman) as shell:
        process = Process(shell, "powershell.exe", ["-Command", "Write-Output begun; Start-Sleep 60"])
        process.begin_invoke()
        while b"begun" not in process.stdout:  # a signal before that is nobody's
            process.poll_invoke(timeout=1)
        process.signal(SignalCode.CTRL_C)
        process.end_invoke()
    assert process.rc != 0
    assert clear.asked("ctrl_c")


def test_pypsrp_hears_that_there_are_no_runspaces(clear):
    from pypsrp.client import Client

    with Client("127.0.0.1", port=clear.port, ssl=False, username=USER, password=PASSWORD, auth="ntlm") as client:
        assert client.execute_cmd("whoami")[0] == "lab\\bot\r\n"
        with pytest.raises(Exception, match="2150858752"):
            client.execute_ps("whoami")


def test_ansible_runs_raw_commands(clear, tmp_path):
    hosts = tmp_path / "hosts.yml"
    variables = "".join(f"      {key}: {value}\n" for key, value in clear.variables().items())
    hosts.write_text(f'all:\n  hosts:\n    win1:\n{variables}      ansible_password: "{PASSWORD}"\n')
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "0", "ANSIBLE_HOME": str(tmp_path)}
    argv = [
        str(Path(sys.executable).with_name("ansible")),
        "win1",
        "-i",
        str(hosts),
        "-m",
        "raw",
        "-a",
        "Write-Output grün",
    ]
    ran = subprocess.run(argv, env=environment, capture_output=True, text=True)
    assert (ran.returncode, "grün" in ran.stdout) == (0, True), ran.stdout + ran.stderr
