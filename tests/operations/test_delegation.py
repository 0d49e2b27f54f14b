"""Where the tasks of a playbook work beside its devices, read from its files."""

import pytest

from automation_bots.model import Device
from automation_bots.operations import playbooks

GROUPS = {"all": ("web1", "web2", "lb1", "lb2"), "lbservers": ("lb1", "lb2")}
WEB1 = Device("web1", variables={"lb": "lb2"})
TASKS = "- hosts: web\n  tasks:\n    - name: drain\n      ansible.builtin.command: drain\n"


def elsewhere(tmp_path, text, device=WEB1, **values):
    path = tmp_path / "site.yml"
    path.write_text(text)
    return playbooks.Playbook(path).elsewhere(values, [device], GROUPS)


@pytest.mark.parametrize(
    ("lines", "devices"),
    [
        ("delegate_to: lb1", ("lb1",)),
        ('delegate_to: "{{ via }}"', ("db1",)),
        ('delegate_to: "{{ lb }}"', ("lb2",)),
        ('delegate_to: "{{ groups.lbservers[0] }}"', ("lb1",)),
        ("delegate_to: \"{{ groups['lbservers'] | first }}\"", ("lb1",)),
        ('delegate_to: "{{ item }}"\n      with_items: "{{ groups.lbservers }}"', ("lb1", "lb2")),
        ('delegate_to: "{{ it }}"\n      loop: [lb2, web2]\n      loop_control: {loop_var: it}', ("lb2", "web2")),
        ('delegate_to: "{{ inventory_hostname }}"', ()),
    ],
)
def test_delegated_devices_are_known_beforehand_where_the_words_tell(tmp_path, lines, devices):
    found = elsewhere(tmp_path, f"{TASKS}      {lines}\n", via="db1")
    assert (found.devices, found.here, found.unknown) == (devices, (), ())


def test_what_only_the_run_can_work_out_is_named(tmp_path):
    text = TASKS.replace("drain\n", "x\n", 1) + "      delegate_to: \"{{ hostvars[inventory_hostname]['spare'] }}\"\n"
    found = elsewhere(tmp_path, text)
    assert found.devices == () and found.unknown == ("{{ hostvars[inventory_hostname]['spare'] }}",)


@pytest.mark.parametrize(
    "text",
    [
        f"{TASKS}      delegate_to: localhost\n",
        "- hosts: web\n  tasks: [{block: [{name: drain, local_action: command id}]}]\n",
        "- hosts: web\n  tasks: []\n- name: report\n  hosts: localhost\n  tasks: []\n",
        "- hosts: web\n  connection: local\n  tasks: []\n",
    ],
)
def test_what_is_for_the_bots_own_machine_is_known_beforehand(tmp_path, text):
    assert elsewhere(tmp_path, text).here


def test_a_connection_that_the_inventory_names_wins_over_that_of_the_play(tmp_path):
    device = Device("web1", variables={"ansible_connection": "network_cli"})
    assert not elsewhere(tmp_path, "- hosts: web\n  connection: local\n  tasks: []\n", device).here


def test_roles_includes_and_imports_are_read_and_those_that_are_not_used_are_not(tmp_path):
    for name, text in {
        "more.yml": f"{TASKS}      delegate_to: lb1\n",
        "tasks/extra.yml": "- {command: x, delegate_to: lb2}\n",
        "roles/used/tasks/main.yml": "- {command: x, delegate_to: web2}\n",
        "roles/idle/tasks/main.yml": "- {command: x, delegate_to: localhost}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = elsewhere(
        tmp_path,
        "- import_playbook: more.yml\n- hosts: web\n  roles: [used]\n  tasks: [{include_tasks: tasks/extra.yml}]\n",
    )
    assert sorted(found.devices) == ["lb1", "lb2", "web2"] and not found.here
