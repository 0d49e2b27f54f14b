"""A team's whole repository in playbooks/: what of it is a command, by which name, and what is none."""

import os

import pytest

from automation_bots.operations import catalog, playbook_folders, playbooks
from automation_bots.operations.catalog import Folders

PLAY = "- name: {}\n  hosts: all\n  tasks: []\n"
REPOSITORY = {
    "ansible.cfg": "[defaults]\nroles_path = roles\n",
    "site.yml": PLAY.format("site"),
    "web/deploy.yml": PLAY.format("web"),
    "db/deploy.yml": PLAY.format("db"),
    "web/only.yml": "- {hosts: web, tasks: []}\n",
    "requirements.yml": "collections: [{name: ansible.posix}]\n",
    "vars.yml": "hosts: many\n",
    "hosts.yml": "all:\n  hosts: {web1: {}}\n",
    "more-tasks.yml": "- name: not a play\n  ansible.builtin.debug: {msg: hosts}\n",
    "secret.yml": "$ANSIBLE_VAULT;1.1;AES256\n3132\n",
    "roles/web/tasks/main.yml": "- hosts: nothing\n",
    "group_vars/all.yml": "x: 1\n",
    "inventory/prod.yml": "- hosts\n",
}


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_playbooks_are_commands_and_all_other_yaml_is_neither_command_nor_error(tmp_path):
    found = catalog.load(Folders(playbooks=(write(tmp_path / "repo", REPOSITORY),)))
    assert not found.problems
    assert {name for name in found.operations if found.operations[name].driver == "ansible"} == {
        "site", "web/deploy", "db/deploy", "only",
    }  # fmt: skip


def test_a_playbook_is_started_where_the_repositorys_ansible_cfg_is_and_its_roles_are_in_the_digest(tmp_path):
    repo = write(tmp_path / "repo", REPOSITORY)
    operation = catalog.load(Folders(playbooks=(repo,))).operations["only"]
    assert operation.body.home == repo
    before = catalog.digest(operation, {}, ())
    (repo / "roles/web/tasks/main.yml").write_text("[]\n")
    assert catalog.digest(operation, {}, ()) != before


def test_a_shipped_command_gives_way_to_the_bots_own_and_no_other_does(tmp_path):
    shipped, own = (write(tmp_path / name, {"patch.yml": PLAY.format(name)}) for name in ("shipped", "own"))
    found = catalog.load(Folders(playbooks=(shipped, own), shipped=shipped))
    assert not found.problems and found.operations["patch"].help == "own"
    assert catalog.load(Folders(playbooks=(shipped, own))).problems


@pytest.mark.parametrize(
    ("hosts", "devices", "asked"),
    [
        ('"{{ target }}"', ("target",), []),
        ("\"{{ target | default('all') }}\"", ("target",), []),
        ('"{{ devices }}"', ("devices",), []),
        ('"{{ env }}-web:&{{ site }}"', (), ["env", "site"]),
        ('"{{ groups.web[0] }}"', (), []),
        ("all", (), []),
    ],
)
def test_the_variable_that_names_the_hosts_is_the_requests_devices(tmp_path, hosts, devices, asked):
    operation = playbooks.load(write(tmp_path, {"x.yml": f"- hosts: {hosts}\n  tasks: []\n"}) / "x.yml")
    assert operation.body.device_variables == devices
    assert [parameter.name for parameter in operation.parameters] == asked


def test_a_file_that_is_as_it_was_is_not_read_again(tmp_path):
    file = write(tmp_path, {"play.yml": "- hosts: all\n"}) / "play.yml"
    before = file.stat()
    assert playbook_folders.playbooks(tmp_path) == [file]
    file.write_text("- host: all\n ")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert playbook_folders.playbooks(tmp_path) == [file]
    os.utime(file)
    assert playbook_folders.playbooks(tmp_path) == []
