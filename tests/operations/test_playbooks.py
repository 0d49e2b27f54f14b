"""Playbook files as operations, those of this repository and those that nobody here wrote."""

import contextlib
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from automation_bots.drivers import Task
from automation_bots.drivers.ansible.driver import Ansible
from automation_bots.errors import BadParameter, DefinitionError
from automation_bots.model import Caller, Device, Job, Place, Risk, State, Status
from automation_bots.operations.parameters import check
from automation_bots.operations.playbook_files import digest
from automation_bots.operations.playbooks import Playbook, load

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "playbooks").glob("*.yml"))
KOLLA = "kolla_ansible-22.2.0"  # playbooks that nobody here wrote; Apache-2.0

FULL = """---
# A line about the licence.
# bot:
#   help: Patch it
#   risk: change
#   parameters:
#     batch: {type: int, default: 1, min: 1, max: 10}
#     kind: {choices: [all, security], default: all}
#
#   examples: ["!patch on web"]
#   time_limit: 600
#   devices: one
# Not part of the header.
- name: Patch
  hosts: "{{ devices }}"
  tasks: []
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="play.yml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return write


def test_the_header_says_what_the_operation_is(write):
    operation = load(write(FULL, "patch_web.yml"))
    assert (operation.name, operation.help, operation.risk) == ("patch_web", "Patch it", Risk.CHANGE)
    assert [parameter.name for parameter in operation.parameters] == ["batch", "kind"]
    assert (operation.parameters[0].maximum, operation.parameters[1].choices) == (10, ("all", "security"))
    assert (operation.examples, operation.time_limit, operation.devices) == (("!patch on web",), 600, "one")
    assert (operation.driver, operation.group, operation.previews) == ("ansible", "Playbooks", True)
    assert operation.declared
    assert operation.body == Playbook(operation.source, ("{{ devices }}",), ("devices",))
    assert operation.body.device_variables


def test_without_a_header_nothing_is_taken_for_granted(write):
    operation = load(write("- hosts: all\n  tasks: []\n- name: Second\n  hosts: web\n", "my play!.yml"))
    assert (operation.name, operation.help, operation.risk) == ("my-play", "Second", Risk.CHANGE)
    assert not operation.declared
    assert operation.parameters == ()
    assert not operation.body.device_variables


PROMPTS = """
- hosts: all
  vars_prompt:
    - {name: release, prompt: "Which release:", private: false}
    - {name: password, prompt: Password}
    - {name: mode, default: fast, private: false}
    - {name: folder, default: "{{ home }}", private: false}
    - {name: devices, prompt: Where}
