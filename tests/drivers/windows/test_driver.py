"""The PowerShell driver against the WinRM test server; no Windows was at hand (docs/windows.md)."""

import threading
import time
from dataclasses import replace

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.fake import Recorder
from automation_bots.drivers.windows.ps_operation import PS
from automation_bots.model import Device, Risk, Status
from automation_bots.operations.verbs import Entry, Verb
from tests.drivers.contract import Bench, Lab, LoginContract, Logins, make_task, nothing_left_behind
from tests.drivers.ssh.bench import closed_port
from tests.drivers.windows.bench import LIMIT, cmdlet, device, powershell, secrets, text, trace_of
from tests.fakes import strange
from tests.fakes.winrm import PASSWORD, Winrm

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]
HOSTILE = ["; Remove-Item C:\\", "$(Get-Date)", "a'b\"c", "‘; Remove-Item C:\\ ’", "“x”",
           "two\nlines", "`n", "ünïcödé ✓ 漢", "|", "@{a=1}", "%PATH%",
           "$true", "&", "\u201a\u201b\u201e", "a,b", "#AB e30="]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm"), limits={"shells": 500}) as running:
        yield running


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    with Winrm(tmp_path_factory.mktemp("winrm-tls"), tls=True) as running:
        yield running


@pytest.fixture
def bench(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    with nothing_left_behind():
        yield Bench(powershell(tmp_path), work, secrets=secrets)


@pytest.fixture
def run(bench):
    return lambda operation, at, **options: bench.run(operation, at, **options)[at.name]


class TestContract(LoginContract):
    @pytest.fixture
    def lab(self, server, tmp_path):
        path = f"C:\\traces\\{tmp_path.name}-{time.time_ns()}"
        return Lab(
            driver=powershell(tmp_path),
            good=tuple(device(server, f"win{number}") for number in (1, 2, 3)),
            broken=device(server, "bad1", platform="broken"),
            unreachable=Device("gone1", variables=server.variables(ansible_port=closed_port())),
            hello=cmdlet(
                "Write-Output",
                InputObject="hello",
                others={"broken": Entry(cmdlet={"cmdlet": "Write-Error", "Message": "no"})},
            ),
            slow=cmdlet("Start-Sleep", Seconds=60, risk=Risk.CHANGE),
            loud=cmdlet("Get-Content", TotalCount=LIMIT * 3 // 100),
            touch=cmdlet("Set-Content", LiteralPath=path, Value="x", risk=Risk.CHANGE),
            touched=lambda: trace_of(server, path) is not None,
            still_running=lambda: bool(server.running()),
            output_limit=LIMIT,
            secrets=secrets,
            logins=Logins(
                count=lambda: len(server.asked("created")),
                password=PASSWORD,
                prints=lambda said: cmdlet("Write-Output", InputObject=said),
                wrong=(powershell(tmp_path), device(server), lambda _: {"ansible_password": "wrong-1"}),
                wrong_password="wrong-1",
            ),
        )


@pytest.mark.parametrize("value", HOSTILE)
def test_what_a_person_types_stays_data(run, server, value):
    echo = cmdlet("Write-Output", InputObject="<{value}>", parameters=[text()])
    assert run(echo, device(server), parameters={"value": value}).output == f"<{value}>".replace("\n", "\n")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_of_its_own_names_one_file(run, server, value):
    write = cmdlet("Set-Content", LiteralPath="{value}", Value="x", parameters=[text()], risk=Risk.CHANGE)
    assert run(write, device(server), parameters={"value": value}).status is Status.CHANGED
    assert trace_of(server, value) == "x"


def test_objects_come_as_a_table(run, server):
    outcome = run(cmdlet("Get-Service", Name="*"), device(server))
    assert outcome.output.splitlines()[0].split() == ["Status", "Name", "DisplayName"]
    assert "größe    Überwachung" in outcome.output
    assert outcome.summary == "3 objects"


def test_an_error_is_one_sentence(run, server):
    outcome = run(cmdlet("Get-Service", Name="nope"), device(server))
    assert (outcome.status, outcome.summary) == (Status.FAILED, "Cannot find any service with service name 'nope'.")


def test_check_asks_with_whatif_and_changes_nothing(run, server):
    stop = cmdlet("Stop-Service", Name="w3svc", risk=Risk.CHANGE)
    outcome = run(stop, device(server), check=True)
    assert outcome.status is Status.SKIPPED
    assert outcome.summary.startswith('What if: Performing the operation "Stop-Service" on target "World Wide Web')
    assert "Running" in run(cmdlet("Get-Service", Name="w3svc"), device(server)).output


def test_a_typed_whatif_is_no_change(bench, server):
    at = device(server)
    outcome = bench.run(PS, at, parameters={"command": ("Stop-Service", "w3svc", "-WhatIf")})[at.name]
    assert (outcome.status, outcome.summary[:8]) == (Status.SKIPPED, "What if:")


@pytest.mark.parametrize("variables", [{"ansible_user": "root"}, {"platform": "cisco_ios", "driver": "network"}])
def test_what_is_no_windows_is_told_before_anything_is_sent(run, server, variables):
    outcome = run(cmdlet("Get-Service"), Device("web1", variables=variables))
    assert outcome.summary.startswith("is no Windows device (platform ")


def test_a_change_is_seen_by_the_next_look(run, server):
    assert run(cmdlet("Start-Service", Name="spooler", risk=Risk.CHANGE), device(server)).status is Status.CHANGED
    assert "Running" in run(cmdlet("Get-Service", Name="spooler"), device(server)).output


def test_a_script_of_200_kilobytes_arrives_whole(run, server):
    script = "# " + "ü" * 100_000 + "\nWrite-Output 'arrived ✓'\n"
    outcome = run(PS, device(server), parameters={"script": script})
    assert (outcome.status, outcome.output) == (Status.CHANGED, "arrived ✓")


def test_a_script_says_its_exit_code_and_its_errors(run, server):
    assert run(PS, device(server), parameters={"script": "exit 3"}).summary == "exit code 3"
    failed = run(PS, device(server), parameters={"script": "Write-Output one\nWrite-Error 'two bad'"})
    assert (failed.status, failed.summary, failed.output) == (Status.FAILED, "two bad", "one\nError: two bad")


def test_a_cmdlet_that_looks_is_no_change(run, server):
    outcome = run(PS, device(server), parameters={"command": ("get-service", "-Name", "w3svc")})
    assert (outcome.status, outcome.summary) == (
        Status.OK,
        "Status Running, Name w3svc, DisplayName World Wide Web Publishing Service",
    )


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"ansible_winrm_transport": "basic"}, "basic over http would show the password"),
        ({"ansible_winrm_message_encryption": "never"}, "in clear"),
        ({"ansible_winrm_transport": "telepathy"}, "must be one of ntlm, kerberos"),
        ({"ansible_port": "x"}, "must be a port number"),
        ({"ansible_user": ""}, "has no ansible_user"),
        ({"powershell_executable": "pwsh -c"}, "without blanks"),
    ],
)
def test_what_would_be_unsafe_or_wrong_is_refused_before_anything_is_sent(run, server, variables, words):
    before = len(server.asked())
    outcome = run(cmdlet("Get-Date"), device(server, **variables))
    assert (outcome.status, words in outcome.summary) == (Status.FAILED, True), outcome.summary
    assert len(server.asked()) == before


