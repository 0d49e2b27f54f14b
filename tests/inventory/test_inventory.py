"""The inventory is what Ansible says it is, without its secrets, and without Ansible in the bot."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from automation_bots.errors import BadCommand, ConfigError, UnknownDevice
from tests.support.chatbot import ROOT, wait
from tests.support.cost import in_yardsticks
from tests.support.inventory_files import TRICKY, opened, write

pytestmark = pytest.mark.slow  # every test starts a process


def ansibles(folder: Path, *sources: str) -> dict:
    """Ask Ansible's own command; from an empty folder, since it also reads group_vars of the current one."""
    program = Path(sys.executable).with_name("ansible-inventory")
    command = [program, "--list", *(word for source in sources for word in ("-i", folder / source))]
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    listed = subprocess.run(command, cwd=elsewhere, capture_output=True, check=True, timeout=60)
    return json.loads(listed.stdout)


def members(listed: dict, group: str) -> set[str]:
    below = listed.get(group, {})
    return set(below.get("hosts", [])).union(*(members(listed, child) for child in below.get("children", [])))


@pytest.mark.parametrize("sources", [("a",), ("a", "b"), ("b/hosts.yml", "a"), ("a/01-hosts", "b", "a")])
@pytest.mark.parametrize("behaviour", ["replace", "merge"])
def test_every_variable_and_group_is_what_ansible_says(tmp_path, monkeypatch, sources, behaviour):
    monkeypatch.setenv("ANSIBLE_HASH_BEHAVIOUR", behaviour)
    write(tmp_path, TRICKY)
    inventory, listed = opened(tmp_path, *sources), ansibles(tmp_path, *sources)
    assert set(inventory.names) == members(listed, "all")
    for device in inventory.devices(inventory.names):
        expected = {name: plain(value) for name, value in listed["_meta"]["hostvars"].get(device.name, {}).items()}
        assert dict(device.variables) == expected, device.name
        groups = {group for group in listed if device.name in members(listed, group)} - {"all", "ungrouped", "_meta"}
        assert device.groups == groups