"""


def test_vars_prompt_gives_the_parameters(write):
    release, password, mode, folder = load(write(PROMPTS)).parameters
    assert (release.help, release.required, release.secret) == ("Which release", True, False)
    assert (password.required, password.secret) == (True, True)
    assert (mode.required, mode.default) == (False, "fast")
    assert (folder.required, folder.default) == (False, None)


def test_a_prompt_that_encrypts_takes_a_hash(write):
    (hashed,) = load(write("- hosts: all\n  vars_prompt: [{name: pw, encrypt: sha512_crypt}]\n")).parameters
    assert hashed.secret and hashed.help == "(its hash, as mkpasswd makes it: $6$…)"
    assert check(hashed, "$6$salt$Zx9/") == "$6$salt$Zx9/"
    with pytest.raises(BadParameter, match="pw"):
        check(hashed, "plain")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("# bot:\n#   help: x\n#   rsk: read\n- hosts: all\n", 3, "unknown key 'rsk'"),
        ("---\n\n# bot:\n#   risk: maybe\n- hosts: all\n", 4, "risk must be read or change"),
        ("# bot:\n#   time_limit: soon\n- hosts: all\n", 2, "time_limit must be a time such as 30s or 5 min"),
        ("# bot:\n#   devices: many\n- hosts: all\n", 2, "devices must be one of"),
        ("# bot:\n#   name: a b\n- hosts: all\n", 2, "name must be letters"),
        ("# bot:\n#   help: [x\n- hosts: all\n", 2, "not valid YAML"),
        ("# bot:\n#   parameters:\n#     a: {}\n#     b: {type: data}\n- hosts: all\n", 4, "has type 'data'"),
        ("# bot:\n#   parameters:\n#     devices: {}\n- hosts: all\n", 3, "cannot be named devices"),
        ("# bot:\n#   parameters: [a]\n- hosts: all\n", 2, "must be a mapping"),
        ("# bot:\n#   nothing\n- hosts: all\n", 1, "must be indented keys"),
        ("- hosts: all\n  tasks:\n   - x: 'y\n", 4, "not valid YAML"),
        ("- hosts: all\n  tasks: !strange x\n", 2, "not valid YAML"),
        ("- name: only a task\n  command: x\n", 1, "not a playbook"),
        ("- hosts: all\n- debug:\n", 2, "not a playbook"),
        ("a: 1\n", 1, "not a playbook"),
        ("", 1, "not a playbook"),
        ("- import_playbook: gone.yml\n", 1, "imports gone.yml, which is not there"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(write, text, line, reason):
    with pytest.raises(DefinitionError, match=reason) as caught:
        load(write(text))
    assert (caught.value.line, caught.value.path.name) == (line, "play.yml")


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "binary.yml"
    path.write_bytes(b"- hosts: \xff\xfe")
    with pytest.raises(DefinitionError, match="not text in UTF-8"):
        load(path)


def test_the_tags_of_ansible_are_known(write):
    operation = load(write("- hosts: all\n  vars: {a: !unsafe '{{', b: !vault x, c: !unsafe [d], e: !unsafe {f: g}}\n"))
    assert operation.body.hosts == ("all",)


def test_imported_playbooks_count_as_their_own_plays(write):
    write("- name: Inner\n  hosts: ['{{ devices }}', db]\n  vars_prompt: [{name: x}]\n", "more/inner.yml")
    operation = load(
        write("- import_playbook: more/inner.yml\n- import_playbook: a.b.c\n- import_playbook: play.yml\n")
    )
    assert operation.help == "Inner"
    assert operation.body.hosts == ("{{ devices }},db",)
    assert [parameter.name for parameter in operation.parameters] == ["x"]


PULLS = """
- import_playbook: more/inner.yml
- hosts: all
  vars_files: [common/vars.yml]
  roles: [web]
  tasks:
    - include_tasks: extra.yml
    - copy: src=motd.txt dest=/etc/motd
