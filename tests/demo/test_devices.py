"""The simulated devices: their command line, and what independent SSH clients see of them."""

import json
import re
import shutil
import stat
import subprocess
import sys
import time

import paramiko
import pytest

from automation_bots.demo.cli import Cli
from automation_bots.demo.switch import network


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.seconds = 1_800_000_000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def switches(clock):
    return network(clock)


def single(switch, *lines):
    """Run lines as `ssh device …` does; return what the last one answered."""
    cli = Cli(switch, "demo", "secret", asks=False)
    return [cli.run(line) for line in lines][-1]


def session(switch, *lines):
    cli = Cli(switch, "demo", "secret")
    for line in lines:
        cli.run(line)
    return cli


@pytest.mark.parametrize(
    "line",
    ["show version", "sh ver", "show clock", "show uptime", "sh ip int br", "show interfaces", "show int gi0/1",
     "show running-config", "show ip route", "show lldp neighbors", "show users", "show processes cpu",
     "show processes memory", "dir", "dir flash:", "show logging", "show file systems", "terminal length 0",
     "show version | include uptime", "write memory", "wr", "show ip arp", "show mac address-table",
     "show ip bgp summary", "show ip route 10.0.0.2"],
)  # fmt: skip
def test_the_usual_commands_are_understood(switches, line):
    assert single(switches["core1"], line).ok


@pytest.mark.parametrize("line", ["show foo", "frobnicate", "show int gi9/9", "show clock | sort x", "conf t x"])
def test_what_it_does_not_know_gets_the_caret(switches, line):
    reply = single(switches["core1"], line)
    assert not reply.ok
    assert "% Invalid input detected at '^' marker." in reply.text


def test_ambiguous_and_incomplete_commands_are_told_apart(switches):
    assert single(switches["core1"], "show").text == "% Incomplete command."
    assert single(switches["core1"], "wr").text.endswith("[OK]")
    assert single(switches["core1"], "di").text.startswith("% Ambiguous command")


@pytest.mark.parametrize(
    ("lines", "prompt"),
    [
        ((), "core1>"),
        (("enable",), "Password: "),
        (("enable", "wrong"), "core1>"),
        (("enable", "secret"), "core1#"),
        (("enable", "secret", "conf t"), "core1(config)#"),
        (("enable", "secret", "conf t", "int g0/1"), "core1(config-if)#"),
        (("enable", "secret", "conf t", "int g0/1", "ntp server 1.1.1.1"), "core1(config)#"),
        (("enable", "secret", "conf t", "int g0/1", "exit"), "core1(config)#"),
        (("enable", "secret", "conf t", "int g0/1", "end"), "core1#"),
        (("enable", "secret", "conf t", "hostname edge", "end", "disable"), "edge>"),
        (("enable", "secret", "reload"), "Proceed with reload? [confirm]"),
        (("enable", "secret", "reload", "no"), "core1#"),
    ],
)
def test_the_prompt_says_where_one_is(switches, lines, prompt):
    assert session(switches["core1"], *lines).prompt == prompt


def test_without_enable_nothing_can_be_changed(switches):
    assert not session(switches["core1"]).run("configure terminal").ok


def test_a_shutdown_is_seen_here_and_at_the_other_end_of_the_cable(switches):
    assert "core1 " in single(switches["access1"], "show lldp neighbors").text
    single(switches["core1"], "conf t", "int gi0/2", "shutdown", "end")
    assert "administratively down" in single(switches["core1"], "show ip int brief | include 0/2").text
    assert "down                  down" in single(switches["access1"], "sh ip int br | inc 0/1").text
    assert "displayed: 0" in single(switches["access1"], "show lldp neighbors").text
    assert "10.0.1.0" not in single(switches["core1"], "show ip route").text
    assert "%LINK-5-CHANGED" in single(switches["core1"], "show logging").text


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("show ip arp", "10.0.0.2 .* GigabitEthernet0/1$"),
        ("show mac address-table", "DYNAMIC +Gi0/1$"),
        ("show ip route 10.0.0.2", "directly connected, via GigabitEthernet0/1$"),
    ],
)
def test_what_is_learned_over_a_cable_goes_with_it(switches, line, there):
    assert re.search(there, single(switches["core1"], line).text, re.MULTILINE)
    single(switches["core2"], "conf t", "int gi0/1", "shutdown")
    assert not re.search(there, single(switches["core1"], line).text, re.MULTILINE)


def test_what_is_configured_stands_in_the_configuration(switches):
    core1 = switches["core1"]
    single(core1, "conf t", "ntp server 9.9.9.9", "int lo7", "description a b", "ip address 10.7.7.7 255.255.255.255")
    text = single(core1, "show running-config").text
    assert "interface Loopback7\n description a b\n ip address 10.7.7.7 255.255.255.255" in text
    assert "ntp server 9.9.9.9" in text
    single(core1, "conf t", "no ntp server 9.9.9.9", "int lo7", "no ip address", "no description")
    assert "9.9.9.9" not in single(core1, "show running-config").text