def test_a_wrong_password_is_told(run, server):
    outcome = run(cmdlet("Get-Date"), device(server), secrets=lambda _: {"ansible_password": "wrong"})
    assert outcome.status is Status.UNREACHABLE
    assert outcome.summary == f"authentication failed for user bot on 127.0.0.1:{server.port} by ntlm"


@pytest.mark.parametrize("transport", ["basic", "ntlm", "certificate"])
def test_logins_over_tls_with_a_private_ca(run, tls, transport):
    cert, key = map(str, tls.authority.client)
    at = device(tls, ansible_winrm_transport=transport, ansible_winrm_cert_pem=cert, ansible_winrm_cert_key_pem=key)
    assert run(cmdlet("Write-Output", InputObject="in ✓"), at).output == "in ✓"


def test_a_certificate_of_an_unknown_ca_is_refused(run, tls):
    outcome = run(cmdlet("Get-Date"), device(tls, ansible_winrm_ca_trust_path=""))
    assert outcome.status is Status.UNREACHABLE
    assert "no CA that this bot trusts signed it; set ansible_winrm_ca_trust_path" in outcome.summary
    assert not tls.asked("Command") or tls.asked()[-1]["what"] != "Create"


@pytest.mark.parametrize("transport", ["ntlm", "certificate"])
def test_a_ca_file_that_is_not_there_is_named(run, tls, transport):
    cert, key = map(str, tls.authority.client)
    files = {"ansible_winrm_cert_pem": cert, "ansible_winrm_cert_key_pem": key}
    at = device(tls, ansible_winrm_transport=transport, ansible_winrm_ca_trust_path="/no/ca.pem", **files)
    assert run(cmdlet("Get-Date"), at).summary == "the CA file /no/ca.pem for win1 cannot be read"


def test_checks_of_the_certificate_are_left_out_only_where_the_inventory_says_so(run, tls):
    at = device(tls, ansible_winrm_ca_trust_path="", ansible_winrm_server_cert_validation="ignore")
    assert run(cmdlet("Write-Output", InputObject="in"), at).output == "in"


@pytest.mark.parametrize("login", ["kerberos", "credssp"])
def test_a_login_whose_library_is_missing_says_what_to_install(run, server, login):
    outcome = run(cmdlet("Get-Date"), device(server, ansible_winrm_transport=login))
    assert f"pip install pywinrm[{login}]" in outcome.summary


