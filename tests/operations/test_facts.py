"""Facts that a playbook has gathered and uses nowhere."""

import tempfile
from pathlib import Path

import pytest

from automation_bots.operations.facts import gathered_for_nothing
from automation_bots.operations.playbooks import Playbook


def idle(tmp_path, text, inventory="web1 ansible_host=192.0.2.1 ansible_user=ops\n", given=None, **files):
    tmp_path = Path(tempfile.mkdtemp(dir=tmp_path))
    playbook = tmp_path / "play.yml"
    playbook.write_text(text)
    (tmp_path / "hosts").write_text(inventory)
    for name, content in files.items():
        path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return gathered_for_nothing(Playbook(playbook), (tmp_path / "hosts",), given or {})


PLAY = "- hosts: web\n  become: true\n  tasks:\n    - command: uptime\n      become: '{{ ansible_check_mode }}'\n"
ROLE = "- hosts: web\n  roles: [motd]\n"


def test_a_playbook_that_says_nothing_of_facts_and_uses_none_is_found(tmp_path):
    assert idle(tmp_path, PLAY)
    assert idle(tmp_path, PLAY.replace("become: true", "gather_facts: true"))
    assert idle(tmp_path, ROLE, roles__motd__tasks__main_dot_yml="- command: who\n")


@pytest.mark.parametrize("line", [
    "gather_facts: false", "gather_facts: no", 'gather_facts: "{{ wanted }}"',
    "vars: {os: '{{ ansible_distribution }}'}",
    "vars: {os: \"{{ ansible_facts['os_family'] }}\"}", "vars: {a: \"{{ hostvars['db1'].ansible_host }}\"}",
])  # fmt: skip
def test_one_that_gathers_none_or_uses_one_is_left_alone(tmp_path, line):
    assert not idle(tmp_path, PLAY.replace("become: true", line))


def test_a_fact_in_a_template_a_role_or_the_inventory_counts(tmp_path):
    assert not idle(tmp_path, PLAY, templates__motd_dot_j2="{{ ansible_hostname }}\n")
    assert not idle(tmp_path, PLAY, inventory="web1 zone={{ansible_domain}}\n")
    assert not idle(tmp_path, ROLE, roles__motd__tasks__main_dot_yml="- debug: {msg: '{{ ansible_fqdn }}'}\n")


def test_where_a_file_is_not_seen_or_somebody_else_decides_nothing_is_said(tmp_path):
    assert not idle(tmp_path, ROLE)
    assert not idle(tmp_path, PLAY + "    - include_tasks: '{{ inventory_hostname }}.yml'\n")
    assert not idle(tmp_path, PLAY, given={"ANSIBLE_GATHERING": "explicit"})
    assert not idle(tmp_path, PLAY, ansible_dot_cfg="[defaults]\ngathering = explicit\n")