def plain(value):
    """Take off the mark that Ansible puts on text it would not treat as a template."""
    if isinstance(value, dict):
        return value.get("__ansible_unsafe") or {name: plain(item) for name, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def test_templates_that_the_bot_needs_are_resolved_and_others_are_left(tmp_path):
    write(tmp_path, {
        "inv/hosts.yml": "web: {hosts: {web1: {n: 7}, web2: {ansible_host: plain}}, vars: {net: 10.0.0}}",
        "inv/group_vars/web.yml": 'ansible_host: "{{ net }}.{{ n }}"\nother: "{{ net }}"\nsite: "{{ nowhere }}"\n',
    })  # fmt: skip
    inventory = opened(tmp_path)
    web1, web2 = inventory.devices(("web1", "web2"))
    assert (web1.address, web1.variables["other"], web1.site) == ("10.0.0.7", "{{ net }}", "{{ nowhere }}")
    assert web2.address == "plain"


def test_a_restart_reads_the_cache_and_starts_no_child(tmp_path):
    write(tmp_path, {"inv/hosts": "web1 color=red"})
    opened(tmp_path)
    again = opened(tmp_path, limit_seconds=0.001)
    assert again.device("web1").variables == {"color": "red"}
    assert not again.changed()


def test_a_cache_that_cannot_be_read_is_made_again(tmp_path):
    write(tmp_path, {"inv/hosts": "web1"})
    opened(tmp_path)
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(kept.read_bytes()[:80])
    assert opened(tmp_path).names == ("web1",)


@pytest.mark.parametrize("change", ["hosts", "group_vars/all.yml", "host_vars/web1/new.yml"])
def test_a_changed_file_is_noticed_and_read_again(tmp_path, change):
    write(tmp_path / "inv", {"hosts": "web1", "group_vars/all.yml": "a: 1", "host_vars/web1/x.yml": "b: 1"})
    inventory = opened(tmp_path)
    assert not inventory.refresh()
    write(tmp_path / "inv", {change: "web1 fresh=yes" if change == "hosts" else "fresh: 'yes'"})
    assert inventory.changed()
    assert inventory.refresh()
    assert inventory.device("web1").variables["fresh"] == "yes"


def test_group_vars_beside_an_inventory_file_are_watched_too(tmp_path):
    write(tmp_path / "inv", {"hosts": "web1", "group_vars/all.yml": "a: 1"})
    inventory = opened(tmp_path, "inv/hosts")
    write(tmp_path / "inv", {"group_vars/all.yml": "a: 22"})
    assert inventory.refresh()
    assert inventory.device("web1").variables == {"a": 22}


def test_when_reading_again_fails_the_old_inventory_stays_and_says_why(tmp_path):
    write(tmp_path, {"inv/hosts.yml": "all: {hosts: {web1: }}"})
    inventory = opened(tmp_path)
    write(tmp_path, {"inv/hosts.yml": "all: {hosts: {web1: "})
    assert not inventory.refresh()
    assert inventory.names == ("web1",)
    assert "cannot be read" in inventory.problem
    assert "hosts.yml" in inventory.problem
    assert not inventory.changed()  # the same broken file is not tried again
    write(tmp_path, {"inv/hosts.yml": "all: {hosts: {web2: }}"})
    assert inventory.refresh()
    assert (inventory.names, inventory.problem) == (("web2",), "")


def test_hosts_from_a_program_are_asked_for_again_after_a_while(tmp_path):
    script = f'#!/bin/sh\necho \'{{"g": {{"hosts": ["\'$(cat {tmp_path}/name)\'"]}}}}\''
    write(tmp_path, {"inv/list.sh": script, "name": "one"})
    inventory = opened(tmp_path, refresh_seconds=0.1)
    assert inventory.names == ("one",)
    write(tmp_path, {"name": "two"})
    time.sleep(0.1)
    assert inventory.refresh()
    assert inventory.names == ("two",)
    assert not opened(tmp_path, refresh_seconds=60).changed()


@pytest.mark.parametrize(
    ("files", "where", "line", "reason"),
    [
        ({"inv/hosts.yml": "all:\n  hosts:\n    web1: [\n"}, "hosts.yml", 4, "YAML parsing failed"),
        ({"inv/hosts": "[web]\nweb1 color"}, "hosts", None, "Expected key=value"),
        ({"inv/hosts": "web1", "inv/list.sh": "#!/bin/sh\nexit 3"}, "list.sh", None, "non-zero exit code 3"),
        ({"inv/hosts": "web1", "inv/list.sh": "#!/bin/sh\necho no json"}, "list.sh", None, "JSON"),
        ({"inv/list.sh": "#!/bin/sh\necho no boto3 >&2; exit 3"}, "list.sh", None, "code 3. It says: no boto3"),
        ({"inv/list.sh": "echo {}"}, "list.sh", None, r"Exec format error\): its first line must name a program"),
        ({"inv/list": "#!/usr/bin/python3\nimport json,sys"}, "list", None, "may not be started: chmod [+]x"),
        (
            {"inv/hosts": "web1", "inv/a.nmap.yml": "plugin: community.general.nmap"},
            "a.nmap.yml",
            None,
            "nmap needs the collection community.general, which is not installed",
        ),
        ({"inv/aws_ec2.yml": "plugin: aws_ec2"}, "aws_ec2.yml", None, "aws_ec2 needs the collection amazon.aws"),
        ({"inv/mine.yml": "plugin: mine"}, "mine.yml", None, "there is no inventory plugin 'mine' where"),
        (
            {"inv/a": "web1", "inv/b.yml": "plugin: constructed\nstrict: true\ngroups: {g: none_such == 1}"},
            "b.yml",
            3,
            "Could not add host web1 to group g.*'none_such' is undefined",
        ),
        ({"inv/hosts": "web1", "inv/group_vars/all.yml": "a: 1\nb: [\n"}, "all.yml", 3, "YAML parsing failed"),
        ({"inv/hosts": "web1", "inv/host_vars/web1.yml": "- a list"}, "inv", None, "expected dicts"),
    ],
)
def test_a_broken_file_is_named_with_ansibles_reason(tmp_path, files, where, line, reason):
    write(tmp_path, files)
    with pytest.raises(ConfigError, match=reason) as caught:
        opened(tmp_path)
    assert (caught.value.path.name, caught.value.line) == (where, line)


def test_a_source_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="nowhere: there is no such inventory"):
        opened(tmp_path, "nowhere")