def test_a_shell_is_used_again_by_the_next_job(run, server):
    hello = cmdlet("Write-Output", InputObject="x")
    run(hello, device(server))
    before = len(server.asked("created"))
    run(hello, device(server))
    assert len(server.asked("created")) == before


def test_a_shell_that_the_device_dropped_is_replaced(bench, tmp_path):
    with Winrm(tmp_path / "lab") as first:
        at = device(first)
        assert bench.run(cmdlet("Write-Output", InputObject="x"), at)["win1"].status is Status.OK
        port = first.port
    with Winrm(tmp_path / "lab", port=port):
        assert bench.run(cmdlet("Write-Output", InputObject="y"), at)["win1"].output == "y"


def test_who_finds_no_free_session_waits_for_one(bench, tmp_path):
    with Winrm(tmp_path / "lab", limits={"shells": 1}) as lab:
        sleeping = cmdlet("Start-Sleep", Seconds=1)
        outcomes = bench.run(sleeping, device(lab, "a"), device(lab, "b"))
        assert {o.status for o in outcomes.values()} == {Status.OK}, outcomes
        assert [entry["code"] for entry in lab.asked("fault")].count(2150859173) >= 1


def test_no_free_session_within_the_time_is_told(bench, tmp_path):
    with Winrm(tmp_path / "lab", limits={"shells": 0}) as lab:
        outcome = bench.run(cmdlet("Get-Date"), device(lab), seconds=3)["win1"]
    assert outcome.status is Status.UNREACHABLE
    assert "has no free session: This user is allowed a maximum number of 0 concurrent shells" in outcome.summary


def test_a_long_command_outlives_many_operation_timeouts(run, server):
    assert run(cmdlet("Start-Sleep", Seconds=5), device(server)).status is Status.OK
    assert 2150858793 in [entry["code"] for entry in server.asked("fault")]


@pytest.mark.parametrize(("risk", "status"), [(Risk.READ, Status.FAILED), (Risk.CHANGE, Status.UNKNOWN)])
def test_a_server_that_dies_half_way(bench, tmp_path, risk, status):
    with Winrm(tmp_path / "lab") as lab:
        threading.Timer(1, lab.die).start()
        outcome = bench.run(cmdlet("Start-Sleep", Seconds=8, risk=risk), device(lab))["win1"]
    assert outcome.status is status
    assert "the connection broke half-way" in outcome.summary


def test_a_cancel_signals_the_command_and_ends_its_shell(run, server):
    cancel = Cancel()
    threading.Timer(1, cancel.set, ("ana said stop",)).start()
    outcome = run(cmdlet("Start-Sleep", Seconds=60, risk=Risk.CHANGE), device(server), cancel=cancel)
    assert (outcome.status, "may still be running there" in outcome.summary) == (Status.UNKNOWN, True)
    assert [entry["what"] for entry in server.asked()[-5:] if entry["what"] in {"ctrl_c", "Delete"}] == [
        "ctrl_c",
        "Delete",
    ]


@pytest.mark.parametrize("behaviour", [strange.hangs_up, strange.garbage])
def test_what_is_not_winrm_is_told_apart(run, behaviour):
    with strange.server(behaviour) as port:
        at = Device(
            "odd",
            variables={
                "ansible_connection": "winrm",
                "ansible_host": "127.0.0.1",
                "ansible_port": port,
                "ansible_user": "x",
                "ansible_winrm_scheme": "http",
            },
        )
        assert run(cmdlet("Get-Date"), at).status is Status.UNREACHABLE


@pytest.mark.parametrize(
    ("behaviour", "why"),
    [(strange.hangs_up, "EOF occurred in violation of protocol"), (strange.garbage, "wrong version number")],
)
def test_what_speaks_no_tls_is_told_in_one_clean_sentence(run, behaviour, why):
    with strange.server(behaviour) as port:
        odd = {"ansible_connection": "winrm", "ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": "x",
               "ansible_winrm_scheme": "https"}  # fmt: skip
        outcome = run(cmdlet("Get-Date"), Device("odd", variables=odd))
    said = f"127.0.0.1:{port} does not speak TLS as it should: {why}; is that the https port?"
    assert (outcome.status, outcome.summary) == (Status.UNREACHABLE, said)


def test_many_objects_are_a_file(server, tmp_path):
    recorder = Recorder()
    devices = [device(server, f"win{number}") for number in range(12)]
    powershell(tmp_path).run(make_task(cmdlet("Get-Service", Name="*"), devices, tmp_path, secrets=secrets), recorder)
    (said,) = recorder.conclusions
    assert said.text.startswith("36 objects of 12 devices, all in verb.csv")
    assert said.files[0].text.splitlines()[0] == '"device","Status","Name","DisplayName"'


def test_a_program_gets_its_words(run, server):
    who = replace(cmdlet("x"), body=Verb((), {"windows": Entry(run={"*": ("quser",)})}))
    assert "ana" in run(who, device(server)).output