"""


@pytest.mark.parametrize(
    "changed",
    ["play.yml", "more/inner.yml", "more/tasks/deep.yml", "common/vars.yml", "roles/web/tasks/main.yml", "extra.yml",
     "nested.yml", "motd.txt", "files/any", "templates/any.j2", "group_vars/all.yml", "library/thing.py", "ansible.cfg",
     "../shared/linked/tasks/main.yml"],
)  # fmt: skip
def test_the_digest_changes_with_each_file_that_the_playbook_pulls_in(write, tmp_path, changed):
    path = a_tree(write, tmp_path)
    before = digest(path)
    assert digest(path) == before
    file = path.parent / changed
    file.write_text(file.read_text() + "\n# changed\n")
    assert digest(path) != before


def test_the_digest_does_not_change_with_files_beside(write, tmp_path):
    path = a_tree(write, tmp_path)
    before = digest(path)
    write("other", "p/other.yml")
    write("compiled", "p/library/__pycache__/thing.pyc")
    assert digest(path) == before


def a_tree(write, tmp_path):
    names = ["more/tasks/deep.yml", "common/vars.yml", "roles/web/tasks/main.yml", "nested.yml", "motd.txt",
             "files/any", "templates/any.j2", "group_vars/all.yml", "library/thing.py", "ansible.cfg"]  # fmt: skip
    for name in names:
        write("a: 1\n", f"p/{name}")
    write("a: 1\n", "shared/linked/tasks/main.yml")
    (tmp_path / "p/roles/linked").symlink_to(tmp_path / "shared/linked")
    (tmp_path / "p/roles/loop").symlink_to(tmp_path / "p/roles")
    write("- hosts: all\n", "p/more/inner.yml")
    write("- include_tasks: nested.yml\n", "p/extra.yml")
    return write(PULLS, "p/play.yml")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_our_own_playbooks_say_what_they_are(path):
    operation = load(path)
    assert operation.declared
    assert operation.examples
    assert operation.body.device_variables
    assert all(parameter.help and not parameter.required for parameter in operation.parameters)


def test_there_are_playbooks_to_look_at():
    assert {path.stem for path in SHIPPED} >= {"patch", "facts", "disk-clean", "time-sync"}


class Heard:
    """A report that remembers."""

    def __init__(self):
        self.outcomes = {}

    def outcome(self, outcome):
        self.outcomes.setdefault(outcome.device, outcome)

    def progress(self, text):
        pass

    def remark(self, text):
        pass


def run(path, tmp_path, *names, check=False, **parameters):
    inventory = tmp_path / "hosts"
    local = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
    inventory.write_text("".join(f"{name} {local}\n" for name in ("one", "two", "three")))
    operation, heard = load(path), Heard()
    job = Job(1, State.RUNNING, "ana", Caller("text", "1"), Place("text", "room"), operation.name, parameters, "all",
              names, operation.risk, ("ansible",), check=check)  # fmt: skip
    devices = tuple(Device(name, variables={"ansible_connection": "local"}) for name in names)
    task = Task(
        job, operation, devices, tmp_path / "work", time.monotonic() + 60, inventory=(inventory,),
        further=lambda _contact: "",  # kolla's facts are gathered from all others too
    )  # fmt: skip
    with contextlib.closing(Ansible()) as driver:
        driver.run(task, heard)
    return heard.outcomes


@pytest.mark.slow
def test_facts_says_what_a_host_is(tmp_path):
    outcome = run(ROOT / "playbooks/facts.yml", tmp_path, "one")["one"]
    assert outcome.status is Status.OK
    assert "kernel" in outcome.summary
    assert "memory: " in outcome.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["patch", "disk-clean"])
def test_changing_playbooks_can_be_previewed(name, tmp_path):
    outcome = run(ROOT / f"playbooks/{name}.yml", tmp_path, "one", check=True)["one"]
    assert outcome.output
    assert "undefined" not in outcome.output


@pytest.mark.slow
def test_time_sync_gives_a_verdict(tmp_path):
    outcome = run(ROOT / "playbooks/time-sync.yml", tmp_path, "one", limit_ms=100)["one"]
    assert "undefined" not in outcome.output
    assert outcome.status is Status.OK or "clock" in outcome.summary or "answers" in outcome.summary


@pytest.fixture(scope="session")
def kolla():
    """The folder of kolla-ansible's playbooks, downloaded once."""
    folder = ROOT / "data/third-party"
    wheel = folder / f"{KOLLA}-py3-none-any.whl"
    if not wheel.exists():
        requirement = KOLLA.replace("-", "==").replace("_", "-")
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--only-binary",
            ":all:",
            "-d",
            str(folder),
        ]
        if subprocess.run([*command, requirement], capture_output=True).returncode:
            pytest.skip(f"cannot download {requirement}")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / KOLLA)
    return folder / KOLLA / f"{KOLLA}.data/data/share/kolla-ansible/ansible"


@pytest.mark.slow
def test_playbooks_that_nobody_here_wrote_are_operations(kolla):
    found = {path.stem: load(path) for path in kolla.glob("*.yml")}
    assert len(found) > 15
    assert not any(operation.declared for operation in found.values())
    assert found["gather-facts"].help == "Gather facts for all hosts"
    assert digest(kolla / "site.yml") != digest(kolla / "gather-facts.yml")


@pytest.mark.parametrize(
    ("hosts", "devices"),
    [(["localhost"], "none"), (["localhost", "127.0.0.1"], "none"), (["localhost", "web"], "required")],
)
def test_a_playbook_for_the_bots_own_machine_alone_takes_no_devices(write, hosts, devices):
    operation = load(write("".join(f"- {{hosts: {name}, tasks: []}}\n" for name in hosts)))
    assert (operation.devices, operation.controller) == (devices, devices == "none")


def test_what_a_header_says_counts_more_than_its_plays(write):
    operation = load(write("# bot:\n#   devices: optional\n#   controller: false\n- {hosts: localhost, tasks: []}\n"))
    assert (operation.devices, operation.controller) == ("optional", False)


@pytest.mark.slow
def test_a_playbook_that_nobody_here_wrote_runs_as_it_is(kolla, tmp_path):
    outcomes = run(kolla / "gather-facts.yml", tmp_path, "one", "two")
    assert {name: str(outcome.status) for name, outcome in outcomes.items()} == {"one": "ok", "two": "ok"}
    checked = run(kolla / "gather-facts.yml", tmp_path, "one", check=True)
    assert checked["one"].status is Status.OK