def test_only_interfaces_that_were_made_can_be_removed(switches):
    core1 = switches["core1"]
    single(core1, "conf t", "int lo7", "description x", "no interface lo7")
    assert "Loopback7" not in single(core1, "show running-config").text
    assert "not permitted" in single(core1, "conf t", "no interface gi0/1").text


def test_a_reload_forgets_what_was_not_saved_and_takes_a_while(switches, clock):
    core1 = switches["core1"]
    single(core1, "conf t", "hostname saved", "end", "write memory", "conf t", "hostname lost")
    assert single(core1, "reload").close
    assert core1.reloading
    clock.seconds += 120
    assert not core1.reloading
    assert single(core1, "show uptime").text == "saved uptime is 1 minute"


def test_the_uptime_grows(switches, clock):
    before = single(switches["core1"], "show version | include uptime").text
    clock.seconds += 3600
    assert single(switches["core1"], "show version | include uptime").text != before


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    command = [sys.executable, "-m", "automation_bots.demo.devices", "--folder", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        yield folder
        process.stdin.close()
        assert process.wait(10) == 0


def address(folder, name):
    entry = json.loads((folder / "devices.json").read_text())[name]
    return entry["host"], entry["port"], (folder / "password").read_text().strip()


@pytest.fixture
def client(started):
    host, port, password = address(started, "core2")
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(started / "known_hosts"))
        client.connect(host, port, "demo", password, allow_agent=False, look_for_keys=False)
        yield client


@pytest.mark.slow
def test_what_holds_secrets_is_private(started):
    for path in started.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.mark.slow
def test_paramiko_runs_single_commands(client):
    _in, out, _err = client.exec_command("show version")
    assert "core2 uptime is" in out.read().decode()
    assert out.channel.recv_exit_status() == 0
    _in, out, _err = client.exec_command("show nonsense")
    assert "% Invalid input" in out.read().decode()
    assert out.channel.recv_exit_status() == 1


def until(channel, text, seconds=5):
    seen, end = "", time.monotonic() + seconds
    channel.settimeout(seconds)
    while text not in seen and time.monotonic() < end:
        seen += channel.recv(4096).decode()
    return seen


@pytest.mark.slow
def test_paramiko_configures_in_a_shell_and_the_password_is_not_echoed(client, started):
    password = address(started, "core2")[2]
    shell = client.invoke_shell(width=300)
    seen = until(shell, "core2>")
    steps = {"enable": "Password: ", password: "core2#", "conf t": "(config)#", "int g0/3": "(config-if)#"}
    for line, prompt in {**steps, "description hello": "(config-if)#", "end": "core2#"}.items():
        shell.send(f"{line}\n".encode())
        seen += until(shell, prompt)
    assert "description hello" in seen
    assert password not in seen
    _in, out, _err = client.exec_command("show interfaces description | include hello")
    assert "Gi0/3" in out.read().decode()


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("ssh") and shutil.which("sshpass")), reason="no OpenSSH client, or no sshpass")
def test_the_openssh_client_knows_the_host_and_gets_the_exit_status(started):
    host, port, _password = address(started, "core1")
    known = ["-F", "none", "-o", f"UserKnownHostsFile={started}/known_hosts", "-o", "StrictHostKeyChecking=yes"]
    ssh = ["sshpass", "-f", started / "password", "ssh", *known, "-p", str(port), f"demo@{host}"]
    good = subprocess.run([*ssh, "show", "clock"], capture_output=True, text=True, timeout=20)
    bad = subprocess.run([*ssh, "nonsense"], capture_output=True, text=True, timeout=20)
    assert (good.returncode, bad.returncode) == (0, 1)
    assert "UTC" in good.stdout


@pytest.mark.slow
def test_a_wrong_password_is_refused(started):
    host, port, _password = address(started, "core1")
    with paramiko.SSHClient() as client:
        client.load_host_keys(str(started / "known_hosts"))
        with pytest.raises(paramiko.AuthenticationException):
            client.connect(host, port, "demo", "wrong", allow_agent=False, look_for_keys=False)


@pytest.mark.slow
def test_a_second_set_finds_other_ports_and_ends_on_sigterm(started, tmp_path):
    command = [sys.executable, "-m", "automation_bots.demo.devices", "--folder", str(tmp_path / "two")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert address(tmp_path / "two", "core1")[:2] != address(started, "core1")[:2]
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.slow
def test_netmiko_takes_it_for_a_cisco_device(started):
    netmiko = pytest.importorskip("netmiko")
    host, port, password = address(started, "access1")
    login = {"host": host, "port": port, "username": "demo", "password": password, "secret": password}
    with netmiko.ConnectHandler(device_type="cisco_ios", **login) as device:
        device.enable()
        device.send_config_set(["interface gi0/2", "description from netmiko"])
        assert "from netmiko" in device.send_command("show interfaces description")
        assert "[OK]" in device.save_config()