def test_a_program_that_hangs_is_ended_with_all_its_children(tmp_path, monkeypatch):
    monkeypatch.delenv("TESTS_READER")  # what is ended here is the process itself, and no fork of another one
    write(tmp_path, {"inv/list.sh": f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60"})
    with pytest.raises(ConfigError, match="longer than 3 seconds"):
        opened(tmp_path, limit_seconds=3)
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_a_program_that_hangs_ends_with_a_bot_that_is_killed(tmp_path, monkeypatch):
    monkeypatch.delenv("TESTS_READER")
    write(tmp_path, {"inv/list.sh": f"#!/bin/sh\necho $$ > {tmp_path}/pid\nsleep 60"})
    imports = "import sys; from pathlib import Path; from tests.support.inventory_files import opened; "
    code = imports + "opened(Path(sys.argv[1]))"
    bot = subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT)
    wait(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 20)
    stat = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert stat.exists()
    bot.kill()
    bot.wait()
    wait(lambda: not stat.exists() or stat.read_text().split()[2] == "Z", 10)


@pytest.mark.parametrize("files", [{"inv/hosts": ""}, {"inv/.keep": ""}])
def test_an_empty_inventory_is_allowed_and_says_so(tmp_path, files):
    inventory = opened(write(tmp_path, files))
    assert inventory.names == ()
    assert inventory.problem.startswith("The inventory has no devices: add some to ")


def test_a_list_of_hosts_in_a_line_of_a_file_is_said_to_be_one_name(tmp_path):
    inventory = opened(write(tmp_path, {"inv/hosts": "web[1:2],db1"}))
    assert "'web1,db1' has a comma" in inventory.problem


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return opened(write(tmp_path_factory.mktemp("tree"), TRICKY), "a")


def test_a_device_is_in_all_groups_above_its_own(tree):
    assert tree.device("db1").groups == {"bottom", "middle", "top", "eu", "cluster"}
    assert tree.device("router").groups == frozenset()
    assert set(tree.groups["top"]) == {"db1", "web1"}


def test_a_pattern_becomes_devices(tree):
    assert tree.expand("web:!web2") == ("web1", "web3")
    assert set(tree.expand("all")) == {"router", "web1", "web2", "web3", "db1", "vm1"}


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("wbe1", "No device or group 'wbe1'"),
        ("web,wbe1,nope", "No device or group 'wbe1', 'nope'"),
        ("web:&wbe1", "No device or group 'wbe1'"),
        ("zzz*", r"No device matches 'zzz\*'"),
        ("web:!web", "No device matches 'web:!web'"),
        ("localhost", "No device or group 'localhost'"),
    ],
)
def test_a_pattern_that_means_nothing_says_which_word(tree, pattern, said):
    with pytest.raises(UnknownDevice, match=said):
        tree.expand(pattern)


def test_a_pattern_that_cannot_be_read_is_the_fault_of_the_command(tree):
    with pytest.raises(BadCommand, match="not a regular expression"):
        tree.expand("~web(")


def test_an_unknown_device_is_an_error_and_near_names_are_found(tree):
    with pytest.raises(UnknownDevice, match="No device 'wbe1'"):
        tree.device("wbe1")
    assert "web1" in tree.nearest("wbe1", tree.names)
    assert tree.nearest("xyz", tree.names) == []


def test_the_bot_never_imports_ansible():
    code = "import sys, automation_bots.inventory.inventory; print({'ansible', 'errbot', 'yaml'} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert printed.stdout.strip() == "set()"


@pytest.mark.slow
def test_ten_thousand_hosts_load_and_from_the_cache_at_once(tmp_path):
    hosts = "".join(
        f"sw-{n:05d}.example.com ansible_host=10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n" for n in range(10_000)
    )
    write(tmp_path, {"inv/hosts": "[switches]\n" + hosts, "inv/group_vars/switches.yml": "ansible_network_os: ios\n"})
    assert len(opened(tmp_path).names) == 10_000
    assert in_yardsticks(lambda: opened(tmp_path), 20) < 20
    assert opened(tmp_path).device("sw-00300.example.com").address == "10.0.1.44"
